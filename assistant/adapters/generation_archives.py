"""A corpus in one ZIP file: the library and its manifest, from which everything else can be built.

An export may come from anybody. Two members with known names are read from it, their sums
are compared, and the library is examined whole before anything is taken over.
"""

from __future__ import annotations

import errno
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from assistant.adapters.generation_building import Base
from assistant.adapters.generation_manifest import read_record
from assistant.adapters.generation_stores import GenerationFolder, Stores, sync
from assistant.domain.errors import ArchiveUnusable, HomeUnusable, LibraryDamaged

_MEMBERS = ("manifest.json", "library.db")
_NO_EXPORT = (  # what zipfile raises for files that are none, are damaged, or were packed by others
    zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError, NotImplementedError, RuntimeError,
    zlib.error, LibraryDamaged,
)  # fmt: skip


def write_archive(generation: GenerationFolder, file: Path) -> None:
    """Write the generation's library into a ZIP file.

    Raises LibraryDamaged when it is not as it was written, HomeUnusable when the file
    cannot be written. A file that is there is replaced once the new one is complete.
    """
    generation.record.check(generation.folder, ["library.db"])
    new = file.with_name(f"{file.name}.new")
    try:
        with zipfile.ZipFile(
            new, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
        ) as archive:
            for name in _MEMBERS:
                archive.write(generation.folder / name, name)
        sync(new)
        new.replace(file)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise HomeUnusable(f"{str(file)!r} cannot be written: {error.strerror or error}") from error


@contextmanager
def unpacked(archive: Path, folder: Path, stores: Stores) -> Iterator[Base]:
    """The export, unpacked into the folder while the context lasts; raises ArchiveUnusable."""
    folder.mkdir(mode=0o700)
    try:
        try:
            with zipfile.ZipFile(archive) as packed:
                for name in _MEMBERS:
                    with packed.open(name) as source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
            base = Base(folder, read_record(folder, older=True))
            if not base.outdated:
                base.record.check(folder, ["library.db"])
                _examine(folder / "library.db", stores)
        except _NO_EXPORT as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise HomeUnusable(f"the export cannot be unpacked: {error.strerror}") from error
            raise ArchiveUnusable(f"{str(archive)!r} is no export of a corpus: {error}") from error
        yield base
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _examine(library: Path, stores: Stores) -> None:
    """Raises LibraryDamaged unless everything in the library belongs together."""
    with closing(stores.open_library(library)) as opened:
        for problem in opened.problems():
            raise LibraryDamaged(problem)
        opened.vectors()
