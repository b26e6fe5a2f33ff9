"""The answer with a model: prompt, generate, ground, statement by statement.

A statement is given out as soon as it is finished and has been checked, with the
numbers that it has in the final answer, so what was shown and what is kept are the
same text. What a provider does wrong is raised as a ProviderError as long as nothing
was given out; after that the checked beginning stands, marked as incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from assistant.composing import Draft
from assistant.condensing import depends, is_english, standalone
from assistant.domain.answers import AbstentionReason, Citation, Claim, Support
from assistant.domain.articles import ArticleInfo
from assistant.domain.conversation import Completion, Finish, Message, Turn
from assistant.domain.errors import ContentRefused, PromptTooLong, ProviderError, ReplyIncomplete
from assistant.domain.events import Delta, Retracted
from assistant.domain.passages import RankedPassage, Sentence
from assistant.domain.prompts import Prompt
from assistant.domain.text import clean
from assistant.grounding import Statement, StatementReader, ground, is_abstention
from assistant.ports import ChatModel, Clock, LexicalIndex, Library, Segmenter, TokenCounter
from assistant.prompting import ABSTAIN, Budget, Source, render, render_condense, sources
from assistant.questions import content

# Share of the question's rarity that the best passage must hold for a model to be asked: of 510 news
# questions that ten passages answer 1 in 250 lies below, of 400 questions about other things 1 in 5.
WEAK = 0.33
CONDENSE_TOKENS = 150  # a question, and room for one in another script
_CONDENSE_SHARE = 0.4  # of the time, so that an answer can still come when condensing hangs
_ABOUT_SOURCES = re.compile(r"\b(?:sources?|articles?|outlets?|newspapers?|reports?|corpus)\b", re.IGNORECASE)

Check = Callable[[str, Sequence[Sentence]], tuple[Support, str]]


def cited(text: str, sentences: Sequence[Sentence]) -> tuple[Support, str]:
    """The verdict on a statement of which no more is known than that its citations are real."""
    return Support.PARTIAL, "its citations are real and its quotations verbatim; their support is not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """What an answer by a model is made with.

    prompts: "answer" and "condense". seconds: after which the answer has to come without the model.
    cost: dollars for a count of prompt, cached and completion tokens; None when not known.
    new_nonce: names the fence around the sources of one request, so that no article can close it.
    check: the verdict on a statement, from the sentences that it cites.
    """

    chat: ChatModel
    prompts: Mapping[str, Prompt]
    counter: TokenCounter
    segmenter: Segmenter
    budget: Budget
    answer_tokens: int
    seconds: float
    cost: Callable[[int, int, int], float | None]
    new_nonce: Callable[[], str]
    check: Check = cited

    def begin(self, clock: Clock) -> Exchange:
        """The dealings with the model for one question; its time runs from now."""
        return Exchange(self, clock)


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens of all calls for one question; exact when the provider counted all of them."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What a reply came to. A draft without claims abstains, for this reason.

    problem: why the reply is not complete, where it is not.
    """

    draft: Draft
    reason: AbstentionReason
    dropped: int
    unknown_markers: int
    problem: ProviderError | None = None


def is_weak(question: str, ranked: Sequence[RankedPassage], lexical: LexicalIndex) -> bool:
    """Whether the passages have so little of the question's words that no model need be asked."""
    if not ranked:
        return True
    rarity = lexical.idf(set(lexical.terms(content(question))))
    total = sum(rarity.values())
    if not total or _ABOUT_SOURCES.search(question):
        return False
    held = (set(lexical.terms(f"{one.article.title or ''} {one.passage.cleaned}")) for one in ranked)
    return (
        max(sum(weight for term, weight in rarity.items() if term in terms) for terms in held) < WEAK * total
    )


