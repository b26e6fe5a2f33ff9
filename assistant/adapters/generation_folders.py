"""Generations as folders: nobody writes into one once it is published.

    <corpus>/current            the pointer: a number, replaced atomically
    <corpus>/generations/N/     see ``generation_stores``
    <corpus>/writer.lock        held by the one writer; writer.json says who that is
    <corpus>/floor              the generation that a withdrawal made: nobody goes back behind it

A writer builds the next folder beside the others, probes and syncs it, and then moves
the pointer; killed before that, it leaves a folder that the next writer removes. The
generation that it started from is kept: where the current one is damaged, readers go
back to the newest one that is not, and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from assistant.adapters.generation_archives import unpacked, write_archive
from assistant.adapters.generation_building import Base, Building
from assistant.adapters.generation_manifest import read_record
from assistant.adapters.generation_stores import HAS_FLOCK, GenerationFolder, Stores, sync
from assistant.domain.articles import Article
from assistant.domain.errors import (
    FormatOutdated,
    FormatUnsupported,
    HomeUnusable,
    LibraryBusy,
    LibraryDamaged,
    LibraryLost,
)
from assistant.ports import Freed, LibraryWriter, Manifest

if HAS_FLOCK:
    import fcntl

_BUILDING, _DOOMED, _ARCHIVE = ".building", ".doomed", ".archive"  # what a crash leaves is removed later
_FLOOR = "floor"  # generations below the number in it hold what was withdrawn, and are not gone back to
_LOOK_AGAIN = 0.1  # seconds between two looks at a generation that is still read


class GenerationFolders:
    """The generations of one corpus, in one folder.

    embedder, segmenter: fingerprints of what new passages are made with.
    patience: seconds that a writer waits for another one before it gives up.
    warn: told in one line, once, of damage that readers go round.
    step: told the name of each step of a publish, for tests that end the process there.
    """

    def __init__(
        self,
        folder: Path,
        stores: Stores,
        *,
        embedder: str,
        segmenter: str,
        patience: float = 0,
        warn: Callable[[str], None] = lambda text: None,
        step: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._folder = folder
        self._stores = stores
        self._fingerprints = (embedder, segmenter)
        self._patience = patience
        self._warn = warn
        self._step = step
        self._lock = Lock()
        self._open: _Opened | None = None
        self._damaged: dict[_Identity, str] = {}  # found while reading; why
        self._warned: set[str] = set()

    @contextmanager
    def current(self) -> Iterator[GenerationFolder | None]:
        """The current generation, held open while the context lasts; None when none is published.

        The pointer is looked at each time; a generation that it has left is closed
        when its last reader leaves. One that turns out to be damaged while it is read
        is not given out again.
        """
        with self._lock:
            opened = self._reopened()
            if opened:
                opened.readers += 1
        try:
            yield opened
        except LibraryDamaged as error:
            if opened:
                self._damaged[_identity(self._generation(opened.number))] = str(error)
            raise
        finally:
            if opened:
                with self._lock:
                    opened.readers -= 1
                    if opened.retired and not opened.readers:
                        opened.close()
                self._tell(opened.damage)

    @contextmanager
    def writer(
        self, *, salvage: bool = False, archive: Path | None = None
    ) -> Iterator[GenerationFolderWriter]:
        """The only writer; raises LibraryBusy while another process holds it.

        salvage: start from the newest generation whose library is sound, where that of
            the current one is not.
        archive: start from an export instead; raises ArchiveUnusable for another file.
        """
        with self._locked(), ExitStack() as stack:
            self._step("locked")
            number = read_pointer(self._folder)
            self._remove_leftovers(number)
            if archive:
                base: Base | None = stack.enter_context(unpacked(archive, self._export, self._stores))
            else:
                base = self._base(number, salvage=salvage) if number else None
            building = self._folder / "generations" / f"{(number or 0) + 1}{_BUILDING}"
            stack.callback(shutil.rmtree, building, ignore_errors=True)
            library = Building(building, self._stores, base, stack, self._step)

            def publish(source: str, fresh: bool) -> int:
                try:
                    library.complete(source, self._fingerprints, fresh=fresh)
                    return self._publish(building, kept=base)
                except OSError as error:
                    raise HomeUnusable(
                        f"the new generation cannot be written: {error.strerror or error}"
                    ) from error

            yield GenerationFolderWriter(library, base, publish, self._salvaged(number, base))

    def is_published(self) -> bool:
        """Whether there is a generation, damaged or not."""
        return read_pointer(self._folder) is not None

    def verify(self) -> Mapping[int, list[str]]:
        """What is wrong with each generation, a line each, the current one first; all of it is read.

        Raises HomeUnusable where nothing can be written, since Chroma writes even to be examined.
        """
        number = read_pointer(self._folder)
        if number and not os.access(self._folder, os.W_OK):
            raise HomeUnusable(f"{str(self._folder)!r} cannot be written, as Chroma does to be examined")
        found = {}
        for each in [number, *self._older(number)] if number else []:
            try:
                with self._look_into(each) as opened:
                    found[each] = list(opened.problems(thorough=True))
            except FormatOutdated as error:
                if each == number:  # one before it was taken over, and will be deleted
                    found[each] = [str(error)]
            except (LibraryDamaged, FormatUnsupported) as error:
                found[each] = [str(error)]
        return found

    def collect(self, *, previous: bool = False) -> Freed:
        """Delete what crashes have left and what nobody reads; previous: the generation before, too.

        Raises LibraryDamaged, and deletes nothing, where that one is all that is sound.
        """
        with self._locked():
            before = _size(self._folder)
            there = len(self._numbers())
            number = read_pointer(self._folder)
            if number and previous:
                self._base(number, salvage=False)
            self._remove_leftovers(number)
            older = self._older(number) if number else []
            for each in older if previous else older[1:]:
                _remove_unused(self._generation(each))
            return Freed(there - len(self._numbers()), before - _size(self._folder))

    def forget(self, *, patience: float) -> list[int]:
        """Delete every generation but the current one, waiting for readers; those still read are returned."""
        deadline = time.monotonic() + patience
        with self._lock:
            self._let_go()
        with self._locked():
            number = read_pointer(self._folder)
            _write_whole(self._folder / _FLOOR, f"{number or 0}\n")
            self._remove_leftovers(number)
            left = self._older(number) if number else []
            while left := [each for each in left if not _remove_unused(self._generation(each))]:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_LOOK_AGAIN)
        return left

    def held(self) -> set[str]:
        """The ids of all articles that a generation on disk holds, the current one or an older one."""
        ids: set[str] = set()
        for each in self._numbers():
            with suppress(LibraryDamaged, FormatUnsupported), self._look_into(each) as opened:
                ids.update(opened.library.hashes())
        return ids

    def export(self, file: Path) -> Manifest:
        """Write the current library into a ZIP file, from which ``writer(archive=…)`` starts.

        Raises LibraryDamaged when it is not as it was written, HomeUnusable when the file
        cannot be written. A file that is there is replaced once the new one is complete.
        """
        with self.current() as current:
            if current is None:
                raise LibraryLost(f"the corpus {self._folder.name!r} has no generation")
            if current.notice:  # an older one stands in for it
                raise LibraryDamaged(current.notice)
            write_archive(current, file)
            return current.manifest

    def discard(self) -> None:
        """Forget every generation, for a corpus that can be made again from its source."""
        with self._lock:
            self._let_go()
            self._damaged.clear()  # numbers, and inodes, are given anew
        with self._locked():
            for name in ("current", _FLOOR):  # numbers begin at 1 again
                (self._folder / name).unlink(missing_ok=True)
            shutil.rmtree(self._folder / "generations", ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self._folder / "writer.lock", timeout=self._patience)
        owner = self._folder / "writer.json"
        try:
            _make_private(self._folder / "generations")
            lock.acquire()
        except Timeout as error:
            raise LibraryBusy(f"{_owner(owner)} into the corpus {self._folder.name!r}") from error
        except OSError as error:
            raise HomeUnusable(
                f"{str(self._folder)!r} cannot be written: {error.strerror or error}"
            ) from error
        try:
            me = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with suppress(OSError):  # where the disk is full, space can still be freed
                owner.unlink(missing_ok=True)
                _write_whole(owner, json.dumps(me))
            yield
        finally:
            with suppress(OSError):
                owner.unlink(missing_ok=True)
            lock.release()

    def _publish(self, building: Path, kept: Base | None) -> int:
        number = int(building.name.removesuffix(_BUILDING))
        building.rename(self._generation(number))
        sync(self._folder / "generations")
        self._step("renamed")
        _write_whole(self._folder / "current", f"{number}\n")
        self._step("published")
        older = [self._generation(each) for each in self._older(number)]
        spared = kept.folder if kept and kept.folder in older else next(iter(older), None)
        for folder in older:
            if folder != spared:
                _remove_unused(folder)
        self._step("cleaned")
        return number

    def _reopened(self) -> GenerationFolder | None:
        number = read_pointer(self._folder)
        pointed = _identity(self._generation(number)) if number is not None else None
        if self._open and self._open.pointed == pointed and self._is_good(self._open.folder):
            return self._open.folder
        self._let_go()
        if number is None or pointed is None:
            return None
        folder = self._opened(number)
        self._open = _Opened(_identity(self._generation(number)), folder)
        return folder

    def _let_go(self) -> None:
        if self._open:
            self._open.folder.retired = True
            if not self._open.folder.readers:
                self._open.folder.close()
            self._open = None

    def _is_good(self, folder: GenerationFolder) -> bool:
        return folder.is_there() and _identity(self._generation(folder.number)) not in self._damaged

    def _opened(self, number: int) -> GenerationFolder:
        """The generation, or the newest one before it that is sound, which then says so."""
        first: LibraryDamaged | None = None
        for each in (number, *self._fallbacks(number)):
            path = self._generation(each)
            notice = f"generation {number} is damaged ({first}); generation {each} answers" if first else ""
            try:
                if known := self._damaged.get(_identity(path)):
                    raise LibraryDamaged(known)
                return GenerationFolder(path, each, self._stores, notice)
            except LibraryDamaged as error:
                moved = read_pointer(self._folder)
                if moved is not None and moved != number:
                    return self._opened(moved)  # a writer published and cleaned up since the pointer was read
                first = first or error
            except FormatUnsupported:
                if first is None:
                    raise  # an older one of another format is no way round the damage
        raise LibraryDamaged(f"generation {number} of {self._folder.name!r}: {first}") from first

    def _base(self, number: int, *, salvage: bool) -> Base:
        """The generation to start from: the current one, or with salvage the newest one that is sound."""
        first: LibraryDamaged | None = None
        for each in (number, *(self._fallbacks(number) if salvage else [])):
            folder = self._generation(each)
            try:
                base = Base(folder, read_record(folder, older=True))
                if not base.outdated:
                    base.record.check(folder, ["library.db"])
                return base
            except LibraryDamaged as error:
                first = first or error
        kind = LibraryLost if salvage else LibraryDamaged
        raise kind(f"generation {number} of {self._folder.name!r}: {first}") from first

    def _salvaged(self, number: int | None, base: Base | None) -> str:
        if number is None or base is None or base.folder in (self._generation(number), self._export):
            return ""
        return (
            f"the library of generation {number} is damaged, so that of generation {base.folder.name} was"
            " taken; ingest again what was ingested since"
        )

    @property
    def _export(self) -> Path:
        return self._folder / "generations" / f"export{_ARCHIVE}"

    def _look_into(self, number: int) -> closing[GenerationFolder]:
        return closing(GenerationFolder(self._generation(number), number, self._stores))

    def _generation(self, number: int) -> Path:
        return self._folder / "generations" / str(number)

    def _numbers(self) -> list[int]:
        return sorted(
            int(path.name) for path in (self._folder / "generations").glob("*") if path.name.isdigit()
        )

    def _older(self, number: int) -> list[int]:
        return [each for each in reversed(self._numbers()) if each < number]

    def _fallbacks(self, number: int) -> list[int]:
        """The older ones that may stand in for it: none from before a withdrawal, while it is still read."""
        try:
            floor = int((self._folder / _FLOOR).read_bytes())
        except (OSError, ValueError):
            floor = 0
        return [each for each in self._older(number) if each >= floor]

    def _tell(self, damage: str) -> None:
        if damage and damage not in self._warned:
            self._warned.add(damage)
            self._warn(f"{damage}. {LibraryDamaged.help}")

    def _remove_leftovers(self, number: int | None) -> None:
        for folder in (self._folder / "generations").iterdir():
            if not folder.name.isdigit() or int(folder.name) > (number or 0):
                shutil.rmtree(folder, ignore_errors=True)


class GenerationFolderWriter:
    """The next generation of one corpus, under construction.

    salvaged: what was lost with the current generation, when this one starts from an older one.
    """

    def __init__(
        self, library: Building, base: Base | None, publish: Callable[[str, bool], int], salvaged: str
    ) -> None:
        self.salvaged = salvaged
        self._library = library
        self._base = base
        self._publish = publish

    @property
    def library(self) -> LibraryWriter:
        """A copy of the library that it starts from, to be changed freely."""
        return self._library

    @property
    def before(self) -> Manifest | None:
        """What the generation that it starts from is made of."""
        return self._base.record.manifest if self._base else None

    @property
    def outdated(self) -> bool:
        """Whether that has an older format, so that the library is empty until it is renewed."""
        return self._base is not None and self._base.outdated

    def renew(self) -> Iterator[Article]:
        """Empty the library, which nothing has changed yet; every article that it had."""
        return self._library.renew()

    def publish(self, source: str = "", *, fresh: bool = False) -> int:
        """Index the library and make it the current generation; returns its number."""
        return self._publish(source, fresh)


@dataclass(frozen=True, slots=True)
class _Identity:
    """A generation's folder as it lies on disk now; a number may be given anew, with its home."""

    path: Path
    inode: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open generation, and what the pointer pointed at then."""

    pointed: _Identity
    folder: GenerationFolder


def _identity(folder: Path) -> _Identity:
    try:
        status = (folder / "in-use").stat()
    except OSError:
        return _Identity(folder, None)
    return _Identity(folder, (status.st_dev, status.st_ino, status.st_mtime_ns))  # inodes are used again


def read_pointer(folder: Path) -> int | None:
    """The number of the corpus's current generation; None when there is none.

    A corpus that has lost its pointer, or whose pointer holds no such number or that of a
    generation deleted before the others came, goes on with its newest complete generation:
    a folder has its name only once it is complete.
    """
    try:
        text = (folder / "current").read_bytes().strip()
    except FileNotFoundError:
        text = b""
    except OSError as error:
        raise HomeUnusable(f"{str(folder)!r} cannot be read: {error.strerror or error}") from error
    number = int(text) if text.isdigit() else 0
    if number and (folder / "generations" / str(number)).exists():
        return number
    complete = (path.parent.name for path in (folder / "generations").glob("*/manifest.json"))
    newest = max((int(name) for name in complete if name.isdigit()), default=0)
    return max(number, newest) or None


def _owner(file: Path) -> str:
    """Who writes, as far as is known: "process 4242 has been writing for 35 s"."""
    try:
        owner = json.loads(file.read_text())
        age = max(0, round(time.time() - owner["since"]))
        where = "" if owner["host"] == socket.gethostname() else f" on {owner['host']}"
        return f"process {owner['pid']}{where} has been writing for {age} s"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process is writing"


def _write_whole(file: Path, text: str) -> None:
    """Replace the file so that nobody ever sees half of it."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(text)
        sync(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    sync(file.parent)


def _make_private(folder: Path) -> None:
    for part in reversed([folder, *folder.parents]):
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def _remove_unused(folder: Path) -> bool:
    """Delete the generation unless somebody reads it; renamed first, so that nobody begins to."""
    doomed = folder.with_name(f"{folder.name}{_DOOMED}")
    with ExitStack() as stack:
        if HAS_FLOCK and (folder / "in-use").exists():
            held = stack.enter_context((folder / "in-use").open("rb"))
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
