"""What an assistant keeps of its answers, when, and what happens when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from assistant.answering import Assistant, Identity, verify
from assistant.domain.answers import Abstention, Answer, Receipt, quote_hash
from assistant.domain.articles import Article
from assistant.domain.errors import HomeUnusable, InvalidQuestion
from assistant.domain.events import Delta, Done, Event
from assistant.domain.history import Record, Standing
from assistant.ingest import ingest, preparation
from assistant.ports import History
from assistant.testing import (
    BlindEmbedder,
    FixedClock,
    FullStopSegmenter,
    ListSource,
    MemoryGenerations,
    MemoryHistory,
    sample_articles,
)

if TYPE_CHECKING:
    pass

CRACKS = "How many cracks does the Quill Bridge have?"
UMBRELLAS = "Who sells purple umbrellas?"
FULL = HomeUnusable("the history cannot be used: database or disk is full")


def generations_of(*articles: Article) -> MemoryGenerations:
    segmenter, embedder = FullStopSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource(articles), generations, segmenter=segmenter, embedder=embedder)
    return generations


def over_samples(history: History | None, notices: list[str] | None = None) -> Assistant:
    """An assistant over the sample articles, in memory."""
    numbers = iter(range(1, 1_000))
    return Assistant(
        generations_of(*sample_articles()),
        embedder=BlindEmbedder(),
        clock=FixedClock(date(2031, 4, 1)),
        new_id=lambda: f"id-{next(numbers)}",
        identity=Identity("1.0", "samples", "settings"),
        passages=10,
        exact_dense=False,
        history=history,
        notice=(notices if notices is not None else []).append,
    )


@pytest.fixture
def history() -> MemoryHistory:
    return MemoryHistory()


@pytest.mark.parametrize(("question", "kind"), [(CRACKS, Answer), (UMBRELLAS, Abstention)])
def test_what_is_given_out_is_kept(history: MemoryHistory, question: str, kind: type[object]) -> None:
    result = over_samples(history).ask(question, as_of=date(2031, 3, 31))
    assert isinstance(result, kind)
    (record,) = history.records
    assert record == Record(
        at=datetime(2031, 4, 1, tzinfo=UTC),
        result=replace(result, nearest=()),
        nearest=tuple(dict.fromkeys(found.article.id for found in result.nearest)),
        receipt=Receipt.of(result),
    )


def test_it_is_kept_after_its_text_and_before_it_is_done(history: MemoryHistory) -> None:
    kept_at = [(type(event), len(history.records)) for event in over_samples(history).stream(CRACKS)]
    assert kept_at[-2:] == [(Delta, 0), (Done, 1)]


def test_what_nobody_waited_for_is_not_kept(history: MemoryHistory) -> None:
    stream: Iterator[Event] = over_samples(history).stream(CRACKS)
    for event in stream:
        if isinstance(event, Delta):
            break
    stream.close()  # type: ignore[attr-defined]
    assert history.records == []


def test_neither_a_search_nor_a_failure_is_kept(history: MemoryHistory) -> None:
    samples = over_samples(history)
    samples.search(CRACKS)
    with pytest.raises(InvalidQuestion):
        samples.ask("?")
    assert history.records == []


def test_without_a_history_the_answer_is_the_same(history: MemoryHistory) -> None:
    assert over_samples(None).ask(CRACKS) == over_samples(history).ask(CRACKS)


def test_a_history_that_cannot_be_written_does_not_stop_an_answer() -> None:
    notices: list[str] = []
    result = over_samples(MemoryHistory(error=FULL), notices).ask(CRACKS)
    assert isinstance(result, Answer)
    assert notices == [f"This is not kept in the history: {FULL}. {FULL.help}"]


def test_the_same_trouble_is_told_once_until_it_is_over() -> None:
    notices: list[str] = []
    history = MemoryHistory(error=FULL)
    samples = over_samples(history, notices)
    samples.ask(CRACKS)
    samples.ask(UMBRELLAS)
    assert len(notices) == 1
    history.error = None
    samples.ask(CRACKS)
    assert len(notices) == len(history.records) == 1
    history.error = FULL
    samples.ask(CRACKS)
    assert len(notices) == 2


BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
CHANGED = Article(BRIDGE.info, BRIDGE.text.replace("14 cracks", "15 cracks"))
MOVED = Article(BRIDGE.info, f"Corrected. {BRIDGE.text}")


@pytest.mark.parametrize(
    ("articles", "standing"),
    [
        ([BRIDGE, NOTICE], Standing.UNCHANGED),
        ([CHANGED, NOTICE], Standing.CHANGED),
        ([MOVED, NOTICE], Standing.CHANGED),
        ([NOTICE], Standing.GONE),
    ],
)
def test_a_quote_is_checked_against_the_corpus_of_today(
    history: MemoryHistory, articles: list[Article], standing: Standing
) -> None:
    over_samples(history).ask(CRACKS, as_of=date(2031, 3, 10))
    (record,) = history.records
    assert isinstance(record.result, Answer)
    quotes = [citation.quote for citation in record.result.citations]
    with generations_of(*articles).current() as current:
        assert current
        standings = dict(zip(quotes, verify(record, current.library), strict=True))
    assert standings["Engineers had found 14 cracks in its northern pier."] is standing


def test_without_a_corpus_every_quote_is_gone(history: MemoryHistory) -> None:
    result = over_samples(history).ask(CRACKS)
    assert isinstance(result, Answer)
    (record,) = history.records
    assert verify(record, None) == (Standing.GONE,) * len(result.citations)


def test_a_withdrawn_quote_stays_withdrawn_whatever_the_corpus_says(history: MemoryHistory) -> None:
    over_samples(history).ask(CRACKS, as_of=date(2031, 3, 10))
    history.withdraw(["bridge"], corpus="samples")
    with generations_of(*sample_articles()).current() as current:
        assert current
        assert set(verify(history.records[0], current.library)) == {Standing.WITHDRAWN}


def test_an_abstention_quotes_nothing_to_check(history: MemoryHistory) -> None:
    over_samples(history).ask(UMBRELLAS)
    assert verify(history.records[0], None) == ()


def test_the_hash_of_a_quote_is_sha_256_of_its_utf_8() -> None:
    assert quote_hash("abc").startswith("ba7816bf8f01cfea")
    assert len(quote_hash("half a character: \ud800")) == 64


def test_what_is_withdrawn_while_it_is_answered_is_not_kept() -> None:
    history = MemoryHistory()
    generations = generations_of(*sample_articles())
    assistant = Assistant(
        generations,
        embedder=BlindEmbedder(),
        clock=FixedClock(date(2031, 4, 1)),
        new_id=lambda: "a1",
        identity=Identity("1.0", "samples", "settings"),
        passages=10,
        exact_dense=False,
        history=history,
    )
    events = assistant.stream(CRACKS)
    while not isinstance(next(events), Delta):
        pass
    with generations.writer() as writer:  # a withdrawal that has not waited long enough
        for article_id in ("bridge", "bridge-update"):
            writer.library.remove(article_id)
            writer.library.withdraw(article_id, "2031-04-01")
        writer.publish()
    done = list(events)[-1]
    assert isinstance(done, Done)
    assert "19" in done.result.text
    (record,) = history.newest()
    assert "19" not in record.result.text
    assert set(record.withdrawn) >= {"bridge-update"}
