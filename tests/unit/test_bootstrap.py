"""Wiring: which corpus is chosen, when the demo is indexed, and that every part can be replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant.bootstrap import build_assistant, build_parts, chosen_corpus, ingest_paths
from assistant.domain.errors import ConfigurationError, CorpusNotFound, InputNotFound
from assistant.settings import Settings
from assistant.testing import (
    FixedClock,
    FullStopSegmenter,
    MemoryGenerations,
    MemoryHistory,
    ScriptedEmbedder,
)

ISLAND = "How many people live on Little Corrow?"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for an empty home, with a content folder of one article and a quick embedder."""
    corpus = tmp_path / "content" / "corpus"
    corpus.mkdir(parents=True)
    (corpus / "well.txt").write_text("The Quill well is 31 metres deep.")
    return Settings(home=tmp_path / "home", content=tmp_path / "content", embedder="hashing")


@pytest.fixture
def article(tmp_path: Path) -> Path:
    """A file to ingest."""
    path = tmp_path / "mill.txt"
    path.write_text("The Quill mill has 11 sails.")
    return path


def titles(settings: Settings) -> list[str]:
    return [info.label for info in build_assistant(settings).articles()]


def test_the_demo_is_chosen_until_there_are_articles_of_ones_own(settings: Settings, article: Path) -> None:
    assert chosen_corpus(settings) == "demo"
    build_assistant(settings)
    assert chosen_corpus(settings) == "demo"
    assert ingest_paths([article], settings)[0] == "main"
    assert chosen_corpus(settings) == "main"
    assert titles(settings) == ["mill.txt"]
    assert titles(settings.model_copy(update={"corpus": "demo"})) == ["well.txt"]


def test_an_ingest_into_another_corpus_does_not_change_the_default(settings: Settings, article: Path) -> None:
    other = settings.model_copy(update={"corpus": "other"})
    assert ingest_paths([article], other)[0] == "other"
    assert chosen_corpus(settings) == "demo"
    assert titles(other) == ["mill.txt"]


def test_an_ingest_of_nothing_usable_does_not_change_the_default(settings: Settings, article: Path) -> None:
    article.write_text(" ")
    _, report = ingest_paths([article], settings)
    assert (report.accepted, len(report.rejected)) == (0, 1)
    assert chosen_corpus(settings) == "demo"


def test_the_demo_is_indexed_when_it_is_new_or_changed_and_says_so(settings: Settings) -> None:
    told: list[str] = []
    build_assistant(settings, notice=told.append)
    build_assistant(settings, notice=told.append)
    assert told == ["Indexing the demo articles, once."]
    assert settings.content
    well = settings.content / "corpus" / "well.txt"
    well.write_text("The Quill well is 77 metres deep.")
    (settings.content / "corpus" / "weir.txt").write_text("The Quill weir leaks.")
    changed = build_assistant(settings, notice=told.append)
    assert len(told) == 2
    texts = {info.label: changed.article(info.id)[0].text for info in changed.articles()}
    assert texts == {"weir.txt": "The Quill weir leaks.", "well.txt": "The Quill well is 77 metres deep."}
    well.unlink()
    assert titles(settings) == ["weir.txt"]


def test_another_embedder_indexes_the_demo_anew(settings: Settings) -> None:
    told: list[str] = []
    build_assistant(settings, notice=told.append)
    build_assistant(settings.model_copy(update={"embedder": "static"}), notice=told.append)
    assert len(told) == 2


def test_the_demos_articles_have_the_same_ids_wherever_it_lies(settings: Settings, tmp_path: Path) -> None:
    here = [info.id for info in build_assistant(settings).articles()]
    elsewhere = tmp_path / "elsewhere" / "deeper"
    elsewhere.mkdir(parents=True)
    assert settings.content
    settings.content.rename(elsewhere / "content")
    moved = Settings(home=tmp_path / "home2", content=elsewhere / "content", embedder="hashing")
    assert [info.id for info in build_assistant(moved).articles()] == here


def test_a_corpus_that_does_not_exist_is_not_made_by_asking(settings: Settings) -> None:
    with pytest.raises(CorpusNotFound, match="there is no corpus 'other'"):
        build_assistant(settings.model_copy(update={"corpus": "other"}))
    assert not settings.home.exists()


def test_a_missing_path_leaves_no_corpus_behind(settings: Settings, article: Path, tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="does not exist"):
        ingest_paths([article, tmp_path / "nowhere"], settings)
    assert chosen_corpus(settings) == "demo"


def test_the_demo_takes_no_articles(settings: Settings, article: Path) -> None:
    with pytest.raises(ConfigurationError, match="mirrors the demo articles"):
        ingest_paths([article], settings.model_copy(update={"corpus": "demo"}))


def test_progress_counts_what_was_read(settings: Settings, article: Path) -> None:
    (article.parent / "empty.txt").write_text("")
    seen: list[str] = []
    ingest_paths(
        [article, article.parent / "empty.txt"], settings, progress=lambda stage, _: seen.append(stage)
    )
    assert seen == ["read", "read", "index"]


def test_every_part_can_be_replaced(settings: Settings) -> None:
    segmenter = FullStopSegmenter()
    embedder = ScriptedEmbedder({"How deep?": [1.0, 0.0]})
    clock = FixedClock(date(2031, 4, 1))
    history = MemoryHistory()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter="full-stop/1")
    with generations.writer() as writer:
        writer.publish()
    assistant = build_assistant(
        settings,
        generations=generations,
        segmenter=segmenter,
        embedder=embedder,
        clock=clock,
        history=history,
        new_id=lambda: "the-id",
    )
    result = assistant.ask("How deep?")
    assert (result.id, result.as_of, result.corpus.articles) == ("the-id", date(2031, 4, 1), 0)
    assert embedder.calls == [("How deep?",)]
    assert clock.readings > 0
    assert [record.result for record in history.records] == [replace(result, nearest=())]
    assert not settings.home.exists()


def test_parts_for_reading_and_writing_are_the_same(settings: Settings) -> None:
    parts = build_parts(settings, "main")
    assert parts.corpus == "main"
    assert (
        parts.embedder.fingerprint
        != build_parts(settings.model_copy(update={"embedder": "static"}), "main").embedder.fingerprint
    )
