"""What the assistant gives back: an answer with its citations, or an abstention.

Both are results. "The corpus does not say" is a proper answer and no error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from assistant.domain.articles import ArticleInfo
from assistant.domain.passages import RankedPassage, Span


class Support(StrEnum):
    """How well the cited sentences carry a claim."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    UNCITED = "uncited"


class AbstentionReason(StrEnum):
    """Which step found that the corpus does not answer."""

    RETRIEVAL = "retrieval"
    MODEL = "model"
    REFUSAL = "refusal"
    GROUNDING = "grounding"


@dataclass(frozen=True, slots=True)
class Citation:
    """One sentence that was shown for an answer.

    n: its number in this answer, from 1.
    span: code points into the article's stored text; ``quote`` is that slice.
    """

    n: int
    article: ArticleInfo
    span: Span
    quote: str


NEEDS_NO_CITATION = "that the sources do not say something needs no citation"  # why a claim may have none


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an answer, its verdict with the reason, and the numbers it cites."""

    text: str
    support: Support
    why: str
    citations: tuple[int, ...]

    @property
    def marked(self) -> str:
        """The text with its markers: "The vote is on Monday. [1][2]"."""
        return f"{self.text} {''.join(f'[{n}]' for n in self.citations)}" if self.citations else self.text

    @property
    def doubtful(self) -> bool:
        """Whether a reader has to be told that nothing, or not all that it cites, bears it out."""
        return self.support is not Support.SUPPORTED and self.why != NEEDS_NO_CITATION


class Difference(StrEnum):
    """What a newer report does to an older one that gives another value."""

    UPDATE = "update"
    CORRECTION = "correction"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Side:
    """One report's value, as it is written in the quoted sentence; quote and span as in a Citation."""

    value: str
    article: ArticleInfo
    span: Span
    quote: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Different values for the same thing, the newest report first, and how the first two differ."""

    kind: Difference
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """What was searched: its name, the articles that exist as of the date asked, and their dates."""

    name: str
    articles: int
    newest: date | None
    generation: int
    oldest: date | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost: tokens, money (None: not known), milliseconds by stage.

    exact: whether the tokens are those that the provider counted, and not our estimate.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    exact: bool = True
    cost_usd: float | None = 0.0
    milliseconds: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer was made with, enough to tell why two answers differ.

    model is None for an answer by extraction; prompts maps prompt ids to hashes;
    settings is a fingerprint of all settings that can change an answer;
    standalone is the question that retrieval was asked, where it is not the one that was typed.
    """

    version: str
    model: str | None
    prompts: Mapping[str, str]
    settings: str
    embedder: str
    segmenter: str
    generation: int
    standalone: str | None = None


@dataclass(frozen=True, slots=True)
class Degraded:
    """Why less was done than was asked for, in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What every question gets, answered or not.

    as_of: the date that was stood on. nearest: the best passages, for a person to judge.
    confidence: 0 to 1, how likely the extracted sentences answer; None where a model wrote or was asked.
    dropped: statements left out because nothing supports them.
    unknown_markers: citations of a model that lead nowhere, and were removed.
    disagreements: where the passages give different values for what was asked.
    complete: false for the checked beginning of an answer that broke off.
    degraded: set when less was done than was asked for.
    """

    id: str
    question: str
    as_of: date
    text: str
    nearest: tuple[RankedPassage, ...]
    confidence: float | None
    corpus: CorpusInfo
    usage: Usage
    provenance: Provenance
    dropped: int = 0
    unknown_markers: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    complete: bool = True
    degraded: Degraded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Result):
    """A text whose every statement is a claim with citations.

    stands: for a question about the present, the day of the newest article that is cited.
    """

    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    stands: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention(Result):
    """The corpus does not answer: which step found so."""

    reason: AbstentionReason


@dataclass(frozen=True, slots=True)
class Receipt:
    """What can be checked again later, also after the index has moved on.

    quotes: for each citation the article id, the span, and SHA-256 of the quote.
    """

    answer_id: str
    question: str
    as_of: date
    quotes: tuple[tuple[str, Span, str], ...]
    provenance: Provenance

    @classmethod
    def of(cls, result: Answer | Abstention) -> Receipt:
        """The receipt of a result; an abstention quotes nothing."""
        cited = result.citations if isinstance(result, Answer) else ()
        quotes = tuple((one.article.id, one.span, quote_hash(one.quote)) for one in cited)
        return cls(result.id, result.question, result.as_of, quotes, result.provenance)


def quote_hash(quote: str) -> str:
    """SHA-256 of a quote, for its receipt."""
    return hashlib.sha256(quote.encode("utf-8", "surrogatepass")).hexdigest()
