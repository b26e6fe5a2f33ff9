"""The stored articles of a generation in one SQLite file.

This file is the record; both indexes are derived from it, which is why it also
holds the passages' vectors. A published library is opened read-only and immutable.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.errors import ArticleNotFound, HomeUnusable, LibraryDamaged
from assistant.domain.passages import Passage, PreparedArticle, Sentence, Span, make_sentences
from assistant.ports import IndexRow

if TYPE_CHECKING:
    from assistant.ports import Vectors

_SCHEMA = """
CREATE TABLE articles (
    id TEXT PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, title TEXT, outlet TEXT, author TEXT,
    url TEXT, published TEXT, updated TEXT, corrects TEXT, language TEXT NOT NULL, fiction INTEGER NOT NULL,
    day TEXT, hash TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX articles_by_day ON articles (day);
CREATE TABLE sentences (
    article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY (article_id, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    id TEXT PRIMARY KEY, article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    cleaned TEXT NOT NULL, vector BLOB NOT NULL
) STRICT;
CREATE INDEX passages_by_article ON passages (article_id, start);
"""
_INFO = "id, root, path, title, outlet, author, url, published, updated, corrects, language, fiction"
_VARIABLES = 500  # ids in one statement; SQLite's own limit is higher everywhere
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_Row = tuple[str | int | None, ...]


class SqliteLibrary:
    """A published library, open for reading from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._infos: dict[str, ArticleInfo] = {}  # what was asked for before; the file never changes
        try:
            uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            with ExitStack() as opened:
                self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
                opened.callback(self._connection.close)
                self._connection.execute("SELECT 1 FROM articles LIMIT 1")
                opened.pop_all()
        except sqlite3.Error as error:
            raise LibraryDamaged(f"the library {path.name!r} cannot be opened: {error}") from error

    def article(self, article_id: str) -> Article:
        """The article; raises ArticleNotFound."""
        rows = self._all(f"SELECT {_INFO}, text FROM articles WHERE id = ?", [article_id])
        if not rows:
            raise ArticleNotFound(f"no article has the id {article_id!r}")
        return _article(rows[0])

    def articles(self) -> list[ArticleInfo]:
        """All articles, newest first, undated last, then by id."""
        infos = [_info(row) for row in self._all(f"SELECT {_INFO} FROM articles ORDER BY id")]
        infos.sort(key=lambda info: info.published.order() if info.published else (date.min,), reverse=True)
        return infos

    def sentences(self, article_id: str) -> list[Sentence]:
        """The article's sentences in order; raises ArticleNotFound."""
        article = self.article(article_id)
        spans = self._all(
            "SELECT start, end FROM sentences WHERE article_id = ? ORDER BY start", [article_id]
        )
        return list(make_sentences(article, [Span(_int(start), _int(end)) for start, end in spans]))

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """The passages in the order asked for; unknown ids are left out."""
        slices = """SELECT p.id, p.article_id, p.start, p.end,
                           substr(a.text, p.start + 1, p.end - p.start), p.cleaned
                    FROM passages p JOIN articles a ON a.id = p.article_id WHERE p.id IN"""
        rows = self._in(slices, passage_ids)
        found = {
            str(row[0]): Passage(
                str(row[0]), str(row[1]), Span(_int(row[2]), _int(row[3])), str(row[4]), str(row[5])
            )
            for row in rows
        }
        return [found[passage_id] for passage_id in passage_ids if passage_id in found]

    def owners(self, passage_ids: Sequence[str]) -> Mapping[str, ArticleInfo]:
        """The article that each passage belongs to."""
        pairs = self._in("SELECT id, article_id FROM passages WHERE id IN", passage_ids)
        articles = {str(passage_id): str(article_id) for passage_id, article_id in pairs}
        missing = sorted(set(articles.values()) - self._infos.keys())
        for row in self._in(f"SELECT {_INFO} FROM articles WHERE id IN", missing):
            self._infos[str(row[0])] = _info(row)
        return {passage_id: self._infos[article_id] for passage_id, article_id in articles.items()}

    def visible(self, as_of: date) -> tuple[int, date | None]:
        """How many articles exist as of the date, and the newest date among them."""
        query = """SELECT count(*), max(day) FROM articles
                   WHERE day IS NULL OR max(day, coalesce(substr(updated, 1, 10), day)) <= ?"""
        ((count, newest),) = self._all(query, [as_of.isoformat()])
        return _int(count), date.fromisoformat(str(newest)) if newest else None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _in(self, query: str, ids: Sequence[str]) -> Iterator[_Row]:
        for start in range(0, len(ids), _VARIABLES):
            some = ids[start : start + _VARIABLES]
            yield from self._all(f"{query} ({', '.join('?' * len(some))})", some)

    def _all(self, query: str, values: Sequence[str] = ()) -> list[_Row]:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LibraryDamaged(f"the library cannot be read: {error}") from error


class SqliteLibraryWriter:
    """The library of a generation under construction; see ``write_library``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return dict(self._connection.execute("SELECT id, hash FROM articles"))

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        query = f"SELECT {_INFO}, text FROM articles WHERE id = ?"
        row = self._connection.execute(query, [article_id]).fetchone()
        return _article(row) if row else None

    def articles(self) -> Iterator[Article]:
        """Every stored article, by id."""
        for row in self._connection.execute(f"SELECT {_INFO}, text FROM articles ORDER BY id").fetchall():
            yield _article(row)

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> None:
        """Store the article whole, in place of one with the same id."""
        self.remove(prepared.article.id)
        self._connection.execute(
            f"INSERT INTO articles ({_INFO}, day, hash, text) VALUES ({', '.join('?' * 15)})",
            _columns(prepared.article),
        )
        self._connection.executemany(
            "INSERT INTO sentences (article_id, start, end) VALUES (?, ?, ?)",
            [
                (prepared.article.id, sentence.span.start, sentence.span.end)
                for sentence in prepared.sentences
            ],
        )
        self._connection.executemany(
            "INSERT INTO passages (id, article_id, start, end, cleaned, vector) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    passage.id,
                    passage.article_id,
                    passage.span.start,
                    passage.span.end,
                    passage.cleaned,
                    row.tobytes(),
                )
                for passage, row in zip(prepared.passages, vectors.astype(np.float32), strict=True)
            ],
        )

    def remove(self, article_id: str) -> None:
        """Forget the article; nothing happens when there is none."""
        for table, column in (("passages", "article_id"), ("sentences", "article_id"), ("articles", "id")):
            self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", [article_id])

    def rows(self) -> Iterator[IndexRow]:
        """Every passage for the indexes, in passage-id order."""
        query = """SELECT p.id, coalesce(a.title, ''), p.cleaned, p.vector
                   FROM passages p JOIN articles a ON a.id = p.article_id ORDER BY p.id"""
        for passage_id, title, body, vector in self._connection.execute(query):
            yield IndexRow(passage_id, title, body, np.frombuffer(vector, dtype=np.float32))

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        query = "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)"
        ((articles, passages),) = self._connection.execute(query)
        return articles, passages

    def content(self) -> str:
        """SHA-256 over all articles' ids and hashes: equal means the same articles."""
        digest = hashlib.sha256()
        for article_id, content_hash in sorted(self.hashes().items()):
            digest.update(f"{article_id}\0{content_hash}\n".encode())
        return digest.hexdigest()


@contextmanager
def write_library(path: Path, *, copy_of: Path | None = None) -> Iterator[SqliteLibraryWriter]:
    """A library to fill, new or a copy of another one; complete on disk once the context ends."""
    if copy_of:
        try:
            shutil.copyfile(copy_of, path)
        except FileNotFoundError as error:
            raise LibraryDamaged(f"the library {copy_of.name!r} is missing") from error
        except OSError as error:
            raise HomeUnusable(f"the library cannot be copied: {error.strerror or error}") from error
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        if not copy_of:
            connection.executescript(_SCHEMA)
        yield SqliteLibraryWriter(connection)
        connection.commit()
    except sqlite3.DatabaseError as error:
        kind = HomeUnusable if error.sqlite_errorcode & 0xFF in _NO_ROOM else LibraryDamaged
        raise kind(f"the library cannot be written: {error}") from error
    finally:
        connection.close()


def _columns(article: Article) -> tuple[str | int | None, ...]:
    info = article.info
    published = info.published.isoformat() if info.published else None
    updated = info.updated.isoformat() if info.updated else None
    day = info.published.day.isoformat() if info.published else None
    return (
        info.id, info.origin.root, info.origin.path, info.title, info.outlet, info.author, info.url,
        published, updated, info.corrects, info.language, int(info.fiction), day,
        article.content_hash(), article.text,
    )  # fmt: skip


def _article(row: _Row) -> Article:
    return Article(_info(row[:-1]), str(row[-1]))


def _info(row: _Row) -> ArticleInfo:
    (article_id, root, path, title, outlet, author, url, published, updated, corrects, language, fiction) = (
        row
    )
    return ArticleInfo(
        id=str(article_id),
        origin=Origin(str(root), str(path)),
        title=_text(title),
        outlet=_text(outlet),
        author=_text(author),
        url=_text(url),
        published=Timestamp.parse(str(published)) if published else None,
        updated=Timestamp.parse(str(updated)) if updated else None,
        corrects=_text(corrects),
        language=str(language),
        fiction=bool(fiction),
    )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _int(value: str | int | None) -> int:
    return int(value or 0)
