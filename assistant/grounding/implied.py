"""Values that words stand for without being numbers: "both" are two, "a decade" is ten years.

Also what is left of "all but two of the 23", the two numbers of "nine in ten", the rank of
"number three", and how many things a list names. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from assistant.grounding.values import Value, values_in
from assistant.grounding.words import CACHED_TEXTS, Text

MOST_LISTED = 12  # things that a claim may count


@lru_cache(maxsize=CACHED_TEXTS)
def implied(text: Text) -> tuple[Value, ...]:
    """The values that words of a text stand for, without being numbers.

    >>> from assistant.grounding.words import read
    >>> [(value.amount, value.unit) for value in implied(read("Both were shut for a decade."))]
    [(2.0, ''), (10.0, 'year')]
    """
    return (*_in_words(text), *_parts(text))


def _in_words(text: Text) -> Iterator[Value]:
    for at, lower in enumerate(text.lowers):
        before, after = text.lower(at - 1), text.lower(at + 1)
        if lower in COUNTING:
            yield _number(text, at, float(COUNTING[lower]))
        elif lower in _PERIODS and before in (
            "a",
            "an",
            "one",
            "per",
            "the",
            "every",
            "each",
            "past",
            "last",
        ):
            amount, unit = _PERIODS[lower]
            yield _number(text, at, amount, unit)
        elif lower in ("half", "halves") and _is_of_year(text, at):
            yield _number(text, at, 6.0, "month")
        elif lower in ("halved", "halving", "halves", "halve"):
            yield _number(text, at, 0.5)
        elif lower == "each" and after == "other":
            yield _number(text, at, 2.0)


def _number(text: Text, at: int, amount: float, unit: str = "") -> Value:
    word = text.words[at]
    return Value("number", amount, unit, word.start, word.end, text.text[word.start : word.end])


_COUNTS = {
    2: "both pair couple duo twins twice neither either bilateral",
    3: "trio trilateral triplets thrice",
    4: "quartet quadruplets",
    5: "quintet",
}
COUNTING = {word: count for count, words in _COUNTS.items() for word in words.split()}
_PERIODS = {
    "day": (1.0, "day"),
    "week": (1.0, "week"),
    "fortnight": (2.0, "week"),
    "month": (1.0, "month"),
    "year": (1.0, "year"),
    "hour": (1.0, "hour"),
    "quarter": (3.0, "month"),
    "decade": (10.0, "year"),
    "century": (100.0, "year"),
    "millennium": (1000.0, "year"),
}


def _is_of_year(text: Text, at: int) -> bool:
    behind = text.lowers[at + 1 : at + 4]
    return bool(behind) and (behind[0] == "year" or (behind[0] == "of" and _has_year(behind[1:])))


def _has_year(words: Sequence[str]) -> bool:
    return any(word == "year" or re.fullmatch(r"(?:19|20)\d\d", word) for word in words)


_ALL_BUT = re.compile(
    r"\ball but ([\w,]{1,20}) of (?:the |its |their |his |her )?([\w,-]{1,20})", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?:\b(?:number|no\.|ranked|rank)|#) ?([\w,]{1,20})", re.IGNORECASE)


def _parts(text: Text) -> Iterator[Value]:
    """What is left of "all but two of the 23", the two numbers of "nine in ten", the rank of "number 3"."""
    for found in _ALL_BUT.finditer(text.text):
        numbers = [values_in(piece) for piece in found.groups()]
        if all(len(one) == 1 and one[0].is_quantity for one in numbers):
            amount = numbers[1][0].amount - numbers[0][0].amount
            yield Value("number", amount, "", found.start(), found.end(), found[0])
    for found in _NUMBERED.finditer(text.text):
        number = values_in(found[1])
        if len(number) == 1 and number[0].kind == "number":
            yield Value("ordinal", number[0].amount, "", found.start(), found.end(), found[0])
    for share in values_in(text.text):
        if share.kind == "number" and 0 < share.amount < 1 and (" in " in share.text or " of " in share.text):
            for piece in re.split(r"\b(?:in|of|out|every)\b", share.text):
                yield from values_in(piece)


def listed_in(text: Text) -> Iterator[Value]:
    """How many things a list names: "Blinken and Austin" are two."""
    for at, lower in enumerate(text.lowers):
        if lower != "and" or not 0 < at < len(text.words) - 1:
            continue
        count, back = 2, at - 1
        while count < MOST_LISTED and (comma := _comma_before(text, back)):
            count, back = count + 1, comma - 1
        for amount in range(2, count + 1):
            yield _number(text, at, float(amount))


_LONGEST_ITEM = 6  # words


def _comma_before(text: Text, at: int) -> int:
    """The comma that parts the item of a list that ends there from the one before; 0 when none does."""
    for back in range(at - 1, max(0, at - _LONGEST_ITEM - 1), -1):
        if text.lowers[back] == ",":
            return back
        if text.lowers[back] in (".", ";", ":"):
            return 0
    return 0
