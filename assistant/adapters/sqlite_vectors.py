"""Vectors that were paid for, in one SQLite file, ``cache.db``: an ingest that broke off goes on cheaply.

A text is known by its SHA-256 alone, a vector by the fingerprint of its embedder. Nothing
depends on the file: where it is damaged, busy or cannot be written it is not used for the
rest of the process, which is told once, and vectors are asked for again.

A vector says much about its text, and the file may hold those of texts that no corpus holds
any more: earlier wordings, articles of an ingest that broke off. So it is forgotten whole.
Embedding 65,000 passages again costs less than a dollar.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assistant.domain.errors import HomeUnusable

if TYPE_CHECKING:
    from assistant.ports import Vectors

T = TypeVar("T")

PATIENCE = 10.0  # seconds to wait for others: keeping a batch takes milliseconds
_LENGTH_ONE = 1e-3  # how far from 1 the length of a vector may be; a file does not notice bits that rot
_STORED = np.dtype("<f4")
_TABLE = """CREATE TABLE IF NOT EXISTS vectors (
    text BLOB NOT NULL, embedder TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (text, embedder)
) STRICT"""
_CREATING = Lock()  # closing a file lets go of all locks that this process holds on it, SQLite's too


class SqliteVectors:
    """The vectors in the file at the path, which the first one creates, for its owner alone.

    warn: told once, in a line, when the file is not used any more.
    patience: seconds to wait for another process.
    """

    def __init__(
        self, path: Path, *, warn: Callable[[str], None] = lambda text: None, patience: float = PATIENCE
    ) -> None:
        self._path = path
        self._warn = warn
        self._patience = patience
        self._given_up = False

    def get(self, embedder: str, texts: Iterable[str]) -> dict[str, Vectors]:
        """The vectors that are kept, by text; an embedder is named by its fingerprint."""
        query = "SELECT vector FROM vectors WHERE text = ? AND embedder = ?"

        def find(connection: sqlite3.Connection) -> dict[str, Vectors]:
            found: dict[str, Vectors] = {}
            for text in texts if _is_begun(connection) else ():
                row = connection.execute(query, [_key(text), embedder]).fetchone()
                if row and (vector := _read(row[0])) is not None:
                    found[text] = vector
            return found

        return (self._tried(find) if self._path.exists() else None) or {}

    def size(self, embedder: str) -> int | None:
        """How many numbers a vector of this embedder has; None when none is kept."""
        query = "SELECT length(vector) FROM vectors WHERE embedder = ? LIMIT 1"

        def measure(connection: sqlite3.Connection) -> int | None:
            row = connection.execute(query, [embedder]).fetchone() if _is_begun(connection) else None
            return row[0] // _STORED.itemsize if row else None

        return self._tried(measure) if self._path.exists() else None

    def put(self, embedder: str, vectors: Mapping[str, Vectors]) -> None:
        """Keep these vectors, each of length 1, by text."""
        rows = [(_key(text), embedder, _written(vector)) for text, vector in vectors.items()]

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                connection.execute(_TABLE)
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

        self._tried(keep, create=True)

    def clear(self) -> None:
        """Forget all vectors, whatever state the file is in; raises HomeUnusable where it cannot go.

        Whoever writes into it meanwhile ends with a file that has no name any more.
        """
        # The journal first: another process's, left beside a new file, would be played back into that.
        try:
            for file in (self._path.with_name(f"{self._path.name}-journal"), self._path):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise HomeUnusable(f"{self._path.name!r} cannot be removed: {error.strerror or error}") from error

    def _tried(self, work: Callable[[sqlite3.Connection], T], *, create: bool = False) -> T | None:
        """What comes of working on the file; None, and never an error, where it cannot be used."""
        if self._given_up:
            return None
        try:
            if create:
                self._create()
            uri = f"{self._path.resolve().as_uri()}?mode=rw"
            connecting = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=self._patience)
            with closing(connecting) as connection:
                return work(connection)
        except (sqlite3.Error, OSError) as error:
            self._given_up = True
            self._warn(f"vectors are not kept: {self._path.name!r} cannot be used: {error}")
            return None

    def _create(self) -> None:
        with _CREATING:
            if not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    self._path.touch(mode=0o600, exist_ok=False)


def _is_begun(connection: sqlite3.Connection) -> bool:
    """Whether anything was ever kept; somebody else may just have created the file."""
    query = "SELECT 1 FROM sqlite_schema WHERE name = 'vectors'"
    return connection.execute(query).fetchone() is not None


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _written(vector: Vectors) -> bytes:
    return vector.astype(_STORED).tobytes()


def _read(stored: bytes) -> Vectors | None:
    """The vector; None where the bytes are none any more."""
    if not stored or len(stored) % _STORED.itemsize:
        return None
    vector = np.frombuffer(stored, dtype=_STORED).astype(np.float32)
    return vector if abs(float(np.linalg.norm(vector)) - 1) < _LENGTH_ONE else None  # NaN is near nothing
