"""What only folders can get wrong: layout, readers that stay, other processes, crashes, no room."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

import assistant
from assistant.adapters.generation_stores import OpenLibrary, Stores
from assistant.domain.errors import ArticleRejected, HomeUnusable, LibraryBusy
from assistant.ingest import IngestReport
from assistant.testing import sample_articles

if TYPE_CHECKING:
    from tests.contracts.conftest import Corpus

CorpusIn = Callable[..., "Corpus"]
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()


# Layout


def test_a_corpus_is_a_pointer_and_a_folder_for_each_generation(corpus: Corpus) -> None:
    corpus.publish(BRIDGE)
    assert (corpus.folder / "current").read_text() == "1\n"
    assert corpus.numbers() == ["1"]
    assert sorted(path.name for path in corpus.path("").iterdir()) == [
        "chroma",
        "in-use",
        "lexical",
        "library.db",
        "manifest.json",
    ]
    assert sorted(path.name for path in corpus.folder.iterdir()) == ["current", "generations", "writer.lock"]


def test_its_folders_are_private(quick: Corpus, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        quick.publish(BRIDGE)
    finally:
        os.umask(before)
    made = [
        tmp_path / "home",
        quick.folder.parent,
        quick.folder,
        quick.folder / "generations",
        quick.path(""),
    ]
    assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in made] == [oct(0o700)] * len(made)


def test_a_folder_that_was_there_keeps_its_mode(quick: Corpus, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    quick.publish(BRIDGE)
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o755


READING: dict[str, tuple[Callable[[Corpus], object], object]] = {
    "asking": (lambda corpus: corpus.ids(), []),
    "asking whether there is one": (lambda corpus: corpus.generations.is_published(), False),
    "verifying": (lambda corpus: corpus.generations.verify(), {}),
    "a dry run": (
        lambda corpus: corpus.ingest(BRIDGE, dry_run=True),
        IngestReport(added=("bridge",), dry_run=True),
    ),
}


@pytest.mark.parametrize("what", READING)
def test_reading_makes_no_folder(quick: Corpus, tmp_path: Path, what: str) -> None:
    read, expected = READING[what]
    assert read(quick) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "main", "corpora/main"])
def test_a_home_that_is_a_file_cannot_be_read(
    tmp_path: Path, light: Stores, corpus_in: CorpusIn, below: str
) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(HomeUnusable, match="cannot be read"):
        corpus_in(tmp_path / "home" / below, light).ids()


def test_a_home_that_is_a_file_cannot_be_written(tmp_path: Path, light: Stores, corpus_in: CorpusIn) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(HomeUnusable, match="cannot be written"):
        corpus_in(tmp_path / "home" / "main", light).publish()


# Readers and old generations


def test_the_generation_before_is_kept_and_older_ones_go(quick: Corpus) -> None:
    kept = []
    for article in (BRIDGE, UPDATE, LIGHTHOUSE, NOTICE):
        quick.publish(article)
        kept.append(quick.numbers())
    assert kept == [["1"], ["1", "2"], ["2", "3"], ["3", "4"]]


def test_a_generation_stays_while_a_reader_holds_it(folder: Path, light: Stores, corpus_in: CorpusIn) -> None:
    reader, writer = corpus_in(folder, light), corpus_in(folder, light)
    writer.publish(BRIDGE)
    with reader.generations.current() as held:
        for article in (UPDATE, LIGHTHOUSE, NOTICE):
            writer.publish(article)
        assert writer.numbers() == ["1", "3", "4"]
        assert held is not None
        assert [info.id for info in held.library.articles()] == ["bridge"]
    assert reader.ids() == ["bridge", "bridge-update", "lighthouse", "notice"]
    writer.publish(BRIDGE)
    assert writer.numbers() == ["4", "5"]


def test_a_generation_is_closed_when_its_last_reader_leaves_after_a_publish(
    quick: Corpus, closed: list[str]
) -> None:
    quick.publish(BRIDGE)
    with quick.generations.current():
        closed.clear()
        with quick.generations.current():
            quick.publish(NOTICE)
            assert quick.ids() == ["bridge", "notice"]
        assert closed == [PROBED.format(2)]
    assert closed == [PROBED.format(2), "1"]
    quick.publish(LIGHTHOUSE)
    assert quick.ids() == ["bridge", "lighthouse", "notice"]
    assert closed == [PROBED.format(2), "1", PROBED.format(3), "2"]


PROBED = "{}.building"  # a folder that is opened before it is published


def test_a_generation_that_nobody_refers_to_any_more_is_closed(
    folder: Path, light: Stores, closed: list[str], corpus_in: CorpusIn
) -> None:
    corpus_in(folder, light).publish(BRIDGE)
    closed.clear()
    assert corpus_in(folder, light).ids() == ["bridge"]
    assert closed == ["1"]


def test_a_reader_that_comes_late_finds_the_generation_that_the_pointer_left(
    folder: Path, light: Stores, corpus_in: CorpusIn
) -> None:
    """A writer publishes and cleans up between a reader's look at the pointer and its opening."""
    writer = corpus_in(folder, light)
    writer.publish(BRIDGE)

    def open_after_two_publishes(path: Path) -> OpenLibrary:
        if path.parent.name == "1":
            writer.publish(NOTICE)
            writer.publish(UPDATE)
            shutil.rmtree(path.parent)
        return light.open_library(path)

    reader = corpus_in(folder, replace(light, open_library=open_after_two_publishes))
    assert reader.ids() == ["bridge", "bridge-update", "notice"]
    assert (reader.damage(), reader.warnings) == ("", [])


