"""Results as text for a person."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.answers import (
    NEEDS_NO_CITATION,
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    Claim,
    CorpusInfo,
    Degraded,
    Difference,
    Disagreement,
    Provenance,
    Side,
    Support,
    Usage,
)
from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.history import Record
from assistant.domain.passages import Passage, RankedPassage, ScoreParts, Span
from assistant.domain.text import clean
from assistant.ingest import IngestReport, Rejection
from assistant.interfaces.rendering import (
    answer_text,
    article_text,
    articles_table,
    corpus_line,
    described,
    ingest_summary,
    record_text,
    search_text,
)

MOMENT = datetime(2031, 4, 1, 12, 0, tzinfo=UTC)
INFO = ArticleInfo(
    id="mill",
    origin=Origin("/news", "mill.md"),
    title="The mill that grinds barley",
    outlet="Gazette",
    published=Timestamp.parse("2031-03-04T08:30:00+02:00"),
    fiction=True,
)
QUOTE = "The mill has 11 sails, and the miller, who is called Ines Varga, turns them by hand."
ANSWER = Answer(
    id="a1",
    question="How many sails?",
    as_of=date(2031, 4, 1),
    text=f"{QUOTE} [1]",
    nearest=(),
    confidence=0.75,
    corpus=CorpusInfo("main", 4, date(2031, 3, 11), 3),
    usage=Usage(),
    provenance=Provenance("1.0", None, {}, "settings", "embedder/1", "segmenter/1", 3),
    claims=(Claim(QUOTE, Support.SUPPORTED, "verbatim", (1,)),),
    citations=(Citation(1, INFO, Span(0, len(QUOTE)), QUOTE),),
)
SOURCE = "[1] The mill that grinds barley · Gazette · 2031-03-04 · news/mill.md · fiction"
ESCAPES = "\x1b[2J\x9b31m\x07\x85\u202e\u2066\U000e0041\u200b\x7f"


def plain(text: str) -> str:
    return click.unstyle(text)


def test_an_answer_and_its_sources_are_two_blocks() -> None:
    assert plain(answer_text(ANSWER)) == f"{QUOTE} [1]\n\n{SOURCE}"


def test_markers_in_the_answer_are_bold() -> None:
    assert f"hand. {click.style('[1]', bold=True)}\n" in answer_text(ANSWER)


def test_an_abstention_is_its_text() -> None:
    abstention = Abstention(
        id="a1",
        question="Who?",
        as_of=ANSWER.as_of,
        text="Not in the corpus.",
        nearest=(),
        confidence=0.1,
        corpus=ANSWER.corpus,
        usage=ANSWER.usage,
        provenance=ANSWER.provenance,
        reason=AbstentionReason.RETRIEVAL,
    )
    assert answer_text(abstention) == "Not in the corpus."


@pytest.mark.parametrize("width", [1, 10, 40, 100, 200])
def test_wrapping_loses_no_word_and_no_marker(width: int) -> None:
    long = f"{QUOTE} [1] {QUOTE} [1] {QUOTE} [1]"
    text, sources = plain(answer_text(replace(ANSWER, text=long), width=width)).split("\n\n")
    assert text.split() == long.split()
    assert sources.split() == SOURCE.split()
    longest = max(len(word) for word in (*text.split(), *sources.split()))
    limit = max(min(width, 100), longest + 4)  # sources are indented by four
    assert max(len(line) for line in (*text.splitlines(), *sources.splitlines())) <= limit


def test_escape_codes_take_no_room_in_a_line() -> None:
    sentence = "It grinds barley and rye here."
    wrapped = answer_text(replace(ANSWER, text=f"{sentence} [1]", citations=()), width=len(sentence) + 4)
    assert plain(wrapped).rstrip() == f"{sentence} [1]"


def test_an_address_is_never_cut_in_two() -> None:
    address = "https://news.example/" + "a-very-long-name/" * 10
    info = replace(INFO, url=address)
    citation = replace(ANSWER.citations[0], article=info)
    assert address in answer_text(replace(ANSWER, citations=(citation,)), width=40)


@given(st.text(), st.integers(1, 220))
def test_any_text_is_wrapped_at_any_width_without_losing_a_word(text: str, width: int) -> None:
    wrapped = answer_text(replace(ANSWER, text=text, citations=()), width=width)
    assert plain(wrapped).split() == clean(text).split()


@pytest.mark.parametrize("width", [None, 1, 10, 40])
@pytest.mark.parametrize(
    "text",
    ["東京の本部は二〇二五年三月に発足する。" * 5, "👩\u200d💻🇯🇵" * 30, "e\u0301" * 90, "نص عربي " * 20],
)
def test_other_scripts_and_emoji_are_wrapped_too(text: str, width: int | None) -> None:
    assert (
        plain(answer_text(replace(ANSWER, text=text, citations=()), width=width)).split()
        == clean(text).split()
    )


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\U000e0041", "\x1b[2J", "\u00ad"])
def test_a_citation_whose_quote_hides_something_is_flagged(hidden: str) -> None:
    quote = f"The mill{hidden} has 11 sails."
    flagged = replace(ANSWER, citations=(replace(ANSWER.citations[0], quote=quote),))
    assert answer_text(flagged).endswith(
        f"{SOURCE} (the article's text holds invisible characters here; --json shows them)"
    )


def test_line_breaks_and_wide_blanks_in_a_quote_hide_nothing() -> None:
    quote = "The mill\nhas\u00a011\u3000 sails."
    assert plain(
        answer_text(replace(ANSWER, citations=(replace(ANSWER.citations[0], quote=quote),)))
    ).endswith(SOURCE)


def test_the_corpus_line_says_what_was_searched_and_how() -> None:
    assert corpus_line(ANSWER) == (
        "main corpus: 4 articles, newest 2031-03-11, as of 2031-04-01; extracts, no model."
    )
    bare = replace(ANSWER, corpus=CorpusInfo("main", 1, None, 1), degraded=Degraded("the model is away"))
    assert corpus_line(bare) == "main corpus: 1 article, as of 2031-04-01; the model is away."


def test_a_found_passage_shows_how_its_score_came_about() -> None:
    found = RankedPassage(
        Passage("p1", "mill", Span(0, 9), "One.\nTwo.", "One. Two."), INFO, ScoreParts(1.0, 0.25, 1.2)
    )
    assert search_text([found, found]) == (
        "1. The mill that grinds barley · Gazette · 2031-03-04 · news/mill.md · fiction\n"
        "   1.500 = (1.000 words + 0.250 meaning) × 1.200 recency\n"
        "   One. Two.\n\n"
        "2. The mill that grinds barley · Gazette · 2031-03-04 · news/mill.md · fiction\n"
        "   1.500 = (1.000 words + 0.250 meaning) × 1.200 recency\n"
        "   One. Two."
    )
    assert search_text([]) == "No passage fits the question and the filters."


def test_an_article_without_facts_is_called_by_its_file() -> None:
    info = ArticleInfo(id="x1", origin=Origin("/news", "sub/a.txt"))
    assert list(articles_table([INFO, info])) == [
        "mill\t2031-03-04\tGazette\tThe mill that grinds barley",
        "x1\tundated\t-\tsub/a.txt",
    ]
    assert described(info) == "undated · news/sub/a.txt"
    assert article_text(Article(info, "One.\n\nTwo.")) == (
        "id: x1\npublished: undated\nsource: news/sub/a.txt\n\nOne.\n\nTwo."
    )


def test_a_summary_is_shown_as_one() -> None:
    info = ArticleInfo(id="x1", origin=Origin("/news", "a.xml#1"), summary_only=True)
    assert article_text(Article(info, "One.")) == (
        "id: x1\npublished: undated\nsource: news/a.xml#1\nsummary only: yes\n\nOne."
    )


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (IngestReport(), "main corpus: no article found."),
        (IngestReport(added=("a", "b")), "main corpus: 2 added."),
        (
            IngestReport(
                added=("a",), changed=("b",), unchanged=("c", "d"), rejected=(Rejection("e", "bad"),)
            ),
            "main corpus: 1 added, 1 changed, 2 unchanged, 1 rejected.",
        ),
    ],
)
def test_an_ingest_is_summed_up_in_one_line(report: IngestReport, said: str) -> None:
    assert ingest_summary("main", report) == said


def test_a_rebuild_does_not_say_that_nothing_was_found() -> None:
    assert ingest_summary("main", IngestReport(), rebuilt=True) == "main corpus: rebuilt."
    assert (
        ingest_summary("main", IngestReport(added=("a",)), rebuilt=True) == "main corpus: rebuilt, 1 added."
    )


def test_nothing_foreign_is_obeyed() -> None:
    info = replace(
        INFO,
        id=f"m{ESCAPES}",
        title=f"T{ESCAPES}",
        outlet=f"O{ESCAPES}",
        author=f"A{ESCAPES}",
        corrects=f"c{ESCAPES}",
        origin=Origin(f"/n{ESCAPES}", f"f{ESCAPES}.md"),
    )
    passage = Passage("p1", "m", Span(0, 9), f"text{ESCAPES}", f"text{ESCAPES}")
    citation = replace(ANSWER.citations[0], article=info, quote=f"q{ESCAPES}")
    shown = [
        plain(answer_text(replace(ANSWER, text=f"An{ESCAPES}swer [1]", citations=(citation,)), width=40)),
        search_text([RankedPassage(passage, info, ScoreParts(1, 1, 1))], width=40),
        article_text(Article(info, f"One{ESCAPES}.\n{ESCAPES}\nTwo.")),
        *articles_table([info]),
    ]
    for text in shown:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\U000e0041]", text)


def test_reports_that_differ_are_named_below_the_sources_with_outlet_and_date() -> None:
    later = replace(INFO, id="later", outlet="Her\x1bald", published=Timestamp.parse("2031-03-11"))
    sides = (Side("13", later, Span(0, 2), "13 sails"), Side("11", INFO, Span(13, 15), QUOTE))
    said = {
        kind: answer_text(replace(ANSWER, disagreements=(Disagreement(kind, sides),))).split("\n\n")[-1]
        for kind in Difference
    }
    differ = "Reports differ: 13 (Herald, 2031-03-11), 11 (Gazette, 2031-03-04):"
    assert said == {
        Difference.UPDATE: f"{differ} the later one updates it.",
        Difference.CORRECTION: f"{differ} the first one corrects it.",
        Difference.CONFLICT: f"{differ} they contradict each other.",
    }


def test_an_answer_about_the_present_says_as_of_when_also_in_the_history() -> None:
    said = "As of 4 March 2031, the date of the newest cited article."
    stands = replace(ANSWER, stands=date(2031, 3, 4))
    assert answer_text(stands).endswith(f"\n\n{said}")
    assert said in record_text(Record.of(stands, MOMENT))
    assert "As of" not in answer_text(ANSWER)


def test_the_history_names_the_reports_that_differ_as_the_answer_did() -> None:
    later = replace(INFO, id="later", published=Timestamp.parse("2031-03-11"))
    sides = (Side("13", later, Span(0, 2), "13 sails"), Side("11", INFO, Span(13, 15), QUOTE))
    differing = replace(ANSWER, disagreements=(Disagreement(Difference.UPDATE, sides),))
    block = answer_text(differing).split("\n\n")[-1]
    assert block.startswith("Reports differ: 13")
    record = Record.of(differing, MOMENT)
    assert block in record_text(record).split("\n\n")
    assert "Reports differ" not in record_text(record.without(["later"]))


def test_what_cites_nothing_is_told_beside_what_is_doubtful_but_not_what_needs_no_citation() -> None:
    uncited = Claim("It fell.", Support.UNCITED, "it cites no sentence that was shown", ())
    gap = Claim("The sources do not say why.", Support.UNCITED, NEEDS_NO_CITATION, ())
    shown = answer_text(replace(ANSWER, claims=(*ANSWER.claims, uncited, gap)))
    assert shown.endswith("what is cited:\n? It fell. (it cites no sentence that was shown)")
