"""Dense search: Chroma proposes candidates, exact cosines decide.

Chroma's HNSW graph is not repeatable (two identical builds disagree in their top
fifty), so it only says which passages to look at; scores come from the vectors
themselves, kept beside it in ``vectors.npy``, one row per passage in passage-id
order. Where Chroma would propose every passage anyway, it is not asked, and its
second of import time is not spent; nor is it where the folder cannot be written,
nor once it turned out to be damaged: every vector is compared then.

Chroma gets our vectors under their passage ids, and no documents or metadata: texts
live in the library.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.domain.errors import EmbedderMismatch, HomeUnusable, LibraryDamaged
from assistant.domain.passages import Hit
from assistant.domain.text import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.ports import Vectors

CANDIDATES = 500  # HNSW's ef_search: recall@10 is 1.0 at 100,000 vectors there
_TIES = 50  # proposals beyond the limit, since the graph does not know our order of equal ones
TOMBSTONES = 0.2  # share of deleted vectors beyond which the graph is built anew
_LOST = 0.01  # share of vectors that a sound graph may fail to find by themselves: it is approximate
_BATCH = 5_000  # vectors in one call; Chroma takes 5,461 at most, and large calls are a fifth faster
_SELF_QUERIES = 200  # asked together
_COLLECTION = "passages"
_ID_BYTES = "S16"
_DATABASE = "chroma.sqlite3"
_OURS = ("vectors.npy", "ids.npy", "state.json")


class ChromaIndex:
    """One generation's vectors, open for reading; Chroma itself opens when first needed.

    check: called before Chroma reads its files, which may end the process if they are
        garbled; raises LibraryDamaged.
    damage: why Chroma is not asked although it should be; empty when all is well.
    """

    def __init__(self, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._check = check
        self._writable = os.access(folder, os.W_OK)  # Chroma writes even when it only reads
        self._opening = Lock()
        self._opened = ExitStack()
        self._collection: Any = None
        self.damage = ""
        try:
            self._vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
            self._ids: NDArray[np.bytes_] = np.load(folder / "ids.npy", allow_pickle=False)
            self._expected = int(json.loads((folder / "state.json").read_text())["vectors"])
        except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
            raise LibraryDamaged(f"the vectors in {folder.name!r} cannot be read: {error}") from error
        if len(self._vectors) != len(self._ids):
            raise LibraryDamaged(f"{folder.name!r} has {len(self._ids)} ids for {len(self._vectors)} vectors")

    @property
    def passages(self) -> int:
        """How many passages it holds."""
        return len(self._ids)

    def search(self, vector: Vectors, limit: int, *, exact: bool = False) -> list[Hit]:
        """The nearest passages by exact cosine, ties by passage id."""
        if not len(self._ids) or not np.any(vector):
            return []
        self._require_size(vector)
        asked = self._expected and len(self._ids) > CANDIDATES and self._writable
        rows = self._proposed(vector, limit) if asked and not exact else None
        cosines = _cosines(self._vectors if rows is None else self._vectors[rows], vector)
        if rows is None:
            rows = np.arange(len(self._ids))
        if 0 < limit < len(rows):  # only those that can be among the best are sorted
            leading = np.flatnonzero(cosines >= np.partition(cosines, -limit)[-limit])
            rows, cosines = rows[leading], cosines[leading]
        best = np.lexsort((rows, -cosines))[: max(limit, 0)]
        return [Hit(self._ids[rows[at]].decode(), float(cosines[at])) for at in best]

    def cosines(self, vector: Vectors, passage_ids: Sequence[str]) -> Mapping[str, float]:
        """The exact cosine of each named passage; raises LibraryDamaged for one that is not here."""
        if not passage_ids:
            return {}
        self._require_size(vector)
        scores = _cosines(self._vectors[self._rows(passage_ids)], vector)
        return dict(zip(passage_ids, (float(score) for score in scores), strict=True))

    def problems(self, passage_ids: Sequence[str], vectors: Vectors, *, every: int = 1) -> Iterator[str]:
        """What is wrong with the vectors, a line each; passage ids and vectors are the library's, sorted.

        every: ask Chroma for each n-th vector only.
        """
        if self._ids.tolist() != [one.encode() for one in passage_ids]:
            yield f"the vectors belong to other passages than the library's {len(passage_ids)}"
            return
        if not np.array_equal(self._vectors, vectors):
            yield "the vectors differ from the library's"
        with_words = np.flatnonzero(np.any(vectors, axis=1)) if len(vectors) else np.empty(0, dtype=np.int64)
        if not len(with_words) or not self._expected:
            return
        try:
            collection = self._checked()
            unreadable = lost = 0
            asked = with_words[::every]
            for start in range(0, len(asked), _SELF_QUERIES):
                rows = asked[start : start + _SELF_QUERIES]
                unreadable += len(rows) - self._readable(collection, rows, vectors)
                lost += len(rows) - self._found(collection, rows, vectors)
        except LibraryDamaged as error:
            yield str(error)
            return
        if unreadable:
            yield f"Chroma cannot give back {counted(unreadable, 'vector')}"
        if len(self._ids) > CANDIDATES and lost > _LOST * len(asked):
            yield f"Chroma does not find {counted(lost, 'vector')} of {len(asked)} by itself"

    def close(self) -> None:
        """Give back Chroma's threads and descriptors, when it was opened."""
        self._opened.close()
        self._collection = None

    def _require_size(self, vector: Vectors) -> None:
        ours = self._vectors.shape[1]
        if len(self._ids) and vector.shape[-1] != ours:
            raise EmbedderMismatch(
                f"the corpus has vectors of {ours} numbers, and the embedder gave one of {vector.shape[-1]}"
            )

    def _rows(self, passage_ids: Sequence[str]) -> NDArray[np.int64]:
        asked = np.array(passage_ids, dtype=_ID_BYTES)
        rows = np.minimum(np.searchsorted(self._ids, asked), max(len(self._ids) - 1, 0))
        if not len(self._ids) or not np.array_equal(self._ids[rows], asked):
            raise LibraryDamaged("the vector index does not hold every passage that is asked for")
        return rows

    def _proposed(self, vector: Vectors, limit: int) -> NDArray[np.int64] | None:
        """The rows that Chroma proposes, in order; None when it cannot be asked."""
        if self.damage:
            return None
        try:
            wanted = min(limit + _TIES, self._expected)
            with _translated(f"the vector index {self._folder.name!r} cannot be read"):
                found = self._checked().query(query_embeddings=[vector], n_results=wanted, include=[])
            return np.sort(self._rows(found["ids"][0]))
        except (HomeUnusable, LibraryDamaged) as error:
            self.damage = str(error)
            return None

    def _checked(self) -> Any:
        """Chroma's collection, held against what was written before it is used."""
        with self._opening:  # two threads' first questions open one client
            if self._collection is None:
                self._check()
                with _translated(f"the vector index {self._folder.name!r} cannot be opened"):
                    client = self._opened.enter_context(_client(self._folder))
                    collection = client.get_collection(_COLLECTION, embedding_function=None)
                    count = collection.count()
                if count != self._expected:
                    raise LibraryDamaged(f"Chroma holds {count} of {self._expected} vectors")
                self._collection = collection
        return self._collection

    def _readable(self, collection: Any, rows: NDArray[np.int64], vectors: Vectors) -> int:
        """How many of the vectors Chroma gives back as they were written."""
        ids = [self._ids[row].decode() for row in rows]
        with _translated("a vector cannot be read"):
            given = collection.get(ids=ids, include=["embeddings"])
        back = dict(zip(given["ids"], given["embeddings"], strict=True))
        return sum(
            one in back and np.allclose(back[one], vectors[row], atol=1e-6)
            for one, row in zip(ids, rows, strict=True)
        )

    def _found(self, collection: Any, rows: NDArray[np.int64], vectors: Vectors) -> int:
        """How many of the vectors are nearest to themselves, or to another one that is the same."""
        with _translated("a vector cannot be searched for"):
            found = collection.query(query_embeddings=list(vectors[rows]), n_results=1, include=[])
        nearest = vectors[self._rows([ids[0] for ids in found["ids"]])]
        return int(np.sum(np.sum(nearest * vectors[rows], axis=1) > 1 - 1e-4))


