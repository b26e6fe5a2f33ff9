"""A model's reply, as it streams in, becomes statements with the numbers that they cite.

A statement is released as soon as nothing that follows can change it, and the statements
are the same however the reply was cut into pieces: every character is read once, in order,
and only a bracket that may still become a marker is waited for. A segment ends where a
line ends, and where markers stand at the end of a sentence and what follows begins another;
only a finished segment is cut into sentences. What the numbers mean, and whether a
statement is true, is decided elsewhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.domain.passages import Span
from assistant.domain.text import INVISIBLE, clean
from assistant.grounding.markers import STARTS, marker_at, may_grow
from assistant.grounding.quotes import QUOTATION_MARKS


@dataclass(frozen=True, slots=True)
class Statement:
    r"""One sentence of a reply, without markers and without marks of emphasis, headings and lists.

    markers: the numbers that it cites, each once, in order; UNKNOWN for one that is no number.
    lead: how it joins what came before: "" (the first), " ", "\n", or "\n- " for a list item.
    """

    text: str
    markers: tuple[int, ...]
    lead: str


_CLOSE = "".join(sorted({mark for closers in QUOTATION_MARKS.values() for mark in closers}))
_AFTER_SENTENCE = re.compile(rf"[.!?…。！？][{_CLOSE}'’‘❜)\]}}*_]{{0,6}}\s*\Z")
_STOPS = frozenset(".!?…。！？")
# Belong to the marked sentence when they touch the marker, whether something was opened or not.
_CLOSERS = frozenset("'”’»›❞❜❯」』｣﹂﹄》〉⟩⟫〞〟]}*_")
_CONTINUES = frozenset(",;:)")
_LIST_MARK = re.compile(r"(?:[-*+•‣–—]|\d{1,3}[.)])\s+|[•‣]")
_EMPHASIS = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|(?<!\w)`+|`+(?!\w)|~~")
_FRONT = re.compile(r"\s*(?:>\s?|#{1,6}\s+)*(?:(?:[-*+•‣–—]|\d{1,3}[.)])\s+|[•‣])?")
_WORD = re.compile(r"[^\W_]+")  # of no significance to what is read, unless a line or a marker has just ended
_BETWEEN_MARKERS = re.compile(r"\s*(\()?(?:[,;&/]|and)?\s*", re.IGNORECASE)
_SOURCES = re.compile(
    r"(?:sources?|references?|citations?|footnotes?|bibliography|works cited)\s*:?", re.IGNORECASE
)
# "(Source: [3])": the word before a marker says nothing that the marker does not.
_LABEL = re.compile(
    r"(?:(?<=[.!?…(])|(?<=[.!?…]\s))(?:sources?|references?|citations?|refs?\.?)\s?:?\s?\Z", re.IGNORECASE
)
# How many characters of what was read the expressions above need to see.
_LABEL_REACH = 16
_SEPARATOR_REACH = 12
_LIST_MARK_REACH = 12
_END_REACH = 12
_QUOTES = {mark: closers for mark, closers in QUOTATION_MARKS.items() if mark != "″"} | {"‚": "‘", "❛": "❜"}


class StatementReader:
    """Reads a reply in pieces and gives its statements back as they are finished.

    segment: where sentences lie in a text, see ``Segmenter``.
    """

    def __init__(self, segment: Callable[[str], Sequence[Span]]) -> None:
        self._segment = segment
        self._pending = ""  # an opened bracket that waits for what follows
        self._said = False  # whether a statement was released
        self._over = False  # whether a list of sources has begun, after which nothing is stated
        self._line_over = False  # whether the next visible character begins a line
        self._held: list[int] = []  # markers with which a line begins
        self._begin(lead="")

    def feed(self, piece: str) -> list[Statement]:
        """The statements that this piece of the reply has finished."""
        self._pending += INVISIBLE.sub("", piece)
        return list(self._read(final=False))

    def end(self) -> list[Statement]:
        """The statements that remain when the reply is over."""
        remaining = list(self._read(final=True))
        self._end_line()
        return [*remaining, *self._finish()]

    def _begin(self, *, lead: str) -> None:
        self._characters: list[str] = []
        self._markers: list[tuple[int, int]] = []  # position in the characters, number
        self._lead = lead
        self._bracket = False  # whether "(" was left out, since a marker came right behind it
        self._marked = False  # whether nothing but a sentence's end has come since a marker
        self._marker_first = False  # whether the line begins with a marker
        self._quote = ""  # what closes the quotation that is open

    def _read(self, *, final: bool) -> Iterator[Statement]:
        text, at = self._pending, 0
        while at < len(text):
            if not self._marked and not self._line_over and (word := _WORD.match(text, at)):
                self._characters += word.group()
                at = word.end()
                continue
            character = text[at]
            if character == "(" and self._marked and not self._line_over:  # "left. [3] ([4])"
                if not final and (at + 1 == len(text) or may_grow(text, at + 1)):
                    break
                if marker_at(text, at + 1):
                    self._bracket = True
                    at += 1
                    continue
            if character in STARTS:
                if not final and may_grow(text, at):
                    break
                if marker := marker_at(text, at):
                    self._mark(marker.numbers)
                    at = marker.end
                    continue
            at += 1
            if character == "\n":
                self._end_line()
            elif not character.isspace():
                yield from self._visible(character)
            elif not self._line_over:
                self._characters.append(" ")
        self._pending = text[at:]

    def _mark(self, numbers: Sequence[int]) -> None:
        if self._line_over:
            self._held += numbers
            return
        if self._lead != " " and self._only_list_mark():
            self._marker_first = True
            return
        if self._markers:
            last = self._markers[-1][0]
            separator = _BETWEEN_MARKERS.fullmatch("".join(self._characters[last : last + _SEPARATOR_REACH]))
            if separator and last + separator.end() == len(self._characters):
                self._bracket = self._bracket or separator[1] is not None
                del self._characters[last:]
        if label := _LABEL.search("".join(self._characters[-_LABEL_REACH:])):
            del self._characters[label.start() - label.end() :]
        self._trim()
        if self._characters[-1:] == ["("]:
            self._bracket = True
            self._characters.pop()
            self._trim()
        self._markers += [(len(self._characters), number) for number in numbers]
        self._marked = True

    def _only_list_mark(self) -> bool:
        written = "".join(self._characters[:_LIST_MARK_REACH])
        front = _FRONT.match(written)
        return front is not None and front.end() == len(self._characters)

    def _trim(self) -> None:
        while self._characters[-1:] == [" "]:
            self._characters.pop()

    def _visible(self, character: str) -> Iterator[Statement]:
        if self._line_over:
            yield from self._finish()
            self._begin(lead="\n")
            self._marker_first, self._held, self._line_over = bool(self._held), [], False
        elif self._marked:
            if self._is_left_out(character):
                return
            if not self._belongs(character):
                self._marked = False
                if self._ends_segment(character):
                    yield from self._finish()
                    self._begin(lead=" ")
                else:
                    self._go_on(character)
        self._quote = _open_quote(self._quote, character)
        self._characters.append(character)

    def _is_left_out(self, character: str) -> bool:
        """Whether it closes a bracket that held only markers, or is a second full stop: "left. [3]."."""
        if character == ")" and self._bracket:
            self._bracket = False
            return True
        if character in _STOPS:
            self._trim()
            return self._characters[-1:] != [] and self._characters[-1] in _STOPS
        return False

    def _belongs(self, character: str) -> bool:
        """Whether the character after a marker belongs to the marked sentence."""
        if character in _STOPS:
            return True
        closes = character in self._quote or character in _CLOSERS
        return character == ")" or (closes and self._characters[-1:] != [" "])

    def _go_on(self, character: str) -> None:
        """The sentence goes on behind the marker: "resigned[3]and", "([3] says so)"."""
        if self._bracket:
            self._bracket = False
            self._characters += " ("
        elif character.isalnum() and self._characters[-1:] != [" "]:
            self._characters.append(" ")

    def _ends_segment(self, character: str) -> bool:
        return (
            not (character.islower() or character in _CONTINUES)
            and not self._quote
            and not self._bracket
            and not self._marker_first
            and _AFTER_SENTENCE.search("".join(self._characters[-_END_REACH:])) is not None
        )

    def _end_line(self) -> None:
        """A line is over. One of markers alone belongs to the line before."""
        if self._held and not self._marker_first:
            self._markers += [(len(self._characters), number) for number in self._held]
        self._held = []
        self._line_over = True

    def _finish(self) -> Iterator[Statement]:
        """The statements of the segment."""
        text, positions = _plain("".join(self._characters), [at for at, _ in self._markers])
        markers = list(zip(positions, [number for _, number in self._markers], strict=True))
        if self._marker_first and (not markers or markers[-1][0] < len(text.rstrip())):
            markers = []  # "[3] Title of a source": the line is no statement that cites 3
        if self._over or _is_list_of_sources(text, positions):
            self._over = self._over or (self._said and not positions and self._lead != " ")
            return
        lead = self._joined_by()
        for sentence, numbers in _sentences(text, markers, self._segment(text)):
            yield Statement(sentence, numbers, lead)
            self._said = True
            lead = " "

    def _joined_by(self) -> str:
        if self._lead == " ":
            return " "
        if _LIST_MARK.match("".join(self._characters[:_LIST_MARK_REACH]).lstrip()):
            return "\n- "
        return "\n" if self._said else ""


def _is_list_of_sources(text: str, positions: Sequence[int]) -> bool:
    """Whether a segment is "Sources:" or "Sources: [3], [4]", with titles behind the numbers or not."""
    heading = _SOURCES.match(text)
    if heading is None:
        return False
    if not positions:
        return heading.end() == len(text.rstrip())
    return positions[0] == len(heading.group().rstrip())


def _plain(text: str, positions: Sequence[int]) -> tuple[str, list[int]]:
    """The text without emphasis and without the marks of its line, and where the positions are now."""
    front = _FRONT.match(text)
    start = front.end() if front else 0
    kept: list[str] = []
    moved: list[int] = []
    length = at = 0
    gone = [(0, start), *(found.span() for found in _EMPHASIS.finditer(text, start)), (len(text), len(text))]
    for begin, end in gone:
        while len(moved) < len(positions) and positions[len(moved)] <= begin:
            moved.append(length + max(0, positions[len(moved)] - at))
        kept.append(text[at:begin])
        length += begin - at
        at = end
    return "".join(kept), moved


def _sentences(
    text: str, markers: Sequence[tuple[int, int]], spans: Sequence[Span]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The sentences, whole: what lies between two spans belongs to the first, a quotation to one."""
    quotations = _quotations(text)
    ends = [quotation.end for quotation in quotations]
    cuts = [
        span.start
        for span in spans[1:]
        if (after := bisect_right(ends, span.start)) == len(ends) or span.start <= quotations[after].start
    ]
    starts = [0, *cuts]
    cited: dict[int, list[int]] = {}
    for at, number in markers:
        cited.setdefault(max(0, bisect_left(starts, at) - 1), []).append(number)
    for index, (start, end) in enumerate(zip(starts, [*cuts, len(text)], strict=True)):
        sentence = clean(text[start:end])
        if any(character.isalnum() for character in sentence):
            yield sentence, tuple(dict.fromkeys(cited.get(index, ())))


def _quotations(text: str) -> list[Span]:
    """The quotations that are opened and closed, marks included."""
    found: list[Span] = []
    closers, start = "", 0
    for at, character in enumerate(text):
        after = _open_quote(closers, character)
        if after and not closers:
            start = at
        elif closers and not after:
            found.append(Span(start, at + 1))
        closers = after
    return found


def _open_quote(closers: str, character: str) -> str:
    """What closes the quotation that is open after the character; empty when none is."""
    if closers:
        return "" if character in closers else closers
    return _QUOTES.get(character, "")
