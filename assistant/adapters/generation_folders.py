"""Generations as folders: nobody writes into one once it is published.

    <corpus>/current            the pointer: a number, replaced atomically
    <corpus>/generations/N/     library.db  chroma/  lexical/  manifest.json  in-use
    <corpus>/writer.lock        held by the one writer

A writer builds the next folder beside the others, syncs it, and then moves the
pointer; killed before that, it leaves a folder that the next writer removes.
Readers hold a shared lock on ``in-use``, so that a folder is deleted only when
nobody reads it. What stands in the files is the business of the stores that
bootstrap hands in.
"""

from __future__ import annotations

import json
import os
import shutil
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from os.path import samestat
from pathlib import Path
from threading import Lock
from typing import Protocol

from filelock import FileLock, Timeout

from assistant.domain.errors import FormatUnsupported, HomeUnusable, LibraryBusy, LibraryDamaged
from assistant.ports import IndexRow, LexicalIndex, Library, LibraryWriter, Manifest, VectorIndex

try:
    import fcntl

    HAS_FLOCK = True
except ImportError:  # Windows: open files cannot be deleted there anyway
    HAS_FLOCK = False

FORMAT = 1
_BUILDING, _DOOMED = ".building", ".doomed"  # what a crash leaves under these names is removed later
_KEPT = 2  # the current generation and the one before it


class ClosableLibrary(Library, Protocol):
    """A library with a file to close."""

    def close(self) -> None:
        """Close the file."""
        ...


class ClosableVectors(VectorIndex, Protocol):
    """A vector index with threads and files to give back."""

    def close(self) -> None:
        """Give them back."""
        ...


class IndexableLibrary(LibraryWriter, Protocol):
    """A library under construction that the indexes can be built from."""

    def rows(self) -> Iterable[IndexRow]:
        """Every passage, in passage-id order."""
        ...

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        ...

    def content(self) -> str:
        """A hash over all articles."""
        ...


