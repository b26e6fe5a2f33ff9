"""A reranker that knows the passages of one test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.testing.strict import UnexpectedCall

if TYPE_CHECKING:
    from assistant.ports import Scores


class ScriptedReranker:
    """Gives each passage the score that the test wrote for it, whatever the question.

    A passage that is not in the script raises UnexpectedCall. ``calls`` keeps what was asked,
    a question and its passages for each call.
    """

    def __init__(self, script: Mapping[str, float], *, name: str = "scripted:reranker") -> None:
        self._script = dict(script)
        self.name = name
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        """One score for each passage, in their order."""
        self.calls.append((question, tuple(passages)))
        for passage in passages:
            if passage not in self._script:
                raise UnexpectedCall(f"no score is scripted for {passage!r}")
        return np.array([self._script[passage] for passage in passages], dtype=np.float32)

    def assert_complete(self) -> None:
        """Raises UnexpectedCall when a passage of the script was never asked for."""
        unused = self._script.keys() - {passage for _, passages in self.calls for passage in passages}
        if unused:
            raise UnexpectedCall(f"never scored: {sorted(unused)}")
