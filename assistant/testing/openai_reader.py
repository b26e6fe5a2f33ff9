"""A model of few wits that reads the rendered prompt and obeys what it says, and one that only repeats.

It knows the form of the prompt from its agreement, not from the code that renders it:
a fence with the request's nonce, blocks of an ``Article:`` line and numbered sentences, then
``Today:`` and ``Question:``. Marker form and abstention token are taken from the
instructions. What is not as agreed makes the reply begin with ``BROKEN PROMPT:``, so
that a test which expects an answer fails and says why.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, get_args

MAX_CITED = 3
# Share of the question's weight that the best sentence must have; below lie sentences that merely
# have a common word with the question.
_LEAST_SHARE = 0.4
_CLOSE = 0.8  # a further sentence is written when it scores at least this share of the best
_HEADER_WEIGHT = 0.5  # a word that stands only in the article's header counts half

_OPEN = re.compile(r"^<<<([A-Z]+) (\S+)>>>$", re.MULTILINE)
_SENTENCE = re.compile(r"\[(\d+)\] (\S.*)")
_HEADER = re.compile(r"Article: \S.*")
_REQUEST = re.compile(r"\s*^Today: (.+)\n+Question: (\S[\s\S]*)\Z", re.MULTILINE)
_MARKER = re.compile(r"([\[({【⟦])(\d+)([\])}】⟧])")
_TOKEN = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
_EARLIER = re.compile(r"^Q: (.+)$", re.MULTILINE)
_LAST = re.compile(r"^Question: (.+)$", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"[A-Z][\w.’'-]*(?: [A-Z0-9][\w.’'-]*)*")
_PRONOUN = re.compile(
    r"\b(?:he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those)\b", re.IGNORECASE
)
_COMMON = """
    a about after all also an and any are as at be been before between but by can could did do does ever for
    from had has have he her here him his how i if in into is it its just many may me more most much my no
    not now of on or our over said say says she should so some still such than that the their them then
    there these they this those to today up us was we were what when where which who whom whose why will
    with would yet you your
"""
_FUNCTION_WORDS = frozenset(_COMMON.split())

Message = Mapping[str, object]
How = Literal["sources", "prompt"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Answers by the rule of the prompt: the best sentences, verbatim, each with its marker, or the token.

    A condense prompt ("stand-alone" in its instructions) gets the question back on one line, with
    the names of the earlier questions where it has a pronoun. Embeddings are answered by ``Vectors()``.
    pieces, delay_s: as in ``Reply``.
    """

    pieces: int | None = None
    delay_s: float = 0.0

    def answer(self, messages: Sequence[Message]) -> str:
        """The reply to the messages."""
        try:
            return _answer(messages)
        except _Broken as broken:
            return f"BROKEN PROMPT: {broken}"


@dataclass(frozen=True, slots=True)
class Echo:
    """Repeats: "prompt" the whole user message; "sources" each sentence with its marker, and one not issued.

    pieces, delay_s: as in ``Reply``.
    """

    how: How
    pieces: int | None = None
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        if self.how not in get_args(How):
            raise ValueError(f"an echo is of {' or '.join(get_args(How))}, not of {self.how!r}")

    def answer(self, messages: Sequence[Message]) -> str:
        """The reply to the messages."""
        request = _text_of(messages, "user")
        if self.how == "prompt":
            return request
        try:
            sentences = list(_sentences(_fenced(request).inside))
        except _Broken as broken:
            return f"BROKEN PROMPT: {broken}"
        told = [f"{sentence.text} [{sentence.number}]" for sentence in sentences]
        return " ".join([*told, f"So it is known everywhere. [{len(sentences) + 1}]"])


class _Broken(Exception):
    """The prompt is not as agreed."""


class _Fenced(NamedTuple):
    before: str
    inside: str
    after: str


class _Sentence(NamedTuple):
    number: int
    text: str
    header: str


def _answer(messages: Sequence[Message]) -> str:
    request = _text_of(messages, "user")
    instructions = _text_of(messages, "system") or request
    if "stand-alone" in instructions and not re.search(r"^<<<SOURCES ", request, re.MULTILINE):
        return _condensed(request)
    fenced = _fenced(request)
    if instructions is request:  # a server without a system role: the instructions stand before the rest
        instructions = fenced.before
    sentences = list(_sentences(fenced.inside))
    question = _question(fenced.after)
    token = _token(instructions)
    opening, closing = _marker_form(instructions, len(sentences))
    best = _best(question, sentences)
    return " ".join(f"{one.text} {opening}{one.number}{closing}" for one in best) or token


def _text_of(messages: Sequence[Message], role: str) -> str:
    return "\n\n".join(str(message["content"]) for message in messages if message["role"] == role)


