"""The three stores of a generation's folder: how they are written, opened and examined.

    <generation>/  library.db  chroma/  lexical/  manifest.json  in-use

What stands in the files is the business of the stores that bootstrap hands in. Readers
hold a shared lock on ``in-use``, so that a folder is deleted only when nobody reads it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from os.path import samestat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.adapters.generation_manifest import CHECKED_AT_OPEN, read_record
from assistant.domain.articles import Article
from assistant.domain.errors import LibraryDamaged
from assistant.domain.text import counted
from assistant.ports import IndexRow, LexicalIndex, Library, LibraryWriter, Manifest, VectorIndex

if TYPE_CHECKING:
    from assistant.ports import Vectors

try:
    import fcntl

    HAS_FLOCK = True
except ImportError:  # Windows: open files cannot be deleted there anyway
    HAS_FLOCK = False

PROBED = 300  # passages and vectors, spread evenly, that are asked for before a generation is published


class OpenLibrary(Library, Protocol):
    """A library with a file to close."""

    def vectors(self) -> tuple[list[str], Vectors]:
        """Every passage id, sorted, and the vectors in the same order."""
        ...

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        ...

    def problems(self) -> Iterator[str]:
        """What is wrong with it, a line each."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class OpenLexical(LexicalIndex, Protocol):
    """A lexical index that can be examined."""

    @property
    def passages(self) -> int:
        """How many it holds."""
        ...

    def problems(self, passage_ids: Iterable[str]) -> Iterator[str]:
        """What is wrong with it, a line each: it must hold these passages."""
        ...


class OpenVectors(VectorIndex, Protocol):
    """A vector index that can be examined, with threads and files to give back."""

    @property
    def passages(self) -> int:
        """How many it holds."""
        ...

    @property
    def damage(self) -> str:
        """Why less than the whole index is used; empty when all is well."""
        ...

    def problems(self, passage_ids: Sequence[str], vectors: Vectors, *, every: int = 1) -> Iterator[str]:
        """What is wrong with it, a line each: it must hold these vectors."""
        ...

    def close(self) -> None:
        """Give threads and files back."""
        ...


class LibraryUnderConstruction(LibraryWriter, Protocol):
    """A library that the indexes can be built from."""

    def rows(self, passage_ids: Sequence[str] | None = None) -> Iterable[IndexRow]:
        """The named passages, or else all."""
        ...

    def vectors(self) -> tuple[list[str], Vectors]:
        """Every passage id, sorted, and the vectors in the same order."""
        ...

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        ...

    def content(self) -> str:
        """A hash over all articles."""
        ...

    def begin(self) -> None:
        """Have a file of its own, also when nothing changes."""
        ...

    def commit(self, *, compact: bool = False) -> None:
        """Have everything in the file; compact: and nothing that was removed."""
        ...

    def close(self) -> None:
        """Let go of the file, finished or not."""
        ...


class VectorsUnderConstruction(Protocol):
    """A vector index that takes passages in and out."""

    def add(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """Take passages in."""
        ...

    def remove(self, passage_ids: Sequence[str]) -> None:
        """Take passages out."""
        ...

    def finish(
        self, passage_ids: Sequence[str], vectors: Vectors, *, fresh: bool = False, graph: bool = True
    ) -> None:
        """Write everything; fresh: anew from these vectors, which are all there are.

        graph: whether there is to be one; without it every search compares all vectors.
        """
        ...

    def close(self) -> None:
        """Let go of the files, finished or not."""
        ...


class WriteLibrary(Protocol):
    """Opens a library for writing."""

    def __call__(
        self, path: Path, *, copy_of: Path | None
    ) -> AbstractContextManager[LibraryUnderConstruction]:
        """A new library at the path, or a copy of another one."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """How the three stores of a generation are written and opened.

    stored_articles, stored_withdrawals: what can be read of a library of any known format.
    open_vectors: gets the folder, and a check to make before Chroma reads its files.
    """

    write_library: WriteLibrary
    open_library: Callable[[Path], OpenLibrary]
    stored_articles: Callable[[Path], Iterator[Article]]
    stored_withdrawals: Callable[[Path], Mapping[str, str]]
    build_lexical: Callable[[Path, Iterable[IndexRow]], None]
    extend_lexical: Callable[[Path, Path, Iterable[IndexRow]], None]
    open_lexical: Callable[[Path], OpenLexical]
    write_vectors: Callable[[Path, Path | None], VectorsUnderConstruction]
    open_vectors: Callable[[Path, Callable[[], None]], OpenVectors]


class GenerationFolder:
    """One generation, open for reading; closed at the latest when nobody refers to it.

    notice: what is damaged elsewhere, so that this one is read; see ``damage``.
    Raises LibraryDamaged when a file is missing or not as it was written.
    """

    def __init__(self, folder: Path, number: int, stores: Stores, notice: str = "") -> None:
        with ExitStack() as opened:
            try:
                in_use = opened.enter_context((folder / "in-use").open("rb"))
            except (FileNotFoundError, NotADirectoryError) as error:
                raise LibraryDamaged(f"generation {number} is incomplete") from error
            if HAS_FLOCK:
                fcntl.flock(in_use, fcntl.LOCK_SH)
            self.folder, self._opened_as = folder, os.fstat(in_use.fileno())
            self.notice = notice
            self.number = number
            self.record = read_record(folder)
            needed = self.record.files.keys() - set(self.record.graph)
            self.record.check(folder, needed, limit=CHECKED_AT_OPEN)
            self.library = stores.open_library(folder / "library.db")
            opened.callback(self.library.close)
            self.lexical = stores.open_lexical(folder / "lexical")
            check = partial(self.record.check, folder, self.record.below("chroma/"))
            self.vectors = stores.open_vectors(folder / "chroma", check)  # not our method: no reference cycle
            opened.callback(self.vectors.close)
            self._closed = weakref.finalize(self, opened.pop_all().close)
        if not self.lexical.passages == self.vectors.passages == self.manifest.passages:
            self.close()
            raise LibraryDamaged("the indexes and the library hold different numbers of passages")
        self.readers = 0
        self.retired = False

    @property
    def manifest(self) -> Manifest:
        """What it is made of."""
        return self.record.manifest

    @property
    def damage(self) -> str:
        """What is damaged, so that less stands behind answers than was stored; empty when all is well."""
        return self.notice or self.vectors.damage

    def is_there(self) -> bool:
        """Whether the folder on disk is still the one that was opened.

        A corpus that was discarded, or deleted with its home, counts from 1 again.
        """
        try:
            return samestat(os.stat(self.folder / "in-use"), self._opened_as)
        except OSError:
            return False

    def problems(self, *, thorough: bool) -> Iterator[str]:
        """What is wrong with the stores, a line each; thorough: look at every byte, passage and vector."""
        if thorough:
            for name in self.record.files:
                try:
                    self.record.check(self.folder, [name])
                except LibraryDamaged as error:
                    yield str(error)
            yield from self.library.problems()
        ids, vectors = self.library.vectors()
        articles, passages = self.library.counts()
        if (articles, passages) != (self.manifest.articles, self.manifest.passages):
            yield f"the library holds {counted(articles, 'article')} with {counted(passages, 'passage')}"
        every = 1 if thorough else max(1, len(ids) // PROBED)
        yield from self.lexical.problems(ids[::every])
        yield from self.vectors.problems(ids, vectors, every=every)

    def close(self) -> None:
        """Close every file and let go of the folder."""
        self._closed()


def sync_tree(folder: Path) -> None:
    """Have the folder and everything in it on the disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Have a file or a folder on the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
