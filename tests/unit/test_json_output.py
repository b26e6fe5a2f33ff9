"""Results as JSON: one line, the stored characters, and none that a terminal could obey."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.domain.answers import (
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
from assistant.domain.errors import InvalidQuestion
from assistant.domain.passages import Passage, RankedPassage, ScoreParts, Sentence, Span
from assistant.ingest import IngestReport, Rejection
from assistant.interfaces.json_output import (
    answer_json,
    article_json,
    dumps,
    error_json,
    ingest_json,
    search_json,
)

INFO = ArticleInfo(
    id="mill",
    origin=Origin("/news", "mill.md"),
    title="The mill",
    outlet="Gazette",
    published=Timestamp.parse("2031-03-04T08:30:00+02:00"),
    fiction=True,
)
FOUND = RankedPassage(
    Passage("p1", "mill", Span(4, 9), "text\n", "text"), INFO, ScoreParts(0.5, 0.12345678, 1.25)
)
SHOWN = {
    "passage_id": "p1",
    "article_id": "mill",
    "title": "The mill",
    "outlet": "Gazette",
    "url": "news/mill.md",
    "published": "2031-03-04T08:30:00+02:00",
    "start": 4,
    "end": 9,
    "score": 0.779321,
    "lexical": 0.5,
    "dense": 0.123457,
    "recency": 1.25,
    "text": "text\n",
}
PROVENANCE = Provenance("1.0", None, {}, "settings", "embedder/1", "segmenter/1", 3)
USAGE = Usage(milliseconds={"total": 1.5})
REST = {
    "answer_id": "a1",
    "question": "Who?",
    "as_of": "2031-04-01",
    "dropped": 0,
    "unknown_markers": 0,
    "stands": None,
    "disagreements": [],
    "complete": True,
    "nearest": [SHOWN],
    "confidence": 0.75,
    "usage": {
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "exact": True,
        "cost_usd": 0.0,
        "milliseconds": {"total": 1.5},
    },
    "provenance": {
        "version": "1.0",
        "model": None,
        "prompts": {},
        "settings": "settings",
        "embedder": "embedder/1",
        "segmenter": "segmenter/1",
        "generation": 3,
        "standalone": None,
    },
}


def test_an_answer() -> None:
    answer = Answer(
        id="a1",
        question="Who?",
        as_of=date(2031, 4, 1),
        text="The miller. [1]",
        nearest=(FOUND,),
        confidence=0.75,
        corpus=CorpusInfo("main", 4, date(2031, 3, 11), 3, date(2031, 3, 4)),
        usage=USAGE,
        provenance=PROVENANCE,
        claims=(Claim("The miller.", Support.SUPPORTED, "verbatim", (1,)),),
        citations=(Citation(1, INFO, Span(4, 9), "text\n"),),
        disagreements=(Disagreement(Difference.UPDATE, (Side("9", INFO, Span(4, 9), "9 xt\n"),)),),
    )
    assert json.loads(dumps(answer_json(answer))) == {
        **REST,
        "schema": "assistant.answer/1",
        "kind": "answer",
        "disagreements": [
            {
                "kind": "update",
                "values": [
                    {
                        "value": "9",
                        "article_id": "mill",
                        "title": "The mill",
                        "outlet": "Gazette",
                        "url": "news/mill.md",
                        "published": "2031-03-04T08:30:00+02:00",
                        "start": 4,
                        "end": 9,
                        "quote": "9 xt\n",
                    }
                ],
            }
        ],
        "reason": None,
        "text": "The miller. [1]",
        "claims": [{"text": "The miller.", "support": "supported", "why": "verbatim", "citations": [1]}],
        "citations": [
            {
                "n": 1,
                "article_id": "mill",
                "title": "The mill",
                "outlet": "Gazette",
                "url": "news/mill.md",
                "published": "2031-03-04T08:30:00+02:00",
                "start": 4,
                "end": 9,
                "quote": "text\n",
            }
        ],
        "degraded": None,
        "corpus": {
            "name": "main",
            "articles": 4,
            "oldest": "2031-03-04",
            "newest": "2031-03-11",
            "generation": 3,
        },
    }


@pytest.mark.parametrize("reason", AbstentionReason)
def test_an_abstention(reason: AbstentionReason) -> None:
    abstention = Abstention(
        id="a1",
        question="Who?",
        as_of=date(2031, 4, 1),
        text="Not in the corpus.",
        nearest=(FOUND,),
        confidence=0.75,
        corpus=CorpusInfo("main", 0, None, 3),
        usage=USAGE,
        provenance=PROVENANCE,
        degraded=Degraded("no model"),
        reason=reason,
    )
    assert json.loads(dumps(answer_json(abstention))) == {
        **REST,
        "schema": "assistant.answer/1",
        "kind": "abstention",
        "reason": reason.value,
        "text": "Not in the corpus.",
        "claims": [],
        "citations": [],
        "degraded": {"reason": "no model"},
        "corpus": {"name": "main", "articles": 0, "oldest": None, "newest": None, "generation": 3},
    }


def test_a_search() -> None:
    assert json.loads(dumps(search_json([FOUND]))) == {"schema": "assistant.search/1", "passages": [SHOWN]}


def test_an_article_with_its_sentences() -> None:
    article = Article(INFO, "One. Two.")
    sentences = [Sentence("mill", Span(0, 4), "One.", "One."), Sentence("mill", Span(5, 9), "Two.", "Two.")]
    assert json.loads(dumps(article_json(article, sentences))) == {
        "schema": "assistant.article/1",
        "article_id": "mill",
        "title": "The mill",
        "outlet": "Gazette",
        "author": None,
        "url": "news/mill.md",
        "published": "2031-03-04T08:30:00+02:00",
        "updated": None,
        "corrects": None,
        "language": "en",
        "fiction": True,
        "summary_only": False,
        "near_copies": [],
        "text": "One. Two.",
        "sentences": [{"start": 0, "end": 4}, {"start": 5, "end": 9}],
    }


def test_an_ingest() -> None:
    report = IngestReport(added=("a",), unchanged=("b", "c"), rejected=(Rejection("d.md:3", "has no text"),))
    assert json.loads(dumps(ingest_json("main", report))) == {
        "schema": "assistant.ingest/1",
        "corpus": "main",
        "added": ["a"],
        "changed": [],
        "unchanged": ["b", "c"],
        "removed": [],
        "spared": [],
        "rejected": [{"where": "d.md:3", "reason": "has no text"}],
        "dry_run": False,
    }


def test_an_error_tells_only_what_was_raised_on_purpose() -> None:
    assert error_json(InvalidQuestion("empty")) == {"type": "InvalidQuestion", "message": "empty"}
    assert error_json(KeyError("inside")) == {"type": "KeyError", "message": "internal error"}


@given(st.text())
@example("\x00\x1b[2J\x7f\x80\x9b\x85\u2028\u2029\u202e\u2066\u061c\ufeff\U000e0041\u00ad")
@example("日本語 🇯🇵 👩\u200d💻 café")
def test_any_text_comes_back_whole_from_one_line_that_no_terminal_obeys(text: str) -> None:
    line = dumps({"text": text})
    assert json.loads(line) == {"text": text}
    assert len(line.splitlines()) == 1
    assert {unicodedata.category(character) for character in line}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert not re.search(
        "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]", line
    )


def test_half_a_character_is_written_as_an_escape() -> None:
    assert json.loads(dumps("a\ud800b")) == "a\ud800b"
    dumps("a\ud800b").encode()


def test_readable_characters_stay_readable() -> None:
    assert dumps("“Tōkyō” 日本 🇯🇵") == '"“Tōkyō” 日本 🇯🇵"'