def test_a_reader_notices_that_a_corpus_was_made_anew_under_the_same_number(
    folder: Path, light: Stores, corpus_in: CorpusIn
) -> None:
    reader, other = corpus_in(folder, light), corpus_in(folder, light)
    reader.publish(BRIDGE)
    assert reader.ids() == ["bridge"]
    other.generations.discard()
    other.publish(NOTICE)
    assert other.numbers() == ["1"]
    assert reader.ids() == ["notice"]


def test_forgetting_tells_which_generations_are_still_read(
    folder: Path, light: Stores, corpus_in: CorpusIn
) -> None:
    reader, writer = corpus_in(folder, light), corpus_in(folder, light)
    writer.publish(BRIDGE)
    with reader.generations.current():
        writer.publish(NOTICE)
        assert writer.generations.forget(patience=0) == [1]
        assert writer.numbers() == ["1", "2"]
    assert reader.ids() == ["bridge", "notice"]
    assert writer.generations.forget(patience=0) == []
    assert writer.numbers() == ["2"]


def test_forgetting_lets_go_of_what_this_process_has_open_itself(quick: Corpus) -> None:
    quick.publish(BRIDGE)
    assert quick.ids() == ["bridge"]
    quick.publish(NOTICE)
    assert quick.generations.forget(patience=0) == []
    assert quick.numbers() == ["2"]


# Lazy writers


def looked(corpus: Corpus) -> None:
    with corpus.generations.writer() as writer:
        library = writer.library
        seen = (library.hashes(), library.origins(), library.signatures(), library.withdrawn())
        assert [len(each) for each in seen] == [1, 1, 1, 0]
        assert library.article("bridge") == BRIDGE


WITHOUT_A_CHANGE: dict[str, Callable[[Corpus], object]] = {
    "looking": looked,
    "an ingest without news": lambda corpus: corpus.ingest(BRIDGE, ArticleRejected("a.md", "no text")),
    "a dry run": lambda corpus: corpus.ingest(NOTICE, dry_run=True),
}


@pytest.mark.parametrize("what", WITHOUT_A_CHANGE)
def test_a_writer_that_changes_nothing_writes_nothing(
    folder: Path, light: Stores, corpus_in: CorpusIn, what: str
) -> None:
    steps: list[str] = []
    corpus = corpus_in(folder, light, step=steps.append)
    corpus.publish(BRIDGE)
    steps.clear()
    WITHOUT_A_CHANGE[what](corpus)
    assert steps == ([] if what == "a dry run" else ["locked"])
    assert corpus.numbers() == ["1"]


