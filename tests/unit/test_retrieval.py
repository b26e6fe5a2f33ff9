"""Which passages a question gets, in which order, and how their scores came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.domain.articles import Article, Timestamp
from assistant.domain.errors import ProviderUnreachable
from assistant.domain.passages import RankedPassage, Scope
from assistant.ingest import ingest
from assistant.ports import Embedder
from assistant.retrieval import DENSE_WEIGHT, HALF_LIFE_DAYS, POOL, RECENCY_GAIN, RERANKED, retrieve
from assistant.testing import (
    FullStopSegmenter,
    ListSource,
    MemoryGeneration,
    MemoryGenerations,
    ScriptedEmbedder,
    ScriptedReranker,
    sample_article,
    sample_articles,
)

if TYPE_CHECKING:
    from assistant.ports import Vectors

LATER = date(2031, 12, 31)
QUESTION = "How many cracks are in the bridge?"


def corpus(articles: Sequence[Article], embedder: Embedder | None = None) -> MemoryGeneration:
    embedder = embedder or HashingEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter="full-stop/1")
    ingest(ListSource(articles), generations, segmenter=FullStopSegmenter(), embedder=embedder)
    return generations.published[-1]


def found(question: str, generation: MemoryGeneration, scope: Scope | None = None) -> list[RankedPassage]:
    return retrieve(question, generation, HashingEmbedder(), scope or Scope(as_of=LATER)).passages


def ids(ranked: Sequence[RankedPassage]) -> list[str]:
    return [one.article.id for one in ranked]


def day(text: str) -> date:
    return date.fromisoformat(text)


SAMPLES = corpus(sample_articles())


def test_the_passage_that_shares_most_words_comes_first() -> None:
    assert ids(found("What colour will the lighthouse be painted?", SAMPLES))[0] == "lighthouse"


def test_a_ranked_passage_comes_with_its_article() -> None:
    (first, *_) = found("When does the town library open?", SAMPLES)
    notice = sample_articles()[3]
    assert (first.article, first.passage.text) == (notice.info, notice.text)


def test_no_more_than_the_limit_is_given() -> None:
    embedder, scope = HashingEmbedder(), Scope(as_of=LATER)
    found = [retrieve("bridge", SAMPLES, embedder, scope, limit=limit) for limit in (1, 2, 100)]
    assert [len(each.passages) for each in found] == [1, 2, 4]


SCOPES = [
    (Scope(as_of=day("2031-03-10")), {"bridge", "lighthouse", "notice"}),
    (Scope(as_of=day("2031-03-11")), {"bridge", "bridge-update", "lighthouse", "notice"}),
    (Scope(as_of=day("2031-02-20")), {"lighthouse", "notice"}),
    (Scope(as_of=day("2031-02-19")), {"notice"}),
    (Scope(as_of=LATER, since=day("2031-03-04")), {"bridge", "bridge-update"}),
    (Scope(as_of=LATER, until=day("2031-03-04")), {"bridge", "lighthouse"}),
    (Scope(as_of=LATER, since=day("2031-03-04"), until=day("2031-03-04")), {"bridge"}),
    (Scope(as_of=LATER, outlet="COAST herald"), {"lighthouse"}),
    (Scope(as_of=day("2031-03-10"), outlet="Quillport Gazette"), {"bridge"}),
    (Scope(as_of=LATER, outlet="Another Paper"), set()),
]


@pytest.mark.parametrize(("scope", "expected"), SCOPES)
def test_only_articles_inside_the_scope_are_given(scope: Scope, expected: set[str]) -> None:
    assert set(ids(found("bridge lighthouse library", SAMPLES, scope))) == expected


def copies(*published: str | None, text: str = "The ferry sank near the pier.") -> list[Article]:
    """The same text, published on these days: articles a0, a1, …"""
    return [sample_article(f"a{at}", text, published=when) for at, when in enumerate(published)]


def test_of_two_articles_with_the_same_words_the_newer_one_wins() -> None:
    ranked = found("Where did the ferry sink?", corpus(copies("2031-03-01", "2031-03-09", "2031-03-05")))
    assert ids(ranked) == ["a1", "a2", "a0"]


def test_recency_halves_every_fortnight() -> None:
    ranked = found("ferry", corpus(copies("2031-03-29", "2031-03-15", "2031-03-01")))
    gains = [one.parts.recency - 1 for one in ranked]
    assert gains == pytest.approx([RECENCY_GAIN, RECENCY_GAIN / 2, RECENCY_GAIN / 4])
    assert HALF_LIFE_DAYS == 14


def test_age_is_counted_from_the_newest_visible_article_in_an_archive() -> None:
    archive = corpus(copies("2001-03-01", "2001-03-15"))
    assert [round(one.parts.recency, 6) for one in found("ferry", archive)] == [1.5, 1.25]


def test_age_is_counted_from_the_as_of_date_when_newer_articles_exist() -> None:
    archive = corpus(copies("2031-03-01", "2031-03-15", "2031-04-30"))
    ranked = found("ferry", archive, Scope(as_of=day("2031-03-15")))
    assert [(one.article.id, round(one.parts.recency, 6)) for one in ranked] == [("a1", 1.5), ("a0", 1.25)]


def test_age_is_counted_from_the_newest_article_that_exists_also_when_the_scope_leaves_it_out() -> None:
    archive = corpus(copies("2031-03-01", "2031-03-15"))
    (only,) = found("ferry", archive, Scope(as_of=LATER, until=day("2031-03-01")))
    assert round(only.parts.recency, 6) == 1.25


def test_what_is_asked_about_the_past_does_not_depend_on_what_came_later() -> None:
    past, scope = copies("2031-03-01", "2031-03-15"), Scope(as_of=day("2031-03-20"))
    later = [
        sample_article("later", "The ferry was raised from the pier.", published="2031-03-21"),
        sample_article("much-later", "Nothing of the kind.", published="2031-12-01"),
    ]
    before, after = found("ferry", corpus(past), scope), found("ferry", corpus([*past, *later]), scope)
    assert ids(before) == ids(after)
    assert [one.parts.recency for one in before] == [one.parts.recency for one in after]


def test_an_undated_article_takes_the_mean_recency_of_the_dated_ones() -> None:
    ranked = found("ferry", corpus(copies("2031-03-15", None, "2031-03-01")))
    assert [(one.article.id, round(one.parts.recency, 6)) for one in ranked] == [
        ("a0", 1.5),
        ("a1", 1.375),
        ("a2", 1.25),
    ]


def test_undated_articles_alone_are_neither_lifted_nor_sunk() -> None:
    assert [one.parts.recency for one in found("ferry", corpus(copies(None, None)))] == [1.0, 1.0]


def test_an_undated_article_exists_at_any_date() -> None:
    assert ids(found("library", SAMPLES, Scope(as_of=day("1900-01-01")))) == ["notice"]


@pytest.mark.parametrize("crowd", [POOL, 3 * POOL + 1])
def test_the_only_article_inside_a_narrow_scope_is_found_among_hundreds_that_match_better(crowd: int) -> None:
    others = [
        sample_article(f"b{at:04}", "The ferry sank.", published="2031-03-01", outlet="Gazette")
        for at in range(crowd)
    ]
    wanted = sample_article(
        "wanted",
        "A ferry left the quay with more words than needed.",
        published="2031-03-01",
        outlet="Herald",
    )
    generation = corpus([*others, wanted])
    assert ids(found("Which ferry sank?", generation, Scope(as_of=LATER, outlet="herald"))) == ["wanted"]
    assert max(limit for limit, _ in generation.vectors.calls) > crowd


def test_both_indexes_are_asked_no_wider_than_the_scope_needs() -> None:
    generation = corpus(sample_articles())
    found("bridge", generation)
    assert generation.vectors.calls == [(POOL, False)]


def test_exact_search_is_asked_for_where_it_is_wanted() -> None:
    generation = corpus(sample_articles())
    retrieve("bridge", generation, HashingEmbedder(), Scope(as_of=LATER), exact=True)
    assert generation.vectors.calls == [(POOL, True)]


def test_equal_scores_come_in_the_order_of_passage_ids() -> None:
    generation = corpus(copies(*["2031-03-01"] * 30))
    ranked = found("Where did the ferry sink?", generation)
    every = sorted(passage.id for prepared, _ in generation.stored.values() for passage in prepared.passages)
    assert len({one.score for one in ranked}) == 1
    assert [one.passage.id for one in ranked] == every[: len(ranked)]


def test_the_same_question_gets_the_same_passages_each_time() -> None:
    assert found(QUESTION, SAMPLES) == found(QUESTION, SAMPLES)


def test_passages_come_best_first_and_their_scores_add_up() -> None:
    ranked = found(QUESTION, SAMPLES)
    assert len(ranked) == 4
    for one in ranked:
        lexical, dense, recency = one.parts.lexical, one.parts.dense, one.parts.recency
        assert one.score == (lexical + dense) * recency
        assert 0 <= lexical <= 1
        assert abs(dense) <= DENSE_WEIGHT + 1e-6
        assert 1 <= recency <= 1 + RECENCY_GAIN
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_the_best_lexical_score_is_one_and_the_dense_part_is_the_weighted_cosine() -> None:
    near, far, other = "Tram one.", "Boat two.", "Boat three."
    embedder = ScriptedEmbedder({near: [1, 0], far: [3, 4], other: [0, 1], "Which tram?": [1, 0]})
    articles = [sample_article(str(at), text) for at, text in enumerate((near, far, other))]
    ranked = retrieve("Which tram?", corpus(articles, embedder), embedder, Scope(as_of=LATER)).passages
    parts = [(one.article.id, one.parts.lexical, round(one.parts.dense, 6)) for one in ranked]
    assert parts == [("0", 1.0, DENSE_WEIGHT), ("1", 0.0, round(0.6 * DENSE_WEIGHT, 6)), ("2", 0.0, 0.0)]
    embedder.assert_complete()


def test_a_passage_that_shares_no_word_is_found_by_its_vector() -> None:
    text, question = "The vessel went down.", "Did the ferry sink?"
    embedder = ScriptedEmbedder({text: [1, 0.1], "It rained.": [0, 1], question: [1, 0]})
    generation = corpus([sample_article("a", "It rained."), sample_article("b", text)], embedder)
    assert ids(retrieve(question, generation, embedder, Scope(as_of=LATER)).passages)[0] == "b"


def test_a_question_without_a_vector_is_answered_by_its_words() -> None:
    question = "ferry"
    embedder = ScriptedEmbedder({"The ferry sank.": [1, 0], "It rained.": [0, 1], question: [0, 0]})
    generation = corpus([sample_article("a", "It rained."), sample_article("b", "The ferry sank.")], embedder)
    found = retrieve(question, generation, embedder, Scope(as_of=LATER))
    assert (ids(found.passages), found.problem) == (["b"], "")


class OutOfReach:
    """An embedder behind an API that cannot be reached."""

    fingerprint = HashingEmbedder().fingerprint

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise ProviderUnreachable("no connection to example.org")


@pytest.mark.parametrize("scope", [Scope(as_of=LATER), Scope(as_of=LATER, outlet="quillport gazette")])
def test_a_question_that_cannot_be_embedded_is_answered_by_its_words_and_that_is_told(scope: Scope) -> None:
    generation = corpus(sample_articles())
    usual = retrieve(QUESTION, generation, HashingEmbedder(), scope)
    generation.vectors.calls.clear()
    found = retrieve(QUESTION, generation, OutOfReach(), scope)
    assert found.problem == (
        "the question could not be embedded (no connection to example.org): found by words alone"
    )
    lexical = {one.passage.id: one.parts.lexical for one in usual.passages if one.parts.lexical}
    assert {one.passage.id: one.parts.lexical for one in found.passages} == lexical
    assert lexical
    assert {one.parts.dense for one in found.passages} == {0.0}
    assert generation.vectors.calls == []


def test_the_question_is_embedded_whole_and_searched_without_its_question_words() -> None:
    embedder = ScriptedEmbedder({"The ferry sank.": [1, 0], "How many ferries sank?": [1, 0]})
    generation = corpus([sample_article("a", "The ferry sank.")], embedder)
    retrieve("How many ferries sank?", generation, embedder, Scope(as_of=LATER))
    assert embedder.calls[-1] == ("How many ferries sank?",)
    assert generation.lexical.calls == ["ferries sank"]


def test_an_empty_corpus_gives_nothing() -> None:
    generations = MemoryGenerations(embedder="hashing/256", segmenter="full-stop/1")
    with generations.writer() as writer:
        writer.publish()
    assert found("anything", generations.published[-1]) == []


@pytest.mark.parametrize(("as_of", "seen"), [("2031-05-02", ["old"]), ("2031-05-03", ["new", "old"])])
def test_an_article_whose_text_was_updated_later_is_not_seen_before(as_of: str, seen: list[str]) -> None:
    old = sample_article("old", "Cracks in the bridge.", published="2031-05-01")
    new = sample_article("new", "Cracks in the bridge.", published="2031-05-02")
    info = replace(new.info, updated=Timestamp.parse("2031-05-03T09:00:00"))
    generation = corpus([old, Article(info, new.text)])
    scope = Scope(as_of=day(as_of))
    assert sorted(ids(found("cracks in the bridge", generation, scope))) == seen
    assert generation.library.visible(scope.as_of).articles == len(seen)


def test_a_reranker_orders_the_best_passages_anew() -> None:
    before = found(QUESTION, SAMPLES)
    wanted = list(reversed(before))
    reranker = ScriptedReranker({one.passage.cleaned: rank for rank, one in enumerate(before)})

    after = retrieve(QUESTION, SAMPLES, HashingEmbedder(), Scope(as_of=LATER), reranker=reranker).passages

    assert ids(after) == ids(wanted) != ids(before)
    assert [one.parts for one in after] == [one.parts for one in wanted]
    assert [question for question, _ in reranker.calls] == [QUESTION]
    reranker.assert_complete()


def test_a_reranker_sees_passages_beyond_those_that_are_wanted() -> None:
    last = found(QUESTION, SAMPLES)[-1].passage
    reranker = ScriptedReranker(
        {one.passage.cleaned: float(one.passage.id == last.id) for one in found(QUESTION, SAMPLES)}
    )

    best = retrieve(QUESTION, SAMPLES, HashingEmbedder(), Scope(as_of=LATER), limit=1, reranker=reranker)

    assert [one.passage.id for one in best.passages] == [last.id]


def test_passages_that_a_reranker_finds_alike_and_those_it_does_not_read_keep_their_places() -> None:
    many = corpus(
        [sample_article(f"a{at:02}", text=f"Bridge {at}. " + "Cracks. " * at) for at in range(RERANKED + 5)]
    )
    scope = Scope(as_of=LATER)
    plain = retrieve(QUESTION, many, HashingEmbedder(), scope, limit=RERANKED + 5).passages
    alike = ScriptedReranker({one.passage.cleaned: 1.0 for one in plain[:RERANKED]})

    kept = retrieve(QUESTION, many, HashingEmbedder(), scope, limit=RERANKED + 5, reranker=alike).passages

    assert ids(kept) == ids(plain)
