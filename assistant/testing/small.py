"""A clock that stands still and two segmenters that anyone can foresee."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from assistant.domain.passages import Span

_SENTENCE = re.compile(r"[^\n]+?\.(?=\s|$)|[^\n]+")
_LINE = re.compile(r"[^\n]+")


class FixedClock:
    """Always midnight (UTC) of the same day; each reading of the stopwatch is a millisecond later."""

    def __init__(self, day: date) -> None:
        self._day = day
        self.readings = 0

    def today(self) -> date:
        """The day that was given."""
        return self._day

    def now(self) -> datetime:
        """Midnight of that day, in UTC."""
        return datetime.combine(self._day, time.min, UTC)

    def milliseconds(self) -> float:
        """1 at the first reading, 2 at the second, and so on."""
        self.readings += 1
        return float(self.readings)


class FullStopSegmenter:
    """A sentence ends at a full stop before a blank, and at a line's end.

    calls: the texts that were cut, in order.
    """

    fingerprint = "full-stop/1"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def segment(self, text: str, language: str = "en") -> list[Span]:
        """Spans of the sentences in order, without blank ends."""
        self.calls.append(text)
        return _trimmed(_SENTENCE.finditer(text))


class LineSegmenter:
    """Every line is a sentence.

    calls: the texts that were cut, in order.
    """

    fingerprint = "line/1"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def segment(self, text: str, language: str = "en") -> list[Span]:
        """Spans of the lines in order, without blank ends."""
        self.calls.append(text)
        return _trimmed(_LINE.finditer(text))


def _trimmed(matches: Iterable[re.Match[str]]) -> list[Span]:
    """The matches without blank ends; those that hold no word are left out."""
    spans = []
    for match in matches:
        piece = match.group()
        start = match.start() + len(piece) - len(piece.lstrip())
        if any(character.isalnum() for character in piece):
            spans.append(Span(start, start + len(piece.strip())))
    return spans
