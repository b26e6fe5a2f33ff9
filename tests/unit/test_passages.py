"""How sentences become passages: whole sentences, up to 130 words, one in common."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.articles import Article
from assistant.domain.passages import (
    MAX_WORDS,
    Passage,
    Scope,
    ScoreParts,
    Sentence,
    Span,
    make_passages,
    make_sentences,
    passage_id,
)
from assistant.testing import LineSegmenter, sample_article


def sentences_of(article: Article) -> tuple[Sentence, ...]:
    return make_sentences(article, LineSegmenter().segment(article.text))


def article_of(*lengths: int, article_id: str = "a") -> Article:
    """An article whose sentences have so many words; sentence 3 is "s3w0 s3w1 …"."""
    lines = (" ".join(f"s{at}w{word}" for word in range(length)) for at, length in enumerate(lengths))
    return sample_article(article_id, "\n".join(lines))


def cut(*lengths: int) -> list[list[int]]:
    """The numbers of the sentences in each passage of such an article."""
    article = article_of(*lengths)
    sentences = sentences_of(article)
    return [numbers(passage, sentences) for passage in make_passages(article, sentences)]


def numbers(passage: Passage, sentences: tuple[Sentence, ...]) -> list[int]:
    return [
        at
        for at, sentence in enumerate(sentences)
        if passage.span.start <= sentence.span.start and sentence.span.end <= passage.span.end
    ]


CUTS = [
    ((), []),
    ((1,), [[0]]),
    ((130,), [[0]]),
    ((131,), [[0]]),
    ((65, 65), [[0, 1]]),
    ((65, 66), [[0], [1]]),
    ((50, 50, 30), [[0, 1, 2]]),
    ((50, 50, 31), [[0, 1], [1, 2]]),
    ((50, 50, 81), [[0, 1], [2]]),
    ((50, 50, 50, 50), [[0, 1], [1, 2], [2, 3]]),
    ((40, 40, 40, 40, 40), [[0, 1, 2], [2, 3, 4]]),
    ((20, 300, 20), [[0], [1], [2]]),
    ((300, 300), [[0], [1]]),
    ((20, 20, 129, 1, 1), [[0, 1], [2, 3], [3, 4]]),
]


@pytest.mark.parametrize(("lengths", "expected"), CUTS)
def test_sentences_are_cut_into_passages(lengths: tuple[int, ...], expected: list[list[int]]) -> None:
    assert cut(*lengths) == expected


def test_the_limit_and_the_overlap_can_be_chosen() -> None:
    article = article_of(4, 4, 4, 4)
    sentences = sentences_of(article)
    cuts = {}
    for overlap in (0, 1, 2):
        passages = make_passages(article, sentences, max_words=12, overlap=overlap)
        cuts[overlap] = [numbers(passage, sentences) for passage in passages]
    assert cuts == {0: [[0, 1, 2], [3]], 1: [[0, 1, 2], [2, 3]], 2: [[0, 1, 2], [1, 2, 3]]}


lengths_of_sentences = st.lists(st.integers(1, 180), max_size=25)


@given(lengths=lengths_of_sentences)
def test_every_sentence_is_in_a_passage_and_the_order_is_kept(lengths: list[int]) -> None:
    cuts = cut(*lengths)
    assert sorted({number for passage in cuts for number in passage}) == list(range(len(lengths)))
    assert cuts == sorted(cuts)


@given(lengths=lengths_of_sentences)
def test_no_passage_is_too_long_but_a_sentence_alone(lengths: list[int]) -> None:
    for passage in cut(*lengths):
        assert sum(lengths[number] for number in passage) <= MAX_WORDS or len(passage) == 1


@given(lengths=lengths_of_sentences)
def test_neighbours_share_one_sentence_unless_that_would_fill_the_next(lengths: list[int]) -> None:
    cuts = cut(*lengths)
    for before, after in pairwise(cuts):
        shared = set(before) & set(after)
        if shared:
            assert shared == {before[-1]}
        else:
            assert after[0] == before[-1] + 1
            assert lengths[before[-1]] + lengths[after[0]] > MAX_WORDS


@given(lengths=lengths_of_sentences)
def test_no_passage_lies_inside_another(lengths: list[int]) -> None:
    cuts = [set(passage) for passage in cut(*lengths)]
    assert not any(one < other for one in cuts for other in cuts)


@given(lengths=lengths_of_sentences)
def test_a_passage_is_a_slice_of_the_stored_text_and_its_cleaned_sentences(lengths: list[int]) -> None:
    article = article_of(*lengths)
    sentences = sentences_of(article)
    for passage in make_passages(article, sentences):
        assert passage.text == passage.span.of(article.text)
        assert passage.cleaned == " ".join(sentences[at].cleaned for at in numbers(passage, sentences))


def test_what_stands_between_sentences_is_in_the_text_and_not_in_the_cleaned_text() -> None:
    article = sample_article("a", "One\u200b is here.\n\nNUCLEAR UMBRELLA\n\nTwo is here.")
    spans = [Span(0, 13), Span(33, 45)]
    (passage,) = make_passages(article, make_sentences(article, spans))
    assert passage.text == article.text
    assert passage.cleaned == "One is here. Two is here."


def test_words_are_counted_in_the_cleaned_sentences() -> None:
    article = sample_article("a", "\n".join(["\u200b " * 100 + "word " * 40] * 3))
    assert len(make_passages(article, sentences_of(article))) == 1


def test_a_span_that_holds_nothing_visible_is_no_sentence() -> None:
    article = sample_article("a", "One.\u200b\u2060Two.")
    sentences = make_sentences(article, [Span(0, 4), Span(4, 6), Span(6, 10)])
    assert [sentence.text for sentence in sentences] == ["One.", "Two."]


@given(lengths=lengths_of_sentences)
def test_ids_are_the_same_each_time_and_no_two_are_alike(lengths: list[int]) -> None:
    article = article_of(*lengths)
    ids = [passage.id for passage in make_passages(article, sentences_of(article))]
    assert [passage.id for passage in make_passages(article, sentences_of(article))] == ids
    assert len({*ids}) == len(ids)


def test_two_identical_wire_copies_have_passages_of_their_own() -> None:
    copies = [article_of(100, 100, article_id=name) for name in ("wire", "copy")]
    assert copies[0].text == copies[1].text
    ids = {passage.id for copy in copies for passage in make_passages(copy, sentences_of(copy))}
    assert len(ids) == 4


def test_an_id_stays_the_same_over_releases() -> None:
    assert passage_id("bridge", Span(0, 7), "A tram.") == "d17e822cc26d9872"


def test_an_id_depends_on_article_place_and_text() -> None:
    ids = {
        passage_id("a", Span(0, 3), "One"),
        passage_id("b", Span(0, 3), "One"),
        passage_id("a", Span(1, 3), "One"),
        passage_id("a", Span(0, 4), "One"),
        passage_id("a", Span(0, 3), "Two"),
    }
    assert len(ids) == 5


def test_a_passage_has_the_id_of_its_article() -> None:
    article = article_of(100, 100, article_id="wire")
    assert {passage.article_id for passage in make_passages(article, sentences_of(article))} == {"wire"}


SCOPES = [
    ({}, ["old", "day", "undated"]),
    ({"since": "2031-03-04"}, ["day"]),
    ({"since": "2031-03-05"}, []),
    ({"until": "2031-03-03"}, ["old"]),
    ({"until": "2031-03-04"}, ["old", "day"]),
    ({"since": "2030-01-01", "until": "2031-03-03"}, ["old"]),
    ({"outlet": "coast HERALD"}, ["day"]),
    ({"outlet": "Nobody's Paper"}, []),
    ({"outlet": ""}, ["undated"]),
]


@pytest.mark.parametrize(("limits", "expected"), SCOPES)
def test_a_scope_admits_by_date_and_outlet(limits: dict[str, str], expected: list[str]) -> None:
    articles = [
        sample_article("old", "", published="2030-06-01", outlet="Gazette"),
        sample_article("day", "", published="2031-03-04T23:59:59-11:00", outlet="Coast Herald"),
        sample_article("future", "", published="2031-03-05", outlet="Coast Herald"),
        sample_article("undated", ""),
    ]
    scope = Scope(
        as_of=day("2031-03-04"),
        since=day(limits["since"]) if "since" in limits else None,
        until=day(limits["until"]) if "until" in limits else None,
        outlet=limits.get("outlet"),
    )
    assert [article.id for article in articles if scope.admits(article.info)] == expected


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_score_parts_add_up() -> None:
    assert ScoreParts(lexical=0.5, dense=0.25, recency=2.0).total == 1.5