class ChromaWriter:
    """The vectors of a generation under construction.

    copy_of: the folder of the generation before; its graph is copied with the first change.
    """

    def __init__(self, folder: Path, copy_of: Path | None) -> None:
        self._folder = folder
        self._copy_of = copy_of
        self._opened = ExitStack()
        self._collection: Any = None
        self._broken = False
        self._waiting: dict[str, Vectors] = {}
        self._leaving: list[str] = []
        state = _state(copy_of) if copy_of else {"vectors": 0, "tombstones": 0}
        self._tombstones, self._limit = state["tombstones"], TOMBSTONES * sum(state.values())

    def add(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """Add passages; those without words have no direction and stay out of the graph."""
        for passage_id, vector in zip(passage_ids, vectors, strict=True):
            if vector.any():
                self._waiting[passage_id] = vector
        if len(self._waiting) >= _BATCH:
            self._flush()

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Take passages out of the graph, where each leaves a tombstone."""
        gone = [one for one in passage_ids if self._waiting.pop(one, None) is None]
        self._leaving += gone
        self._tombstones += len(gone)
        if self._copy_of and self._tombstones > self._limit:  # it will be built anew, so why go on with it
            self._broken = True
            self.close()

    def finish(
        self, passage_ids: Sequence[str], vectors: Vectors, *, fresh: bool = False, graph: bool = True
    ) -> None:
        """Write vectors and graph for good; passage ids are sorted, the vectors in the same order.

        fresh: build the graph anew, as is done by itself when too much of it is tombstones.
        graph: without one every search compares all vectors. HNSW does not find its way where
            many vectors are the same, or all equally far from each other.
        """
        self._flush()
        if graph and not fresh:
            self._change("count")  # a copy that nothing has changed yet is made and opened here
        tombstones = self._tombstones > TOMBSTONES * (self._tombstones + len(passage_ids))
        if fresh or self._broken or tombstones or not graph:
            self.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._copy_of, self._tombstones, self._broken = None, 0, False
            if graph:
                self.add(passage_ids, vectors)
                self._flush()
        if graph:
            self._change("count")
        else:
            self._folder.mkdir()
        self.close()
        np.save(self._folder / "vectors.npy", vectors)
        np.save(self._folder / "ids.npy", np.array(passage_ids, dtype=_ID_BYTES))
        count = int(np.count_nonzero(np.any(vectors, axis=1))) if graph and len(vectors) else 0
        state = {"vectors": count, "tombstones": self._tombstones}
        (self._folder / "state.json").write_text(json.dumps(state) + "\n")

    def close(self) -> None:
        """Let go of the files, finished or not."""
        self._opened.close()
        self._collection = None

    def _flush(self) -> None:
        """Hand over what waits: Chroma takes thousands of vectors in little more time than ten."""
        for start in range(0, len(self._leaving), _BATCH):
            self._change("delete", ids=self._leaving[start : start + _BATCH])
        self._leaving.clear()
        ids, vectors = list(self._waiting), list(self._waiting.values())
        self._waiting.clear()
        for start in range(0, len(ids), _BATCH):
            end = start + _BATCH
            self._change("add", ids=ids[start:end], embeddings=vectors[start:end])

    def _change(self, method: str, **arguments: Any) -> None:
        """Change the graph; a copied one that cannot be changed is given up, and built anew at the end."""
        if self._broken:
            return
        try:
            with _written():
                getattr(self._writable(), method)(**arguments)
        except HomeUnusable:
            if self._copy_of is None:
                raise
            self._broken = True
            self.close()

    def _writable(self) -> Any:
        if self._collection is None:
            begun = self._folder.exists()
            if self._copy_of and not begun:
                shutil.copytree(
                    self._copy_of, self._folder, ignore=shutil.ignore_patterns(*_OURS, f"{_DATABASE}*")
                )
                _copy_database(self._copy_of / _DATABASE, self._folder / _DATABASE)
            self._folder.mkdir(parents=True, exist_ok=True)
            client = self._opened.enter_context(_client(self._folder))
            if begun or self._copy_of:
                self._collection = client.get_collection(_COLLECTION, embedding_function=None)
            else:
                self._collection = client.create_collection(
                    _COLLECTION,
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine", "ef_search": CANDIDATES}},
                )
        return self._collection


def _cosines(vectors: Vectors, vector: Vectors) -> Vectors:
    """The dot product of each row, the same to the last bit wherever a row lies and what lies beside it.

    That of a matrix product is not, so that equal passages would rank by what else was looked at.
    """
    cosines: Vectors = np.vecdot(vectors, vector)
    return cosines


def _copy_database(source: Path, target: Path) -> None:
    """A whole copy, also while somebody opens the graph: that writes into its database, with a journal."""
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)) as database,
            closing(sqlite3.connect(target)) as copy,
        ):
            database.backup(copy)
    except sqlite3.Error as error:
        raise HomeUnusable(f"the vector index cannot be copied: {error}") from error


def _state(folder: Path) -> dict[str, int]:
    try:
        state = json.loads((folder / "state.json").read_text())
        return {name: int(state[name]) for name in ("vectors", "tombstones")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryDamaged(f"the state of {folder.name!r} cannot be read: {error}") from error


@contextmanager
def _client(folder: Path) -> Iterator[Any]:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    path = str(folder)
    try:
        client: Any = chromadb.PersistentClient(path, settings=Settings(anonymized_telemetry=False))
    except BaseException:  # Chroma keeps what it could not start, and would hand it out again
        if path not in SharedSystemClient._identifier_to_refcount:
            SharedSystemClient._identifier_to_system.pop(path, None)
        raise
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """What Chroma cannot read, as LibraryDamaged; its Rust core may also panic."""
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError) as error:
        if "disk is full" in str(error):  # it writes even to read
            raise HomeUnusable(f"{what}: {error}") from error
        raise LibraryDamaged(f"{what}: {error}") from error
    except BaseException as error:  # a panic is no Exception; anything else goes its way
        if type(error).__name__ != "PanicException":
            raise
        raise LibraryDamaged(f"{what}: {error}") from error


@contextmanager
def _written() -> Iterator[None]:
    from chromadb.errors import ChromaError

    try:
        yield
    except BaseException as error:  # a panic is no Exception; anything else goes its way
        if not isinstance(error, ChromaError) and type(error).__name__ != "PanicException":
            raise
        raise HomeUnusable(f"the vector index cannot be written: {error}") from error
