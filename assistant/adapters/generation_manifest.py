"""What stands in a generation's ``manifest.json``, and whether the files are still what it says.

The manifest ends with a checksum of itself and lists every file with size and CRC-32
(the sum that ZIP uses: damage is found, forgery is not), but for what Chroma changes
whenever it is opened: its database, and a graph that has not been written yet, as
those of small libraries. Opening a generation compares all sizes and as many
sums as fit into fifteen milliseconds; ``index verify`` and every writer compare more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.domain.errors import FormatOutdated, FormatUnsupported, LibraryDamaged
from assistant.ports import Manifest

FORMAT = 2
OLDEST = 1  # whose articles can still be read
CHECKED_AT_OPEN = 64_000_000  # bytes, smallest files first: CRC-32 runs at 4 GB a second
_NAME = "manifest.json"
_GRAPH = "index_metadata.pickle"  # written with the first thousand vectors; what lies beside it then stays
_CHANGING = ("manifest.json", "in-use", "chroma.sqlite3")


@dataclass(frozen=True, slots=True)
class Mark:
    """A file's size in bytes and the CRC-32 of its content."""

    size: int
    crc: int

    @classmethod
    def of(cls, path: Path) -> Mark:
        """The mark of a file as it lies there."""
        size = crc = 0
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                size, crc = size + len(piece), zlib.crc32(piece, crc)
        return cls(size, crc)


@dataclass(frozen=True, slots=True)
class Record:
    """A generation's manifest, and the marks of its files by relative path."""

    manifest: Manifest
    files: Mapping[str, Mark]

    def check(self, folder: Path, names: Iterable[str] | None = None, *, limit: int | None = None) -> None:
        """Raises LibraryDamaged for the first file that is not as it was written.

        names: these files alone. limit: bytes whose content is compared; beyond it sizes must do.
        """
        wanted = {name: self.files[name] for name in names} if names is not None else self.files
        left = limit
        for name, mark in sorted(wanted.items(), key=lambda item: item[1].size):
            try:
                size = (folder / name).stat().st_size
                if size != mark.size:
                    raise LibraryDamaged(f"{name} has {size:,} bytes instead of {mark.size:,}")
                if left is not None and (left := left - size) < 0:
                    continue
                if Mark.of(folder / name) != mark:
                    raise LibraryDamaged(f"{name} is not as it was written")
            except OSError as error:
                raise LibraryDamaged(f"{name} cannot be read: {error.strerror or error}") from error

    def below(self, prefix: str) -> list[str]:
        """The names of the files below a folder."""
        return [name for name in self.files if name.startswith(prefix)]

    @property
    def graph(self) -> list[str]:
        """The names of the files of Chroma's graph: without them every vector can still be compared."""
        return [name for name in self.files if name.startswith("chroma/") and name.count("/") > 1]


def write_record(folder: Path, manifest: Manifest) -> Record:
    """Write the manifest of a folder whose other files are complete; returns what it says."""
    marks = {
        path.relative_to(folder).as_posix(): Mark.of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _changes(path)
    }
    content = {**asdict(manifest), "files": {name: [mark.size, mark.crc] for name, mark in marks.items()}}
    content["checksum"] = _checksum(content)
    (folder / _NAME).write_text(json.dumps(content, indent=1) + "\n")
    return Record(manifest, marks)


def read_record(folder: Path, *, older: bool = False) -> Record:
    """What is written about the generation in the folder.

    older: accept older formats too, which know no files.
    Raises FormatOutdated, FormatUnsupported for a newer one, and LibraryDamaged.
    """
    try:
        content = json.loads((folder / _NAME).read_text())
        checksum = content.pop("checksum", None)
        if checksum is not None and checksum != _checksum(content):
            raise LibraryDamaged(f"{_NAME} is not as it was written")
        written = content["format"]
        if not isinstance(written, int) or written > FORMAT or written < OLDEST:
            raise FormatUnsupported(f"the library has format {written!r}; this version reads {FORMAT}")
        if written < FORMAT and not older:
            raise FormatOutdated(f"the library has the older format {written}; this version writes {FORMAT}")
        if written == FORMAT and checksum is None:
            raise LibraryDamaged(f"{_NAME} has lost its checksum")
        files = content.pop("files", {})
        return Record(Manifest(**content), {name: Mark(*mark) for name, mark in files.items()})
    except FileNotFoundError as error:
        raise LibraryDamaged(f"{_NAME} is missing") from error
    except OSError as error:
        raise LibraryDamaged(f"{_NAME} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LibraryDamaged(f"{_NAME} cannot be read: {error}") from error


def _changes(path: Path) -> bool:
    """Whether the file may change without anybody writing; tantivy's locks come and go."""
    unwritten_graph = path.parent.parent.name == "chroma" and not (path.parent / _GRAPH).exists()
    return path.name.startswith(_CHANGING) or path.name.endswith(".lock") or unwritten_graph


def _checksum(content: Mapping[str, object]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())
