"""A disk that fills up while articles are ingested, and a home that is read-only."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Program, Server

Pairs = list[list[int]]
SIZE = 64_000_000  # bytes of the small disk
FEW: Pairs = [[number, 0] for number in range(3)]
MORE: Pairs = [[number, 0] for number in range(10, 70)]
# Free bytes: with none, with so few that one store or another does not fit, with enough.
FREE = [0, 80_000, 200_000, 600_000, 1_000_000, 4_000_000]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path: Path, home: Path) -> Iterator[Path]:
    """The home once more, mounted read-only: for root, permissions prove nothing."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    home.mkdir()
    mount("--bind", str(home), str(folder))
    mount("-o", "remount,ro,bind", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("first", [True, False], ids=["first ingest", "addition"])
def test_a_full_disk_ends_an_ingest_in_one_line_and_the_old_generation_answers(
    forks: Server, disk: Path, tmp_path: Path, first: bool
) -> None:
    home, filler, record = disk / "home", disk / "filler", tmp_path / "steps"
    there = [] if first else FEW
    reached: set[tuple[str, ...]] = set()
    for free in FREE if first else (FREE[0], *FREE[3:]):
        forks.do("clear", home=home)
        if there:
            forks.do("ingest", home=home, stories=there)
        forks.do("fill", disk=disk, filler=filler, leave=free)
        record.write_text("")
        ended = forks.attempt("ingest", home=home, stories=MORE, steps=record)
        assert (ended.code, ended.error) in ((1, "HomeUnusable"), (0, "")), (free, ended.text)
        assert "\n" not in ended.text
        assert forks.do("stories", home=home) == (there if ended.code else [*there, *MORE])
        reached.add(tuple(record.read_text().split()))
        filler.unlink()
        forks.do("ingest", home=home, stories=[*MORE, [999, 0]])
        seen = forks.do("look", home=home)
        assert (seen["stories"], seen["problems"]) == ([*there, *MORE, [999, 0]], {})
    assert len(reached) >= 3, reached  # it was full at one step and another


def test_a_read_only_home_answers_and_refuses_to_ingest_in_one_line(
    forks: Server, program: Program, home: Path, read_only: Path, tmp_path: Path
) -> None:
    forks.do("ingest", home=home, stories=[[number, 0] for number in range(300)])  # Chroma would be asked
    forks.do("write_files", folder=tmp_path / "more", stories=[[999, 0]])
    before = contents(home)
    assert forks.do("inspect", home=read_only, questions=[7])["facts"] == 2
    code, _, _ = program.run("ask", "At how many centimetres did the gauge stand?", home=read_only)
    assert code in (0, 10)
    code, out, err = program.run("ingest", tmp_path / "more", home=read_only)
    assert (code, out, len(err.splitlines())) == (3, "", 1), err
    assert "Read-only file system" in err
    assert contents(home) == before


def mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")


def contents(folder: Path) -> dict[str, str]:
    """A hash of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
