from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.domain.passages import Scope
from assistant.extracting import Extract, describe, extract, load_weights, score
from assistant.ingest import ingest, preparation
from assistant.ports import Generation
from assistant.retrieval import retrieve
from assistant.testing import FullStopSegmenter, ListSource, MemoryGenerations, sample_article

TEXT = (
    "The ferry to Selm sails again on Monday. "
    "Harbour master Ilse Brandt will command the new patrol. "
    "The pier was occupied by gulls. "
    "Tickets cost nine crowns."
)


@contextmanager
def generation(text: str = TEXT) -> Iterator[Generation]:
    embedder, segmenter = HashingEmbedder(), FullStopSegmenter()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource([sample_article("ferry", text)]), generations, segmenter=segmenter, embedder=embedder)
    with generations.current() as current:
        assert current is not None
        yield current


def found(question: str, text: str = TEXT) -> Extract:
    with generation(text) as current:
        ranked = retrieve(question, current, HashingEmbedder(), Scope(as_of=date(2026, 1, 1))).passages
        return extract(question, ranked, current, HashingEmbedder())


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("When does the ferry to Selm sail?", "The ferry to Selm sails again on Monday."),
        ("Who commands the new patrol?", "Harbour master Ilse Brandt will command the new patrol."),
        ("How much are tickets?", "Tickets cost nine crowns."),
        ("What was the occupation of the pier?", "The pier was occupied by gulls."),
    ],
)
def test_the_best_candidate_is_the_sentence_that_answers(question: str, sentence: str) -> None:
    assert found(question).candidates[0].sentence.text == sentence


def test_confidence_is_higher_for_what_the_article_says() -> None:
    inside, outside = found("When does the ferry to Selm sail?"), found("Who won the chess tournament?")
    assert inside.confidence > load_weights().threshold > outside.confidence


def test_candidates_come_best_first_and_each_sentence_once() -> None:
    candidates = found("When does the ferry to Selm sail?").candidates
    assert [one.score for one in candidates] == sorted((one.score for one in candidates), reverse=True)
    assert len({one.sentence.span for one in candidates}) == len(candidates) == TEXT.count(".")


@pytest.mark.parametrize("question", ["Who is it?", "?", "ゐ"])
def test_a_question_without_a_known_word_finds_little_and_breaks_nothing(question: str) -> None:
    assert found(question).confidence < load_weights().threshold


def test_without_passages_nothing_is_found() -> None:
    with generation() as current:
        assert extract("When?", [], current, HashingEmbedder()) == Extract((), 0.0, {})


def test_the_weights_file_names_the_features_that_there_are() -> None:
    question = "Who commands the new patrol?"
    with generation() as current:
        ranked = retrieve(question, current, HashingEmbedder(), Scope(as_of=date(2026, 1, 1))).passages
        described = describe(question, ranked, current, HashingEmbedder())
    weights = load_weights()
    assert weights.sentence.keys() == described.candidates[0].features.keys()
    assert weights.confidence.keys() == {"bias", *score(described, weights).evidence}
    assert 0 < weights.threshold < 1


def test_what_is_said_of_another_place_is_no_answer() -> None:
    assert found("How much are tickets in Verona?").confidence == 0.0
