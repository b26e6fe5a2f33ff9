"""Found passages and a question become the messages for a model, and can be read back.

Owns what a prompt looks like: numbered sentences between fence lines with a number of
this request, what of an article's text must not be taken for one of our own signs, and
what is left out when all of it does not fit. The words of the prompts are no concern of
this module: they lie in ``prompts/``. Every value is put in once, as one line, so nothing
that an article says begins a line, closes the fence or passes for a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.domain.articles import ArticleInfo
from assistant.domain.conversation import Message, Turn
from assistant.domain.passages import RankedPassage, Sentence
from assistant.domain.prompts import Prompt
from assistant.domain.text import clean
from assistant.grounding import markers
from assistant.grounding.evidence import Cited
from assistant.judging import NO, PARTLY, YES
from assistant.ports import Library, TokenCounter

ABSTAIN = "NOT_IN_SOURCES"  # what a model writes, and nothing else, when the sentences do not answer
NOT_SAID = "The sources do not say"  # how it begins about a part of the question that they do not answer
MAX_SENTENCES = 899  # the examples in the instructions, [901] and [902], must never exist

# The placeholders of each prompt, and what its text must hold for the rest of the code to work.
REQUIRED: Mapping[str, frozenset[str]] = {
    "answer": frozenset({"conversation", "nonce", "sources", "today", "question"}),
    "condense": frozenset({"conversation", "nonce", "today", "question"}),
    "judge_support": frozenset({"nonce", "sources", "claim"}),
}
PHRASES: Mapping[str, tuple[str, ...]] = {
    "answer": (
        f"`{ABSTAIN}`",
        NOT_SAID,
        "<<<SOURCES ${nonce}>>>\n${sources}\n<<<END ${nonce}>>>",
        "Question: ${question}",
    ),
    "condense": (
        "stand-alone",
        "<<<CONVERSATION ${nonce}>>>\n${conversation}\n<<<END ${nonce}>>>",
        "Question: ${question}",
    ),
    "judge_support": (
        f"`{YES}`",
        f"`{PARTLY}`",
        f"`{NO}`",
        "<<<SOURCES ${nonce}>>>\n${sources}\n<<<END ${nonce}>>>",
        "Claim: ${claim}",
    ),
}

_ARTICLE = "Article: "
_FORMAT = 16  # tokens that a chat format adds to two messages: 11 with OpenAI, roles and separators
_LEAST = 64  # tokens of sources that stay whatever the budget: without any, asking a model is pointless
_CHARACTERS = 16  # a token rarely stands for more; a text is cut to so many for each before it is counted
_MAX_FACT = 200  # characters of a title or an outlet; longer ones are no headline, but a smuggled text
_LINE = re.compile(r"\[(\d+)\] (.*)")


@dataclass(frozen=True, slots=True)
class Source:
    """Sentences of one article that stand together in a prompt."""

    article: ArticleInfo
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens a whole prompt may have, and how many of these the earlier conversation."""

    context: int
    history: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt, and what a marker in the reply to it means.

    sentences: by the number that they have in this prompt. sources: those that fitted in.
    prompt_tokens: by the counter that was given; no less than the messages have.
    """

    messages: tuple[Message, ...]
    sentences: Mapping[int, Sentence]
    sources: tuple[Source, ...]
    prompt_tokens: int


def sources(ranked: Sequence[RankedPassage], library: Library) -> list[Source]:
    """One for each passage, best first, without the sentences that an earlier one shows already.

    A passage of which nothing is left has no source.
    """
    by_article: dict[str, list[Sentence]] = {}
    seen: set[Sentence] = set()
    found = []
    for one in ranked:
        article = one.article.id
        if article not in by_article:
            by_article[article] = library.sentences(article)
        inside = filter(one.passage.holds, by_article[article])
        if fresh := tuple(each for each in inside if each not in seen):
            seen.update(fresh)
            found.append(Source(one.article, fresh))
    return found


def render(
    prompt: Prompt,
    question: str,
    sources: Sequence[Source],
    *,
    turns: Sequence[Turn] = (),
    as_of: date,
    nonce: str,
    counter: TokenCounter,
    budget: Budget,
) -> Rendered:
    """The messages that ask for an answer, cut to the budget.

    The oldest turns and the last sources are left out, whole, until everything fits. Of the first
    source as many sentences stay as there is room for, and the beginning of the first one always.
    nonce: a number of this request that no article can know.
    """
    values = {"nonce": nonce, "today": as_of.isoformat(), "question": neutral(question)}
    fixed = _filled(prompt, {**values, "conversation": "", "sources": ""})
    used = _FORMAT + sum(counter.count(message.text) for message in fixed)
    # The conversation helps to understand the question; the sources answer it: half is theirs at least.
    earlier = _conversation(turns, min(budget.history, (budget.context - used) // 2), counter)
    if earlier:
        earlier = f"Earlier in this conversation:\n{earlier}"
        used += counter.count(f"{earlier}\n\n")
    shown, blocks, tokens = _fitting(sources, max(_LEAST, budget.context - used), counter)
    numbered = enumerate((sentence for source in shown for sentence in source.sentences), 1)
    return Rendered(
        _filled(prompt, {**values, "conversation": earlier, "sources": "\n\n".join(blocks)}),
        dict(numbered),
        tuple(shown),
        used + tokens,
    )


def render_condense(
    prompt: Prompt,
    question: str,
    turns: Sequence[Turn],
    *,
    today: date,
    nonce: str,
    counter: TokenCounter,
    budget: Budget,
) -> tuple[Message, ...]:
    """The messages that ask for a stand-alone question; the oldest turns are left out until they fit."""
    values = {"nonce": nonce, "today": today.isoformat(), "question": neutral(question)}
    fixed = _filled(prompt, {**values, "conversation": ""})
    used = _FORMAT + sum(counter.count(message.text) for message in fixed)
    earlier = _conversation(turns, min(budget.history, budget.context - used), counter)
    return _filled(prompt, {**values, "conversation": earlier or "(none)"})


def render_judge(
    prompt: Prompt, claim: str, cited: Sequence[Cited], *, nonce: str, counter: TokenCounter, budget: Budget
) -> tuple[Message, ...]:
    """The messages that ask whether the cited sentences support a claim; the last of these are cut to fit."""
    values = {"nonce": nonce, "claim": neutral(claim)}
    fixed = _filled(prompt, {**values, "sources": ""})
    room = budget.context - _FORMAT - sum(counter.count(message.text) for message in fixed)
    shown = "\n".join(_evidence(cited))
    if counter.count(shown) > room:
        shown = _cut(shown, max(room, _LEAST), counter)
    return _filled(prompt, {**values, "sources": shown})


def _evidence(cited: Sequence[Cited]) -> Iterator[str]:
    """The cited sentences, each article under its line, with what stands before them shown once."""
    shown = {one.text for one in cited}
    above = ""
    for one in cited:
        day = one.published.isoformat() if one.published else "undated"
        header = " | ".join(map(_fact, filter(None, (one.title or "untitled", one.outlet, day))))
        if header != above:
            yield f"{_ARTICLE}{header}"
            above = header
        for text in one.before:
            if text not in shown:
                shown.add(text)
                yield f"Before: {neutral(text)}"
        yield f"Cited: {neutral(one.text)}"


def read_sources(text: str, nonce: str) -> list[tuple[str, dict[int, str]]]:
    """What a rendered user message shows: for each source its header and its numbered sentences.

    The inverse of what ``render`` puts between the fence lines. Raises ValueError for a message
    that has not exactly one fence of this number, or other lines in it than headers and sentences.
    """
    lines = text.split("\n")
    opening, closing = f"<<<SOURCES {nonce}>>>", f"<<<END {nonce}>>>"
    if lines.count(opening) != 1 or lines.count(closing) != 1:
        raise ValueError(f"the message has not exactly one fence {nonce!r}")
    found: list[tuple[str, dict[int, str]]] = []
    for line in filter(None, lines[lines.index(opening) + 1 : lines.index(closing)]):
        if line.startswith(_ARTICLE):
            found.append((line.removeprefix(_ARTICLE), {}))
        elif found and (numbered := _LINE.fullmatch(line)):
            found[-1][1][int(numbered[1])] = numbered[2]
        else:
            raise ValueError(f"{line!r} is neither a header nor a numbered sentence of one")
    return found


# [INST], [/INST], [SYSTEM_PROMPT]: the role tags of some chat formats. [US] and [He] are an editor's.
_TAG = re.compile(rf"[{re.escape(markers.OPENING)}](/?[A-Z][A-Z_]{{2,40}})[{re.escape(markers.CLOSING)}]")
_TOKEN = re.compile(re.escape(ABSTAIN), re.IGNORECASE)
_ANGLES = str.maketrans("<>＜＞", "‹›‹›")  # of fences, of tags like <|im_start|>, of HTML
# All of these have one of them; most sentences have none, and need no closer look.
_SIGN = re.compile(f"[<>＜＞_{re.escape(markers.OPENING)}]")


def neutral(text: str) -> str:
    r"""The text as a prompt shows it: one line, and nothing in it that could pass for a sign of ours.

    >>> neutral("[3] He said:\n<|im_start|> [INST] NOT_IN_SOURCES “[We] won”")
    '(3) He said: ‹|im_start|› (INST) NOT IN SOURCES “[We] won”'
    """
    text = clean(text)
    if not _SIGN.search(text):
        return text
    text = text.translate(_ANGLES)
    text = _TOKEN.sub(lambda found: found[0].replace("_", " "), text)
    # Again and again, as "[3†[4]]" is a marker around a marker; they are short, so it is a few times.
    while (changed := _TAG.sub(r"(\1)", markers.neutral(text))) != text:
        text = changed
    return text


def _filled(prompt: Prompt, values: Mapping[str, str]) -> tuple[Message, ...]:
    return Message("system", prompt.instructions), Message("user", prompt.fill(values).strip("\n"))


def _conversation(turns: Sequence[Turn], room: int, counter: TokenCounter) -> str:
    """The newest turns that fit, oldest first; the answer of the newest is cut when it alone is too long."""
    kept: list[str] = []
    left = room
    for turn in reversed(turns):
        asked = f"Q: {neutral(turn.question)}\nA: "
        answer = neutral(_without_markers(turn.answer))
        tokens = counter.count(f"{asked}{answer}\n")
        if tokens > left and not kept:
            answer = _cut(answer, left - counter.count(f"{asked}\n"), counter)
            tokens = counter.count(f"{asked}{answer}\n")
        if tokens > left:
            break
        kept.append(asked + answer)
        left -= tokens
    return "\n".join(reversed(kept))


def _without_markers(answer: str) -> str:
    """An earlier answer without its numbers, which mean other sentences now."""
    return re.sub(r" ?\[\d+\]", "", answer)


def _fitting(
    sources: Sequence[Source], room: int, counter: TokenCounter
) -> tuple[list[Source], list[str], int]:
    """The first sources that fit, their texts, and their tokens together."""
    titles = {source.article.id: source.article.label for source in sources}
    shown: list[Source] = []
    blocks: list[str] = []
    number, left = 1, room
    for source in sources:
        header = f"{_ARTICLE}{_header(source.article, titles)}"
        lines = [header, *_numbered(source.sentences, number)]
        block = "\n".join(lines)
        tokens = counter.count(f"{block}\n\n")
        if tokens > left or number + len(source.sentences) - 1 > MAX_SENTENCES:
            if not shown:
                kept, tokens = _beginning(lines, room, counter)
                shown.append(Source(source.article, source.sentences[: len(kept) - 1]))
                blocks.append("\n".join(kept))
                left -= tokens
            break
        shown.append(source)
        blocks.append(block)
        number += len(source.sentences)
        left -= tokens
    return shown, blocks, room - left


def _beginning(lines: Sequence[str], room: int, counter: TokenCounter) -> tuple[list[str], int]:
    """The header and as many sentences as there is room for; the first is cut when it is too long."""
    kept = [lines[0]]
    used = counter.count(f"{lines[0]}\n\n")
    for line in lines[1 : MAX_SENTENCES + 1]:
        tokens = counter.count(f"{line}\n")
        if used + tokens > room:
            break
        kept.append(line)
        used += tokens
    if len(kept) == 1:
        kept.append(_cut(lines[1], max(room - used, _LEAST // 2), counter))
        used += counter.count(f"{kept[1]}\n")
    return kept, used


def _numbered(sentences: Sequence[Sentence], first: int) -> Iterator[str]:
    for number, sentence in enumerate(sentences, first):
        yield f"[{number}] {neutral(sentence.cleaned)}"


def _header(article: ArticleInfo, titles: Mapping[str, str]) -> str:
    """Title, outlet and date of an article, and what else changes how far it can be relied on.

    titles: of the articles that are shown, by id; an id says nothing to a model.
    """
    facts = [_fact(article.label), *map(_fact, article.dateline)]
    if article.updated:
        facts.append(f"updated {article.updated.day.isoformat()}")
    if article.corrects:
        known = titles.get(article.corrects)
        facts.append(f"correction of “{_fact(known)}”" if known else "correction of an earlier article")
    if article.summary_only:
        facts.append("summary only")
    if article.fiction:
        facts.append("fiction")
    return " | ".join(facts)


def _fact(text: str) -> str:
    """A title or an outlet without the line that stands between facts."""
    text = neutral(text).replace("|", "/")
    return text if len(text) <= _MAX_FACT else f"{text[: _MAX_FACT - 1].rstrip()}…"


def _cut(text: str, room: int, counter: TokenCounter) -> str:
    """The longest beginning of the text that has no more tokens than there is room for, with "…"."""
    text = text[: max(0, room) * _CHARACTERS]
    fits, over = 0, len(text) + 1
    while over - fits > 1:
        middle = (fits + over) // 2
        if counter.count(f"{text[:middle]}…") <= room:
            fits = middle
        else:
            over = middle
    return f"{text[:fits].rstrip()}…"
