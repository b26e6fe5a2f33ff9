"""What a claim is held against: the cited sentences as one text, and what else may name things.

The sentences alone bear out who does what. The two sentences before each, the article's title and
the name of its outlet may only resolve names, but that a value in the title counts as there. Pure.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from assistant.grounding.values import Value, says, values_in
from assistant.grounding.words import Name, Text, read

MAX_CHARACTERS = 3_000  # of a cited sentence that are read: more are no sentence
MAX_VALUES = 240  # of the cited sentences together
_ENDS = (".", "!", "?", '"', "”", "’")


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence that a claim cites, and what its article says around it.

    before: up to two sentences that stand before it. published: the day that its relative
    dates are counted from; None when it is not known.
    """

    text: str
    before: tuple[str, ...] = ()
    title: str = ""
    outlet: str = ""
    published: date | None = None


class Fact(NamedTuple):
    """A value or a name, and the words from first up to last, exclusive, that it is made of."""

    value: Value | None
    name: Name | None
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Read:
    """A text with its facts."""

    text: Text
    values: tuple[Fact, ...]

    @cached_property
    def names(self) -> tuple[Fact, ...]:
        """The names as facts."""
        return tuple(Fact(None, name, name.first, name.last) for name in self.text.names)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The cited sentences as one text, and the texts around them.

    around: titles, outlets and the sentences before. published: the days of the articles.
    """

    read: Read
    around: tuple[Text, ...]
    titles: tuple[Value, ...]
    published: tuple[date, ...]


def bearing_out(source: Read, value: Value) -> list[Fact]:
    """The facts of the sentences that bear out a value of the claim.

    "3 feet of snow in three states" bears out 3 feet and 3 of anything, but not 3 miles.
    """
    found = [fact for fact in source.values if fact.value and says(fact.value, value)]
    if not value.unit or value.kind != "number":
        return found
    return [fact for fact in found if fact.value and (fact.value.unit or not _counts(source.text, fact))]


def _counts(text: Text, fact: Fact) -> bool:
    """Whether a noun behind a number says what it counts."""
    return any(
        text.words[at].content and text.lowers[at].endswith("s")
        for at in range(fact.last, min(len(text.words), fact.last + 2))
    )


def read_claim(claim: str, published: date | None) -> Read:
    """A claim with its facts; its relative dates count from the day of the article that it cites."""
    text = read(claim)
    return Read(text, tuple(_facts(text, values_in(claim, published), 0)))


def read_evidence(cited: Sequence[Cited]) -> Evidence:
    """All that a claim is held against."""
    whole, at = "", list[int]()
    facts: list[Fact] = []
    for one in cited:
        piece = one.text.strip()
        if whole:
            whole += " " if whole.endswith(_ENDS) else ". "
        at.append(len(whole))
        whole += piece
    text = read(whole)
    for one, offset in zip(cited, at, strict=True):
        values = values_in(one.text.strip(), one.published)
        facts += _facts(text, values, offset)
    around = dict.fromkeys(piece for one in cited for piece in (*one.before, one.title, one.outlet) if piece)
    titles = tuple(
        value
        for title, day in dict.fromkeys((one.title, one.published) for one in cited)
        for value in values_in(title, day)
    )
    published = tuple(dict.fromkeys(one.published for one in cited if one.published))
    return Evidence(
        Read(text, tuple(facts[:MAX_VALUES])), tuple(read(piece) for piece in around), titles, published
    )


def _facts(text: Text, values: Sequence[Value], offset: int) -> Iterator[Fact]:
    starts = [word.start for word in text.words]
    for value in values:
        first = max(0, bisect_right(starts, value.start + offset) - 1)
        last = bisect_left(starts, value.end + offset)
        yield Fact(value, None, first, max(first + 1, last))
