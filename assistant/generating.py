"""The answer with a model: prompt, generate, ground, statement by statement.

A statement is given out as soon as it is finished and has been checked, with the
numbers that it has in the final answer, so what was shown and what is kept are the
same text. What a provider does wrong is raised as a ProviderError as long as nothing
was given out; after that the checked beginning stands, marked as incomplete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Generator as Steps
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from assistant.composing import Draft
from assistant.condensing import is_english, standalone
from assistant.domain.answers import NEEDS_NO_CITATION, AbstentionReason, Citation, Claim, Support
from assistant.domain.conversation import Completion, Finish, Message, Turn
from assistant.domain.errors import (
    ContentRefused,
    PromptTooLong,
    ProviderError,
    ReplyIncomplete,
)
from assistant.domain.events import Delta, Retracted
from assistant.domain.passages import RankedPassage, Sentence
from assistant.domain.prompts import Prompt
from assistant.domain.text import clean
from assistant.grounding import Grounded, ground, is_abstention
from assistant.grounding.quotes import unquoted
from assistant.grounding.statements import Statement, StatementReader
from assistant.grounding.verdicts import Cited, Verdict, check_claim
from assistant.instructions import is_instruction
from assistant.judging import lowered, without_orders
from assistant.ports import ChatModel, Clock, LexicalIndex, Library, Segmenter, TokenCounter
from assistant.prompting import (
    ABSTAIN,
    NOT_SAID,
    Budget,
    Rendered,
    Source,
    render,
    render_condense,
    render_judge,
    sources,
)
from assistant.questions import content

# Share of the question's rarity that the best passage must hold for a model to be asked: of 510 news
# questions that ten passages answer 1 in 250 lies below, of 400 questions about other things 1 in 5.
WEAK = 0.33
JUDGE_TOKENS = 16  # one word, and what a model may put around it
CONDENSE_TOKENS = 150  # a question, and room for one in another script
_CONDENSE_SHARE = 0.4  # of the time, so that an answer can still come when condensing hangs
_ABOUT_SOURCES = re.compile(r"\b(?:sources?|articles?|outlets?|newspapers?|reports?|corpus)\b", re.IGNORECASE)

_GAP_SAID = re.compile(
    rf"{re.escape(NOT_SAID)}\b([\w\s'’-]{{1,150}})\.?", re.IGNORECASE
)  # one clause, no marks
_SAME_START = 4  # letters that make two words one here: "cost", "costs"

_BEFORE = 2  # sentences before a cited one that may say who "he" is

Check = Callable[[str, Sequence[Cited]], Verdict]
Judge = Callable[[str, Sequence[Cited], Verdict], Verdict]


class Strictness(StrEnum):
    """Which claims are shown: those that are not unsupported, those without any doubt, or all, marked."""

    DROP = "drop"
    STRICT = "strict"
    MARK = "mark"

    def shows(self, support: Support) -> bool:
        """Whether a claim with this verdict is shown."""
        if self is Strictness.MARK:
            return True
        return support is Support.SUPPORTED or (self is Strictness.DROP and support is Support.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """What an answer by a model is made with.

    prompts: "answer", "condense" and, where the model judges, "judge_support".
    seconds: after which the answer has to come without the model.
    cost: dollars for a reply; None when not known.
    new_nonce: names the fence around the sources of one request, so that no article can close it.
    check: the verdict on a statement, from the sentences that it cites. strictness: what is
    done about it. judge: whether the model reads each claim that they let pass once more.
    """

    chat: ChatModel
    prompts: Mapping[str, Prompt]
    counter: TokenCounter
    segmenter: Segmenter
    budget: Budget
    answer_tokens: int
    seconds: float
    cost: Callable[[Completion], float | None]
    new_nonce: Callable[[], str]
    strictness: Strictness = Strictness.DROP
    check: Check = check_claim
    judge: bool = False

    def begin(self, clock: Clock) -> Exchange:
        """The dealings with the model for one question; its time runs from now."""
        return Exchange(self, clock)


@dataclass(frozen=True, slots=True)
class Spent:
    """What all calls for one question took: tokens, exact when the provider counted all, and dollars."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    exact: bool = True
    cost: float | None = 0.0


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
    shares = (sum(weight for term, weight in rarity.items() if term in terms) for terms in held)
    return not any(share >= WEAK * total for share in shares)  # the first passage settles it nearly always


