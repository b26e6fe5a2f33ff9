r"""Markers: the numbers in brackets with which a model says where a statement comes from.

One place knows every shape that models write: ``[3]``, ``[3, 4]``, ``[3-5]``, ``[^3]``,
``[Source 3]``, ``【3†source】``, ``\[3\]``, ``[[3]](http://…)``, ``<sup>3</sup>``. Whether a number
exists is not decided here. ``(3)``, ``[He]`` and ``[citation needed]`` are no markers. All
repeats are bounded, so that a text of brackets takes no longer than another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = -1  # stands for what has the shape of a marker and no number that a sentence can have
MAX_RANGE = 20  # [1-900] is not 900 citations; nobody writes a statement on more than a few sentences
_MAX_DIGITS = 6

OPENING = "[［【〔〖〚⟦⁅"
CLOSING = "]］】〕〗〛⟧⁆"
STARTS = frozenset(OPENING + "\\<")  # the characters with which a marker can begin


@dataclass(frozen=True, slots=True)
class Marker:
    """One pair of brackets: the numbers in it, each once and in order, and where it ends in the text.

    No numbers: only an opening bracket, at the end of a line.
    """

    numbers: tuple[int, ...]
    end: int


_OPEN, _CLOSE = rf"\\?[{re.escape(OPENING)}]", rf"\\?[{re.escape(CLOSING)}]"
_NEITHER = rf"[^{re.escape(OPENING + CLOSING)}\\\n]"
_INSIDE = rf"{_NEITHER}{{1,60}}"
_IN_TARGET = r"(?:[^()\s]|\([^()\s]{0,100}\)){0,300}"
_TARGET = rf'\({_IN_TARGET}(?:\s"[^"\n]{{0,100}}")?\s?\)'  # of a Markdown link around or behind the number
_MARKER = re.compile(
    rf"<sup>(?P<sup>[^<\n]{{1,60}})</sup>"
    rf"|{_OPEN}{_OPEN}(?P<double>{_INSIDE}){_CLOSE}{_CLOSE}(?:{_TARGET})?"
    rf"|{_OPEN}(?P<single>{_INSIDE}){_CLOSE}(?:{_TARGET})?",
    re.IGNORECASE,
)
# What a text ends with when more of it could still make a marker, or a longer one.
_GROWING = re.compile(
    rf"(?:\\|<(?:s(?:u(?:p(?:>[^<\n]{{0,60}}(?:<(?:/(?:s(?:up?)?)?)?)?)?)?)?)?"
    rf"|{_OPEN}(?:{_OPEN})?{_NEITHER}{{0,60}}\\?"
    rf"|{_OPEN}{_OPEN}{_INSIDE}{_CLOSE}\\?"
    rf"|(?:{_OPEN}{_INSIDE}{_CLOSE}|{_OPEN}{_OPEN}{_INSIDE}{_CLOSE}{_CLOSE})"
    rf'(?:\({_IN_TARGET}(?:\([^()\s]{{0,100}})?(?:\s(?:"[^"\n]{{0,100}}"?)?\s?)?)?)\Z',
    re.IGNORECASE,
)
_LABEL = (
    r"(?:[\^#§]|(?:s|src|sources?|sentences?|refs?\.?|references?|passages?|notes?|cit(?:ation|e)s?|no\.)"
    r"[ \t:.#_-]{0,2})?"
)
# Raised, lowered, circled, Roman ones and those in keycaps stand for no number, but they look like one.
_DIGITS = r"(?:[\d²³¹⁰⁴-⁹₀-₉①-⒛⓪-⓿❶-➓Ⅰ-ↈ🄀-🄌]\ufe0f?\u20e3?){1,60}"
_ITEM = rf"{_LABEL}(?P<first>[-−]?{_DIGITS})(?:\s{{0,3}}(?:[-‐‑‒–—]|to)\s{{0,3}}{_LABEL}(?P<last>{_DIGITS}))?"
_ITEMS = re.compile(_ITEM, re.IGNORECASE)
_BARE = re.sub(r"\?P<\w+>", "?:", _ITEM)
_LIST = re.compile(
    rf"\s{{0,3}}{_BARE}(?:(?:\s{{0,3}}(?:[,;/&+、，；]|and)\s{{0,3}}|\s{{1,3}}){_BARE}){{0,30}}[\s,;]{{0,3}}"
    rf"(?:(?::\d{{1,6}}\s?)?[†‡][^\n]{{0,60}})?",
    re.IGNORECASE,
)
_UNCLOSED = re.compile(
    rf"{_OPEN}(?:{_OPEN})?[ \t]?{_LABEL}(?P<number>\d[\d \t,;–-]{{0,40}})?[ \t]?(?=\n|\Z)", re.IGNORECASE
)


def marker_at(text: str, at: int) -> Marker | None:
    """The marker that begins there, if one does.

    >>> marker_at("It rose. [3, 5-7]", 9)
    Marker(numbers=(3, 5, 6, 7), end=17)
    """
    if found := _MARKER.match(text, at):
        numbers = _numbers(_inside(found))
        return Marker(numbers, found.end()) if numbers else None
    if unclosed := _UNCLOSED.match(text, at):
        return Marker((UNKNOWN,) if unclosed["number"] else (), unclosed.end())
    return None


def may_grow(text: str, at: int) -> bool:
    """Whether what begins there could become a marker, or a longer one, if the text went on."""
    return _GROWING.match(text, at) is not None


def neutral(text: str) -> str:
    """The text with round brackets wherever it had a marker, so that it has none.

    >>> neutral("The mayor confessed. [2]")
    'The mayor confessed. (2)'
    """
    pieces: list[str] = []
    at = 0
    while found := _MARKER.search(text, at):
        inside = _inside(found)
        is_marker = bool(_numbers(inside))
        end = found.end() if is_marker else found.start() + 1  # what is none may hold one
        before = text[at : found.start()]
        opening = " (" if before.endswith(tuple(CLOSING)) else "("  # "[words](2)" would be a link
        pieces += (before, f"{opening}{inside.strip()})" if is_marker else text[found.start() : end])
        at = end
    return "".join(pieces) + text[at:]


def _inside(found: re.Match[str]) -> str:
    """What stands in the brackets. In a superscript they may stand inside."""
    superscript: str | None = found["sup"]
    if superscript is not None:
        return re.sub(rf"[{re.escape(OPENING + CLOSING)}\\]", " ", superscript).strip()
    return str(found["double"] or found["single"])


def _numbers(inside: str) -> tuple[int, ...]:
    """The numbers of a list; none when it is something else."""
    if not _LIST.fullmatch(inside):
        return ()
    listed = re.split("[†‡]", inside, maxsplit=1)[0]
    if len(listed) < len(inside):
        listed = listed.split(":", 1)[0]  # 【3:0†source】
    numbers: list[int] = []
    for item in _ITEMS.finditer(listed):
        numbers += _range(_number(item["first"]), _number(item["last"] or item["first"]))
    return tuple(dict.fromkeys(numbers))


def _range(first: int, last: int) -> range | tuple[int]:
    if UNKNOWN in (first, last) or not 0 <= last - first < MAX_RANGE:
        return (UNKNOWN,)
    return range(first, last + 1)


def _number(digits: str) -> int:
    """The number; UNKNOWN for digits that no prompt shows: Arabic, raised, a minus, a dozen of them."""
    digits = digits.translate(_WIDE)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS else UNKNOWN


_WIDE = {ord("０") + digit: str(digit) for digit in range(10)}
