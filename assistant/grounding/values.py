"""The values of a text: numbers, amounts of money, percentages, ordinals, dates and times.

Each has a normal form, so that "$5 bn" is "five billion dollars" and "54,000" is "fifty-four
thousand". A date is what the text gives of it; with the day on which an article appeared,
"last Tuesday", "this month" and "in March" are calendar days too. "One" is no value by itself,
nor is "first", since both are mostly something else. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from assistant.grounding.dates import MONTH_DAYS, SEASONS, STEPS, WEEKDAYS, Days, days_of, form_of, is_part
from assistant.grounding.value_words import (
    ATTACHED,
    CURRENCIES,
    DOLLARS,
    FRACTIONS,
    HALVES,
    MEASURES,
    MONTHS,
    MOST,
    NAMED_TIMES,
    ONES,
    ORDINAL_ENDINGS,
    ORDINALS,
    PARTS,
    PARTS_OF_DAY,
    SCALES,
    SIGNS,
    SOME,
    TENS,
    TIMES,
)
from assistant.grounding.words import CACHED_TEXTS, Text, read

_TOLERANCE = 1e-6
_PERCENT_TOLERANCE = 0.5  # "a third" is 33 %


@dataclass(frozen=True, slots=True)
class Value:
    """A value, where it stands, and how it is written there.

    kind: "number", "money", "percent", "points" (of percentage), "ordinal", "times" (double),
    "some" (dozens, hundreds), "date", "time".
    amount: the number, of "some" the least one that is meant. form: of a date what is said of it,
    as "2024-07-28", "2024-07", "2024", "--07-28", "--07", "199-" or a word ("sunday", "last week");
    of a time "19:30". unit: a currency or a measure ("km", "year"); empty where none is said.
    days: the calendar days that a date can mean, nearest first; empty when that is not known.
    """

    kind: str
    amount: float
    unit: str
    start: int
    end: int
    text: str
    form: str = ""
    days: tuple[Days, ...] = ()

    @property
    def is_quantity(self) -> bool:
        """Whether it counts or measures something."""
        return self.kind not in ("date", "time", "ordinal")


@lru_cache(maxsize=CACHED_TEXTS)
def values_in(text: str, published: date | None = None) -> tuple[Value, ...]:
    """The values of a text in order; published: the day that its relative dates are counted from.

    >>> [(value.kind, value.amount, value.unit) for value in values_in("It paid $5 bn, or 13 percent.")]
    [('money', 5000000000.0, '$'), ('percent', 13.0, '%')]
    """
    known = published if published and _FIRST_YEAR <= published.year <= _LAST_YEAR else None
    return tuple(_Reader(read(text), known).values())


def same_value(a: Value, b: Value) -> bool:
    """Whether two texts can mean the same by them; for dates, when one lies within the other.

    A number without a unit agrees with the same number of anything but per cent.
    """
    return says(a, b) or (a.kind == "date" == b.kind and says(b, a))


def says(source: Value, claim: Value) -> bool:
    """Whether the source's value bears out the claim's: a date may be less exact, not more."""
    if claim.kind == "date" or source.kind == "date":
        return _says_date(source, claim)
    if claim.kind == "time" or source.kind == "time":
        return source.kind == claim.kind and source.form == claim.form
    if claim.kind == "some":
        return _is_some(source, claim)
    if {"ordinal", "some"} & {source.kind, claim.kind}:
        return source.kind == claim.kind and _close(source.amount, claim.amount)
    if source.kind != claim.kind and {source.kind, claim.kind} & {"percent", "points", "times"}:
        return _is_share(source, claim) or _is_share(claim, source)
    return _close(source.amount, claim.amount) and (
        source.unit == claim.unit or not source.unit or not claim.unit or {source.unit, claim.unit} in _ALIKE
    )


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _TOLERANCE * max(1.0, abs(a))


def _is_share(percent: Value, share: Value) -> bool:
    """Whether 50 % is what is also called half of it."""
    return (
        percent.kind == "percent"
        and share.kind == "number"
        and not share.unit
        and 0 < share.amount < 1
        and abs(percent.amount - 100 * share.amount) < _PERCENT_TOLERANCE
    )


def _is_some(source: Value, claim: Value) -> bool:
    if source.kind == "some":
        return source.amount == claim.amount
    most = next((more for more in SOME.values() if more > claim.amount), MOST)
    return source.kind in ("number", "money") and 2 * claim.amount <= source.amount <= most


_ALIKE = ({"pound", "£"}, {"dollar", "$"})


_FIRST_YEAR, _LAST_YEAR, _YEAR_DIGITS = 1500, 2099, 4


class _Reader:
    """Goes through a text once and takes the values from it."""

    def __init__(self, text: Text, published: date | None) -> None:
        self._text = text
        self._words = text.words
        self._published = published
        self._last_year = 0  # that was read, for "of that year"

    def values(self) -> Iterator[Value]:
        index = 0
        while index < len(self._words):
            for value, last in self._at(index):
                yield value
                index = max(index, last - 1)
            index += 1

    def _at(self, index: int) -> Iterator[tuple[Value, int]]:
        """What begins at a word, with the word after it."""
        for look in (self._date, self._relative, self._time, self._number):
            if found := look(index):
                yield found
                value, last = found
                yield from self._span(value, last)
                return

    def _span(self, begin: Value, last: int) -> Iterator[tuple[Value, int]]:
        """The end of "1910-1945" and "from 1910 to 1945", and how many years that is."""
        if not begin.form.isdecimal() or self._lower(last) not in ("-", "to", "until"):
            return
        ended = self._date(last + 1)
        if ended and ended[0].form.isdecimal() and (years := int(ended[0].form) - int(begin.form)) > 0:
            yield ended
            whole = self._value("number", begin.start, ended[0].end, float(years), unit="year")
            yield whole, ended[1]

    def _lower(self, index: int) -> str:
        return self._text.lower(index)

    def _bare(self, index: int) -> str:
        """The word there without the mark of an abbreviation."""
        return self._lower(index).rstrip(".")

    def _value(
        self, kind: str, start: int, end: int, amount: float = 0.0, *, unit: str = "", form: str = ""
    ) -> Value:
        text = self._text.text[start:end]
        return Value(kind, amount, unit, start, end, text, form)

    def _dated(self, form: str, first: int, last: int) -> tuple[Value, int]:
        start, end = self._words[first].start, self._words[last - 1].end
        if form[:_YEAR_DIGITS].isdecimal():
            self._last_year = int(form[:_YEAR_DIGITS])
        return replace(self._value("date", start, end, form=form), days=days_of(form, self._published)), last

    # Dates

    def _date(self, index: int) -> tuple[Value, int] | None:
        """A date such as "28 July 2024", "July 28", "July", "2024", "2024-07-28", "the 1990s"."""
        if index >= len(self._words):
            return None
        return self._month_first(index) or self._day_first(index) or self._year_first(index)

    def _month_first(self, index: int) -> tuple[Value, int] | None:
        month = self._month(index)
        if not month:
            return None
        day = self._day(index + 1)
        last = index + 2 if day else index + 1
        last += bool(day) and (self._lower(last) in ORDINAL_ENDINGS or self._lower(last - 1) in TENS)
        year, last = self._year_behind(last)
        return self._dated(form_of(year, month, day), index, last)

    def _day_first(self, index: int) -> tuple[Value, int] | None:
        after = index + 1 + (self._lower(index + 1) in ORDINAL_ENDINGS or self._lower(index) in TENS)
        after += self._lower(after) == "of"
        day, month = self._day(index), self._month(after) if self._lower(after) else 0
        if not (day and month):
            return None
        year, last = self._year_behind(after + 1)
        return self._dated(form_of(year, month, day), index, last)

    def _year_behind(self, last: int) -> tuple[int, int]:
        """The year of a day or a month that ends there: "2024", "last year", "of that year"; 0 for none."""
        at = last + 1 if self._lower(last) in (",", "of") else last
        if year := self._year(at):
            return year, at + 1
        said = self._lower(at), self._lower(at + 1), self._lower(at + 2)
        if said[1] == "year" and said[0] in STEPS and self._published:
            return self._published.year + STEPS[said[0]], at + 2
        if said[:2] == ("that", "year") and self._last_year:
            return self._last_year, at + 2
        if said == ("the", "same", "year") and self._last_year:
            return self._last_year, at + 3
        return 0, last

    def _year_first(self, index: int) -> tuple[Value, int] | None:
        year = self._year(index)
        if not year:
            return None
        if self._lower(index + 1) == "-" == self._lower(index + 3):
            month, day = self._plain(index + 2), self._plain(index + 4)
            if 1 <= month <= max(MONTHS.values()) and 1 <= day <= MONTH_DAYS:
                return self._dated(form_of(year, month, day), index, index + 5)
        if self._lower(index + 1) in ("s", "'s") and self._words[index + 1].joined and not year % 10:
            return self._dated(f"{year // 10}-", index, index + 2)
        return self._dated(str(year), index, index + 1)

    def _month(self, index: int) -> int:
        """The month that is named there; "may" and "march" only where they can be nothing else."""
        month = MONTHS.get(self._bare(index), 0)
        if not month or not self._words[index].text[0].isupper():
            return 0
        if self._bare(index) in ("may", "march") and self._words[index].first:
            return month if self._day(index + 1) or self._year(index + 1) else 0
        return month

    def _day(self, index: int) -> int:
        """The day of a month: "28", "28th"; 0 when there is none, or when it begins a longer number."""
        day, after = self._plain(index), self._lower(index + 1)
        spells = self._lower(index) in ORDINALS or self._lower(index) in TENS
        if spells and (spelled := self._ordinal(index)):
            beside = self._month(spelled[1] + (self._lower(spelled[1]) == "of")) or self._month(index - 1)
            day = int(spelled[0].amount) if beside else 0
            after = self._lower(spelled[1])
        if not 1 <= day <= MONTH_DAYS or after in SCALES or after in ("%", "percent") or after == "-":
            return 0
        return day

    def _plain(self, index: int) -> int:
        lower = self._lower(index)
        return int(lower) if lower.isascii() and lower.isdecimal() and len(lower) <= _YEAR_DIGITS else 0

    def _year(self, index: int) -> int:
        """The year that is written there."""
        year = self._plain(index)
        if not _FIRST_YEAR <= year <= _LAST_YEAR or self._lower(index - 1) in SIGNS:
            return 0
        after = self._lower(index + 1)
        if after in SCALES or after in ("%", "percent") or _singular(after) in MEASURES:
            return 0
        return 0 if after == ":" and self._plain(index + 2) else year

    def _relative(self, index: int) -> tuple[Value, int] | None:
        """A date such as "last Tuesday", "this month", "yesterday", "three weeks ago"."""
        lower, unit = self._lower(index), self._lower(index + 1)
        if lower == "this" and unit in ("morning", "afternoon", "evening"):
            return self._dated("today", index, index + 2)
        if lower in ("yesterday", "today", "tonight", "tomorrow"):
            form = "today" if lower == "tonight" else lower
            return self._dated(form, index, index + 1)
        if lower in WEEKDAYS and self._words[index].text[0].isupper():
            return self._dated(lower, index, index + 1)
        if lower in ("last", "this", "next", "previous"):
            when = "last" if lower == "previous" else lower
            if unit in _PERIODS or self._month(index + 1):
                day = unit if unit not in MONTHS else f"--{MONTHS[unit]:02}"
                return self._dated(f"{when} {day}", index, index + 2)
        return self._ago(index)

    def _ago(self, index: int) -> tuple[Value, int] | None:
        found = self._quantity(index)
        if not found:
            return None
        amount, at = found
        unit = _singular(self._lower(at))
        if unit not in ("day", "week", "month", "year") or self._lower(at + 1) != "ago":
            return None
        return self._dated(f"{amount:g} {unit} ago", index, at + 2)

    # Times

    def _time(self, index: int) -> tuple[Value, int] | None:
        """A time such as "7:30 p.m.", "4 pm", "19:30", "noon", "three in the afternoon".

        Three parts are how long something took.
        """
        hour = self._lower(index)
        if hour in NAMED_TIMES:
            word = self._words[index]
            return self._value("time", word.start, word.end, form=NAMED_TIMES[hour]), index + 1
        if hour in ONES and 1 <= ONES[hour] <= _HOURS:
            hour = str(ONES[hour])
        whole, point, minutes = hour.partition(".")  # "7.30 p.m."
        if point and minutes.isdecimal() and self._half_of_day(index + 1):
            hour = whole
        if not hour.isdecimal():
            return None
        if self._lower(index + 1) == ":" and self._lower(index + 2).replace(".", "", 1).isdecimal():
            last = index + 3
            while self._lower(last) == ":" and self._lower(last + 1).isdecimal():
                last += 2
            parts = [hour, *(self._lower(at) for at in range(index + 2, last, 2))]
            half = self._half_of_day(last)
        else:
            last, parts = index + 1, [hour, minutes or "00"]
            half = self._half_of_day(last)
            if half is None or int(hour) > _HOURS:
                return None
        if half:
            parts[0], last = str(int(parts[0]) % _HOURS + half[0]), half[1]
        form = ":".join([str(int(parts[0])), *parts[1:]])
        start, end = self._words[index].start, self._words[last - 1].end
        return self._value("time", start, end, form=form), last

    def _half_of_day(self, last: int) -> tuple[int, int] | None:
        """The hours that "p.m." and "in the afternoon" add, and the word after them."""
        if self._bare(last) in HALVES:
            return HALVES[self._bare(last)], last + 1
        said = self._lower(last), self._lower(last + 1), self._lower(last + 2)
        if said[:2] == ("in", "the") and said[2] in PARTS_OF_DAY:
            return PARTS_OF_DAY[said[2]], last + 3
        return None

    # Numbers

    def _number(self, index: int) -> tuple[Value, int] | None:
        lower, start = self._lower(index), self._words[index].start
        if lower in TIMES:
            return self._value("times", start, self._words[index].end, TIMES[lower]), index + 1
        if lower in SOME:
            last = index + 1
            scale = SOME[lower]
            if self._lower(last) == "of" and self._lower(last + 1) in SOME:
                scale, last = scale * SOME[self._lower(last + 1)], last + 2
            return self._value("some", start, self._words[last - 1].end, scale), last
        if share := self._share(index):
            return share
        if ordinal := self._ordinal(index):
            return ordinal
        sign = SIGNS.get(lower, "")
        found = self._quantity(index + 1 if sign else index)
        if not found:
            return None
        amount, last = found
        kind, unit, last = self._unit(last, sign)
        if (
            kind == "number"
            and not unit
            and self._lower(last) in ("-", "to")
            and (ended := self._quantity(last + 1))
        ):
            kind, unit, _ = self._unit(ended[1], "")  # "10-15 percent"
        end = self._words[last - 1].end
        if unit == "cent":
            amount, unit = amount / 100, "$"
        elif unit == "basis":
            amount, unit = amount / 100, "points"
        elif unit in _YEARS:
            amount, unit = amount * _YEARS[unit], "year"
        return self._value(kind, start, end, round(amount, 6), unit=unit), last

    def _share(self, index: int) -> tuple[Value, int] | None:
        """A share such as "nine in ten", "one out of every five", "every ninth"."""
        start = self._words[index].start
        if self._lower(index) == "every" and self._lower(index + 1) and (nth := self._ordinal(index + 1)):
            return self._value("number", start, nth[0].end, round(1 / nth[0].amount, 6)), nth[1]
        part = self._whole(index)
        at = index + 1
        at += part == 1 and self._words[at].content if at < len(self._words) else 0  # "one adult in nine"
        at += self._lower(at) == "out" and self._lower(at + 1) == "of"
        if not part or self._lower(at) not in ("in", "of") or (at == index + 1 and self._lower(at) == "of"):
            return None
        at += 1 + (self._lower(at + 1) == "every")
        whole = self._whole(at)
        if not part < whole or self._measured(at + 1):
            return None
        return self._value("number", start, self._words[at].end, round(part / whole, 6)), at + 1

    def _whole(self, index: int) -> int:
        """The small whole number that is written in one word there, with none behind it; 0 for none."""
        if self._lower(index + 1) in SCALES or self._lower(index + 1) in ("-", ":", "%", "percent", "per"):
            return 0
        number = ONES.get(self._lower(index), 0) or self._plain(index)
        return number if number <= PARTS else 0

    def _measured(self, last: int) -> bool:
        """Whether a measure or a month follows: "two in three days", "two in 12 December"."""
        return _singular(self._lower(last)) in MEASURES or bool(self._month(last))

    def _ordinal(self, index: int) -> tuple[Value, int] | None:
        lower, word = self._lower(index), self._words[index]
        after = {"first": 1, **ORDINALS}.get(self._lower(index + 1), 0)
        if lower in TENS and 0 < after < min(TENS.values()) and self._words[index + 1].joined:
            amount, last = TENS[lower] + after, index + 2
        elif lower in ORDINALS and not (lower == "second" and self._is_time(index)):
            amount, last = ORDINALS[lower], index + 1
        elif (
            self._plain(index) and self._lower(index + 1) in ORDINAL_ENDINGS and self._words[index + 1].joined
        ):
            amount, last = self._plain(index), index + 2
        else:
            return None
        return self._value("ordinal", word.start, self._words[last - 1].end, float(amount)), last

    def _is_time(self, index: int) -> bool:
        """Whether a second is no second one: "per second", "a second later"; nor is one "second-hand"."""
        before, after = self._lower(index - 1), self._lower(index + 1)
        if before != "a" or after == "hand":
            return before == "per" or after == "hand"
        return after in ("later", "ago") or not (after and self._words[index + 1].content)

    def _quantity(self, index: int) -> tuple[float, int] | None:
        """The number that begins at a word, in figures or in words, and the word after it."""
        lower, last = self._lower(index), index + 1
        if lower and lower[0].isdecimal() and lower.isascii():
            amount = float(lower.replace(",", ""))
            attached = self._lower(last)
            if attached in ATTACHED and self._words[last].joined and not self._hyphen(last):
                return amount * ATTACHED[attached], last + 1
        elif lower in ONES or lower in TENS:
            amount, last = self._in_words(index)
            if amount == 1 and not self._counts_one(last):
                return None
        elif lower in ("a", "an", "half") and (amount := self._one(index)):
            last = index + 1 if lower == "half" else last
            if lower == "half":
                return self._half(index)
        else:
            return None
        while (scale := self._lower(last)) in SCALES:
            amount *= SCALES[scale]
            last += 1
            if scale in ("hundred", "thousand") and (more := self._rest(last, scale)):
                amount, last = amount + more[0], more[1]
        return self._with_fraction(amount, last)

    def _rest(self, last: int, scale: str) -> tuple[float, int] | None:
        """What follows "two hundred": "and fifty"."""
        at = last + 1 if self._lower(last) == "and" else last
        if self._lower(at) not in ONES and self._lower(at) not in TENS:
            return None
        amount, after = self._in_words(at)
        if self._lower(after) in SCALES and scale == "thousand" and self._lower(after) == "hundred":
            more = self._rest(after + 1, "hundred")
            return (amount * 100 + more[0], more[1]) if more else (amount * 100, after + 1)
        return amount, after

    def _in_words(self, index: int) -> tuple[float, int]:
        lower = self._lower(index)
        if lower in ONES:
            return float(ONES[lower]), index + 1
        ones = ONES.get(self._lower(index + 1), 0)
        if 1 <= ones <= 9 and self._words[index + 1].joined:  # noqa: PLR2004 - a single digit
            return float(TENS[lower] + ones), index + 2
        return float(TENS[lower]), index + 1

    def _hyphen(self, index: int) -> bool:
        return self._words[index].start > self._words[index - 1].end

    def _counts_one(self, last: int) -> bool:
        after = self._lower(last)
        half = self._lower(last + 1), self._lower(last + 2)  # "one and a half"
        return after in SCALES or after in FRACTIONS or after in ("percent", "%") or half == ("a", "half")

    def _one(self, index: int) -> float:
        """1 where "a" counts: "a million", "a third", "a dozen"; also for "half"."""
        lower, after = self._lower(index), self._lower(index + 1)
        if lower == "half":
            return 1.0
        if after in ("third", "quarter", "fifth", "tenth"):
            behind = index + 2 < len(self._words) and self._words[index + 2].content
            ends = self._lower(index - 1) in _BEFORE_SHARE and not behind  # "by almost a fifth."
            return (
                1.0 if ends or self._lower(index + 2) in ("of", "the", "off") or after == "quarter" else 0.0
            )
        return 1.0 if after in SCALES and after != "score" else 0.0

    def _half(self, index: int) -> tuple[float, int]:
        at = index + 1
        if self._lower(at) in ("a", "an"):
            at += 1
        if self._lower(at) in SCALES:
            return 0.5 * SCALES[self._lower(at)], at + 1
        return 0.5, at if self._lower(at) in MEASURES else index + 1

    def _with_fraction(self, amount: float, last: int) -> tuple[float, int]:
        """The number with "and a half" or as the numerator of "thirds"."""
        if (
            self._lower(last) == "and"
            and self._lower(last + 1) == "a"
            and self._lower(last + 2) in ("half", "quarter")
        ):
            part, last = 1 / FRACTIONS[self._lower(last + 2)], last + 3
            while self._lower(last) in SCALES:
                return (amount + part) * SCALES[self._lower(last)], last + 1
            return amount + part, last
        word = self._lower(last)
        if word in FRACTIONS and amount < FRACTIONS[word] and (amount == 1 or word.endswith("s")):
            return amount / FRACTIONS[word], last + 1
        return amount, last

    def _unit(self, last: int, sign: str) -> tuple[str, str, int]:
        """Kind and unit of a number that ends there, and the word after the unit.

        A measure stays outside the value, since it may be something counted: "three days".
        """
        lower, after = self._lower(last), self._lower(last + 1)
        if lower in ("%", "percent", "pct") or (lower == "per" and after == "cent"):
            last += 2 if lower == "per" else 1
            if self._lower(last) in ("point", "points"):
                return "points", "points", last + 1
            return "percent", "%", last
        if lower == "percentage" and after in ("point", "points"):
            return "points", "points", last + 2
        if lower == "basis" and after in ("point", "points"):
            return "points", "basis", last + 2
        if lower == "times" or (lower == "fold" and self._words[last].joined):
            return "times", "", last + 1
        return ("money", sign, last) if sign else self._named_unit(last)

    def _named_unit(self, last: int) -> tuple[str, str, int]:
        """The currency or the measure that is named behind a number."""
        lower, after = self._lower(last), self._lower(last + 1)
        single = _singular(lower)
        if lower in DOLLARS and _singular(after) == "dollar":
            return "money", "$", last + 2
        if single in CURRENCIES:
            return ("number" if single == "pound" else "money"), CURRENCIES[single], last + 1
        if single == "cent":
            return "money", single, last + 1
        if single in ("square", "cubic", "nautical") and _singular(after) in MEASURES:
            return "number", f"{single} {MEASURES[_singular(after)]}", last
        if single == "metric":
            single = _singular(after)
        return "number", _PER.get((single, after)) or MEASURES.get(single, ""), last


_PER = {("mile", "per"): "mph", ("mile", "an"): "mph"} | {
    (one, "per"): "kph" for one in ("km", "kilometer", "kilometre")
}
_YEARS = {"decade": 10, "century": 100}
_BEFORE_SHARE = (
    "by",
    "almost",
    "nearly",
    "about",
    "around",
    "roughly",
    "over",
    "than",
    "under",
    "to",
    "only",
)
_HOURS = 12
_PERIODS = frozenset([*WEEKDAYS, *SEASONS, "week", "month", "year", "weekend"])


def _singular(word: str) -> str:
    if word in MEASURES or len(word) <= len("has"):  # which is no "ha"
        return word
    return word.removesuffix("es") if word.endswith("ches") else word.removesuffix("s")


def _says_date(source: Value, claim: Value) -> bool:
    if source.kind != claim.kind:
        number, dated = (source, claim) if claim.kind == "date" else (claim, source)
        if number is claim and dated.form == f"{number.amount:g} {number.unit} ago":
            return True
        return number.kind == "number" and not number.unit and dated.form == f"{number.amount:g}"
    if source.form == claim.form or is_part(claim.form, source.form):
        return True
    return any(
        outer[0] <= inner[0] and inner[1] <= outer[1] for outer in claim.days for inner in source.days[:2]
    )
