"""A folder that cannot be written, as on a read-only mount (for root, permissions prove nothing)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.chroma_index import CANDIDATES, ChromaIndex
from assistant.bootstrap import build_assistant
from assistant.ports import IndexRow
from assistant.settings import load_settings


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    folder = tmp_path / "writable"
    folder.mkdir()
    return folder


@pytest.fixture
def mounted(writable: Path, tmp_path: Path) -> Iterator[Path]:
    """The writable folder once more, mounted read-only."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    commands = (
        ["mount", "--bind", str(writable), str(folder)],
        ["mount", "-o", "remount,ro,bind", str(folder)],
    )
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_home_on_a_read_only_mount_answers_and_stays_as_it_is(writable: Path, mounted: Path) -> None:
    question = "How many people live on Little Corrow?"
    answer = build_assistant(load_settings({"home": writable})).ask(question)
    before = sorted(path.relative_to(writable) for path in writable.rglob("*"))
    assert build_assistant(load_settings({"home": mounted})).ask(question).text == answer.text
    assert sorted(path.relative_to(writable) for path in writable.rglob("*")) == before


def test_vectors_on_a_read_only_mount_are_compared_without_chroma(writable: Path, mounted: Path) -> None:
    angles = np.linspace(0, 3, CANDIDATES + 100)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = [IndexRow(f"{n:016d}", "", "", vector) for n, vector in enumerate(vectors)]
    ChromaIndex.build(writable / "chroma", rows)
    index = ChromaIndex(mounted / "chroma")
    assert index.search(vectors[300], 5) == index.search(vectors[300], 5, exact=True)
    assert index.search(vectors[300], 1)[0].passage_id == f"{300:016d}"
