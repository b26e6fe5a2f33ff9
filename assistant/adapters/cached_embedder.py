"""An embedder whose vectors are kept, so that no text is paid for twice.

What is missing is asked for in batches and each is kept at once: an ingest that ends in
the middle, for want of money or of a connection, has lost one batch and no more.

For articles. A question's vector says much about the question, and whoever deletes the
history means that, too: so questions go to the embedder itself, or to one that keeps
nothing and only holds their vectors against the size of those that are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assistant.domain.errors import ReplyMalformed, VectorsUnusable
from assistant.ports import Embedder

if TYPE_CHECKING:
    from assistant.ports import Vectors

_BATCH = 64  # texts that are asked for, and kept, together


class VectorCache(Protocol):
    """Keeps vectors by fingerprint of the embedder and text."""

    def get(self, embedder: str, texts: Iterable[str]) -> Mapping[str, Vectors]:
        """The vectors that are kept, by text."""
        ...

    def size(self, embedder: str) -> int | None:
        """How many numbers a kept vector has; None when none is kept."""
        ...

    def put(self, embedder: str, vectors: Mapping[str, Vectors]) -> None:
        """Keep these vectors, by text."""
        ...


class CachedEmbedder:
    """Gives the vectors that are kept, and asks for those that are not.

    keep: whether new ones are kept, too.
    """

    def __init__(self, embedder: Embedder, vectors: VectorCache, *, keep: bool = True) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._keep = keep

    @property
    def fingerprint(self) -> str:
        """That of the embedder itself: its vectors are the same."""
        return self._embedder.fingerprint

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, as the embedder gives it.

        Raises ReplyMalformed where vectors come that are of another size than those before, and
        VectorsUnusable once those of all other texts are kept.
        """
        wanted = [text for text in dict.fromkeys(texts) if text.strip()]
        if not wanted:
            return self._embedder.embed(texts)
        known = dict(self._vectors.get(self.fingerprint, wanted))
        missing = [text for text in wanted if text not in known]
        unusable: set[str] = set()
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            known |= self._asked_for(batch, unusable)
        if unusable:
            raise VectorsUnusable(tuple(at for at, text in enumerate(texts) if text in unusable))
        nothing = np.zeros_like(known[wanted[0]])
        return np.stack([known.get(text, nothing) for text in texts])

    def _asked_for(self, batch: Sequence[str], unusable: set[str]) -> dict[str, Vectors]:
        """The vectors of these texts, kept from now on, without those that are found to be unusable."""
        try:
            rows = self._embedder.embed(batch)
        except VectorsUnusable as error:
            unusable.update(batch[at] for at in error.at)
            rest = [text for text in batch if text not in unusable]
            return self._asked_for(rest, unusable) if rest else {}
        size = self._vectors.size(self.fingerprint)
        if size and size != rows.shape[1]:
            raise ReplyMalformed(
                f"vectors of {rows.shape[1]} numbers came where earlier ones have {size};"
                " if that is another model now, remove cache.db and ingest with --rebuild"
            )
        fresh = dict(zip(batch, rows, strict=True))
        if self._keep:
            self._vectors.put(self.fingerprint, {text: row for text, row in fresh.items() if row.any()})
        return fresh
