"""Dense search: Chroma proposes candidates, exact cosines decide.

Chroma's HNSW graph is not repeatable (two identical builds disagree in their top
fifty), so it only says which passages to look at; scores come from the vectors
themselves, kept beside it in ``vectors.npy``, one row per passage in passage-id
order. Where Chroma would propose every passage anyway, it is not asked, and its
second of import time is not spent; nor is it where the folder cannot be written.

Chroma gets our vectors and row numbers, and no documents or metadata: texts live
in the library.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.domain.errors import HomeUnusable, LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import IndexRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.ports import Vectors

CANDIDATES = 500  # also HNSW's ef_search: recall@10 is 1.0 at 100,000 vectors there
_BATCH = 1_000
_COLLECTION = "passages"
_ID_BYTES = "S16"


class ChromaIndex:
    """One generation's vectors, open for reading; Chroma itself opens when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writable = os.access(folder, os.W_OK)  # Chroma writes even when it only reads
        self._opening = Lock()
        try:
            self._vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
            self._ids: NDArray[np.bytes_] = np.load(folder / "ids.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise LibraryDamaged(f"the vectors in {folder.name!r} cannot be read: {error}") from error
        if len(self._vectors) != len(self._ids):
            raise LibraryDamaged(f"{folder.name!r} has {len(self._ids)} ids for {len(self._vectors)} vectors")

    @classmethod
    def build(cls, folder: Path, rows: Iterable[IndexRow]) -> None:
        """Write vectors and a new Chroma collection into the folder, which must not exist yet.

        The rows come in passage-id order.
        """
        folder.mkdir()
        listed = list(rows)
        vectors = np.array([row.vector for row in listed] or np.empty((0, 0)), dtype=np.float32)
        np.save(folder / "vectors.npy", vectors)
        np.save(folder / "ids.npy", np.array([row.passage_id for row in listed], dtype=_ID_BYTES))
        with_words = np.flatnonzero(np.any(vectors, axis=1)) if listed else np.array([], dtype=np.int64)
        from chromadb.errors import ChromaError

        try:
            with closing(_client(folder)) as client:
                collection = client.create_collection(
                    _COLLECTION,
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine", "ef_search": CANDIDATES}},
                )
                for start in range(0, len(with_words), _BATCH):
                    batch = with_words[start : start + _BATCH]
                    collection.add(ids=[str(row) for row in batch], embeddings=vectors[batch])
        except ChromaError as error:
            raise HomeUnusable(f"the vector index cannot be written: {error}") from error

    def search(self, vector: Vectors, limit: int, *, exact: bool = False) -> list[Hit]:
        """The nearest passages by exact cosine, ties by passage id."""
        if not len(self._ids) or not np.any(vector):
            return []
        everything = exact or len(self._ids) <= CANDIDATES or not self._writable
        rows = np.arange(len(self._ids)) if everything else self._proposed(vector, limit)
        cosines = (self._vectors if everything else self._vectors[rows]) @ vector
        if 0 < limit < len(rows):  # only those that can be among the best are sorted
            leading = np.flatnonzero(cosines >= np.partition(cosines, -limit)[-limit])
            rows, cosines = rows[leading], cosines[leading]
        best = np.lexsort((rows, -cosines))[:limit]
        return [Hit(self._ids[rows[at]].decode(), float(cosines[at])) for at in best]

    def cosines(self, vector: Vectors, passage_ids: Sequence[str]) -> Mapping[str, float]:
        """The exact cosine of each named passage; raises LibraryDamaged for one that is not here."""
        if not passage_ids:
            return {}
        asked = np.array(passage_ids, dtype=_ID_BYTES)
        rows = np.minimum(np.searchsorted(self._ids, asked), max(len(self._ids) - 1, 0))
        if not len(self._ids) or not np.array_equal(self._ids[rows], asked):
            raise LibraryDamaged("the vector index does not hold every passage of the lexical index")
        scores = self._vectors[rows] @ vector
        return dict(zip(passage_ids, (float(score) for score in scores), strict=True))

    def close(self) -> None:
        """Give back Chroma's threads and descriptors, when it was opened."""
        opened = self.__dict__.pop("_chroma", None)
        if opened is not None:
            opened.close()

    def _proposed(self, vector: Vectors, limit: int) -> NDArray[np.int64]:
        from chromadb.errors import ChromaError

        try:
            with self._opening:  # two threads' first questions open one client
                client = self._chroma
            found = client.get_collection(_COLLECTION, embedding_function=None).query(
                query_embeddings=[vector], n_results=min(max(limit, CANDIDATES), len(self._ids)), include=[]
            )
        except ChromaError as error:
            raise LibraryDamaged(f"the vector index {self._folder.name!r} cannot be read: {error}") from error
        return np.sort(np.array([int(row) for row in found["ids"][0]], dtype=np.int64))

    @cached_property
    def _chroma(self) -> Any:
        return _client(self._folder)


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