def test_the_first_change_begins_the_folder(folder: Path, light: Stores, corpus_in: CorpusIn) -> None:
    steps: list[str] = []
    corpus = corpus_in(folder, light, step=steps.append)
    with corpus.generations.writer() as writer:
        assert (steps, corpus.numbers()) == (["locked"], [])
        writer.library.withdraw("a", "2031-04-01")
        assert (steps, corpus.numbers()) == (["locked", "begun"], ["1.building"])
    assert corpus.numbers() == []


# Writers


def test_a_second_writer_in_another_process_is_told_who_writes_and_since_when(quick: Corpus) -> None:
    with another_writer(quick.folder) as other, pytest.raises(LibraryBusy) as caught:
        quick.publish(BRIDGE)
    assert re.fullmatch(
        rf"process {other.pid} has been writing for \d+ s into the corpus 'main'", str(caught.value)
    )
    assert caught.value.retryable


OWNERS = {
    "from another machine": (
        '{"pid": 7, "host": "elsewhere", "since": 0}',
        r"process 7 on elsewhere has been writing for \d+ s",
    ),
    "from the future": (
        json.dumps({"pid": 7, "host": socket.gethostname(), "since": 1e12}),
        "process 7 has been writing for 0 s",
    ),
    "cut off": ('{"pid": 7, "host', "another process is writing"),
    "a list": ("[]", "another process is writing"),
    "empty": ("", "another process is writing"),
}


@pytest.mark.parametrize("owner", OWNERS)
def test_a_busy_corpus_is_told_whatever_is_known_of_its_writer(quick: Corpus, owner: str) -> None:
    written, told = OWNERS[owner]
    with quick.generations.writer():
        (quick.folder / "writer.json").write_text(written)
        with pytest.raises(LibraryBusy, match=f"^{told} into the corpus 'main'$"):
            quick.publish(BRIDGE)


def test_a_busy_corpus_of_an_unknown_writer_is_told(quick: Corpus) -> None:
    with quick.generations.writer():
        (quick.folder / "writer.json").unlink()
        with pytest.raises(LibraryBusy, match=r"^another process is writing into"):
            quick.publish(BRIDGE)


def test_a_patient_writer_waits_for_the_other_process(
    folder: Path, light: Stores, corpus_in: CorpusIn
) -> None:
    with another_writer(folder, seconds=0.5):
        assert corpus_in(folder, light, patience=30).publish(BRIDGE) == 1


def test_the_lock_of_a_killed_writer_is_free(quick: Corpus) -> None:
    with another_writer(quick.folder) as other:
        other.kill()
        other.wait()
        assert quick.publish(BRIDGE) == 1


def test_a_corpus_can_be_read_while_another_process_writes(quick: Corpus) -> None:
    quick.publish(BRIDGE)
    with another_writer(quick.folder):
        assert quick.ids() == ["bridge"]


TENDING: dict[str, Callable[[Corpus], object]] = {
    "collecting": lambda corpus: corpus.generations.collect(),
    "forgetting": lambda corpus: corpus.generations.forget(patience=0),
    "discarding": lambda corpus: corpus.generations.discard(),
}


@pytest.mark.parametrize("what", TENDING)
def test_nothing_is_deleted_while_somebody_writes(quick: Corpus, what: str) -> None:
    quick.publish(BRIDGE)
    with quick.generations.writer(), pytest.raises(LibraryBusy):
        TENDING[what](quick)
    assert quick.ids() == ["bridge"]


