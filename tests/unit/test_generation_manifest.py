"""What a manifest says of itself and of the files beside it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from assistant.adapters.generation_manifest import FORMAT, Mark, Record, read_record, write_record
from assistant.domain.errors import FormatOutdated, FormatUnsupported, LibraryDamaged
from assistant.ports import Manifest

MANIFEST = Manifest(FORMAT, "hashing/256", "full-stop/1", 2, 3, "c" * 64, "the démo")
FILES = {"library.db": b"articles" * 100, "lexical/meta.json": b"{}", "chroma/vectors.npy": b"numbers" * 10}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_what_is_written_is_read_again(folder: Path) -> None:
    written = write_record(folder, MANIFEST)
    assert read_record(folder) == written
    assert written.manifest == MANIFEST
    assert written.files == {name: Mark(len(held), zlib.crc32(held)) for name, held in FILES.items()}
    written.check(folder)


def test_writing_it_again_says_the_same(folder: Path) -> None:
    write_record(folder, MANIFEST)
    first = (folder / "manifest.json").read_bytes()
    write_record(folder, MANIFEST)
    assert (folder / "manifest.json").read_bytes() == first


def test_a_mark_is_that_of_the_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than is read at once
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "empty").touch()
    assert Mark.of(tmp_path / "file") == Mark(len(content), zlib.crc32(content))
    assert Mark.of(tmp_path / "empty") == Mark(0, 0)


LEFT_OUT = [
    "in-use",
    "chroma/chroma.sqlite3",
    "chroma/chroma.sqlite3-wal",
    "chroma/chroma.sqlite3-journal",
    "lexical/.tantivy-writer.lock",
    "chroma/0a1b/data_level0.bin",
]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_changes_without_anybody_writing_is_left_out(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("changes")
    assert sorted(write_record(folder, MANIFEST).files) == sorted(FILES)


def test_a_graph_that_has_been_written_is_listed(folder: Path) -> None:
    (folder / "chroma" / "0a1b").mkdir()
    for name in ("data_level0.bin", "index_metadata.pickle"):
        (folder / "chroma" / "0a1b" / name).write_text("a graph")
    record = write_record(folder, MANIFEST)
    assert record.below("chroma/") == [
        "chroma/0a1b/data_level0.bin",
        "chroma/0a1b/index_metadata.pickle",
        "chroma/vectors.npy",
    ]


# Checking files


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def other(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "library.db cannot be read: No such file or directory"),
    "longer": (longer, "library.db has 801 bytes instead of 800"),
    "empty": (lambda path: path.write_bytes(b""), "library.db has 0 bytes instead of 800"),
    "other": (other, "library.db is not as it was written"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_not_as_it_was_written_is_told(folder: Path, change: str) -> None:
    record = write_record(folder, MANIFEST)
    do, told = CHANGES[change]
    do(folder / "library.db")
    for names in (None, ["library.db"]):
        with pytest.raises(LibraryDamaged) as caught:
            record.check(folder, names)
        assert str(caught.value) == told
    record.check(folder, ["lexical/meta.json"])
    record.check(folder, record.below("chroma/"))


def test_a_file_more_is_no_damage(folder: Path) -> None:
    record = write_record(folder, MANIFEST)
    (folder / "more").touch()
    record.check(folder)


@pytest.mark.parametrize(("limit", "found"), [(None, True), (872, True), (871, False), (0, False)])
def test_up_to_a_limit_contents_are_compared_smallest_files_first(
    folder: Path, limit: int | None, found: bool
) -> None:
    record = write_record(folder, MANIFEST)
    assert sum(mark.size for mark in record.files.values()) == 872
    other(folder / "library.db")
    assert is_damaged(record, folder, limit) == found


@pytest.mark.parametrize("change", ["gone", "longer", "empty"])
def test_sizes_are_compared_beyond_the_limit(folder: Path, change: str) -> None:
    record = write_record(folder, MANIFEST)
    CHANGES[change][0](folder / "library.db")
    assert is_damaged(record, folder, 0)


def is_damaged(record: Record, folder: Path, limit: int | None) -> bool:
    try:
        record.check(folder, limit=limit)
    except LibraryDamaged:
        return True
    return False


# Damage to the manifest itself


def test_every_wrong_bit_is_found_or_harmless(folder: Path) -> None:
    written = write_record(folder, MANIFEST)
    path = folder / "manifest.json"
    content = path.read_bytes()
    for at in range(len(content)):
        for bit in (1, 8, 64):
            path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            try:
                assert read_record(folder) == written  # a blank between two keys
            except (LibraryDamaged, FormatUnsupported):
                continue


def test_every_truncation_is_found(folder: Path) -> None:
    write_record(folder, MANIFEST)
    path = folder / "manifest.json"
    content = path.read_bytes().rstrip()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(LibraryDamaged, match=r"manifest\.json"):
            read_record(folder)


def test_a_missing_manifest_is_told(folder: Path) -> None:
    with pytest.raises(LibraryDamaged, match=r"manifest\.json is missing"):
        read_record(folder)


# Other formats

OLD = {**asdict(MANIFEST), "format": 1}


def test_an_older_manifest_is_told_and_read_where_that_is_asked_for(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(OLD))
    with pytest.raises(FormatOutdated, match="format 1; this version writes 2"):
        read_record(folder)
    assert read_record(folder, older=True) == Record(Manifest(**{**asdict(MANIFEST), "format": 1}), {})


UNKNOWN = [FORMAT + 1, 0, -1, "1", "2", 1.5, None, [], {}]


@pytest.mark.parametrize("version", UNKNOWN)
@pytest.mark.parametrize("older", [False, True])
def test_an_unknown_format_is_told(folder: Path, version: object, older: bool) -> None:
    (folder / "manifest.json").write_text(json.dumps({**OLD, "format": version}))
    with pytest.raises(FormatUnsupported, match="this version reads 2") as caught:
        read_record(folder, older=older)
    assert not isinstance(caught.value, FormatOutdated)


def test_a_newer_manifest_need_not_look_like_ours(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format": FORMAT + 1, "everything": "else"}))
    with pytest.raises(FormatUnsupported):
        read_record(folder)


def test_an_older_manifest_that_lacks_something_is_damaged(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "articles": 2}))
    with pytest.raises(LibraryDamaged, match="cannot be read"):
        read_record(folder, older=True)
