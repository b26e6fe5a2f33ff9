"""What every segmenter promises, the real one and the fakes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.sentencex_segmenter import SentencexSegmenter
from assistant.domain.passages import Span
from assistant.ports import Segmenter
from assistant.testing import FullStopSegmenter, LineSegmenter, sample_articles

SEGMENTERS: list[Segmenter] = [SentencexSegmenter(), FullStopSegmenter(), LineSegmenter()]
AWKWARD = [
    "",
    " \n\n\t",
    "...",
    "No full stop at the end",
    "One. Two.\nThree.\n\n  Four.  ",
    'He said: "Go. Now." She went.',
    "U.S. forces, e.g. the 5th Air Force, stayed.\u2028“Ça va?”",
    "🙂. 東京は首都です。終わり。",
]
texts = st.text(alphabet=st.sampled_from("ab A.?!\"'“” \n\t\u2028é1🙂"), max_size=80)
of_each = pytest.mark.parametrize("segmenter", SEGMENTERS, ids=lambda segmenter: type(segmenter).__name__)


@of_each
@given(text=st.one_of(texts, st.sampled_from(AWKWARD)))
def test_spans_are_in_order_apart_and_inside_the_text(segmenter: Segmenter, text: str) -> None:
    spans = segmenter.segment(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))


@of_each
@given(text=st.one_of(texts, st.sampled_from(AWKWARD)))
def test_a_sentence_has_no_blank_ends_and_at_least_a_letter_or_digit(segmenter: Segmenter, text: str) -> None:
    for span in segmenter.segment(text):
        sentence = span.of(text)
        assert sentence == sentence.strip()
        assert any(character.isalnum() for character in sentence)


@of_each
@pytest.mark.parametrize("text", [article.text for article in sample_articles()])
def test_no_word_of_plain_prose_is_lost(segmenter: Segmenter, text: str) -> None:
    assert " ".join(span.of(text) for span in segmenter.segment(text)) == text


@of_each
@given(text=texts)
def test_the_same_text_is_cut_the_same_way_each_time(segmenter: Segmenter, text: str) -> None:
    assert segmenter.segment(text) == segmenter.segment(text)


@of_each
def test_a_text_without_words_has_no_sentences(segmenter: Segmenter) -> None:
    assert [segmenter.segment(text) for text in ("", " \n ", "...")] == [[], [], []]


@of_each
def test_an_unknown_language_is_cut_all_the_same(segmenter: Segmenter) -> None:
    assert segmenter.segment("Ein Satz.", "xx") == [Span(0, 9)]


def test_fingerprints_tell_segmenters_apart() -> None:
    assert len({segmenter.fingerprint for segmenter in SEGMENTERS}) == len(SEGMENTERS)


def test_the_full_stop_segmenter_cuts_at_full_stops_and_lines() -> None:
    segmenter = FullStopSegmenter()
    text = "It rose 2.5 percent. Why? Nobody knew.\nThe end"
    assert [span.of(text) for span in segmenter.segment(text)] == [
        "It rose 2.5 percent.",
        "Why? Nobody knew.",
        "The end",
    ]
    assert segmenter.calls == [text]


def test_the_line_segmenter_cuts_at_lines() -> None:
    segmenter = LineSegmenter()
    text = "One. Two.\n\n  Three "
    assert [span.of(text) for span in segmenter.segment(text)] == ["One. Two.", "Three"]
    assert segmenter.calls == [text]
