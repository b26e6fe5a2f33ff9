"""From a question to an answer or an abstention, as named steps.

    check -> retrieve -> extract -> compose -> record

``stream`` yields events as the steps are done; ``ask`` is the stream run to its end.
Every surface renders these events and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict, TypeVar, Unpack

from assistant.composing import Draft, compose
from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    CorpusInfo,
    Degraded,
    Provenance,
    Usage,
    quote_hash,
)
from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.errors import (
    ArticleNotFound,
    AssistantError,
    CorpusNotFound,
    InvalidQuestion,
    LibraryDamaged,
)
from assistant.domain.events import Delta, Done, Event, Failed, Sources, Status
from assistant.domain.history import Record, Standing
from assistant.domain.passages import RankedPassage, Scope, Sentence, Span
from assistant.domain.text import clean, counted
from assistant.extracting import extract
from assistant.ports import Clock, Embedder, Generation, Generations, History, Library
from assistant.retrieval import retrieve

MAX_QUESTION = 2_000  # characters; longer ones are pasted articles, not questions
NEAREST = 3  # passages that an answer or abstention points at


@dataclass(frozen=True, slots=True)
class Identity:
    """What an assistant is, for the provenance of its answers.

    settings: a fingerprint of the settings that can change an answer.
    degraded: why no model writes although one was asked for; None when none was.
    """

    version: str
    corpus: str
    settings: str
    degraded: str | None = None


_Read = TypeVar("_Read")


class Within(TypedDict, total=False):
    """Which articles a question may use; what is missing or None does not restrict.

    as_of: the date to stand on, today by default. since, until, outlet: see Scope.
    """

    as_of: date | None
    since: date | None
    until: date | None
    outlet: str | None


class Assistant:
    """Answers questions over one corpus, from any number of threads.

    history: where each result is kept before it is given out; None keeps nothing.
    notice: told in one line when a result could not be kept, once as long as the reason is the same.
    """

    def __init__(
        self,
        generations: Generations,
        *,
        embedder: Embedder,
        clock: Clock,
        new_id: Callable[[], str],
        identity: Identity,
        passages: int,
        exact_dense: bool,
        history: History | None = None,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._generations = generations
        self._embedder = embedder
        self._clock = clock
        self._new_id = new_id
        self._identity = identity
        self._passages = passages
        self._exact_dense = exact_dense
        self._history = history
        self._notice = notice
        self._noticed = ""

    def ask(self, question: str, **within: Unpack[Within]) -> Answer | Abstention:
        """The answer with its citations, or an abstention.

        within: which articles may be used, all as of today by default.
        Raises an AssistantError when there is no result.
        """
        for event in self.stream(question, **within):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Done):
                return event.result
        raise AssertionError("a stream ends with Done or Failed")

    def stream(self, question: str, **within: Unpack[Within]) -> Iterator[Event]:
        """The events of answering; the last one is Done, or Failed for an AssistantError.

        Where the corpus turns out to be damaged, they begin again from the generation before.
        """
        scope = self._scope(within)
        try:
            try:
                yield from self._steps(question, scope)
            except LibraryDamaged:
                yield from self._steps(question, scope)
        except AssistantError as error:
            yield Failed(error)

    def search(self, question: str, **within: Unpack[Within]) -> list[RankedPassage]:
        """The passages that an answer would rest on, best first, with their scores."""
        asked, scope = _checked(question), self._scope(within)
        return self._read(lambda current: self._retrieved(asked, self._usable(current), scope))

    def articles(self) -> list[ArticleInfo]:
        """All articles of the corpus, newest first."""
        return self._read(lambda current: current.library.articles())

    def article(self, article_id: str) -> tuple[Article, list[Sentence]]:
        """The article and its sentences; raises ArticleNotFound."""
        return self._read(
            lambda current: (current.library.article(article_id), current.library.sentences(article_id))
        )

    def copies(self, article_id: str) -> list[ArticleInfo]:
        """The near copies of the article that the corpus holds, by id."""
        return self._read(lambda current: current.library.copies(article_id))

    def _read(self, read: Callable[[Generation], _Read]) -> _Read:
        """What is read from the current generation, or from the one before where that one is damaged."""
        try:
            with self._generations.current() as current:
                return read(self._published(current))
        except LibraryDamaged:
            with self._generations.current() as current:
                return read(self._published(current))

    def _steps(self, question: str, scope: Scope) -> Iterator[Event]:
        watch = _Stopwatch(self._clock)
        asked = _checked(question)
        with self._generations.current() as current:
            generation = self._usable(self._published(current))
            yield Status("retrieve")
            ranked = self._retrieved(asked, generation, scope)
            watch.lap("retrieve")
            yield Sources(tuple(ranked))
            yield Status("answer")
            found = extract(asked, ranked, generation, self._embedder)
            draft = compose(asked, found, generation.lexical, generation.library)
            watch.lap("answer")
            result = self._result(asked, scope, generation, ranked, draft)
            result = replace(result, usage=Usage(milliseconds=watch.laps()))
            yield Delta(result.text)
            self._record(result)  # while its generation is held: a withdrawal waits for that, then comes here
        yield Done(result)

    def _record(self, result: Answer | Abstention) -> None:
        """Keep the result; where that fails, the answer is given out all the same."""
        if self._history is None:
            return
        problem = ""
        try:
            self._history.record(Record.of(result, self._clock.now()))
        except AssistantError as error:
            problem = f"This is not kept in the history: {error}. {error.help}"
        if problem and problem != self._noticed:
            self._notice(problem)
        self._noticed = problem

    def _result(
        self, asked: str, scope: Scope, generation: Generation, ranked: Sequence[RankedPassage], draft: Draft
    ) -> Answer | Abstention:
        articles, newest = generation.library.visible(scope.as_of)
        corpus = CorpusInfo(self._identity.corpus, articles, newest, generation.number)
        fields: _Fields = {
            "id": self._new_id(),
            "question": asked,
            "as_of": scope.as_of,
            "nearest": tuple(ranked[:NEAREST]),
            "confidence": round(draft.confidence, 4),
            "corpus": corpus,
            "usage": Usage(),
            "provenance": self._provenance(generation),
            "degraded": self._degraded(generation),
        }
        if draft.claims:
            return Answer(text=draft.text, claims=draft.claims, citations=draft.citations, **fields)
        return Abstention(text=_abstention(corpus, ranked), reason=AbstentionReason.RETRIEVAL, **fields)

    def _degraded(self, generation: Generation) -> Degraded | None:
        reasons = [reason for reason in (self._identity.degraded, generation.damage) if reason]
        return Degraded("; ".join(reasons)) if reasons else None

    def _provenance(self, generation: Generation) -> Provenance:
        return Provenance(
            version=self._identity.version,
            model=None,
            prompts={},
            settings=self._identity.settings,
            embedder=generation.manifest.embedder,
            segmenter=generation.manifest.segmenter,
            generation=generation.number,
        )

    def _retrieved(self, asked: str, generation: Generation, scope: Scope) -> list[RankedPassage]:
        return retrieve(
            asked, generation, self._embedder, scope, limit=self._passages, exact=self._exact_dense
        )

    def _scope(self, within: Within) -> Scope:
        if unknown := within.keys() - Within.__annotations__.keys():
            raise TypeError(
                f"unknown restriction {min(unknown)!r}; there are {', '.join(Within.__annotations__)}"
            )
        return Scope(
            as_of=within.get("as_of") or self._clock.today(),
            since=within.get("since"),
            until=within.get("until"),
            outlet=within.get("outlet"),
        )

    def _published(self, generation: Generation | None) -> Generation:
        if generation is None:
            raise CorpusNotFound(f"the corpus {self._identity.corpus!r} has no articles yet")
        return generation

    def _usable(self, generation: Generation) -> Generation:
        generation.manifest.require_embedder(self._embedder.fingerprint)
        return generation


def verify(record: Record, library: Library | None) -> tuple[Standing, ...]:
    """What has become of each sentence that the record quotes, in order; without a library all are gone."""
    return tuple(
        Standing.WITHDRAWN if article_id in record.withdrawn else _standing(library, article_id, span, quoted)
        for article_id, span, quoted in record.receipt.quotes
    )


def _standing(library: Library | None, article_id: str, span: Span, quoted: str) -> Standing:
    if library is None:
        return Standing.GONE
    try:
        text = library.article(article_id).text
    except ArticleNotFound:
        return Standing.GONE
    return Standing.UNCHANGED if quote_hash(span.of(text)) == quoted else Standing.CHANGED


class _Fields(TypedDict):
    id: str
    question: str
    as_of: date
    nearest: tuple[RankedPassage, ...]
    confidence: float
    corpus: CorpusInfo
    usage: Usage
    provenance: Provenance
    degraded: Degraded | None


class _Stopwatch:
    """Milliseconds by stage."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = self._last = clock.milliseconds()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = self._clock.milliseconds()
        self._laps[stage] = round(now - self._last, 3)
        self._last = now

    def laps(self) -> Mapping[str, float]:
        return {**self._laps, "total": round(self._last - self._started, 3)}


def _checked(question: str) -> str:
    asked = clean(question)
    if not any(character.isalnum() for character in asked):
        raise InvalidQuestion("the question is empty")
    if len(asked) > MAX_QUESTION:
        raise InvalidQuestion(f"the question has {len(asked)} characters; {MAX_QUESTION} is the most")
    return asked


def _abstention(corpus: CorpusInfo, ranked: Sequence[RankedPassage]) -> str:
    """That the corpus does not answer, what it covers, and what came nearest."""
    upto = f", newest {corpus.newest.isoformat()}" if corpus.newest else ""
    text = f"Not in the corpus ({corpus.name}: {counted(corpus.articles, 'article')}{upto})."
    if ranked:
        nearest = ranked[0].article
        return f"{text} Nearest article: {nearest.label} ({', '.join(nearest.dateline)})."
    return f"{text} No passage fits the question and the restrictions."
