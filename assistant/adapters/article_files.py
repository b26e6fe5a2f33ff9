r"""Articles from files: a file, a folder with everything in it, or a pattern.

Owns which files are read, how they are opened and decoded, and what each article is
called (source root and relative path). What a file is, ``article_kinds`` tells; what a
text says is read by ``article_formats``, and what needs a vendor's parser in a ``ParserProcess``.

Files are not trusted. Links lead nowhere outside the folder that was named, only regular
files are opened, sizes are checked on the open file, and every file that is no article
becomes one line while the others are read. A hard link cannot be told from the file itself.
"""

from __future__ import annotations

import glob
import io
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from assistant.adapters.article_formats import (
    Draft,
    Unusable,
    parse_json,
    read_markdown,
    read_plain,
    read_record,
)
from assistant.adapters.article_kinds import HEAD, MARKUP_SUFFIXES, SUFFIXES, UTF16, Kind, kind_of
from assistant.adapters.parser_process import ParserProcess
from assistant.domain.articles import Article, Origin
from assistant.domain.errors import ArticleRejected, InputNotFound
from assistant.domain.text import clean

MAX_BYTES = 20_000_000  # of a text, or of one line of JSONL: twenty long novels
MAX_JSONL_BYTES = 2_000_000_000  # such a file is streamed, so only time speaks against more


class ArticleFiles:
    """Reads the articles in files and folders, in a stable order.

    paths: each a file, a folder (read with its subfolders, by relative path) or a pattern
      such as ``news/*.md``, which stands for what it matches, as in a shell.
    root_name: the source root to write down instead of the real one, for a corpus whose
      ids must be the same on every machine.
    max_bytes: the size of the largest text.
    ignored: a folder that is passed over, such as the home, where it lies within the paths.

    In folders hidden names, README.md, other kinds of files, XML that is no feed and what a
    browser saved beside a page (``page_files`` beside ``page.html``) are passed over; a file
    that is named itself is read whatever it is called. A file that is reached twice,
    also through a link, is read once. An entry that stands in several feeds comes once,
    in its newest version, after all other articles.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        root_name: str | None = None,
        max_bytes: int = MAX_BYTES,
        ignored: Path | None = None,
    ) -> None:
        self._paths = paths
        self._ignored = Path(os.path.realpath(ignored)) if ignored else None
        self._root_name = root_name
        self._max_bytes = max_bytes

    def read(self) -> Iterator[Article | ArticleRejected]:
        """Every article, or the reason why one was rejected; raises InputNotFound before the first."""
        return self._read([path for named in self._paths for path in _expanded(named)])

    def covers(self, origin: Origin) -> bool:
        """Whether an article from there would be read, were it still there.

        An entry that a feed no longer lists is not gone, feeds only show their newest:
        it is covered once the feed's file is no longer there.
        """
        file, _, number = origin.path.partition("#")
        of_feed = number and _suffix(file) in MARKUP_SUFFIXES
        if of_feed and os.path.exists(os.path.join(origin.root, file)):
            return False
        return any(_covers(named, origin.root, file) for named in self._paths)

    def _read(self, paths: Sequence[Path]) -> Iterator[Article | ArticleRejected]:
        entries: dict[str, Article] = {}  # of feeds
        with ParserProcess() as parsers:
            for file in _entries(paths, self._ignored):
                if isinstance(file, ArticleRejected):
                    yield file
                    continue
                for part, item in self._read_file(file, parsers):
                    if part and part.of_feed and isinstance(item, Article):
                        _keep_newest(entries, item)
                    else:
                        yield item
        yield from entries.values()

    def _read_file(
        self, file: _File, parsers: ParserProcess
    ) -> Iterator[tuple[_Part | None, Article | ArticleRejected]]:
        try:
            with _opened(file) as stream:
                for part in self._parts(file, stream, parsers):
                    yield part, self._article(file, part)
        except Unusable as error:
            yield None, _rejected(file.where, str(error), Origin(file.root, file.path))
        except OSError as error:
            reason = f"cannot be read: {_cause(error)}"
            yield None, _rejected(file.where, reason, Origin(file.root, file.path))

    def _article(self, file: _File, part: _Part) -> Article | ArticleRejected:
        root = file.root if self._root_name is None else self._root_name
        try:
            return part.read().article(Origin(root, part.path))
        except Unusable as error:
            return _rejected(part.where, str(error), Origin(root, part.path))

    def _parts(self, file: _File, stream: io.BufferedReader, parsers: ParserProcess) -> Iterator[_Part]:
        kind = kind_of(file.suffix, stream.peek(HEAD))
        if kind is Kind.JSON_LINES:
            yield from self._lines(file, stream)
        elif kind is Kind.XML:
            if file.is_named:
                raise Unusable("is XML, but no feed and no web page")
        elif kind in _PARSED:
            data = _whole_file(stream, self._max_bytes)
            if kind is not Kind.PDF and not data.startswith(UTF16):
                _check_binary(data[:HEAD])
            found = [one.draft for one in parsers.read(kind.value, data)]
            if kind is Kind.FEED:
                yield from _numbered(file, found, of_feed=True)
            else:
                yield from (_Part(file.where, file.path, read) for read in found)
        elif kind is Kind.JSON:
            yield from _items(file, parse_json(decode(_whole_file(stream, self._max_bytes))))
        else:
            read = read_markdown if kind is Kind.MARKDOWN else read_plain
            yield _Part(file.where, file.path, partial(read, decode(_whole_file(stream, self._max_bytes))))

    def _lines(self, file: _File, stream: io.BufferedReader) -> Iterator[_Part]:
        """One part for each line that is not blank, without ever holding more than one line."""
        _check_size(stream, MAX_JSONL_BYTES)
        lines: BinaryIO = stream
        head = stream.peek(HEAD)
        if head.startswith(UTF16):  # its line ends are no single bytes
            lines = io.BytesIO(decode(_whole_file(stream, self._max_bytes)).encode())
        else:
            _check_binary(head.split(b"\n", 1)[0])  # a later line speaks for itself
        empty = True
        for number, line in _bounded_lines(lines, self._max_bytes):
            if line is None or line.strip(_BLANK_BYTES):
                empty = False
                read = partial(_read_line, line, self._max_bytes)
                yield _Part(f"{file.where}:{number}", f"{file.path}#{number}", read)
        if empty:
            raise Unusable("has no text")


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so; without byte-order mark."""
    _check_binary(data)
    try:
        text = data.decode("utf-16" if data.startswith(UTF16) else "utf-8")
    except UnicodeDecodeError as error:
        if data.startswith(UTF16):
            raise Unusable(f"not UTF-16 text (at offset {error.start}); convert it to UTF-8") from None
        byte = data[error.start]
        raise Unusable(
            f"not UTF-8 text (byte 0x{byte:02x} at offset {error.start}); convert it to UTF-8"
        ) from None
    if "\0" in text:
        raise Unusable("contains NUL bytes: not a text file")
    return text.lstrip("\ufeff")