class Exchange:
    """The calls of a model for one question, within one span of time.

    spent: the tokens so far. prompts: the hashes of the prompts that were used, by id.
    """

    def __init__(self, generator: Generator, clock: Clock) -> None:
        self._generator = generator
        self._clock = clock
        self._ends = clock.milliseconds() + generator.seconds * 1000
        self.spent = Spent()
        self.prompts: dict[str, str] = {}

    @property
    def cost(self) -> float | None:
        """Dollars for the tokens so far; None when the price is not known."""
        return self._generator.cost(self.spent.prompt, self.spent.cached, self.spent.completion)

    def condense(self, question: str, turns: Sequence[Turn], as_of: date) -> str:
        """The question as it should be searched: alone, and in English. By rules when the model fails."""
        by_rules = standalone(question, turns)
        if is_english(question) and not depends(question, turns):
            return by_rules
        prompt = self._prompt("condense")
        made = self._generator
        messages = render_condense(
            prompt,
            question,
            turns,
            nonce=made.new_nonce(),
            today=as_of,
            counter=made.counter,
            budget=made.budget,
        )
        pieces: list[str] = []
        finish = None
        try:
            for piece in self._replied(messages, CONDENSE_TOKENS, self._seconds() * _CONDENSE_SHARE):
                if isinstance(piece, Completion):
                    finish = piece.finish
                else:
                    pieces.append(piece)
        except ProviderError:
            return by_rules
        condensed = clean(next((line for line in "".join(pieces).splitlines() if line.strip()), ""))
        usable = finish is Finish.STOP and any(character.isalnum() for character in condensed)
        return condensed if usable else by_rules

    def answer(
        self,
        question: str,
        ranked: Sequence[RankedPassage],
        library: Library,
        turns: Sequence[Turn],
        as_of: date,
    ) -> Iterator[Delta | Retracted | Written]:
        """The checked statements as they come, and last what they came to.

        Raises ProviderError when there is nothing to show, after Retracted where something was shown.
        """
        shown = sources(ranked, library)
        budget = self._generator.budget
        try:
            yield from self._answered(question, shown, turns, as_of, budget)
        except PromptTooLong:
            # Raised before anything was shown. Our count was too low for this model: half of it will do.
            yield from self._answered(
                question, shown, turns, as_of, replace(budget, context=budget.context // 2)
            )

    def _answered(
        self, question: str, shown: Sequence[Source], turns: Sequence[Turn], as_of: date, budget: Budget
    ) -> Iterator[Delta | Retracted | Written]:
        made = self._generator
        rendered = render(
            self._prompt("answer"),
            question,
            shown,
            turns=turns,
            as_of=as_of,
            nonce=made.new_nonce(),
            counter=made.counter,
            budget=budget,
        )
        articles = {source.article.id: source.article for source in rendered.sources}
        draft = _Drafting(question, rendered.sentences, articles, made.check)
        reader = StatementReader(made.segmenter.segment)
        try:
            for piece in self._replied(rendered.messages, made.answer_tokens, self._seconds()):
                if isinstance(piece, str):
                    draft.reply.append(piece)
                    yield from draft.released(reader.feed(piece))
                elif piece.finish is Finish.STOP:
                    yield from draft.released(reader.end())
                elif piece.finish is Finish.LENGTH:
                    raise ReplyIncomplete(f"the model's answer is longer than {made.answer_tokens} tokens")
                elif piece.finish is Finish.REFUSAL:
                    if draft.claims:
                        yield Retracted("the model took its answer back")
                    yield Written(_EMPTY, AbstentionReason.REFUSAL, draft.dropped, draft.unknown_markers)
                    return
                else:
                    raise ContentRefused("the provider's filter stopped the model's answer")
        except ContentRefused as error:
            if draft.claims:
                yield Retracted(str(error))
            raise
        except ProviderError as error:
            if not draft.claims:
                raise
            yield replace(draft.written(AbstentionReason.GROUNDING), problem=error)
            return
        abstained = ABSTAIN.casefold() in "".join(draft.reply).casefold()
        yield draft.written(AbstentionReason.MODEL if abstained else AbstentionReason.GROUNDING)

    def _replied(
        self, messages: Sequence[Message], answer_tokens: int, seconds: float
    ) -> Iterator[str | Completion]:
        """The reply, with its tokens counted however it ends."""
        counter = self._generator.counter
        pieces: list[str] = []
        end: Completion | None = None
        try:
            for piece in self._generator.chat.stream(messages, answer_tokens=answer_tokens, seconds=seconds):
                if isinstance(piece, Completion):
                    end = piece
                else:
                    pieces.append(piece)
                yield piece
        finally:
            if end or pieces:
                self.spent = _sum(self.spent, end, messages, "".join(pieces), counter)

    def _prompt(self, prompt_id: str) -> Prompt:
        prompt = self._generator.prompts[prompt_id]
        self.prompts[prompt_id] = prompt.hash
        return prompt

    def _seconds(self) -> float:
        return max(0.0, (self._ends - self._clock.milliseconds()) / 1000)


@dataclass(slots=True)
class _Drafting:
    """An answer under construction: statements come in, claims with citations stand."""

    question: str
    sentences: Mapping[int, Sentence]
    articles: Mapping[str, ArticleInfo]
    check: Check
    reply: list[str] = field(default_factory=list[str])
    text: str = ""
    claims: list[Claim] = field(default_factory=list[Claim])
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    dropped: int = 0
    unknown_markers: int = 0

    def released(self, statements: Iterable[Statement]) -> Iterator[Delta]:
        """What can be shown of these statements, with the numbers that their citations have from now on."""
        for statement in statements:
            if is_abstention(statement.text, ABSTAIN):
                continue
            grounded = ground(statement, self.sentences, self.question)
            self.unknown_markers += grounded.unknown
            if grounded.why_dropped:
                self.dropped += 1
                continue
            support, why = self.check(grounded.text, [self.sentences[number] for number in grounded.cited])
            if support in (Support.UNSUPPORTED, Support.UNCITED):
                self.dropped += 1
                continue
            numbers = tuple(self.numbers.setdefault(one, len(self.numbers) + 1) for one in grounded.cited)
            claim = Claim(grounded.text, support, why, numbers)
            lead = statement.lead if self.claims else statement.lead.lstrip()
            self.claims.append(claim)
            self.text += (piece := f"{lead}{claim.marked}")
            yield Delta(piece)

    def written(self, reason: AbstentionReason) -> Written:
        """The answer so far; reason: why there is none, if no claim stands."""
        citations = tuple(
            Citation(n, self.articles[sentence.article_id], sentence.span, sentence.text)
            for sentence, n in ((self.sentences[one], n) for one, n in self.numbers.items())
        )
        return Written(
            Draft(self.text, tuple(self.claims), citations, None), reason, self.dropped, self.unknown_markers
        )


_EMPTY = Draft("", (), (), None)


def _sum(
    spent: Spent, end: Completion | None, messages: Sequence[Message], reply: str, counter: TokenCounter
) -> Spent:
    """The tokens with those of one more call, estimated as far as the provider has not counted them."""
    told = end is not None and end.prompt_tokens is not None and end.completion_tokens is not None
    prompt, completion = (end.prompt_tokens, end.completion_tokens) if end else (None, None)
    if prompt is None:
        prompt = sum(counter.count(message.text) for message in messages)
    if completion is None:
        completion = counter.count(reply)
    cached = (end.cached_tokens or 0) if end else 0
    return Spent(
        spent.prompt + prompt, spent.cached + cached, spent.completion + completion, spent.exact and told
    )