@contextmanager
def another_writer(folder: Path, *, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the writer of the corpus for so many seconds."""
    code = f"""
        import sys, time
        sys.path[:0] = {[str(Path(assistant.__file__).parents[1]), str(Path(__file__).parent)]!r}
        from conftest import Corpus
        from pathlib import Path
        with Corpus(Path({str(folder)!r})).generations.writer():
            print("writing", flush=True)
            time.sleep({seconds})
    """
    process = subprocess.Popen([sys.executable, "-c", dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


# Crashes and failures

STEPS = (
    *("locked", "begun", "stored", "lexical", "vectors", "manifest"),
    *("probed", "synced", "renamed", "published", "cleaned"),
)


def test_a_publish_takes_these_steps(folder: Path, light: Stores, corpus_in: CorpusIn) -> None:
    steps: list[str] = []
    corpus_in(folder, light, step=steps.append).publish(BRIDGE)
    assert tuple(steps) == STEPS


@pytest.mark.parametrize("at", STEPS)
def test_a_publish_that_fails_leaves_the_generation_before_or_the_new_one(
    folder: Path, light: Stores, corpus_in: CorpusIn, at: str
) -> None:
    def fail(name: str) -> None:
        if name == at:
            raise KeyError(at)

    corpus_in(folder, light).publish(BRIDGE)
    with pytest.raises(KeyError, match=at):
        corpus_in(folder, light, step=fail).publish(NOTICE)
    done = at in ("published", "cleaned")
    corpus = corpus_in(folder, light)
    assert corpus.ids() == (["bridge", "notice"] if done else ["bridge"])
    assert corpus.numbers() == (["1", "2"] if done or at == "renamed" else ["1"])
    assert corpus.publish(LIGHTHOUSE) == (3 if done else 2)
    assert corpus.ids() == (["bridge", "lighthouse", "notice"] if done else ["bridge", "lighthouse"])


LEFTOVERS: dict[str, list[str]] = {
    "a folder under construction": ["2.building"],
    "a generation that was never pointed at": ["2"],
    "higher generations from a pointer that went back": ["2", "7"],
    "a generation that was about to be deleted": ["1.doomed"],
    "an export that was unpacked": ["export.archive"],
}


@pytest.mark.parametrize("left", LEFTOVERS)
def test_the_next_writer_removes_what_a_crash_left(quick: Corpus, left: str) -> None:
    quick.publish(BRIDGE)
    for name in LEFTOVERS[left]:
        (quick.folder / "generations" / name / "lexical").mkdir(parents=True)
        (quick.folder / "generations" / name / "library.db").write_text("half a library")
    assert quick.ids() == ["bridge"]
    with quick.generations.writer():
        assert quick.numbers() == ["1"]
    assert quick.publish(NOTICE) == 2
    assert quick.ids() == ["bridge", "notice"]


def test_a_half_written_pointer_is_not_the_pointer(quick: Corpus) -> None:
    quick.publish(BRIDGE)
    (quick.folder / "current.new").write_text("9")
    assert quick.ids() == ["bridge"]
    assert quick.publish(NOTICE) == 2


FULL = OSError(28, "No space left on device")


def fail(*arguments: object, **options: object) -> None:
    raise FULL


@pytest.mark.parametrize("fresh", [False, True], ids=["extended", "built anew"])
def test_a_full_disk_while_publishing_is_told_and_leaves_nothing_behind(
    folder: Path, light: Stores, corpus_in: CorpusIn, fresh: bool
) -> None:
    corpus_in(folder, light).publish(BRIDGE)
    full = corpus_in(folder, replace(light, build_lexical=fail, extend_lexical=fail))
    with pytest.raises(HomeUnusable, match="No space left"):
        full.publish(NOTICE, fresh=fresh)
    assert full.numbers() == ["1"]
    assert full.ids() == ["bridge"]


def test_the_free_space_is_looked_at_before_a_generation_is_copied(quick: Corpus) -> None:
    quick.publish(BRIDGE)
    with quick.path("in-use").open("r+b") as file:  # holes count as what they would hold
        file.truncate(shutil.disk_usage(quick.folder).free)
    with pytest.raises(HomeUnusable, match=r"needs [\d,]+ MB of free space, and there are [\d,]+ MB"):
        quick.publish(NOTICE)
    assert (quick.numbers(), quick.ids()) == (["1"], ["bridge"])