@dataclass(frozen=True, slots=True)
class _File:
    """A file to read: how it is shown, its origin, and the way to it.

    The way is a folder that is trusted and the names below it, none of which may be a link.
    is_named: a person named the file itself, and wants to hear of it.
    """

    where: str
    root: str
    path: str
    suffix: str
    folder: Path
    names: tuple[str, ...]
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """What becomes one article: a file, or a record or feed entry in it."""

    where: str
    path: str
    read: Callable[[], Draft]
    of_feed: bool = False


_PARSED = {Kind.HTML, Kind.FEED, Kind.PDF}
_BLANK_BYTES = b" \t\r\n"
_KINDS = {
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"PK\x05\x06": "a ZIP archive",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "a gzip archive",
}


def _expanded(named: Path) -> list[Path]:
    if os.path.exists(named):
        return [named]
    pattern = str(named)
    if not any(sign in pattern for sign in "*?["):
        raise InputNotFound(f"{pattern!r} does not exist")
    if not (matches := sorted(glob.glob(pattern, recursive=True))):
        raise InputNotFound(f"nothing matches {pattern!r}")
    return [Path(match) for match in matches]


def _covers(named: Path, root: str, file: str) -> bool:
    """Whether the named file, folder or pattern stands for this file below this root."""
    if named.is_dir():
        return root == printable_path(os.path.realpath(named))
    folder = printable_path(os.path.realpath(named.parent))
    if named.exists():
        return (root, file) == (folder, printable_path(named.name))
    asked, there = Path(os.path.abspath(named)).parts, Path(root, file).parts
    if "**" in asked:
        return fnmatch(os.path.join(*there), os.path.join(*asked))
    return len(asked) == len(there) and all(map(fnmatch, there, asked))


