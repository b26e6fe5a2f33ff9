"""An embedder that knows the texts of one test, and one that knows none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.testing.strict import UnexpectedCall

if TYPE_CHECKING:
    from assistant.ports import Vectors


class ScriptedEmbedder:
    """Gives each text the vector that the test wrote for it, brought to length 1.

    A text that is not in the script raises UnexpectedCall; a blank one is all zero
    and needs no script. ``calls`` keeps what was asked, one tuple for each call.
    """

    def __init__(self, script: Mapping[str, Sequence[float]], *, fingerprint: str = "scripted/1") -> None:
        self._script = {text: np.array(vector, dtype=np.float32) for text, vector in script.items()}
        sizes = {len(vector) for vector in self._script.values()}
        if len(sizes) != 1:
            raise ValueError(f"the vectors of a script have one length, not {sorted(sizes)}")
        (self._dimensions,) = sizes
        self.fingerprint = fingerprint
        self.calls: list[tuple[str, ...]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, float32, length 1."""
        self.calls.append(tuple(texts))
        vectors = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for at, text in enumerate(texts):
            if text.strip():
                vectors[at] = self._scripted(text)
        return vectors

    def assert_complete(self) -> None:
        """Raises UnexpectedCall when a text of the script was never asked for."""
        unused = self._script.keys() - {text for call in self.calls for text in call}
        if unused:
            raise UnexpectedCall(f"never embedded: {sorted(unused)}")

    def _scripted(self, text: str) -> Vectors:
        if text not in self._script:
            raise UnexpectedCall(f"no vector is scripted for {text!r}")
        vector = self._script[text]
        return vector / np.linalg.norm(vector) if vector.any() else vector


class BlindEmbedder:
    """Sees no text as near another one: what is found is found by its words."""

    fingerprint = "blind/1"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A row of zeros for each text."""
        return np.zeros((len(texts), 2), dtype=np.float32)
