import numpy as np
import pytest

from assistant.composing import Draft
from assistant.composing import compose as composed
from assistant.domain.answers import Support
from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.passages import Sentence, Span
from assistant.extracting import Candidate, Extract, load_weights
from assistant.ingest import prepare
from assistant.ports import LexicalIndex
from assistant.testing import FullStopSegmenter, MemoryLibrary

SURE, DOUBTFUL = 0.99, 0.0


def candidate(article: str, text: str, score: float, *, start: int = 0) -> Candidate:
    info = ArticleInfo(id=article, origin=Origin("r", f"{article}.md"))
    return Candidate(Sentence(article, Span(start, start + len(text)), text, text), info, {}, score)


def extract(*candidates: Candidate, confidence: float = SURE) -> Extract:
    return Extract(candidates, confidence, {})


def library(**texts: str) -> MemoryLibrary:
    articles = [Article(ArticleInfo(id=one, origin=Origin("r", one)), text) for one, text in texts.items()]
    prepared = prepare(articles, FullStopSegmenter())
    return MemoryLibrary({one.article.id: (one, np.zeros((1, 1), dtype=np.float32)) for one in prepared})


def compose(question: str, found: Extract, lexical: LexicalIndex) -> Draft:
    return composed(question, found, lexical, library())


HARBOUR = candidate("a", "The harbour closes on Monday for repairs.", 9.0)
COPY = candidate("b", "The harbour closes on Monday for repairs, it said.", 8.9)
PIER = candidate("c", "The pier stays open to anglers.", 8.5)
MARKET = candidate("d", "Fishmongers moved their market uphill.", 8.4)
MUSEUM = candidate("e", "A museum tells of the old lifeboats.", 8.3)
WEATHER = candidate("f", "It will rain.", 1.0)


def test_each_sentence_shown_is_a_claim_that_cites_itself(lexical: LexicalIndex) -> None:
    draft = compose("When does the harbour close?", extract(HARBOUR, PIER), lexical)
    assert draft.text == f"{HARBOUR.sentence.text} [1] {PIER.sentence.text} [2]"
    assert [(claim.text, claim.support, claim.citations) for claim in draft.claims] == [
        (HARBOUR.sentence.text, Support.SUPPORTED, (1,)),
        (PIER.sentence.text, Support.SUPPORTED, (2,)),
    ]
    assert [(one.n, one.article.id, one.span, one.quote) for one in draft.citations] == [
        (1, "a", HARBOUR.sentence.span, HARBOUR.sentence.text),
        (2, "c", PIER.sentence.span, PIER.sentence.text),
    ]


def test_a_wire_copy_is_shown_once(lexical: LexicalIndex) -> None:
    draft = compose("When does the harbour close?", extract(HARBOUR, COPY), lexical)
    assert [one.article.id for one in draft.citations] == ["a"]


def test_no_more_than_three_sentences_are_shown(lexical: LexicalIndex) -> None:
    draft = compose("What is open?", extract(HARBOUR, PIER, MARKET, MUSEUM), lexical)
    assert [one.article.id for one in draft.citations] == ["a", "c", "d"]


def test_a_sentence_far_behind_the_best_is_not_shown(lexical: LexicalIndex) -> None:
    draft = compose("What is open?", extract(HARBOUR, WEATHER), lexical)
    assert [one.article.id for one in draft.citations] == ["a"]


@pytest.mark.parametrize("found", [extract(HARBOUR, confidence=DOUBTFUL), extract()])
def test_without_confidence_or_sentences_nothing_is_claimed(found: Extract, lexical: LexicalIndex) -> None:
    draft = compose("When does the harbour close?", found, lexical)
    assert (draft.text, draft.claims, draft.citations) == ("", (), ())


def test_the_threshold_is_where_answering_begins(lexical: LexicalIndex) -> None:
    threshold = load_weights().threshold
    assert compose("When?", extract(HARBOUR, confidence=threshold), lexical).claims
    assert not compose("When?", extract(HARBOUR, confidence=threshold - 1e-9), lexical).claims


def test_two_things_of_one_name_are_named_before_they_are_quoted(lexical: LexicalIndex) -> None:
    maren = candidate("a", "The mayor greeted Maren Dathwick at the gate.", 5.0)
    tobin = candidate("b", "The bridge was drawn by Tobin Dathwick.", 1.0)
    stored = library(a=maren.sentence.text, b=tobin.sentence.text)
    draft = composed("Who is Dathwick?", extract(maren, tobin), lexical, stored)
    assert draft.text == (
        "This may be about “Maren Dathwick” or “Tobin Dathwick”. "
        "The mayor greeted Maren Dathwick at the gate. [1] The bridge was drawn by Tobin Dathwick. [2]"
    )


FIRST = "Two ministers met, among them Minoru Kihara."
THEN = "It was Kihara who signed as minister."


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("Who is the minister?", [THEN, FIRST]),
        ("Who signed?", [THEN]),
    ],
)
def test_asked_who_somebody_is_it_also_shows_where_the_person_is_introduced(
    question: str, quoted: list[str], lexical: LexicalIndex
) -> None:
    stored = library(a=f"{FIRST} {THEN}")
    found = extract(candidate("a", THEN, 5.0, start=len(FIRST) + 1))
    draft = composed(question, found, lexical, stored)
    assert [citation.quote for citation in draft.citations] == quoted
