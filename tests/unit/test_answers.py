import hashlib
from datetime import date

from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    Claim,
    CorpusInfo,
    Provenance,
    Receipt,
    Support,
    Usage,
)
from assistant.domain.articles import ArticleInfo, Origin
from assistant.domain.passages import Span

DAY = date(2031, 3, 4)
CORPUS = CorpusInfo("samples", 1, DAY, 1)
MADE_BY = Provenance("0", None, {}, "settings", "embedder", "segmenter", 1)
QUOTE = "The bridge is closed."
BRIDGE = ArticleInfo(id="bridge", origin=Origin("samples", "bridge.md"))


def test_a_receipt_holds_what_can_be_checked_again() -> None:
    answer = Answer(
        id="a1",
        question="Is it closed?",
        as_of=DAY,
        text=f"{QUOTE} [1]",
        claims=(Claim(QUOTE, Support.SUPPORTED, "it says so", (1,)),),
        citations=(Citation(1, BRIDGE, Span(4, 25), QUOTE),),
        nearest=(),
        confidence=0.9,
        corpus=CORPUS,
        usage=Usage(),
        provenance=MADE_BY,
    )
    hashed = hashlib.sha256(QUOTE.encode()).hexdigest()
    assert Receipt.of(answer) == Receipt(
        "a1", "Is it closed?", DAY, (("bridge", Span(4, 25), hashed),), MADE_BY
    )


def test_the_receipt_of_an_abstention_quotes_nothing() -> None:
    abstention = Abstention(
        id="a2",
        question="Who built it?",
        as_of=DAY,
        text="Not in the corpus.",
        reason=AbstentionReason.RETRIEVAL,
        nearest=(),
        confidence=0.0,
        corpus=CORPUS,
        usage=Usage(),
        provenance=MADE_BY,
    )
    assert Receipt.of(abstention).quotes == ()
