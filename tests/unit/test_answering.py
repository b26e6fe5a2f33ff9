"""Answering as a whole: events, results, errors, and many askers at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.answering import MAX_QUESTION, Assistant
from assistant.bootstrap import build_assistant
from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    CorpusInfo,
    Difference,
    Provenance,
    Usage,
)
from assistant.domain.errors import ArticleNotFound, CorpusNotFound, EmbedderMismatch, InvalidQuestion
from assistant.domain.events import Delta, Done, Failed, Sources, Status
from assistant.extracting import weights_hash
from assistant.ingest import ingest, preparation
from assistant.settings import Settings
from assistant.testing import (
    BlindEmbedder,
    FixedClock,
    FullStopSegmenter,
    ListSource,
    MemoryGenerations,
    sample_article,
    sample_articles,
)

if TYPE_CHECKING:
    pass

TROOPS = "How many American troops does Japan host?"
ISLAND = "How many people live on Little Corrow?"
OUTSIDE = "Who won the 2022 World Cup?"
QUESTIONS = (TROOPS, ISLAND, OUTSIDE, "Who heads the new command?")
TODAY = date(2031, 4, 1)


@pytest.fixture(scope="module")
def demo(demo_home: Path) -> Assistant:
    """An assistant over the demo corpus."""
    numbers = count(1)
    return build_assistant(
        Settings(home=demo_home, corpus="demo"), clock=FixedClock(TODAY), new_id=lambda: f"id-{next(numbers)}"
    )


def over_samples(*, fingerprint: str = "blind/1", filled: bool = True) -> Assistant:
    """An assistant over the sample articles, in memory."""
    segmenter = FullStopSegmenter()
    embedder = BlindEmbedder()
    generations = MemoryGenerations(embedder=fingerprint, segmenter=preparation(segmenter))
    if filled:
        ingest(ListSource(sample_articles()), generations, segmenter=segmenter, embedder=embedder)
    return build_assistant(
        Settings(corpus="samples"),
        generations=generations,
        segmenter=segmenter,
        embedder=embedder,
        clock=FixedClock(TODAY),
        new_id=lambda: "the-id",
    )


@pytest.mark.parametrize("question", [TROOPS, OUTSIDE])
def test_a_stream_is_status_sources_status_delta_done(demo: Assistant, question: str) -> None:
    events = list(demo.stream(question))
    assert [type(event) for event in events] == [Status, Sources, Status, Delta, Done]
    first, sources, second, _, done = events
    assert (first, second) == (Status("retrieve"), Status("answer"))
    assert isinstance(sources, Sources)
    assert isinstance(done, Done)
    assert sources.passages[:3] == done.result.nearest
    assert list(sources.passages) == demo.search(question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_deltas_joined_are_the_text(demo: Assistant, question: str) -> None:
    events = list(demo.stream(question))
    done = events[-1]
    assert isinstance(done, Done)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == done.result.text


@pytest.mark.parametrize("question", QUESTIONS)
def test_asking_twice_gives_the_same_but_for_id_and_time(demo: Assistant, question: str) -> None:
    first, second = demo.ask(question), demo.ask(question)
    assert first.id != second.id
    assert untimed(first) == untimed(second)


def test_an_answer_quotes_the_stored_text(demo: Assistant) -> None:
    answer = demo.ask(ISLAND)
    assert isinstance(answer, Answer)
    assert "740" in answer.text
    for citation in answer.citations:
        article, sentences = demo.article(citation.article.id)
        assert citation.span.of(article.text) == citation.quote
        assert citation.span in [sentence.span for sentence in sentences]


def test_an_abstention_is_whole() -> None:
    samples = over_samples()
    abstention = samples.ask("Who sells purple umbrellas?")
    assert isinstance(abstention, Abstention)
    assert replace(abstention, confidence=0.0, nearest=(), text="") == Abstention(
        id="the-id",
        question="Who sells purple umbrellas?",
        as_of=TODAY,
        text="",
        nearest=(),
        confidence=0.0,
        corpus=CorpusInfo("samples", 4, date(2031, 3, 11), 1, date(2031, 2, 20)),
        usage=Usage(milliseconds={"retrieve": 1.0, "answer": 1.0, "total": 2.0}),
        provenance=Provenance(
            version=abstention.provenance.version,
            model=None,
            prompts={},
            settings=f"{Settings().fingerprint()}/{weights_hash()}",
            embedder="blind/1",
            segmenter=abstention.provenance.segmenter,
            generation=1,
        ),
        reason=AbstentionReason.RETRIEVAL,
    )
    assert abstention.text.startswith("Not in the corpus (samples: 4 articles, 2031-02-20 to 2031-03-11): ")


def test_as_of_an_earlier_day_the_later_article_does_not_exist() -> None:
    samples = over_samples()
    question = "How many cracks does the Quill Bridge have?"
    now, then = samples.ask(question), samples.ask(question, as_of=date(2031, 3, 10))
    assert (now.corpus.newest, then.corpus.newest) == (date(2031, 3, 11), date(2031, 3, 4))
    assert "bridge-update" in {found.article.id for found in samples.search(question)}
    assert "bridge-update" not in {
        found.article.id for found in samples.search(question, as_of=date(2031, 3, 10))
    }
    assert then.as_of == date(2031, 3, 10)


@pytest.mark.parametrize("question", ["", "  \n", "?", "\u200b", "x" * (MAX_QUESTION + 1)])
def test_what_is_no_question_fails_before_anything_is_retrieved(question: str) -> None:
    samples = over_samples()
    (failed,) = samples.stream(question)
    assert isinstance(failed, Failed)
    with pytest.raises(InvalidQuestion) as caught:
        samples.ask(question)
    assert str(caught.value) == str(failed.error)
    with pytest.raises(InvalidQuestion):
        samples.search(question)


def test_blanks_and_what_cannot_be_seen_do_not_count_towards_the_limit() -> None:
    question = "Who sells umbrellas?" + " \u200b" * MAX_QUESTION
    assert over_samples().ask(question).question == "Who sells umbrellas?"


@pytest.mark.parametrize("use", [Assistant.ask, Assistant.search])
def test_a_corpus_without_a_generation_is_an_error(use: Callable[[Assistant, str], object]) -> None:
    with pytest.raises(CorpusNotFound, match="the corpus 'samples' has no articles yet"):
        use(over_samples(filled=False), "Who sells umbrellas?")


def test_an_index_that_another_embedder_made_names_both() -> None:
    mismatched = over_samples(fingerprint="other/1")
    for use in (mismatched.ask, mismatched.search):
        with pytest.raises(EmbedderMismatch, match="embedded with 'other/1', not with 'blind/1'"):
            use("Who sells umbrellas?")
    failed = list(mismatched.stream("Who sells umbrellas?"))[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, EmbedderMismatch)
    assert len(mismatched.articles()) == 4  # looking needs no vectors


def test_an_article_that_is_not_there_is_an_error(demo: Assistant) -> None:
    with pytest.raises(ArticleNotFound, match="'nope'"):
        demo.article("nope")


def test_eight_threads_at_once_get_the_same_answers(demo: Assistant) -> None:
    alone = {question: untimed(demo.ask(question)) for question in QUESTIONS}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(demo.ask, QUESTIONS * 8))
    assert len({answer.id for answer in answers}) == len(answers)
    for answer in answers:
        assert untimed(answer) == alone[answer.question]


def untimed(result: Answer | Abstention) -> Answer | Abstention:
    """The result without what differs from call to call."""
    return replace(result, id="", usage=Usage())


def test_a_restriction_that_there_is_not_is_no_silence() -> None:
    with pytest.raises(TypeError, match="unknown restriction 'asof'"):
        over_samples().ask("How many cracks?", asof=date(2031, 3, 10))  # type: ignore[call-arg]


@pytest.mark.parametrize("question", ["Who?", "when", "How many are there?"])
def test_a_question_without_content_is_not_answered(question: str) -> None:
    assert isinstance(over_samples().ask(question), Abstention)


def test_the_title_of_the_nearest_article_brings_in_no_link_and_no_marker() -> None:
    segmenter, embedder = FullStopSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    title = "Look ![x](https://drop.example/p) \x1b[2J\u202e [1]"
    article = sample_article("a", "Umbrellas are sold here.", title=title, outlet="www.drop.example")
    ingest(ListSource([article]), generations, segmenter=segmenter, embedder=embedder)
    assistant = build_assistant(
        Settings(corpus="samples"), generations=generations, segmenter=segmenter, embedder=embedder
    )
    result = assistant.ask("Who wore umbrellas in the purple parade of Ostrava?")
    assert isinstance(result, Abstention)
    assert "Nearest: “Umbrellas are sold here.” (Look" in result.text
    assert not any(sign in result.text for sign in ("://", "](", "[1]", "www.", "\x1b", "\u202e"))


def test_an_answer_says_where_the_reports_that_were_found_differ() -> None:
    samples = over_samples()
    (found,) = samples.ask("How many cracks does the Quill Bridge have?").disagreements
    assert (found.kind, [(side.value, side.article.id) for side in found.sides]) == (
        Difference.UPDATE,
        [("19", "bridge-update"), ("14", "bridge")],
    )
    assert samples.ask("Who sells purple umbrellas?").disagreements == ()


def test_an_answer_about_the_present_has_the_day_of_its_newest_article() -> None:
    samples = over_samples()
    for question, day in (
        ("How many cracks does the Quill Bridge currently have?", date(2031, 3, 11)),
        ("How many cracks does the Quill Bridge have?", None),
    ):
        answer = samples.ask(question)
        assert isinstance(answer, Answer)
        assert answer.stands == day, question
