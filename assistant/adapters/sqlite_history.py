"""The history in one SQLite file, ``history.db``: the only file that answering writes.

Several programs write it at once (a REPL, a bot, a command line), any of them may be
killed, and what is deleted or withdrawn has to be gone from every file. So:

- A rollback journal and no write-ahead log. A log keeps deleted text until nobody reads
  and everything was copied back, and cannot be read in a home that is read-only. The
  journal of a change is deleted with it, and the next one to open the file undoes what
  a killed process left half done. ``synchronous = EXTRA`` makes that outlast a power cut.
- ``secure_delete`` overwrites what is deleted, but not the copies that SQLite leaves
  behind when it moves rows to another page (two of 24,515 deleted texts were still to be
  found). So a deletion and a withdrawal end with ``VACUUM``, which writes the file anew.
- A connection for each call: nothing is held between two questions, and threads need no
  care. Recording takes a millisecond and what the disk needs to sync.

A file that is damaged, foreign or from a newer version is told and left as it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from assistant.domain.errors import (
    FormatUnsupported,
    HistoryBusy,
    HistoryDamaged,
    HistoryNotFound,
    HomeUnusable,
)
from assistant.domain.history import Record

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Migration = Callable[[sqlite3.Connection], None]
PATIENCE = 10.0  # seconds to wait for others: a record takes milliseconds, a VACUUM of 20,000 a second
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNUSABLE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
)
_CREATING = Lock()  # closing a file lets go of all locks that this process holds on it, SQLite's too


def m001_records(connection: sqlite3.Connection) -> None:
    """One row for each question; the record itself is JSON, what is searched for stands beside it."""
    connection.execute(
        """CREATE TABLE records (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, corpus TEXT NOT NULL,
            record TEXT NOT NULL
        ) STRICT"""
    )


MIGRATIONS: tuple[Migration, ...] = (m001_records,)  # in order; one that was released never changes


class SqliteHistory:
    """The history in the file at the path, which the first record creates, for its owner alone.

    migrations: how an older file is brought up to date, by whichever call opens it first.
    patience: seconds to wait for another process before HistoryBusy is raised.
    """

    def __init__(
        self, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS, patience: float = PATIENCE
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._patience = patience

    def record(self, record: Record) -> None:
        """Keep the record, in place of one with the same id."""
        row = (_utf8(record.result.id), _moment(record.at), record.result.corpus.name, _written(record))
        with self._opened(create=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO records (id, at, corpus, record) VALUES (?, ?, ?, ?)", row
            )

    def newest(self, limit: int | None = None) -> list[Record]:
        """The records that were kept last, the newest first; all without a limit."""
        query = "SELECT record FROM records ORDER BY seq DESC LIMIT ?"
        with self._opened() as connection:
            rows = connection.execute(query, [-1 if limit is None else limit]).fetchall()
        return [_read(text) for (text,) in rows]

    def find(self, answer_id: str) -> Record:
        """The record of this answer; raises HistoryNotFound."""
        with self._opened() as connection:
            row = connection.execute("SELECT record FROM records WHERE id = ?", [_utf8(answer_id)]).fetchone()
        if row is None:
            raise _not_found(answer_id)
        return _read(row[0])

    def delete(self, answer_ids: Collection[str]) -> None:
        """Forget these answers; raises HistoryNotFound, and forgets none, when one is not there."""
        with self._changed() as connection:
            for answer_id in dict.fromkeys(answer_ids):
                if not connection.execute("DELETE FROM records WHERE id = ?", [_utf8(answer_id)]).rowcount:
                    raise _not_found(answer_id)

    def clear(self, before: datetime | None = None) -> int:
        """Forget everything, or what was asked before a moment; returns how many records that were."""
        with self._changed() as connection:
            if before is None:
                return connection.execute("DELETE FROM records").rowcount
            return connection.execute("DELETE FROM records WHERE at < ?", [_moment(before)]).rowcount

    def withdraw(self, article_ids: Collection[str], *, corpus: str) -> int:
        """Take the words of these articles out of every record about the corpus; returns of how many."""
        keys = [json.dumps(one, ensure_ascii=False) for one in article_ids]
        with self._changed() as connection:
            rows = connection.execute("SELECT seq, record FROM records WHERE corpus = ?", [corpus])
            mentioning = [seq for seq, text in rows if any(key in text for key in keys)]
            return sum(_withdraw(connection, seq, article_ids) for seq in mentioning)

    @contextmanager
    def _changed(self) -> Iterator[sqlite3.Connection]:
        """One transaction, after which nothing that it took away is left in the file.

        The file is written anew even when nothing changed: the one before may have been
        killed between its transaction and that.
        """
        with self._opened() as connection:
            try:
                with _transaction(connection):
                    yield connection
            except HistoryNotFound:  # the one before may have got so far
                connection.execute("VACUUM")
                raise
            connection.execute("VACUUM")

    @contextmanager
    def _opened(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The file, up to date; an empty history where there is none. All errors become ours."""
        try:
            connecting = sqlite3.connect(
                self._uri(create), uri=True, isolation_level=None, timeout=self._patience
            )
            with closing(connecting) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA synchronous = EXTRA")
                self._migrate(connection)
                yield connection
        except sqlite3.Error as error:
            raise _translated(error) from error
        except OSError as error:
            raise HomeUnusable(f"the history cannot be used: {error.strerror or error}") from error

    def _uri(self, create: bool) -> str:
        with _CREATING:
            if create and not self._path.exists():
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    self._path.touch(mode=0o600, exist_ok=False)
            exists = self._path.exists()
        return f"{self._path.resolve().as_uri()}?mode=rw" if exists else ":memory:"

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if not self._pending(connection):
            return
        with _transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT")
            for migration in self._pending(connection):  # another process may have been here first
                migration(connection)
                connection.execute("INSERT INTO migrations (name) VALUES (?)", [migration.__name__])

    def _pending(self, connection: sqlite3.Connection) -> list[Migration]:
        """The migrations that the file lacks; raises for a file that is no history, or a newer one."""
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        if not tables:
            return list(self._migrations)
        if "migrations" not in tables:
            raise HistoryDamaged(f"{self._path.name!r} is a database, but no history")
        applied = {name for (name,) in connection.execute("SELECT name FROM migrations")}
        if unknown := applied - {migration.__name__ for migration in self._migrations}:
            raise FormatUnsupported(
                f"the history was changed by {min(unknown)!r}, which this version does not know"
            )
        return [migration for migration in self._migrations if migration.__name__ not in applied]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; other writers wait from here on."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _withdraw(connection: sqlite3.Connection, seq: int, article_ids: Collection[str]) -> bool:
    (text,) = connection.execute("SELECT record FROM records WHERE seq = ?", [seq]).fetchone()
    record = _read(text)
    stripped = record.without(article_ids)
    if stripped == record:
        return False
    connection.execute("UPDATE records SET record = ? WHERE seq = ?", [_written(stripped), seq])
    return True


def _translated(error: sqlite3.Error) -> HistoryBusy | HistoryDamaged | HomeUnusable:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # none: text that is no UTF-8
    if code in _IN_USE:
        return HistoryBusy("another process is changing the history")
    if code in _UNUSABLE:
        return HomeUnusable(f"the history cannot be used: {error}")
    return HistoryDamaged(f"the history cannot be read: {error}")


def _not_found(answer_id: str) -> HistoryNotFound:
    return HistoryNotFound(f"the history holds no answer {answer_id!r}")


def _moment(at: datetime) -> str:
    """The moment in UTC, so that texts compare as moments do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _written(record: Record) -> str:
    return _utf8(json.dumps(asdict(record), ensure_ascii=False, default=lambda value: value.isoformat()))


def _utf8(text: str) -> str:
    """The text with "?" for half characters, which no file can hold and a command line may bring."""
    return text.encode("utf-8", "replace").decode()


def _read(text: str) -> Record:
    try:
        return _records().validate_json(text)
    except ValueError as error:
        raise HistoryDamaged("the history holds a record that cannot be read") from error


@cache
def _records() -> TypeAdapter[Record]:
    from pydantic import TypeAdapter  # only reading needs it, and it takes as long as all the rest

    return TypeAdapter(Record)
