"""The program itself, with worker processes, interrupted in the middle of an ingest."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Program, Server

MANY = 1_000  # articles, so that two workers are busy for a second


@pytest.fixture(scope="session")
def articles(forks: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of many articles."""
    folder = tmp_path_factory.mktemp("articles")
    forks.do("write_files", folder=folder, stories=[[number, 0] for number in range(MANY)])
    return folder


@pytest.fixture
def few(forks: Server, tmp_path: Path) -> Path:
    """A folder of two articles."""
    folder = tmp_path / "few"
    forks.do("write_files", folder=folder, stories=[[1, 0], [2, 0]])
    return folder


MOMENTS = ["while its workers start", "while its workers work"]
# What is sent, whether to the whole group as by a terminal, the exit code, the one line.
SIGNALS: dict[str, tuple[int, bool, int, str]] = {
    "Ctrl-C": (signal.SIGINT, True, 130, "interrupted"),
    "SIGTERM": (signal.SIGTERM, False, 143, "terminated"),
    "SIGTERM to all": (signal.SIGTERM, True, 143, "terminated"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    "sent", ["Ctrl-C", "SIGTERM", pytest.param("SIGTERM to all", marks=pytest.mark.slow)]
)
def test_an_ingest_that_is_asked_to_end_says_one_line_and_leaves_nothing(
    program: Program, articles: Path, sent: str, moment: str
) -> None:
    number, to_all, code, word = SIGNALS[sent]
    ingest = program.start("ingest", articles, "--workers", "2")
    workers = at(moment, ingest, program)
    (os.killpg if to_all else os.kill)(ingest.pid, number)
    out, err = ingest.communicate(timeout=60)
    assert (ingest.returncode, out, err.strip()) == (code, "", word)
    program.until(lambda: not any(map(is_alive, workers)))
    assert list((program.home / "corpora" / "main" / "generations").glob("*")) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_ingest_that_is_killed_takes_its_workers_with_it(
    forks: Server, program: Program, articles: Path, few: Path, moment: str
) -> None:
    ingest = program.start("ingest", articles, "--workers", "2")
    workers = at(moment, ingest, program)
    ingest.kill()
    ingest.wait()
    program.until(lambda: not any(map(is_alive, workers)))
    assert program.run("ingest", few) == (0, "", "main corpus: 2 added.")
    assert forks.do("look", home=program.home)["problems"] == {}


def test_of_two_ingests_at_once_the_second_is_told_who_is_writing(
    program: Program, articles: Path, few: Path
) -> None:
    first = program.start("ingest", articles, "--workers", "1")
    program.until((program.home / "corpora" / "main" / "writer.json").exists)
    first.send_signal(signal.SIGSTOP)
    code, out, err = program.run("ingest", few)
    first.send_signal(signal.SIGCONT)
    assert (code, out) == (1, "")
    told = rf"assistant: process {first.pid} has been writing for \d+ s into the corpus 'main'\. .+"
    assert re.fullmatch(told, err), err
    assert first.communicate(timeout=60)[1] == f"main corpus: {MANY} added.\n"
    assert first.returncode == 0


def test_of_two_ingests_at_once_a_patient_one_waits(forks: Server, home: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = forks.start("ingest", home=home, stories=[[1, 0]], wait=("stored", str(go)))
    forks.until(go.with_name("go.waiting").exists)
    second = forks.start("ingest", home=home, stories=[[2, 0]], patience=60)
    forks.until(lambda: naps(second.id) > 5)  # it tries the lock every few milliseconds
    go.touch()
    assert (first.value(), second.value()) == (["story-1"], ["story-2"])
    assert forks.do("look", home=home)["stories"] == [[1, 0], [2, 0]]


def at(moment: str, ingest: subprocess.Popen[str], program: Program) -> list[int]:
    """Wait for the moment; the process ids of everything that the ingest has started."""
    workers: list[int] = program.until(lambda: len(found := children(ingest.pid)) > 2 and found)
    if moment == "while its workers work":
        program.until(lambda: list((program.home / "corpora" / "main" / "generations").glob("*.building")))
    return sorted({*workers, *children(ingest.pid)})


def children(parent: int) -> list[int]:
    """The processes that a process has started: two workers and a tracker of multiprocessing's."""
    try:
        return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_alive(process: int) -> bool:
    """Whether the process runs; one that has ended may still be listed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def naps(process: int) -> int:
    """How often the process has gone to sleep by itself."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