@dataclass(frozen=True, slots=True)
class Condensed:
    """A question as it is searched. problem: why rules made it and not the model, where one was asked.

    translated: false for a question that is still in another language than the articles.
    """

    question: str
    problem: ProviderError | None = None
    translated: bool = True


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

    def condense(self, question: str, turns: Sequence[Turn], as_of: date) -> Condensed:
        """The question as it should be searched: alone, and in English. By rules when the model fails.

        Every follow-up is given to the model: the rules see two thirds of those that lean on what
        was said before (DESIGN.md, "Follow-ups").
        """
        by_rules = standalone(question, turns)
        english = is_english(question)
        if english and not turns:
            return Condensed(by_rules)
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
            with closing(
                self._replied(messages, CONDENSE_TOKENS, self._seconds() * _CONDENSE_SHARE)
            ) as replied:
                for piece in replied:
                    if isinstance(piece, Completion):
                        finish = piece.finish
                    else:
                        pieces.append(piece)
        except ProviderError as error:
            return Condensed(by_rules, error, translated=english)
        condensed = clean(next((line for line in "".join(pieces).splitlines() if line.strip()), ""))
        if finish is Finish.STOP and any(character.isalnum() for character in condensed):
            return Condensed(condensed)
        return Condensed(by_rules, ReplyIncomplete("the model sent no question"), translated=english)

    def answer(
        self,
        question: str,
        ranked: Sequence[RankedPassage],
        library: Library,
        turns: Sequence[Turn],
        as_of: date,
    ) -> Steps[Delta | Retracted | Written, None, None]:
        """The checked statements as they come, and last what they came to.

        Raises ProviderError when there is nothing to show, after Retracted where something was shown.
        """
        budget, shown = self._generator.budget, sources(ranked, library)
        rendered = self._rendered(question, shown, turns, as_of, budget)
        try:
            yield from self._written(question, rendered, library)
        except PromptTooLong:  # then nothing was shown; our count was too low for this model
            smaller = replace(budget, context=rendered.prompt_tokens // 2)
            rendered = self._rendered(question, shown, turns, as_of, smaller)
            yield from self._written(question, rendered, library)

    def _rendered(
        self, question: str, shown: Sequence[Source], turns: Sequence[Turn], as_of: date, budget: Budget
    ) -> Rendered:
        made = self._generator
        return render(
            self._prompt("answer"),
            question,
            shown,
            turns=turns,
            as_of=as_of,
            nonce=made.new_nonce(),
            counter=made.counter,
            budget=budget,
        )

    def _written(
        self, question: str, rendered: Rendered, library: Library
    ) -> Steps[Delta | Retracted | Written, None, None]:
        """The reply to a rendered prompt, read to its end or to where it breaks off."""
        judge = self._judged if self._generator.judge else None
        draft = _Drafting(question, rendered, library, self._generator, judge)
        try:
            refused = yield from self._read(rendered.messages, draft)
        except ContentRefused as error:
            if draft.claims:
                yield Retracted(str(error))
            raise
        except ProviderError as error:
            if not draft.claims:
                raise
            yield replace(draft.written(AbstentionReason.GROUNDING), problem=error)
            return
        if refused:
            if draft.claims:
                yield Retracted("the model took its answer back")
            yield replace(draft.written(AbstentionReason.REFUSAL), draft=_EMPTY)
        else:
            reply = "".join(draft.reply)
            if not draft.claims and not _is_prose(reply):
                raise ReplyIncomplete("the model sent no sentences")
            abstained = ABSTAIN.casefold() in reply.casefold() or draft.gaps
            yield draft.written(AbstentionReason.MODEL if abstained else AbstentionReason.GROUNDING)

    def _read(self, messages: Sequence[Message], draft: _Drafting) -> Steps[Delta, None, bool]:
        """Give the reply's statements to the draft as they are finished; true when the model refuses."""
        made = self._generator
        reader = StatementReader(made.segmenter.segment)
        with closing(self._replied(messages, made.answer_tokens, self._seconds())) as replied:
            for piece in replied:
                if isinstance(piece, str):
                    draft.reply.append(piece)
                    yield from draft.released(reader.feed(piece))
                elif piece.finish is Finish.STOP:
                    yield from draft.released(reader.end())
                elif piece.finish is Finish.LENGTH:
                    raise _too_long(made.answer_tokens)
                elif piece.finish is Finish.CONTENT_FILTER:
                    raise ContentRefused("the provider's filter stopped the model's answer")
                else:
                    return True
        return False

    def _judged(self, claim: str, cited: Sequence[Cited], verdict: Verdict) -> Verdict:
        """The verdict as the model leaves it, while its answer waits; the rules' own when it fails."""
        made, prompt = self._generator, self._prompt("judge_support")
        messages = render_judge(
            prompt, claim, cited, nonce=made.new_nonce(), counter=made.counter, budget=made.budget
        )
        try:
            with closing(self._replied(messages, JUDGE_TOKENS, self._seconds())) as replied:
                pieces = list(replied)
        except ProviderError:
            return verdict
        reply = "".join(piece for piece in pieces if isinstance(piece, str))
        whole = any(isinstance(piece, Completion) and piece.finish is Finish.STOP for piece in pieces)
        return lowered(verdict, reply, made.chat.name) if whole else verdict

    def _replied(
        self, messages: Sequence[Message], answer_tokens: int, seconds: float
    ) -> Steps[str | Completion, None, None]:
        """The reply, with its tokens counted however it ends."""
        pieces: list[str] = []
        end: Completion | None = None
        try:
            chat = self._generator.chat
            with closing(chat.stream(messages, answer_tokens=answer_tokens, seconds=seconds)) as stream:
                for piece in stream:
                    if isinstance(piece, Completion):
                        end = piece
                    else:
                        pieces.append(piece)
                    yield piece
        finally:
            if end or pieces:
                self._spend(end or Completion(Finish.STOP), messages, "".join(pieces))

    def _spend(self, end: Completion, messages: Sequence[Message], reply: str) -> None:
        """Add what a call took; what the provider has not counted is estimated."""
        count = self._generator.counter.count
        prompt, completion = end.prompt_tokens, end.completion_tokens
        told = prompt is not None and completion is not None
        if prompt is None:
            prompt = sum(count(message.text) for message in messages)
        if completion is None:
            completion = count(reply)
        cached = end.cached_tokens or 0
        cost = self._generator.cost(Completion(end.finish, prompt, cached, completion))
        so_far = self.spent
        self.spent = Spent(
            so_far.prompt + prompt,
            so_far.cached + cached,
            so_far.completion + completion,
            so_far.exact and told,
            None if cost is None or so_far.cost is None else so_far.cost + cost,
        )

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
    rendered: Rendered
    library: Library
    made: Generator
    judge: Judge | None = None
    texts: dict[str, list[Sentence]] = field(default_factory=dict[str, list[Sentence]])
    reply: list[str] = field(default_factory=list[str])
    text: str = ""
    claims: list[Claim] = field(default_factory=list[Claim])
    gaps: list[Claim] = field(default_factory=list[Claim])
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    dropped: int = 0
    unknown_markers: int = 0

    def released(self, statements: Iterable[Statement]) -> Iterator[Delta]:
        """What can be shown of these statements, with the numbers that their citations have from now on."""
        for statement in statements:
            if is_abstention(statement.text, ABSTAIN):
                continue
            grounded = ground(statement, self.rendered.sentences, self.question, token=ABSTAIN)
            self.unknown_markers += grounded.unknown
            if gap := _gap(grounded, self.question):
                self.gaps.append(Claim(gap, Support.UNCITED, NEEDS_NO_CITATION, ()))
                if self.claims:
                    yield from self._with_gaps(statement.lead)
                continue
            claim = self._claim(grounded)
            if claim is None:
                self.dropped += 1
                continue
            yield from self._with_gaps(statement.lead)
            yield self._shown(claim, statement.lead)

    def _claim(self, grounded: Grounded) -> Claim | None:
        """The statement as a claim; None when it must not be shown."""
        verdict = self._verdict(grounded)
        if not self.made.strictness.shows(verdict.support):
            return None
        numbers = tuple(self.numbers.setdefault(one, len(self.numbers) + 1) for one in grounded.cited)
        # Of a statement with a fault nobody has found what it quotes.
        text = unquoted(grounded.text) if grounded.why_dropped else grounded.text
        return Claim(text, verdict.support, verdict.why, numbers)

    def _verdict(self, grounded: Grounded) -> Verdict:
        if grounded.why_dropped:
            support = Support.UNSUPPORTED if grounded.cited else Support.UNCITED
            return Verdict(support, grounded.why_dropped, ())
        cited = [self._cited(number) for number in grounded.cited]
        verdict = without_orders(self.made.check(grounded.text, cited), cited)
        passes = verdict.support in (Support.SUPPORTED, Support.PARTIAL)
        if self.judge and passes and self.made.strictness.shows(verdict.support):
            return self.judge(grounded.text, cited, verdict)
        return verdict

    def _cited(self, number: int) -> Cited:
        """The sentence with this number, and what its article says around it."""
        sentence = self.rendered.sentences[number]
        article = next(
            source.article for source in self.rendered.sources if source.article.id == sentence.article_id
        )
        if article.id not in self.texts:
            self.texts[article.id] = self.library.sentences(article.id)
        before = [one.cleaned for one in self.texts[article.id] if one.span < sentence.span][-_BEFORE:]
        return Cited(
            sentence.cleaned,
            tuple(one for one in before if not is_instruction(one)),
            clean(article.title or ""),
            clean(article.outlet or ""),
            article.published.day if article.published else None,
        )

    def _with_gaps(self, lead: str) -> Iterator[Delta]:
        """What the sources do not say, once it stands beside something that they do say."""
        gaps, self.gaps = self.gaps, []
        yield from (self._shown(gap, lead) for gap in gaps)

    def _shown(self, claim: Claim, lead: str) -> Delta:
        piece = f"{lead if self.claims else lead.lstrip()}{claim.marked}"
        self.claims.append(claim)
        self.text += piece
        return Delta(piece)

    def written(self, reason: AbstentionReason) -> Written:
        """The answer so far; reason: why there is none, if no claim stands."""
        articles = {source.article.id: source.article for source in self.rendered.sources}
        cited_sentences = ((self.rendered.sentences[number], n) for number, n in self.numbers.items())
        citations = tuple(
            Citation(n, articles[sentence.article_id], sentence.span, sentence.text)
            for sentence, n in cited_sentences
        )
        return Written(
            Draft(self.text, tuple(self.claims), citations, None), reason, self.dropped, self.unknown_markers
        )


_EMPTY = Draft("", (), (), None)


def _too_long(answer_tokens: int) -> ReplyIncomplete:
    error = ReplyIncomplete(f"the model's answer is longer than {answer_tokens} tokens")
    error.help = "Raise ASSISTANT_ANSWER_TOKENS."
    return error


def _is_prose(reply: str) -> bool:
    """Whether it can hold a statement with a marker: it is not empty, and no object or list of JSON."""
    body = reply.strip().strip("`").removeprefix("json")
    if not any(map(str.isalnum, body)):
        return False
    try:
        return not isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return True


def _gap(grounded: Grounded, question: str) -> str:
    """What says of a part of the question that the sources do not answer it, in the question's own words.

    Empty for anything else: whatever the question does not say would be a statement without a citation.
    """
    found = None if grounded.cited else _GAP_SAID.fullmatch(grounded.text)
    if not found:
        return ""
    asked = {word[:_SAME_START].casefold() for word in content(question).split()}
    said = {word[:_SAME_START].casefold() for word in content(found[1]).split()}
    return f"{NOT_SAID} {found[1].strip()}." if said and said <= asked else ""
