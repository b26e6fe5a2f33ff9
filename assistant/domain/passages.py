"""Spans, sentences and passages: the units that are found and cited.

A passage is a run of whole sentences of one article, up to 130 words, sharing
one sentence with the passage before it. Words and not tokens, so that an index
does not depend on which tokenizer file a machine happens to have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.text import clean

PASSAGE_RULES = 1  # counts up when cleaning or cutting changes: stored articles are then prepared again
MAX_WORDS = 130  # why 130: DESIGN.md, "Passages"
OVERLAP = 1  # one sentence: an answer beside its subject is never cut from it


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points in an article's stored text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The slice of the text: ``Span(0, 3).of("news") == "new"``."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an article: where it stands, verbatim, and cleaned."""

    article_id: str
    span: Span
    text: str
    cleaned: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences: the unit of retrieval.

    text: the slice of the stored text, headings and blanks between sentences included.
    cleaned: the sentences alone, cleaned; this is what is indexed.
    """

    id: str
    article_id: str
    span: Span
    text: str
    cleaned: str

    def holds(self, sentence: Sentence) -> bool:
        """Whether it is made of this sentence of its article, among others."""
        return self.span.start <= sentence.span.start < self.span.end


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article with its sentences and passages, ready to be stored and indexed.

    signature: what near copies are recognised by, see ``duplicates``.
    """

    article: Article
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    signature: bytes = b""

    def __reduce__(self) -> tuple[Callable[..., PreparedArticle], tuple[object, ...]]:
        """Pickled without the slices of the article's text, which it holds four times over."""
        sentences = [
            (each.span.start, each.span.end, None if each.cleaned == each.text else each.cleaned)
            for each in self.sentences
        ]
        passages = [(each.id, each.span.start, each.span.end, each.cleaned) for each in self.passages]
        return _unpickled, (self.article, sentences, passages, self.signature)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of one index: a passage id and that index's raw score."""

    passage_id: str
    score: float


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """How a passage's score came about.

    lexical: BM25 over the best BM25 of this question, 0 to 1.
    dense: cosine times the dense weight.
    recency: a factor of 1 and more, see retrieval.
    """

    lexical: float
    dense: float
    recency: float

    @property
    def total(self) -> float:
        """The score: ``(lexical + dense) * recency``."""
        return (self.lexical + self.dense) * self.recency


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage that was found, its article, and why it ranks where it does."""

    passage: Passage
    article: ArticleInfo
    parts: ScoreParts

    @property
    def score(self) -> float:
        """What it was ranked by."""
        return self.parts.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which articles a question may see.

    as_of: articles published later do not exist, nor those whose text was updated later,
        since only the later text is stored. Undated ones do.
    since, until: inclusive; an undated article is in neither.
    outlet: compared without regard to case.
    """

    as_of: date
    since: date | None = None
    until: date | None = None
    outlet: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves out more than what is not yet published as of its date."""
        return bool(self.since or self.until or self.outlet)

    def admits(self, article: ArticleInfo) -> bool:
        """Whether a question with this scope may use the article."""
        day = article.published.day if article.published else None
        if article.text_date and article.text_date > self.as_of:
            return False
        if self.since and (day is None or day < self.since):
            return False
        if self.until and (day is None or day > self.until):
            return False
        return self.outlet is None or (article.outlet or "").casefold() == self.outlet.casefold()


def make_sentences(article: Article, spans: Sequence[Span]) -> tuple[Sentence, ...]:
    """The article's sentences; spans that hold nothing visible are left out."""
    made = (Sentence(article.id, span, span.of(article.text), clean(span.of(article.text))) for span in spans)
    return tuple(sentence for sentence in made if sentence.cleaned)


def make_passages(
    article: Article, sentences: Sequence[Sentence], *, max_words: int = MAX_WORDS, overlap: int = OVERLAP
) -> tuple[Passage, ...]:
    """Cut the article's sentences into passages, in order.

    A single sentence longer than max_words is a passage of its own. The last
    sentences of a passage open the next one, unless that alone would fill it.
    """
    words = [len(sentence.cleaned.split()) for sentence in sentences]
    passages: list[Passage] = []
    first = held = 0  # the run: where it begins, and how many words are in it
    for at, more in enumerate(words):
        if at > first and held + more > max_words:
            passages.append(_passage(article, sentences[first:at]))
            first = max(first, at - overlap)
            held = sum(words[first:at])
            if held + more > max_words:
                first, held = at, 0
        held += more
    if sentences:
        passages.append(_passage(article, sentences[first:]))
    return tuple(passages)


def passage_id(article_id: str, span: Span, text: str) -> str:
    """A passage's identity: two identical wire copies keep two passages."""
    return hashlib.sha256(
        f"{article_id}\0{span.start}\0{span.end}\0{text}".encode("utf-8", "surrogatepass")
    ).hexdigest()[:16]


def _unpickled(
    article: Article,
    sentences: Sequence[tuple[int, int, str | None]],
    passages: Sequence[tuple[str, int, int, str]],
    signature: bytes,
) -> PreparedArticle:
    name, text = article.id, article.text
    return PreparedArticle(
        article,
        tuple(
            Sentence(name, Span(start, end), text[start:end], text[start:end] if cleaned is None else cleaned)
            for start, end, cleaned in sentences
        ),
        tuple(
            Passage(one, name, Span(start, end), text[start:end], cleaned)
            for one, start, end, cleaned in passages
        ),
        signature,
    )


def _passage(article: Article, run: Sequence[Sentence]) -> Passage:
    span = Span(run[0].span.start, run[-1].span.end)
    text = span.of(article.text)
    return Passage(
        passage_id(article.id, span, text),
        article.id,
        span,
        text,
        " ".join(sentence.cleaned for sentence in run),
    )