def _fenced(request: str) -> _Fenced:
    """The request cut at its fence."""
    fences = [(match.group(1), match.group(2), match) for match in _OPEN.finditer(request)]
    opened = [(nonce, match) for name, nonce, match in fences if name == "SOURCES"]
    if len(opened) != 1:
        raise _Broken(f"{len(opened)} lines open the sources, not one")
    ((nonce, start),) = opened
    closed = [match for name, other, match in fences if (name, other) == ("END", nonce)]
    closed = [match for match in closed if match.start() > start.end()]
    if len(closed) != 1:
        raise _Broken(f"{len(closed)} lines close the sources with the nonce {nonce!r}, not one")
    inside = request[start.end() : closed[0].start()]
    if nonce in inside:
        raise _Broken(f"the nonce {nonce!r} stands within the sources")
    return _Fenced(request[: start.start()], inside, request[closed[0].end() :])


def _sentences(inside: str) -> Iterator[_Sentence]:
    """The numbered sentences between the fences."""
    number = 0
    for block in inside.strip("\n").split("\n\n"):
        header, *lines = block.split("\n")
        if not _HEADER.fullmatch(header):
            raise _Broken(f"a block of the sources begins with {header!r}, not with an article's header")
        if not lines:
            raise _Broken(f"no sentence follows {header!r}")
        for line in lines:
            found = _SENTENCE.fullmatch(line)
            if found is None:
                raise _Broken(f"no sentence with a number: {line!r}")
            number += 1
            if int(found.group(1)) != number:
                raise _Broken(f"sentence {number} has the number {found.group(1)}")
            yield _Sentence(number, found.group(2), header)


def _question(after: str) -> str:
    found = _REQUEST.match(after)
    if found is None:
        raise _Broken("the sources are not followed by the lines 'Today: …' and 'Question: …'")
    try:
        date.fromisoformat(found.group(1))
    except ValueError:
        raise _Broken(f"today is {found.group(1)!r}, which is no date") from None
    return found.group(2)


def _token(instructions: str) -> str:
    tokens = set(_TOKEN.findall(instructions))
    if len(tokens) != 1:
        raise _Broken(f"the instructions name {len(tokens)} tokens for 'not in the sources', not one")
    return str(tokens.pop())


def _marker_form(instructions: str, issued: int) -> tuple[str, str]:
    """The brackets around a marker's number, as the examples in the instructions have them."""
    shown: list[tuple[str, str, str]] = _MARKER.findall(instructions)
    if not shown:
        raise _Broken("the instructions show no marker")
    for opening, number, closing in shown:
        if int(number) <= issued:
            raise _Broken(f"the example {opening}{number}{closing} is the marker of a sentence")
    forms = Counter((opening, closing) for opening, _, closing in shown)
    return forms.most_common(1)[0][0]


def _best(question: str, sentences: Sequence[_Sentence]) -> list[_Sentence]:
    """The sentences that answer, best first; none when the best shares too little with the question."""
    words = [frozenset(_content(sentence.text)) for sentence in sentences]
    asked = frozenset(_content(question))
    found_in = Counter(word for each in words for word in each)
    weight = {word: math.log(1 + len(sentences) / (found_in[word] or 0.5)) for word in asked}
    scores: list[tuple[float, _Sentence]] = []
    for sentence, own in zip(sentences, words, strict=True):
        headed = frozenset(_content(sentence.header)) - own
        shared = sum(weight[word] for word in asked & own)
        if shared:
            scores.append((shared + _HEADER_WEIGHT * sum(weight[word] for word in asked & headed), sentence))
    scores.sort(key=lambda scored: (-scored[0], scored[1].number))
    if not scores or scores[0][0] < _LEAST_SHARE * sum(weight.values()):
        return []
    return [sentence for score, sentence in scores if score >= _CLOSE * scores[0][0]][:MAX_CITED]


def _content(text: str) -> Iterator[str]:
    """The content words, without the commonest endings."""
    for word in _WORD.findall(text.casefold()):
        if word not in _FUNCTION_WORDS and (len(word) > 1 or word.isdigit()):
            yield _stem(word)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 2:  # noqa: PLR2004 -- "his", "bus" stay whole
            word = word.removesuffix(ending)
            break
    return re.sub("y$", "i", word.removesuffix("e") if len(word) > 3 else word)  # noqa: PLR2004 -- likewise


def _condensed(request: str) -> str:
    """The last question, with the names of the earlier ones where it has a pronoun."""
    for found in _OPEN.finditer(request):
        if found.group(1) != "END" and f"\n<<<END {found.group(2)}>>>" not in request[found.end() :]:
            raise _Broken(f"the fence {found.group()} is not closed")
    asked = _LAST.findall(request)
    if not asked:
        raise _Broken("no line 'Question: …'")
    question = str(asked[-1]).strip()
    if not _PRONOUN.search(question):
        return question
    names = [name for name in _names(_EARLIER.findall(request)) if name not in question]
    return f"{question} ({', '.join(names)})" if names else question


def _names(questions: Iterable[str]) -> list[str]:
    """Capitalised words of the questions, each once, but for a function word at the beginning."""
    names: dict[str, None] = {}
    for question in questions:
        for found in _NAME.findall(question):
            words = found.rstrip(".’'-").split()
            while words and words[0].casefold() in _FUNCTION_WORDS:
                del words[0]
            if words:
                names[" ".join(words)] = None
    return list(names)