def _entries(paths: Sequence[Path], ignored: Path | None) -> Iterator[_File | ArticleRejected]:
    """The files of all paths in order, each file once."""
    seen: set[Path] = set()
    for path in paths:
        for entry in _Folder(path, ignored).entries() if path.is_dir() else [_named_file(path)]:
            if isinstance(entry, _File):
                real = entry.folder.joinpath(*entry.names)
                if real in seen:
                    continue
                seen.add(real)
            yield entry


def _named_file(path: Path) -> _File:
    """A file named by a person is read wherever it leads; its root is the folder that it is named in."""
    real = Path(os.path.realpath(path))
    root = os.path.realpath(path.parent)
    return _File(
        _shown(path),
        printable_path(root),
        printable_path(path.name),
        _suffix(path.name),
        real.parent,
        (real.name,),
        is_named=True,
    )


class _Folder:
    """The files below one folder: first those that are there themselves, then what links lead to."""

    def __init__(self, named: Path, ignored: Path | None) -> None:
        self.named = named
        self.ignored = ignored
        self.root = Path(os.path.realpath(named))
        self.found: dict[str, _File | ArticleRejected] = {}  # by relative path
        self.real: set[Path] = set()  # files and folders that were visited
        self.links: deque[tuple[str, str]] = deque()  # relative path, full path

    def entries(self) -> list[_File | ArticleRejected]:
        """Files and rejections, sorted by relative path."""
        self._enter(self.root, "")
        while self.links:
            self._follow(*self.links.popleft())
        return [self.found[relative] for relative in sorted(self.found)]

    def _enter(self, folder: Path, prefix: str) -> None:
        pending = [(folder, prefix)]
        while pending:
            folder, prefix = pending.pop()
            if folder in self.real or folder == self.ignored:
                continue
            self.real.add(folder)
            children = self._children(folder, prefix)
            pages = {os.path.splitext(name)[0] for name, _, _ in children if _suffix(name) in _PAGES}
            for name, path, kind in children:
                relative = f"{prefix}{name}"
                if kind == "link":
                    self.links.append((relative, path))
                elif kind == "folder" and name.removesuffix(_SAVED_WITH) in pages - {name}:
                    continue
                elif kind == "folder":
                    pending.append((Path(path), f"{relative}/"))
                elif _is_wanted(name):
                    self._add(relative, Path(path))

    def _children(self, folder: Path, prefix: str) -> list[tuple[str, str, str]]:
        """Name, full path and kind of everything in a folder that is not hidden."""
        try:
            with os.scandir(folder) as children:
                return sorted((it.name, it.path, _kind(it)) for it in children if not it.name.startswith("."))
        except OSError as error:
            self._reject(prefix, f"cannot be listed: {_cause(error)}")
            return []

    def _follow(self, relative: str, path: str) -> None:
        try:
            target = Path(os.path.realpath(path, strict=True))
        except OSError as error:  # it leads nowhere or in a circle
            if _is_wanted(path):
                self._reject(relative, f"is a link that cannot be followed: {_cause(error)}")
            return
        if not target.is_relative_to(self.root):
            self._reject(relative, f"is a link that points outside {_shown(self.named)}")
        elif target.is_dir():
            self._enter(target, f"{relative}/")
        elif _is_wanted(path) and target not in self.real:
            self._add(relative, target)

    def _add(self, relative: str, real: Path) -> None:
        self.real.add(real)
        where, root, path = (
            _shown(self.named / relative),
            printable_path(str(self.root)),
            printable_path(relative),
        )
        names = real.relative_to(self.root).parts
        self.found[relative] = _File(where, root, path, _suffix(relative), self.root, names)

    def _reject(self, relative: str, reason: str) -> None:
        origin = Origin(printable_path(str(self.root)), printable_path(relative))
        self.found[relative] = _rejected(_shown(self.named / relative), reason, origin)


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    return "folder" if entry.is_dir(follow_symlinks=False) else "file"


_PAGES = frozenset({".html", ".htm"})
_SAVED_WITH = "_files"  # ends the name of the folder in which browsers put what belongs to a page


def _is_wanted(path: str) -> bool:
    return _suffix(path) in SUFFIXES and os.path.basename(path).lower() != "readme.md"


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