class WriteLibrary(Protocol):
    """Opens a library for writing."""

    def __call__(self, path: Path, *, copy_of: Path | None) -> AbstractContextManager[IndexableLibrary]:
        """A new library at the path, or a copy of another one."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """How the three stores of a generation are written and opened."""

    write_library: WriteLibrary
    open_library: Callable[[Path], ClosableLibrary]
    build_lexical: Callable[[Path, Iterable[IndexRow]], None]
    open_lexical: Callable[[Path], LexicalIndex]
    build_vectors: Callable[[Path, Iterable[IndexRow]], None]
    open_vectors: Callable[[Path], ClosableVectors]


class GenerationFolder:
    """One published generation, open for reading; closed at the latest when nobody refers to it."""

    def __init__(self, folder: Path, stores: Stores) -> None:
        with ExitStack() as opened:
            in_use = opened.enter_context((folder / "in-use").open("rb"))
            if HAS_FLOCK:
                fcntl.flock(in_use, fcntl.LOCK_SH)
            self._folder, self._opened_as = folder, os.fstat(in_use.fileno())
            self.number = int(folder.name)
            self.manifest = read_manifest(folder)
            self.library = stores.open_library(folder / "library.db")
            opened.callback(self.library.close)
            self.lexical = stores.open_lexical(folder / "lexical")
            self.vectors = stores.open_vectors(folder / "chroma")
            opened.callback(self.vectors.close)
            self._closed = weakref.finalize(self, opened.pop_all().close)
        self.readers = 0
        self.retired = False

    def is_numbered(self, number: int | None) -> bool:
        """Whether this is generation ``number`` as it lies on disk now.

        A corpus that was discarded, or deleted with its home, counts from 1 again.
        """
        try:
            return self.number == number and samestat(os.stat(self._folder / "in-use"), self._opened_as)
        except OSError:
            return False

    def close(self) -> None:
        """Close every file and let go of the folder."""
        self._closed()


class GenerationFolders:
    """The generations of one corpus, in one folder.

    patience: seconds that a writer waits for another one before it gives up.
    """

    def __init__(
        self, folder: Path, stores: Stores, *, embedder: str, segmenter: str, patience: float = 0
    ) -> None:
        self._folder = folder
        self._stores = stores
        self._fingerprints = (embedder, segmenter)
        self._patience = patience
        self._lock = Lock()
        self._open: GenerationFolder | None = None

    @contextmanager
    def current(self) -> Iterator[GenerationFolder | None]:
        """The current generation, held open while the context lasts; None when none is published.

        The pointer is looked at each time; a generation that it has left is closed
        when its last reader leaves.
        """
        with self._lock:
            opened = self._reopened()
            if opened:
                opened.readers += 1
        try:
            yield opened
        finally:
            if opened:
                with self._lock:
                    opened.readers -= 1
                    if opened.retired and not opened.readers:
                        opened.close()

    @contextmanager
    def writer(self) -> Iterator[GenerationFolderWriter]:
        """The only writer; raises LibraryBusy while another process holds it."""
        with ExitStack() as stack:
            stack.enter_context(self._locked())
            number = read_pointer(self._folder)
            self._remove_leftovers(number)
            before = self._generation(number) if number else None
            manifest = self._manifest(before) if before else None
            building = self._folder / "generations" / f"{(number or 0) + 1}{_BUILDING}"
            building.mkdir(mode=0o700)
            stack.callback(shutil.rmtree, building, ignore_errors=True)
            committing = stack.enter_context(ExitStack())
            library = committing.enter_context(
                self._stores.write_library(
                    building / "library.db", copy_of=before / "library.db" if before else None
                )
            )

            def publish(source: str) -> int:
                try:
                    return self._publish(building, library, committing.close, source)
                except OSError as error:
                    raise HomeUnusable(
                        f"the new generation cannot be written: {error.strerror or error}"
                    ) from error

            yield GenerationFolderWriter(library, manifest, publish)

    def discard(self) -> None:
        """Forget every generation, for a corpus that can be made again from its source."""
        with self._locked():
            (self._folder / "current").unlink(missing_ok=True)
            shutil.rmtree(self._folder / "generations", ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self._folder / "writer.lock", timeout=self._patience)
        try:
            _make_private(self._folder / "generations")
            lock.acquire()
        except Timeout as error:
            raise LibraryBusy(
                f"another process is ingesting into the corpus {self._folder.name!r}"
            ) from error
        except OSError as error:
            raise HomeUnusable(
                f"{str(self._folder)!r} cannot be written: {error.strerror or error}"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _publish(
        self, building: Path, library: IndexableLibrary, commit: Callable[[], None], source: str
    ) -> int:
        self._stores.build_lexical(building / "lexical", library.rows())
        self._stores.build_vectors(building / "chroma", library.rows())
        articles, passages = library.counts()
        manifest = Manifest(FORMAT, *self._fingerprints, articles, passages, library.content(), source)
        commit()
        (building / "manifest.json").write_text(json.dumps(asdict(manifest), indent=2) + "\n")
        (building / "in-use").touch()
        _sync_tree(building)
        number = int(building.name.removesuffix(_BUILDING))
        building.rename(self._generation(number))
        _sync(self._folder / "generations")
        _write_pointer(self._folder, number)
        self._remove_old(number)
        return number

    def _reopened(self) -> GenerationFolder | None:
        number = read_pointer(self._folder)
        if self._open and self._open.is_numbered(number):
            return self._open
        if self._open:
            self._open.retired = True
            if not self._open.readers:
                self._open.close()
            self._open = None
        if number is not None:
            self._open = self._opened(number)
        return self._open

    def _opened(self, number: int) -> GenerationFolder:
        try:
            return GenerationFolder(self._generation(number), self._stores)
        except (FileNotFoundError, NotADirectoryError, LibraryDamaged) as error:
            moved = read_pointer(self._folder)
            if moved is not None and moved != number:
                return self._opened(moved)  # a writer published and cleaned up since the pointer was read
            if isinstance(error, LibraryDamaged):
                raise
            raise LibraryDamaged(f"generation {number} of {self._folder.name!r} is incomplete") from error

    def _manifest(self, generation: Path) -> Manifest:
        try:
            return read_manifest(generation)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise LibraryDamaged(
                f"generation {generation.name} of {self._folder.name!r} is incomplete"
            ) from error

    def _generation(self, number: int) -> Path:
        return self._folder / "generations" / str(number)

    def _remove_leftovers(self, number: int | None) -> None:
        for folder in (self._folder / "generations").iterdir():
            if not folder.name.isdigit() or int(folder.name) > (number or 0):
                shutil.rmtree(folder, ignore_errors=True)

    def _remove_old(self, number: int) -> None:
        for folder in (self._folder / "generations").iterdir():
            if folder.name.isdigit() and int(folder.name) <= number - _KEPT:
                _remove_unused(folder)


class GenerationFolderWriter:
    """The next generation of one corpus, under construction."""

    def __init__(
        self, library: LibraryWriter, before: Manifest | None, publish: Callable[[str], int]
    ) -> None:
        self.library = library
        self.before = before
        self._publish = publish

    def publish(self, source: str = "") -> int:
        """Index the library and make it the current generation; returns its number."""
        return self._publish(source)


def read_pointer(folder: Path) -> int | None:
    """The number of the corpus's current generation; None when there is none.

    A corpus that has lost its pointer and nothing else goes on with its newest generation.
    """
    try:
        text = (folder / "current").read_bytes()
    except FileNotFoundError:
        complete = (path.parent.name for path in (folder / "generations").glob("*/manifest.json"))
        return max((int(name) for name in complete if name.isdigit()), default=None)
    except OSError as error:
        raise HomeUnusable(f"{str(folder)!r} cannot be read: {error.strerror or error}") from error
    if not text.strip().isdigit():
        raise LibraryDamaged(f"the pointer of the corpus {folder.name!r} holds no number: {text[:20]!r}")
    return int(text)


def read_manifest(folder: Path) -> Manifest:
    """What the generation in the folder is made of."""
    try:
        values = json.loads((folder / "manifest.json").read_text())
        if values["format"] != FORMAT:
            raise FormatUnsupported(
                f"the library has format {values['format']!r}; this version reads {FORMAT}"
            )
        return Manifest(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise LibraryDamaged(f"the manifest of generation {folder.name} cannot be read: {error}") from error


def _write_pointer(folder: Path, number: int) -> None:
    new = folder / "current.new"
    new.write_text(f"{number}\n")
    _sync(new)
    new.replace(folder / "current")
    _sync(folder)


def _make_private(folder: Path) -> None:
    for part in reversed([folder, *folder.parents]):
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def _remove_unused(folder: Path) -> None:
    """Delete the generation unless somebody reads it; renamed first, so that nobody begins to."""
    doomed = folder.with_name(f"{folder.name}{_DOOMED}")
    with ExitStack() as stack:
        if HAS_FLOCK and (folder / "in-use").exists():
            held = stack.enter_context((folder / "in-use").open("rb"))
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
