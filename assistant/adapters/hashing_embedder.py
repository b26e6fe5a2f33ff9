"""Vectors by feature hashing: no model, no file, for tests.

Each word adds +1 or -1 to one of the dimensions, chosen by its hash. Texts that
share words are near each other and nothing else is known about them; measured on
news it adds nothing to BM25 (DESIGN.md), so it is no default.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from assistant.ports import Vectors

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """The same text always has the same vector, on every machine."""

    def __init__(self, dimensions: int = 256) -> None:
        self._dimensions = dimensions

    @property
    def fingerprint(self) -> str:
        """Names the method and its size."""
        return f"hashing/{self._dimensions}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each text; zeros for a text without words."""
        vectors = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in _WORD.findall(text.casefold()):
                digest = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")
                row[digest // 2 % self._dimensions] += 1 if digest % 2 else -1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(norms == 0, 1, norms)
        return vectors
