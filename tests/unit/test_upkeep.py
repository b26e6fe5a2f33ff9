"""Withdrawing articles for good, letting them in again, and rebuilding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from assistant.adapters.cached_embedder import CachedEmbedder
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.sqlite_vectors import SqliteVectors
from assistant.domain.articles import Article
from assistant.domain.errors import ArticleNotFound, CorpusNotFound, LibraryBusy
from assistant.domain.passages import PASSAGE_RULES
from assistant.ingest import Preparation, ingest
from assistant.ports import Freed, Manifest
from assistant.testing import (
    FullStopSegmenter,
    LineSegmenter,
    ListSource,
    MemoryGenerations,
    MemoryWriter,
    ScriptedEmbedder,
    UnexpectedCall,
    sample_article,
    sample_articles,
)
from assistant.upkeep import Rebuilt, Withdrawal, readmit, rebuild, withdraw

BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
TODAY = date(2031, 4, 1)


class MemoryArchives(MemoryGenerations):
    """Generations in memory that know no archive.

    salvaged: what was lost, where a test wants something to be. writers: how each one was asked for.
    """

    def __init__(self, *, embedder: str = "hashing/256", segmenter: str = "full-stop/1") -> None:
        super().__init__(embedder=embedder, segmenter=f"{segmenter}/passages-{PASSAGE_RULES}")
        self.salvaged = ""
        self.writers: list[tuple[bool, Path | None]] = []

    @contextmanager
    def writer(self, *, salvage: bool = False, archive: Path | None = None) -> Iterator[MemoryWriter]:
        self.writers.append((salvage, archive))
        with super().writer(salvage=salvage) as writer:
            writer.salvaged = self.salvaged
            yield writer

    def is_published(self) -> bool:
        return bool(self.published)

    def verify(self) -> Mapping[int, list[str]]:
        raise UnexpectedCall("verify")

    def collect(self, *, previous: bool = False) -> Freed:
        raise UnexpectedCall("collect")

    def export(self, file: Path) -> Manifest:
        raise UnexpectedCall("export")


class StillRead(MemoryArchives):
    """Somebody reads the first generation and does not stop. patience: how long was waited."""

    patience = 0.0

    def forget(self, *, patience: float) -> list[int]:
        self.patience = patience
        return [1]


class Quotes:
    """What is kept of earlier answers; calls: of which articles quotes were forgotten, in order."""

    def __init__(self, generations: MemoryGenerations) -> None:
        self._generations = generations
        self.calls: list[list[str]] = []
        self.published: list[int] = []
        self.broken = False

    def __call__(self, article_ids: Sequence[str]) -> int:
        if self.broken:
            raise KeyboardInterrupt
        self.calls.append(list(article_ids))
        self.published.append(len(self._generations.published))
        return 0


@pytest.fixture
def generations() -> MemoryArchives:
    return filled(MemoryArchives())


@pytest.fixture
def quotes(generations: MemoryArchives) -> Quotes:
    return Quotes(generations)


def filled(generations: MemoryArchives, source: str = "") -> MemoryArchives:
    put(generations, *sample_articles(), mirror=source)
    return generations


def put(generations: MemoryArchives, *articles: Article, mirror: str = "") -> None:
    ingest(
        ListSource(articles),
        generations,
        segmenter=FullStopSegmenter(),
        embedder=HashingEmbedder(),
        mirror=mirror,
    )


def nothing() -> None:
    """Where no vectors are cached."""


def stored(generations: MemoryArchives) -> list[str]:
    return sorted(generations.published[-1].library.hashes())


# Withdrawing


def test_a_withdrawn_article_is_gone_from_corpus_older_generations_and_quotes(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    done = withdraw(
        ["bridge", "notice"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing
    )
    assert done == Withdrawal(("bridge", "notice"), (), ())
    assert stored(generations) == ["bridge-update", "lighthouse"]
    assert generations.published[-1].library.withdrawn() == {"bridge": "2031-04-01", "notice": "2031-04-01"}
    assert len(generations.published) == 1
    assert generations.published[-1].lexical.search("Varga", 5) == []
    assert quotes.calls == [["bridge", "notice"]]


def test_no_byte_of_a_vector_is_left_once_an_article_is_withdrawn(
    generations: MemoryArchives, quotes: Quotes, tmp_path: Path
) -> None:
    """Nor of an earlier wording of it, which no generation holds any more."""
    cache = SqliteVectors(tmp_path / "cache.db")
    embedder = CachedEmbedder(HashingEmbedder(), cache)
    for text in ("An earlier wording.", BRIDGE.text):
        source = ListSource([sample_article("bridge", text)])
        ingest(source, generations, segmenter=FullStopSegmenter(), embedder=embedder)
    vectors = [row.tobytes() for row in HashingEmbedder().embed(["An earlier wording.", BRIDGE.text])]
    assert [kept(vector, tmp_path) for vector in vectors] == [True, True]
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=cache.clear)
    assert [kept(vector, tmp_path) for vector in vectors] == [False, False]


def kept(vector: bytes, folder: Path) -> bool:
    return any(vector in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_quotes_are_forgotten_once_no_older_generation_answers_any_more(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    assert quotes.published == [1]


def test_the_others_stay_linked_without_the_withdrawn_copy(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    wire = " ".join(f"Sentence {number} of a long story from the harbour." for number in range(60))
    put(generations, *[sample_article(one, wire) for one in ("one", "three", "two")])
    withdraw(["one"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    assert [info.id for info in generations.published[-1].library.copies("two")] == ["three"]


def test_generations_that_are_still_read_are_told(quotes: Quotes) -> None:
    generations = StillRead()
    filled(generations)
    done = withdraw(
        ["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing, patience=7
    )
    assert (done.still_read, generations.patience) == ((1,), 7)
    assert quotes.calls == [["bridge"]]


def test_a_withdrawal_that_was_cut_off_is_finished_by_another_one(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    quotes.broken = True
    with pytest.raises(KeyboardInterrupt):
        withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    quotes.broken = False
    emptied: list[int] = []
    number = generations.published[-1].number
    done = withdraw(
        ["bridge"],
        generations,
        today=date(2031, 4, 2),
        forget_quotes=quotes,
        forget_vectors=lambda: emptied.append(len(generations.published)),
    )
    assert (done.withdrawn, quotes.calls, emptied) == ((), [["bridge"]], [1])
    assert generations.published[-1].number == number
    assert generations.published[-1].library.withdrawn() == {"bridge": "2031-04-01"}


def test_naming_an_article_twice_is_naming_it_once(generations: MemoryArchives, quotes: Quotes) -> None:
    done = withdraw(
        ["bridge", "bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing
    )
    assert done.withdrawn == ("bridge",)


def test_an_unknown_article_is_told_before_anything_is_changed(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    with pytest.raises(ArticleNotFound, match="'no such'"):
        withdraw(
            ["bridge", "no such"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing
        )
    assert (len(stored(generations)), len(generations.published), quotes.calls) == (4, 1, [["no such"]])
    assert generations.published[-1].library.withdrawn() == {}


def test_a_mirror_stays_one(quotes: Quotes) -> None:
    generations = filled(MemoryArchives(), source="monday")
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    assert generations.published[-1].manifest.source == "monday"


def test_a_withdrawal_during_an_ingest_is_told_that_the_corpus_is_busy(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    with generations.writer(), pytest.raises(LibraryBusy):
        withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    assert quotes.calls == []


# Readmitting


def test_a_readmitted_article_may_be_ingested_again(generations: MemoryArchives, quotes: Quotes) -> None:
    withdraw(["bridge", "notice"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    readmit(["bridge"], generations)
    assert generations.published[-1].library.withdrawn() == {"notice": "2031-04-01"}
    put(generations, BRIDGE, NOTICE)
    assert stored(generations) == ["bridge", "bridge-update", "lighthouse"]


def test_readmitting_an_article_that_is_not_withdrawn_changes_nothing(
    generations: MemoryArchives, quotes: Quotes
) -> None:
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    number = generations.published[-1].number
    with pytest.raises(ArticleNotFound, match="'lighthouse' was withdrawn"):
        readmit(["bridge", "lighthouse"], generations)
    assert generations.published[-1].number == number
    assert generations.published[-1].library.withdrawn() == {"bridge": "2031-04-01"}


def test_readmitting_keeps_the_state_of_a_mirror(quotes: Quotes) -> None:
    generations = filled(MemoryArchives(), source="monday")
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    readmit(["bridge"], generations)
    assert generations.published[-1].manifest.source == "monday"


# Rebuilding


def test_a_rebuild_publishes_the_same_articles_and_embeds_nothing() -> None:
    generations = MemoryArchives(embedder="scripted/1")
    script = {one.text: [1.0, 0.0] for one in sample_articles()}
    segmenter, embedder = FullStopSegmenter(), ScriptedEmbedder(script)
    source = ListSource(sample_articles())
    ingest(source, generations, segmenter=segmenter, embedder=embedder, mirror="monday")
    segmenter.calls.clear()
    embedder.calls.clear()
    seen: list[tuple[str, int]] = []
    done = rebuild(
        generations,
        Preparation(segmenter, embedder),
        map,
        progress=lambda stage, articles: seen.append((stage, articles)),
    )
    assert done == Rebuilt(2, 4, "")
    assert (segmenter.calls, embedder.calls, seen) == ([], [], [("index", 4)])
    first, second = generations.published
    assert first.manifest == second.manifest


def test_articles_that_were_prepared_by_older_rules_are_prepared_again(generations: MemoryArchives) -> None:
    later = MemoryArchives(segmenter="line/1")
    later.published = generations.published
    segmenter = LineSegmenter()
    assert rebuild(later, Preparation(segmenter, HashingEmbedder()), map).articles == 4
    assert segmenter.calls == [BRIDGE.text, UPDATE.text, LIGHTHOUSE.text, NOTICE.text]
    assert later.published[-1].manifest.segmenter == f"line/1/passages-{PASSAGE_RULES}"


def test_a_rebuild_does_not_change_the_embedder(generations: MemoryArchives) -> None:
    before = generations.published[-1].manifest.embedder
    rebuild(generations, Preparation(FullStopSegmenter(), HashingEmbedder(64)), map)
    assert generations.published[-1].manifest.embedder == before


def test_a_rebuild_keeps_withdrawals_and_links(generations: MemoryArchives, quotes: Quotes) -> None:
    put(generations, sample_article("copy", NOTICE.text))
    withdraw(["bridge"], generations, today=TODAY, forget_quotes=quotes, forget_vectors=nothing)
    rebuild(generations, Preparation(FullStopSegmenter(), HashingEmbedder()), map)
    library = generations.published[-1].library
    assert library.withdrawn() == {"bridge": "2031-04-01"}
    assert [info.id for info in library.copies("copy")] == ["notice"]


def test_a_rebuild_salvages_and_says_what_was_lost(generations: MemoryArchives) -> None:
    generations.salvaged = "generation 2 is lost"
    generations.writers.clear()
    done = rebuild(
        generations, Preparation(FullStopSegmenter(), HashingEmbedder()), map, archive=Path("export.zip")
    )
    assert done.lost == "generation 2 is lost"
    assert generations.writers == [(True, Path("export.zip"))]


def test_there_is_nothing_to_rebuild_before_the_first_ingest() -> None:
    generations = MemoryArchives()
    with pytest.raises(CorpusNotFound):
        rebuild(generations, Preparation(FullStopSegmenter(), HashingEmbedder()), map)
    assert generations.published == []
