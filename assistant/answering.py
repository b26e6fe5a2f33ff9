"""From a question to an answer or an abstention, as named steps.

    check -> retrieve -> extract -> compose

``stream`` yields events as the steps are done; ``ask`` is the stream run to its end.
Every surface renders these events and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict, Unpack

from assistant.composing import Draft, compose
from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    CorpusInfo,
    Degraded,
    Provenance,
    Usage,
)
from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.errors import AssistantError, CorpusNotFound, InvalidQuestion
from assistant.domain.events import Delta, Done, Event, Failed, Sources, Status
from assistant.domain.passages import RankedPassage, Scope, Sentence
from assistant.domain.text import clean, counted
from assistant.extracting import extract
from assistant.ports import Clock, Embedder, Generation, Generations
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


class Within(TypedDict, total=False):
    """Which articles a question may use; what is missing or None does not restrict.

    as_of: the date to stand on, today by default. since, until, outlet: see Scope.
    """

    as_of: date | None
    since: date | None
    until: date | None
    outlet: str | None


class Assistant:
    """Answers questions over one corpus, from any number of threads."""

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
    ) -> None:
        self._generations = generations
        self._embedder = embedder
        self._clock = clock
        self._new_id = new_id
        self._identity = identity
        self._passages = passages
        self._exact_dense = exact_dense

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
        """The events of answering; the last one is Done, or Failed for an AssistantError."""
        try:
            yield from self._steps(question, self._scope(within))
        except AssistantError as error:
            yield Failed(error)

    def search(self, question: str, **within: Unpack[Within]) -> list[RankedPassage]:
        """The passages that an answer would rest on, best first, with their scores."""
        asked = _checked(question)
        with self._generations.current() as current:
            return self._retrieved(asked, self._usable(current), self._scope(within))

    def articles(self) -> list[ArticleInfo]:
        """All articles of the corpus, newest first."""
        with self._generations.current() as current:
            return self._published(current).library.articles()

    def article(self, article_id: str) -> tuple[Article, list[Sentence]]:
        """The article and its sentences; raises ArticleNotFound."""
        with self._generations.current() as current:
            library = self._published(current).library
            return library.article(article_id), library.sentences(article_id)

    def _steps(self, question: str, scope: Scope) -> Iterator[Event]:
        watch = _Stopwatch(self._clock)
        asked = _checked(question)
        with self._generations.current() as current:
            generation = self._usable(current)
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
        yield Done(result)

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
            "degraded": Degraded(self._identity.degraded) if self._identity.degraded else None,
        }
        if draft.claims:
            return Answer(text=draft.text, claims=draft.claims, citations=draft.citations, **fields)
        return Abstention(text=_abstention(corpus, ranked), reason=AbstentionReason.RETRIEVAL, **fields)

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

    def _usable(self, current: Generation | None) -> Generation:
        generation = self._published(current)
        generation.manifest.require_embedder(self._embedder.fingerprint)
        return generation


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