# Where the system has no such flag (Windows) there is nothing to guard against with it.
_TO_FILE = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
)
_TO_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | sum(
    getattr(os, name, 0) for name in ("O_DIRECTORY", "O_CLOEXEC")
)
_TO_SUBFOLDER = _TO_FOLDER | getattr(os, "O_NOFOLLOW", 0)


def _opened(file: _File) -> io.BufferedReader:
    descriptor = _descend(file.folder, file.names)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return io.BufferedReader(io.FileIO(descriptor), HEAD)
    os.close(descriptor)
    raise Unusable("is no regular file")


def _descend(folder: Path, names: tuple[str, ...]) -> int:
    """Open a file name by name, so that none can become a link between listing and opening."""
    if os.open not in os.supports_dir_fd:
        return os.open(folder.joinpath(*names), _TO_FILE)
    at = os.open(folder, _TO_FOLDER)
    try:
        for name in names[:-1]:
            above, at = at, os.open(name, _TO_SUBFOLDER, dir_fd=at)
            os.close(above)
        # Opening a device or a pipe can have effects of its own, so look first.
        if not stat.S_ISREG(os.stat(names[-1], dir_fd=at, follow_symlinks=False).st_mode):
            raise Unusable("is no regular file")
        return os.open(names[-1], _TO_FILE, dir_fd=at)
    finally:
        os.close(at)


def _whole_file(stream: io.BufferedReader, limit: int) -> bytes:
    _check_size(stream, limit)
    data = stream.read(limit + 1)
    if len(data) > limit:  # it has grown since
        raise Unusable(_larger(limit))
    return data


def _check_size(stream: io.BufferedReader, limit: int) -> None:
    if os.fstat(stream.fileno()).st_size > limit:
        raise Unusable(_larger(limit))


def _larger(limit: int) -> str:
    return f"is larger than {limit / 1_000_000:g} MB"


def _check_binary(data: bytes) -> None:
    for start, kind in _KINDS.items():
        if data.startswith(start):
            raise Unusable(f"is {kind}, not a text file")
    if b"\0" in data and not data.startswith(UTF16):
        raise Unusable("contains NUL bytes: not a text file")


def _bounded_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    r"""Number and bytes of each line, cut at ``\n`` alone; None for a line beyond the limit."""
    number = total = 0
    while line := stream.readline(limit + 1):
        number += 1
        total += len(line)
        whole = len(line) <= limit or line.endswith(b"\n")
        yield number, line if whole else None
        while not whole and (rest := stream.readline(limit)):
            total += len(rest)
            whole = rest.endswith(b"\n")
        if total > MAX_JSONL_BYTES:
            raise Unusable(_larger(MAX_JSONL_BYTES))


def _read_line(line: bytes | None, limit: int) -> Draft:
    if line is None:
        raise Unusable(_larger(limit))
    return read_record(parse_json(decode(line)))


def _items(file: _File, value: object) -> Iterator[_Part]:
    if not isinstance(value, list):
        yield _Part(file.where, file.path, partial(read_record, value))
        return
    if not value:
        raise Unusable("has no text")
    yield from _numbered(file, [partial(read_record, item) for item in value])


def _numbered(file: _File, reads: Sequence[Callable[[], Draft]], *, of_feed: bool = False) -> Iterator[_Part]:
    for number, read in enumerate(reads, start=1):
        yield _Part(f"{file.where}#{number}", f"{file.path}#{number}", read, of_feed)


def _keep_newest(entries: dict[str, Article], entry: Article) -> None:
    """Keep the entry unless an earlier file held a newer version; without dates the later file counts."""
    before = entries.get(entry.id)
    if before and _version(before) > _version(entry):
        return
    entries[entry.id] = entry


def _version(entry: Article) -> Any:
    stamp = entry.info.updated or entry.info.published
    return (True, *stamp.order()) if stamp else (False,)


def printable_path(path: str) -> str:
    r"""The path with ``/`` between names and characters that cannot be shown or stored written as escapes.

    >>> printable_path("a\nb\udcff.txt")
    'a\\nb\\udcff.txt'
    """
    path = path.replace(os.sep, "/")
    if path.isprintable():
        return path
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in path)


def _shown(path: Path) -> str:
    return clean(printable_path(str(path)))


def _rejected(where: str, reason: str, origin: Origin) -> ArticleRejected:
    return ArticleRejected(where, clean(reason), origin)


def _cause(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
