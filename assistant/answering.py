"""From a question to an answer or an abstention, as named steps.

    check -> condense -> retrieve -> generate (prompt, model, ground) -> record
                                  -> extract -> compose               -> record

The upper way is taken with a model, the lower one without, and where the model fails.
``stream`` yields events as the steps are done; ``ask`` is the stream run to its end.
Every surface renders these events and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Generator as Steps
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict, TypeVar, Unpack

from assistant.abstaining import nearest, told
from assistant.composing import Draft, compose, newest_day
from assistant.condensing import standalone
from assistant.conflicts import disagreements, stated
from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    CorpusInfo,
    Degraded,
    Disagreement,
    Provenance,
    Usage,
    quote_hash,
)
from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.conversation import Turn
from assistant.domain.errors import (
    ArticleNotFound,
    AssistantError,
    CorpusNotFound,
    InvalidQuestion,
    LibraryDamaged,
    ProviderError,
)
from assistant.domain.events import Delta, Done, Event, Failed, Retracted, Sources, Status
from assistant.domain.history import Record, Standing
from assistant.domain.passages import RankedPassage, Scope, Sentence, Span
from assistant.domain.text import clean
from assistant.extracting import extract
from assistant.generating import Condensed, Exchange, Generator, Written, is_weak
from assistant.ports import Clock, Embedder, Generation, Generations, History, Library, Reranker
from assistant.questions import asks_now
from assistant.retrieval import Retrieval, retrieve

MAX_QUESTION = 2_000  # characters; longer ones are pasted articles, not questions
NEAREST = 3  # passages that an answer or abstention points at


@dataclass(frozen=True, slots=True)
class Identity:
    """What an assistant is, for the provenance of its answers.

    settings: a fingerprint of the settings that can change an answer.
    """

    version: str
    corpus: str
    settings: str


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

    generator: what a model writes answers with; None answers by extracts.
    require_model: fail when the model does not answer, instead of giving extracts.
    words: embeds sentences and single words for extraction, some hundred at a time, so never
        through an API; the embedder of the passages, when left out.
    reranker: orders the best passages anew; they keep the order of their scores without one.
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
        generator: Generator | None = None,
        require_model: bool = False,
        words: Embedder | None = None,
        reranker: Reranker | None = None,
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
        self._generator = generator
        self._require_model = require_model
        self._words = words or embedder
        self._reranker = reranker
        self._history = history
        self._notice = notice
        self._noticed = ""

    def ask(
        self, question: str, *, conversation: Sequence[Turn] = (), **within: Unpack[Within]
    ) -> Answer | Abstention:
        """The answer with its citations, or an abstention.

        conversation: the turns before the question, oldest first; they say what it means, and
            never what the answer is. within: which articles may be used, all as of today by default.
        Raises an AssistantError when there is no result.
        """
        for event in self.stream(question, conversation=conversation, **within):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Done):
                return event.result
        raise AssertionError("a stream ends with Done or Failed")

    def stream(
        self, question: str, *, conversation: Sequence[Turn] = (), **within: Unpack[Within]
    ) -> Steps[Event, None, None]:
        """The events of answering; the last one is Done, or Failed for an AssistantError.

        Closing the iterator ends the call of a model. Where the corpus turns out to be damaged,
        they begin again from the generation before.
        """
        scope = self._scope(within)
        exchange = self._generator.begin(self._clock) if self._generator else None
        shown = False
        try:
            try:
                with closing(self._steps(question, conversation, scope, exchange)) as events:
                    for event in events:
                        shown = shown or isinstance(event, Delta)
                        yield event
            except LibraryDamaged as error:
                if shown:
                    yield Retracted(str(error))
                yield from self._steps(question, conversation, scope, exchange)
        except AssistantError as error:
            yield Failed(error)

    def search(self, question: str, **within: Unpack[Within]) -> list[RankedPassage]:
        """The passages that an answer would rest on, best first, with their scores."""
        asked, scope = _checked(question), self._scope(within)
        return self._read(lambda current: self._retrieved(asked, self._usable(current), scope).passages)

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

    def _steps(
        self, question: str, turns: Sequence[Turn], scope: Scope, exchange: Exchange | None
    ) -> Steps[Event, None, None]:
        watch = _Stopwatch(self._clock)
        asked = _checked(question)
        with self._generations.current() as current:
            generation = self._usable(self._published(current))
            condensed = Condensed(asked)
            if turns or exchange:
                yield Status("condense")
                condensed = self._condensed(asked, turns, scope, exchange)
                watch.lap("condense")
            yield Status("retrieve")
            found = self._retrieved(condensed.question, generation, scope)
            watch.lap("retrieve")
            yield Sources(tuple(found.passages))
            yield Status("answer")
            corpus = self._corpus(generation, scope)
            writing = _Question(asked, condensed, turns, scope, generation, found, corpus)
            outcome = yield from self._outcome(writing, exchange)
            watch.lap("answer")
            result = self._result(writing, outcome, exchange, watch.laps())
            if isinstance(result, Abstention) or not outcome.shown:
                yield Delta(result.text)
            self._record(result)  # while its generation is held: a withdrawal waits for that, then comes here
        yield Done(result)

    def _condensed(
        self, asked: str, turns: Sequence[Turn], scope: Scope, exchange: Exchange | None
    ) -> Condensed:
        if exchange is None:
            return Condensed(standalone(asked, turns)[:MAX_QUESTION])
        condensed = exchange.condense(asked, turns, scope.as_of)
        if condensed.problem and self._require_model:
            raise condensed.problem
        return replace(condensed, question=condensed.question[:MAX_QUESTION])

    def _corpus(self, generation: Generation, scope: Scope) -> CorpusInfo:
        articles, oldest, newest = generation.library.visible(scope.as_of)
        return CorpusInfo(self._identity.corpus, articles, newest, generation.number, oldest)

    def _outcome(self, writing: _Question, exchange: Exchange | None) -> Steps[Event, None, _Outcome]:
        """What the model writes, or what is extracted where there is none or it fails."""
        if exchange is None:
            return self._extracted(writing)
        weak = is_weak(writing.searched, writing.ranked, writing.generation.lexical)
        if not writing.ranked or (weak and writing.condensed.translated):
            return _Outcome(Draft("", (), (), None), AbstentionReason.RETRIEVAL)
        library = writing.generation.library
        events = exchange.answer(writing.asked, writing.ranked, library, writing.turns, writing.scope.as_of)
        try:
            with closing(events):
                for event in events:
                    if isinstance(event, Written):
                        return self._complete(event)
                    yield event
        except ProviderError as error:
            if self._require_model:
                raise
            problem = f"the model did not answer: {_clause(error)}; these are extracts"
            return replace(self._extracted(writing), problem=problem)
        raise AssertionError("an exchange ends with Written or a ProviderError")

    def _complete(self, written: Written) -> _Outcome:
        problem = ""
        if written.problem:
            if self._require_model:
                raise written.problem
            problem = (
                f"the model's answer broke off: {_clause(written.problem)}; this is its checked beginning"
            )
        return _Outcome(
            written.draft,
            written.reason,
            by_model=True,
            shown=True,
            dropped=written.dropped,
            unknown_markers=written.unknown_markers,
            complete=written.problem is None,
            problem=problem,
        )

    def _extracted(self, writing: _Question) -> _Outcome:
        generation = writing.generation
        found = extract(writing.searched, writing.ranked, generation, self._words)
        draft = compose(writing.searched, found, generation.lexical, generation.library)
        return _Outcome(draft, AbstentionReason.RETRIEVAL)

    def _record(self, result: Answer | Abstention) -> None:
        """Keep the result; where that fails, the answer is given out all the same."""
        if self._history is None:
            return
        problem = ""
        try:
            # A model takes its time: what was withdrawn meanwhile is in the newest generation's list.
            with self._generations.current() as newest:
                withdrawn = newest.library.withdrawn() if newest else {}
            self._history.record(Record.of(result, self._clock.now()).without(withdrawn))
        except AssistantError as error:
            problem = f"This is not kept in the history: {error}. {error.help}"
        if problem and problem != self._noticed:
            self._notice(problem)
        self._noticed = problem

    def _result(
        self,
        writing: _Question,
        outcome: _Outcome,
        exchange: Exchange | None,
        milliseconds: Mapping[str, float],
    ) -> Answer | Abstention:
        corpus, ranked, draft = writing.corpus, writing.ranked, outcome.draft
        reasons = [reason for reason in (outcome.problem, *writing.problems) if reason]
        fields: _Fields = {
            "id": self._new_id(),
            "question": writing.asked,
            "as_of": writing.scope.as_of,
            "nearest": tuple(ranked[:NEAREST]),
            "confidence": None if draft.confidence is None else round(draft.confidence, 4),
            "corpus": corpus,
            "usage": _usage(exchange, milliseconds),
            "provenance": self._provenance(writing, exchange, by_model=outcome.by_model),
            "dropped": outcome.dropped,
            "unknown_markers": outcome.unknown_markers,
            "disagreements": _disagreements(writing) if draft.claims else (),
            "complete": outcome.complete,
            "degraded": Degraded("; ".join(reasons)) if reasons else None,
        }
        if draft.claims:
            stands = newest_day(draft.citations) if asks_now(writing.searched) else None
            return Answer(
                text=draft.text, claims=draft.claims, citations=draft.citations, stands=stands, **fields
            )
        why = told(outcome.reason, corpus, outcome.dropped, found=bool(ranked))
        near = nearest(writing.searched, ranked, writing.generation)
        return Abstention(text=f"{why} {near}".rstrip(), reason=outcome.reason, **fields)

    def _provenance(self, writing: _Question, exchange: Exchange | None, *, by_model: bool) -> Provenance:
        manifest = writing.generation.manifest
        return Provenance(
            version=self._identity.version,
            model=self._generator.chat.name if self._generator and by_model else None,
            prompts=dict(exchange.prompts) if exchange else {},
            settings=self._identity.settings,
            embedder=manifest.embedder,
            segmenter=manifest.segmenter,
            generation=writing.generation.number,
            standalone=writing.searched if writing.searched != writing.asked else None,
        )

    def _retrieved(self, asked: str, generation: Generation, scope: Scope) -> Retrieval:
        return retrieve(
            asked,
            generation,
            self._embedder,
            scope,
            limit=self._passages,
            exact=self._exact_dense,
            reranker=self._reranker,
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


@dataclass(frozen=True, slots=True)
class _Question:
    """A question with all that its answer is made from; asked: as it was typed."""

    asked: str
    condensed: Condensed
    turns: Sequence[Turn]
    scope: Scope
    generation: Generation
    found: Retrieval
    corpus: CorpusInfo

    @property
    def searched(self) -> str:
        """The question as it stands alone."""
        return self.condensed.question

    @property
    def ranked(self) -> Sequence[RankedPassage]:
        """The passages, best first."""
        return self.found.passages

    @property
    def problems(self) -> tuple[str, ...]:
        """Why less than usual stands behind the answer."""
        condensed = self.condensed
        how = "made whole" if condensed.translated else "put into English"
        unmade = ""
        if condensed.problem:
            unmade = f"the question was not {how} by the model: {_clause(condensed.problem)}"
        return (unmade, self.found.problem, self.generation.damage)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A draft, or the reason why there is none; shown: whether its text was given out already."""

    draft: Draft
    reason: AbstentionReason
    by_model: bool = False
    shown: bool = False
    dropped: int = 0
    unknown_markers: int = 0
    complete: bool = True
    problem: str = ""


def _disagreements(writing: _Question) -> tuple[Disagreement, ...]:
    """Where the passages that were found give different values for what was asked."""
    return disagreements(writing.searched, stated(writing.ranked, writing.generation.library))


class _Fields(TypedDict):
    id: str
    question: str
    as_of: date
    nearest: tuple[RankedPassage, ...]
    confidence: float | None
    corpus: CorpusInfo
    usage: Usage
    provenance: Provenance
    dropped: int
    unknown_markers: int
    disagreements: tuple[Disagreement, ...]
    complete: bool
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


def _usage(exchange: Exchange | None, milliseconds: Mapping[str, float]) -> Usage:
    if exchange is None:
        return Usage(milliseconds=milliseconds)
    spent = exchange.spent
    return Usage(
        prompt_tokens=spent.prompt,
        cached_tokens=spent.cached,
        completion_tokens=spent.completion,
        exact=spent.exact,
        cost_usd=spent.cost,
        milliseconds=milliseconds,
    )


def _clause(error: AssistantError) -> str:
    """What an error says, to stand inside a sentence."""
    return str(error).rstrip(".")
