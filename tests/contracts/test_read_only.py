"""A folder that cannot be written, as on a read-only mount (for root, permissions prove nothing)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.adapters.chroma_index import CANDIDATES, ChromaIndex, ChromaWriter
from assistant.bootstrap import build_assistant
from assistant.domain.errors import HomeUnusable
from assistant.settings import load_settings

if TYPE_CHECKING:
    from tests.contracts.conftest import Corpus


def test_a_home_on_a_read_only_mount_answers_and_stays_as_it_is(writable: Path, mounted: Path) -> None:
    question = "How many people live on Little Corrow?"
    answer = build_assistant(load_settings({"home": writable})).ask(question)
    before = sorted(path.relative_to(writable) for path in writable.rglob("*"))
    assert build_assistant(load_settings({"home": mounted})).ask(question).text == answer.text
    assert sorted(path.relative_to(writable) for path in writable.rglob("*")) == before


def test_vectors_on_a_read_only_mount_are_compared_without_chroma(writable: Path, mounted: Path) -> None:
    angles = np.linspace(0, 3, CANDIDATES + 100)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    ids = [f"{n:016d}" for n in range(len(vectors))]
    with closing(ChromaWriter(writable / "chroma", None)) as writer:
        writer.add(ids, vectors)
        writer.finish(ids, vectors)
    index = ChromaIndex(mounted / "chroma")
    assert index.search(vectors[300], 5) == index.search(vectors[300], 5, exact=True)
    assert index.search(vectors[300], 1)[0].passage_id == f"{300:016d}"
    assert index.damage == ""


def test_a_corpus_on_a_read_only_mount_is_read(
    two: Path, writable: Path, mounted: Path, corpus_in: Callable[[Path], Corpus]
) -> None:
    shutil.copytree(two, writable / "main")
    corpus = corpus_in(mounted / "main")
    assert (corpus.ids(), corpus.damage()) == (["bridge", "lighthouse"], "")
    assert len(corpus.hits("bridge lighthouse")[0]) == 2


WRITING: dict[str, Callable[[Corpus], object]] = {
    "publishing": lambda corpus: corpus.publish(without=["bridge"]),
    "collecting": lambda corpus: corpus.generations.collect(),
    "forgetting": lambda corpus: corpus.generations.forget(patience=0),
    "verifying": lambda corpus: corpus.generations.verify(),
    "exporting into it": lambda corpus: corpus.generations.export(corpus.folder / "export.zip"),
}


@pytest.mark.parametrize("what", WRITING)
def test_what_has_to_write_says_that_it_cannot(
    two: Path, writable: Path, mounted: Path, corpus_in: Callable[[Path], Corpus], what: str
) -> None:
    shutil.copytree(two, writable / "main")
    with pytest.raises(HomeUnusable, match="cannot be written"):
        WRITING[what](corpus_in(mounted / "main"))
