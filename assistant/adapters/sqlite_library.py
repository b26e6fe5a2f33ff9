"""The stored articles of a generation in one SQLite file.

This file is the record; both indexes are derived from it, which is why it also
holds the passages' vectors. A published library is opened read-only and immutable,
and an article is held against its hash each time its text is read.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.errors import ArticleNotFound, EmbedderMismatch, HomeUnusable, LibraryDamaged
from assistant.domain.passages import Passage, PreparedArticle, Sentence, Span, make_sentences, passage_id
from assistant.ports import IndexRow, Visible

if TYPE_CHECKING:
    from assistant.ports import Vectors

_SCHEMA = """
CREATE TABLE articles (
    id TEXT PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, title TEXT, outlet TEXT, author TEXT,
    url TEXT, published TEXT, updated TEXT, corrects TEXT, language TEXT NOT NULL, fiction INTEGER NOT NULL,
    summary_only INTEGER NOT NULL, day TEXT, hash TEXT NOT NULL, text TEXT NOT NULL,
    signature BLOB NOT NULL, cluster TEXT
) STRICT;
CREATE INDEX articles_by_date ON articles (day, updated);
CREATE INDEX articles_by_cluster ON articles (cluster) WHERE cluster IS NOT NULL;
CREATE TABLE withdrawn (id TEXT PRIMARY KEY, day TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE sentences (
    article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY (article_id, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    id TEXT NOT NULL, article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    cleaned TEXT NOT NULL, vector BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX passages_by_id ON passages (id, article_id); -- whose is it, without the row itself
CREATE INDEX passages_by_article ON passages (article_id, start);
"""
_INFO = (
    "id, root, path, title, outlet, author, url, published, updated, corrects, language, fiction,"
    " summary_only"
)
_VARIABLES = 500  # ids in one statement; SQLite's own limit is higher everywhere
_REMEMBERED = 100_000  # passages whose article is kept in mind: 10 MB
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_Row = tuple[str | int | None, ...]


class SqliteLibrary:
    """A published library, open for reading from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        # What was asked for before, by article and by passage; the file never changes.
        self._infos: dict[str, ArticleInfo] = {}
        self._owners: dict[str, ArticleInfo] = {}
        try:
            with ExitStack() as opened:
                self._connection = _read_only(path)
                opened.callback(self._connection.close)
                self._connection.execute("SELECT 1 FROM articles LIMIT 1")
                opened.pop_all()
        except sqlite3.Error as error:
            raise LibraryDamaged(f"the library {path.name!r} cannot be opened: {error}") from error

    def article(self, article_id: str) -> Article:
        """The article; raises ArticleNotFound, and LibraryDamaged when it is not what was stored."""
        rows = self._all(f"SELECT {_INFO}, text, hash FROM articles WHERE id = ?", [article_id])
        if not rows:
            raise ArticleNotFound(f"no article has the id {article_id!r}")
        *known, content_hash = rows[0]
        article = _article(tuple(known))
        if article.content_hash() != content_hash:
            raise LibraryDamaged(f"the stored article {article_id!r} does not match its hash")
        return article

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return {
            str(one): str(content_hash) for one, content_hash in self._all("SELECT id, hash FROM articles")
        }

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        query = "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)"
        ((articles, passages),) = self._all(query)
        return _int(articles), _int(passages)

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        return {str(one): str(day) for one, day in self._all("SELECT id, day FROM withdrawn")}

    def copies(self, article_id: str) -> list[ArticleInfo]:
        """The near copies of the article, by id, without itself."""
        query = f"""SELECT {_INFO} FROM articles
                    WHERE cluster = (SELECT cluster FROM articles WHERE id = ?) AND id <> ? ORDER BY id"""
        return [_info(row) for row in self._all(query, [article_id, article_id])]

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
        known = self._owners
        unknown = [one for one in passage_ids if one not in known]
        if unknown:
            if len(known) > _REMEMBERED:
                known = self._owners = {}
                unknown = list(passage_ids)
            pairs = list(self._in("SELECT id, article_id FROM passages WHERE id IN", unknown))
            missing = {str(article_id) for _, article_id in pairs} - self._infos.keys()
            for row in self._in(f"SELECT {_INFO} FROM articles WHERE id IN", sorted(missing)):
                self._infos[str(row[0])] = _info(row)
            known.update((str(one), self._infos[str(article_id)]) for one, article_id in pairs)
        return {one: known[one] for one in passage_ids if one in known}

    def visible(self, as_of: date) -> Visible:
        """How many articles exist as of the date, and from when to when they are."""
        undated, since, upto = self._dates
        dated = bisect_right(since, as_of.isoformat())
        oldest, newest = map(date.fromisoformat, upto[dated - 1]) if dated else (None, None)
        return Visible(undated + dated, oldest, newest)

    @cached_property
    def _dates(self) -> tuple[int, list[str], list[tuple[str, str]]]:
        """How many articles have no date; since when the others stand, in order; the range up to each."""
        rows = self._all("SELECT day, substr(updated, 1, 10) FROM articles")
        dated = sorted((max(str(day), str(updated or "")), str(day)) for day, updated in rows if day)
        days = [day for _, day in dated]
        upto = list(zip(accumulate(days, min), accumulate(days, max), strict=True))
        return len(rows) - len(dated), [since for since, _ in dated], upto

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def problems(self) -> Iterator[str]:
        """What is wrong with the file, an article or an offset, a line each; nothing when all is well."""
        for (finding,) in self._all("PRAGMA integrity_check"):
            if finding != "ok":
                yield f"library.db: {finding}"
        for article_id in self.hashes():
            try:
                article = self.article(article_id)
            except LibraryDamaged as error:
                yield str(error)
                continue
            passages = self._all("SELECT id, start, end FROM passages WHERE article_id = ?", [article_id])
            spans = self._all("SELECT start, end FROM sentences WHERE article_id = ?", [article_id])
            for name, start, end in passages:
                span = Span(_int(start), _int(end))
                if passage_id(article_id, span, span.of(article.text)) != name:
                    yield f"the passage {name!r} of article {article_id!r} does not match its text"
            if any(not 0 <= _int(start) < _int(end) <= len(article.text) for start, end in spans):
                yield f"a sentence of article {article_id!r} lies outside its text"

    def vectors(self) -> tuple[list[str], Vectors]:
        """Every passage id, sorted, and the vectors in the same order."""
        found = self._all("SELECT id, vector FROM passages")
        return _stacked(found)

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
    """The library of a generation under construction; see ``write_library``.

    Nothing is copied or created before the first change, so that looking costs nothing.
    """

    def __init__(self, path: Path, copy_of: Path | None) -> None:
        self._path = path
        self._copy_of = copy_of
        self._begun = False
        self.closed = False
        self._connection = _read_only(copy_of) if copy_of else _empty(":memory:")

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return dict(self._connection.execute("SELECT id, hash FROM articles"))

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        return next(_articles(self._connection, "WHERE id = ?", [article_id]), None)

    def origins(self) -> Mapping[str, Origin]:
        """Where each article was read from, by article id."""
        rows = self._connection.execute("SELECT id, root, path FROM articles")
        return {article_id: Origin(root, path) for article_id, root, path in rows}

    def signatures(self) -> Mapping[str, bytes]:
        """What near copies are recognised by, by article id."""
        return dict(self._connection.execute("SELECT id, signature FROM articles"))

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        return dict(self._connection.execute("SELECT id, day FROM withdrawn"))

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> list[str]:
        """Store the article whole, in place of one with the same id, whose passage ids are returned."""
        connection = self._writable()
        stored = connection.execute("SELECT length(vector) FROM passages LIMIT 1").fetchone()
        if stored and len(vectors) and stored[0] != 4 * vectors.shape[1]:
            raise EmbedderMismatch(
                f"the corpus has vectors of {stored[0] // 4} numbers, and the embedder gave some of"
                f" {vectors.shape[1]}"
            )
        gone = self.remove(prepared.article.id)
        connection.execute(
            f"INSERT INTO articles ({_INFO}, day, hash, text, signature) VALUES ({', '.join('?' * 17)})",
            (*_columns(prepared.article), prepared.signature),
        )
        connection.executemany(
            "INSERT INTO sentences (article_id, start, end) VALUES (?, ?, ?)",
            [(prepared.article.id, each.span.start, each.span.end) for each in prepared.sentences],
        )
        connection.executemany(
            "INSERT INTO passages (id, article_id, start, end, cleaned, vector) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (each.id, each.article_id, each.span.start, each.span.end, each.cleaned, row.tobytes())
                for each, row in zip(prepared.passages, vectors.astype(np.float32), strict=True)
            ],
        )
        return gone

    def remove(self, article_id: str) -> list[str]:
        """Forget the article; the ids of its passages, none when there is no such article."""
        known = self._connection.execute("SELECT 1 FROM articles WHERE id = ?", [article_id]).fetchone()
        if known is None:
            return []
        connection = self._writable()
        gone = connection.execute("SELECT id FROM passages WHERE article_id = ?", [article_id]).fetchall()
        for table, column in (("passages", "article_id"), ("sentences", "article_id"), ("articles", "id")):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", [article_id])
        return [passage_id for (passage_id,) in gone]

    def relocate(self, article_id: str, origin: Origin) -> None:
        """Write down that the article, unchanged, is now read from elsewhere."""
        moved = (origin.root, origin.path, article_id)
        self._writable().execute("UPDATE articles SET root = ?, path = ? WHERE id = ?", moved)

    def link(self, clusters: Mapping[str, str]) -> None:
        """Write down which articles are near copies of each other, in place of what was known."""
        connection = self._writable()
        connection.execute("UPDATE articles SET cluster = NULL WHERE cluster IS NOT NULL")
        named = [(cluster, article_id) for article_id, cluster in clusters.items()]
        connection.executemany("UPDATE articles SET cluster = ? WHERE id = ?", named)

    def withdraw(self, article_id: str, day: str) -> None:
        """Write down that the article was withdrawn on this day."""
        self._writable().execute(
            "INSERT OR REPLACE INTO withdrawn (id, day) VALUES (?, ?)", (article_id, day)
        )

    def readmit(self, article_id: str) -> None:
        """Forget that the article was withdrawn."""
        self._writable().execute("DELETE FROM withdrawn WHERE id = ?", [article_id])

    def rows(self, passage_ids: Sequence[str] | None = None) -> Iterator[IndexRow]:
        """Passages for the lexical index, as they lie in the file: the named ones, or else all."""
        titles = dict(self._connection.execute("SELECT id, coalesce(title, '') FROM articles"))
        query = "SELECT id, article_id, cleaned FROM passages"
        found: Iterable[Any] = (
            self._connection.execute(query)
            if passage_ids is None
            else _in(self._connection, f"{query} WHERE id IN", sorted(passage_ids))
        )
        for name, article_id, cleaned in found:
            yield IndexRow(name, titles[article_id], cleaned)

    def vectors(self) -> tuple[list[str], Vectors]:
        """Every passage id, sorted, and the vectors in the same order."""
        return _stacked(self._connection.execute("SELECT id, vector FROM passages").fetchall())

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

    def begin(self) -> None:
        """Have a file of its own, also when nothing changes."""
        self._writable()

    def commit(self, *, compact: bool = False) -> None:
        """Have everything in the file.

        compact: write the file anew, so that nothing of what was removed is left in it.
            Overwriting alone leaves a text here and there that a page split had copied.
        """
        self._connection.commit()
        if compact:
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._connection.close()
        self.closed = True

    def _writable(self) -> sqlite3.Connection:
        if not self._begun:
            self._connection.close()
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            if self._copy_of:
                shutil.copyfile(self._copy_of, self._path)
            self._connection = sqlite3.connect(self._path) if self._copy_of else _empty(self._path)
            self._begun = True
            # Nobody opens this file before it is whole, and a crash removes it, so a journal would
            # guard nothing.
            for pragma in (
                "trusted_schema = OFF",
                "journal_mode = OFF",
                "synchronous = FULL",
                "secure_delete = ON",
                "cache_size = -65536",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
        return self._connection


@contextmanager
def write_library(path: Path, *, copy_of: Path | None = None) -> Iterator[SqliteLibraryWriter]:
    """A library to fill, new or a copy of another one; complete on disk once the context ends.

    Raises HomeUnusable when there is no room, LibraryDamaged when the other one cannot be read.
    """
    try:
        with closing(SqliteLibraryWriter(path, copy_of)) as writer:
            yield writer
            if not writer.closed:
                writer.commit()
    except sqlite3.DatabaseError as error:
        kind = HomeUnusable if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM else LibraryDamaged
        raise kind(f"the library cannot be written: {error}") from error


def stored_articles(path: Path) -> Iterator[Article]:
    """Every article of a library of this format or an older one, by id, without checking hashes."""
    try:
        with closing(_read_only(path)) as connection:
            yield from _articles(connection, "ORDER BY id")
    except sqlite3.DatabaseError as error:
        raise LibraryDamaged(f"the library {path.name!r} cannot be read: {error}") from error


def stored_withdrawals(path: Path) -> Mapping[str, str]:
    """The day of each withdrawal by article id; formats before 2 knew none."""
    with closing(_read_only(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'withdrawn'").fetchone()
        return dict(connection.execute("SELECT id, day FROM withdrawn")) if known else {}


def _empty(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(_SCHEMA)
    return connection


def _read_only(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise LibraryDamaged(f"the library {path.name!r} is missing")
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")  # an export may come from somebody else
    return connection


def _articles(connection: sqlite3.Connection, where: str, values: Sequence[str] = ()) -> Iterator[Article]:
    """Whole articles; a column that an older format lacks reads as its default."""
    there = {row[1] for row in connection.execute("PRAGMA table_info(articles)")}
    columns = ", ".join(name if name in there else f"0 AS {name}" for name in _INFO.split(", "))
    for row in connection.execute(f"SELECT {columns}, text FROM articles {where}", values):
        yield _article(row)


def _in(connection: sqlite3.Connection, query: str, ids: Sequence[str]) -> Iterator[Any]:
    for start in range(0, len(ids), _VARIABLES):
        some = ids[start : start + _VARIABLES]
        yield from connection.execute(f"{query} ({', '.join('?' * len(some))})", some)


def _columns(article: Article) -> tuple[str | int | None, ...]:
    info = article.info
    published = info.published.isoformat() if info.published else None
    updated = info.updated.isoformat() if info.updated else None
    day = info.published.day.isoformat() if info.published else None
    return (
        info.id, info.origin.root, info.origin.path, info.title, info.outlet, info.author, info.url,
        published, updated, info.corrects, info.language, int(info.fiction), int(info.summary_only), day,
        article.content_hash(), article.text,
    )  # fmt: skip


def _article(row: _Row) -> Article:
    return Article(_info(row[:-1]), str(row[-1]))


def _info(row: _Row) -> ArticleInfo:
    article_id, root, path, title, outlet, author, url, published, updated, corrects, *rest = row
    language, fiction, summary_only = rest
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
        summary_only=bool(summary_only),
    )


def _stacked(rows: Sequence[Any]) -> tuple[list[str], Vectors]:
    """Ids in order with their vectors; sorting here is faster than having SQLite jump through the file."""
    order = sorted(range(len(rows)), key=lambda at: rows[at][0])
    ids = [str(rows[at][0]) for at in order]
    joined = np.frombuffer(b"".join(rows[at][1] for at in order), dtype=np.float32)
    return ids, joined.reshape(len(ids), -1) if ids else np.empty((0, 0), dtype=np.float32)


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _int(value: str | int | None) -> int:
    return int(value or 0)
