"""The values of a text: numbers, amounts of money, percentages, ordinals, dates and times.

Each has a normal form, so that "$5 bn" is "five billion dollars" and "54,000" is "fifty-four
thousand". A date is what the text gives of it; with the day on which an article appeared,
"last Tuesday", "this month" and "in March" are calendar days too. "One" is no value by itself,
nor is "first", since both are mostly something else. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from assistant.grounding.words import CACHED_TEXTS, Text, read

Days = tuple[date, date]  # from, until

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
    most = next((more for more in _SOME.values() if more > claim.amount), _MOST)
    return source.kind in ("number", "money") and 2 * claim.amount <= source.amount <= most


_ALIKE = ({"pound", "£"}, {"dollar", "$"})


def _numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    """The words with numbers from the first on; a group of words, parted by commas, has one."""
    groups = words.split(",") if "," in words else words.split()
    return {word: first + step * at for at, group in enumerate(groups) for word in group.split()}


def _grouped(groups: str) -> dict[str, str]:
    """Each word of the groups, parted by commas, with the first of its group."""
    return {word: group.split()[0] for group in groups.split(",") for word in group.split()}


_ONES = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    0,
)
_TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
_SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "mn": 1e6,
    "bn": 1e9,
    "tn": 1e12,
    "trn": 1e12,
    "dozen": 12.0,
    "score": 20.0,
}
_ATTACHED = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12, "trn": 1e12}
_FRACTIONS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5}
_FRACTIONS |= {"fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10}
_ORDINALS = _numbered(
    "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    2,
) | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100}
_ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_TIMES = {"twice": 2.0, "double": 2.0, "doubled": 2.0, "doubles": 2.0, "doubling": 2.0, "twofold": 2.0}
_TIMES |= {"triple": 3.0, "tripled": 3.0, "tripling": 3.0, "threefold": 3.0, "thrice": 3.0, "quadrupled": 4.0}
_SOME = {"tens": 10.0, "dozens": 12.0, "scores": 20.0, "hundreds": 1e2, "thousands": 1e3, "millions": 1e6}
_SOME |= {"billions": 1e9, "trillions": 1e12}
_MOST = 1e15
_SIGNS = {"$": "$", "€": "€", "£": "£", "¥": "¥", "₹": "rupee", "₽": "rouble", "₩": "won"}
_CURRENCIES = _grouped(
    "$ dollar buck,€ euro,pound,£ sterling,¥ yen,yuan renminbi,rupee,rouble ruble,won,franc,peso,"
    "krona kronor,lira,rand,real reais,shekel,dirham,riyal"
)
_MEASURES = _grouped(
    "km kilometer kilometre kms,m meter metre,cm centimeter centimetre,mm millimeter millimetre,mile mi,"
    "yard yd,foot feet ft,inch,kg kilogram kilo,gram gramme,mg milligram,microgram,tonne,ton,pound lb lbs,"
    "ounce oz,acre,hectare ha,liter litre,gallon,barrel,degree,mph,kph kmh,megawatt mw,gigawatt gw,"
    "kilowatt kw,volt,kilobyte kb,megabyte mb,gigabyte gb,second sec,minute min "
    "mins,hour hr hrs,day,week,month,year yr yrs,"
    "decade,century centuries"
)
_DAYS = tuple(_numbered("monday tuesday wednesday thursday friday saturday sunday", 0))
_MONTHS = _numbered(
    "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,september sept sep,"
    "october oct,november nov,december dec",
    1,
)
_FIRST_YEAR, _LAST_YEAR, _YEAR_DIGITS = 1500, 2099, 4
_AGO = {"day": 1, "week": 7}


class _Reader:
    """Goes through a text once and takes the values from it."""

    def __init__(self, text: Text, published: date | None) -> None:
        self._text = text
        self._words = text.words
        self._published = published

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

    def _dated(self, form: str, first: int, last: int, days: tuple[Days, ...] = ()) -> tuple[Value, int]:
        start, end = self._words[first].start, self._words[last - 1].end
        return replace(
            self._value("date", start, end, form=form), days=days or _days(form, self._published)
        ), last

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
        last += bool(day) and self._lower(last) in _ORDINAL_ENDINGS
        year_at = last + 1 if self._lower(last) in (",", "of") else last
        year = self._year(year_at)
        return self._dated(_form(year, month, day), index, year_at + 1 if year else last)

    def _day_first(self, index: int) -> tuple[Value, int] | None:
        after = index + 1 + (self._lower(index + 1) in _ORDINAL_ENDINGS)
        after += self._lower(after) == "of"
        day, month = self._day(index), self._month(after) if self._lower(after) else 0
        if not (day and month):
            return None
        year = self._year(after + 1)
        return self._dated(_form(year, month, day), index, after + 2 if year else after + 1)

    def _year_first(self, index: int) -> tuple[Value, int] | None:
        year = self._year(index)
        if not year:
            return None
        if self._lower(index + 1) == "-" == self._lower(index + 3):
            month, day = self._plain(index + 2), self._plain(index + 4)
            if 1 <= month <= max(_MONTHS.values()) and 1 <= day <= _MONTH_DAYS:
                return self._dated(_form(year, month, day), index, index + 5)
        if self._lower(index + 1) in ("s", "'s") and self._words[index + 1].joined and not year % 10:
            return self._dated(f"{year // 10}-", index, index + 2)
        return self._dated(str(year), index, index + 1)

    def _month(self, index: int) -> int:
        """The month that is named there; "may" and "march" only where they can be nothing else."""
        month = _MONTHS.get(self._bare(index), 0)
        if not month or not self._words[index].text[0].isupper():
            return 0
        if self._bare(index) in ("may", "march") and self._words[index].first:
            return month if self._day(index + 1) or self._year(index + 1) else 0
        return month

    def _day(self, index: int) -> int:
        """The day of a month: "28", "28th"; 0 when there is none, or when it begins a longer number."""
        day = self._plain(index)
        after = self._lower(index + 1)
        if not 1 <= day <= _MONTH_DAYS or after in _SCALES or after in ("%", "percent") or after == "-":
            return 0
        return day

    def _plain(self, index: int) -> int:
        lower = self._lower(index)
        return int(lower) if lower.isascii() and lower.isdecimal() and len(lower) <= _YEAR_DIGITS else 0

    def _year(self, index: int) -> int:
        """The year that is written there."""
        year = self._plain(index)
        if not _FIRST_YEAR <= year <= _LAST_YEAR or self._lower(index - 1) in _SIGNS:
            return 0
        after = self._lower(index + 1)
        if after in _SCALES or after in ("%", "percent") or _singular(after) in _MEASURES or after == ":":
            return 0
        return year

    def _relative(self, index: int) -> tuple[Value, int] | None:
        """A date such as "last Tuesday", "this month", "yesterday", "three weeks ago"."""
        lower = self._lower(index)
        if lower in ("yesterday", "today", "tonight", "tomorrow"):
            form = "today" if lower == "tonight" else lower
            return self._dated(form, index, index + 1)
        if lower in _DAYS and self._words[index].text[0].isupper():
            return self._dated(lower, index, index + 1)
        if lower in ("last", "this", "next", "previous"):
            when = "last" if lower == "previous" else lower
            unit = self._lower(index + 1)
            if unit in _DAYS or unit in ("week", "month", "year", "weekend") or self._month(index + 1):
                day = unit if unit not in _MONTHS else f"--{_MONTHS[unit]:02}"
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
        """A time such as "7:30 p.m.", "4 pm", "19:30"; three parts are how long something took."""
        hour = self._lower(index)
        if not hour.isdecimal():
            return None
        if self._lower(index + 1) == ":" and self._lower(index + 2).replace(".", "", 1).isdecimal():
            last = index + 3
            while self._lower(last) == ":" and self._lower(last + 1).isdecimal():
                last += 2
            parts = [self._lower(at) for at in range(index, last, 2)]
        else:
            last, parts = index + 1, [hour, "00"]
            if self._bare(last) not in _HALVES:
                return None
        half = self._bare(last)
        if half in _HALVES:
            last += 1
            parts[0] = str(int(hour) % 12 + _HALVES[half])
        form = ":".join([str(int(parts[0])), *parts[1:]])
        start, end = self._words[index].start, self._words[last - 1].end
        return self._value("time", start, end, form=form), last

    # Numbers

    def _number(self, index: int) -> tuple[Value, int] | None:
        lower, start = self._lower(index), self._words[index].start
        if lower in _TIMES:
            return self._value("times", start, self._words[index].end, _TIMES[lower]), index + 1
        if lower in _SOME:
            last = index + 1
            scale = _SOME[lower]
            if self._lower(last) == "of" and self._lower(last + 1) in _SOME:
                scale, last = scale * _SOME[self._lower(last + 1)], last + 2
            return self._value("some", start, self._words[last - 1].end, scale), last
        if ordinal := self._ordinal(index):
            return ordinal
        sign = _SIGNS.get(lower, "")
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
        elif unit in _YEARS:
            amount, unit = amount * _YEARS[unit], "year"
        return self._value(kind, start, end, round(amount, 6), unit=unit), last

    def _ordinal(self, index: int) -> tuple[Value, int] | None:
        lower, word = self._lower(index), self._words[index]
        after = {"first": 1, **_ORDINALS}.get(self._lower(index + 1), 0)
        if lower in _TENS and 0 < after < min(_TENS.values()) and self._words[index + 1].joined:
            amount, last = _TENS[lower] + after, index + 2
        elif lower in _ORDINALS and not (lower == "second" and self._lower(index - 1) in ("a", "per")):
            amount, last = _ORDINALS[lower], index + 1
        elif (
            self._plain(index)
            and self._lower(index + 1) in _ORDINAL_ENDINGS
            and self._words[index + 1].joined
        ):
            amount, last = self._plain(index), index + 2
        else:
            return None
        return self._value("ordinal", word.start, self._words[last - 1].end, float(amount)), last

    def _quantity(self, index: int) -> tuple[float, int] | None:
        """The number that begins at a word, in figures or in words, and the word after it."""
        lower, last = self._lower(index), index + 1
        if lower and lower[0].isdecimal() and lower.isascii():
            amount = float(lower.replace(",", ""))
            attached = self._lower(last)
            if attached in _ATTACHED and self._words[last].joined and not self._hyphen(last):
                return amount * _ATTACHED[attached], last + 1
        elif lower in _ONES or lower in _TENS:
            amount, last = self._in_words(index)
            if amount == 1 and not self._counts_one(last):
                return None
        elif lower in ("a", "an", "half") and (amount := self._one(index)):
            last = index + 1 if lower == "half" else last
            if lower == "half":
                return self._half(index)
        else:
            return None
        while (scale := self._lower(last)) in _SCALES:
            amount *= _SCALES[scale]
            last += 1
            if scale in ("hundred", "thousand") and (more := self._rest(last, scale)):
                amount, last = amount + more[0], more[1]
        return self._with_fraction(amount, last)

    def _rest(self, last: int, scale: str) -> tuple[float, int] | None:
        """What follows "two hundred": "and fifty"."""
        at = last + 1 if self._lower(last) == "and" else last
        if self._lower(at) not in _ONES and self._lower(at) not in _TENS:
            return None
        amount, after = self._in_words(at)
        if self._lower(after) in _SCALES and scale == "thousand" and self._lower(after) == "hundred":
            more = self._rest(after + 1, "hundred")
            return (amount * 100 + more[0], more[1]) if more else (amount * 100, after + 1)
        return amount, after

    def _in_words(self, index: int) -> tuple[float, int]:
        lower = self._lower(index)
        if lower in _ONES:
            return float(_ONES[lower]), index + 1
        ones = _ONES.get(self._lower(index + 1), 0)
        if 1 <= ones <= 9 and self._words[index + 1].joined:  # noqa: PLR2004 - a single digit
            return float(_TENS[lower] + ones), index + 2
        return float(_TENS[lower]), index + 1

    def _hyphen(self, index: int) -> bool:
        return self._words[index].start > self._words[index - 1].end

    def _counts_one(self, last: int) -> bool:
        after = self._lower(last)
        return after in _SCALES or after in _FRACTIONS or after in ("percent", "%")

    def _one(self, index: int) -> float:
        """1 where "a" counts: "a million", "a third", "a dozen"; also for "half"."""
        lower, after = self._lower(index), self._lower(index + 1)
        if lower == "half":
            return 1.0
        if after in ("third", "quarter", "fifth", "tenth"):
            return 1.0 if self._lower(index + 2) in ("of", "the", "off") or after == "quarter" else 0.0
        return 1.0 if after in _SCALES and after != "score" else 0.0

    def _half(self, index: int) -> tuple[float, int]:
        at = index + 1
        if self._lower(at) in ("a", "an"):
            at += 1
        if self._lower(at) in _SCALES:
            return 0.5 * _SCALES[self._lower(at)], at + 1
        return 0.5, index + 1

    def _with_fraction(self, amount: float, last: int) -> tuple[float, int]:
        """The number with "and a half" or as the numerator of "thirds"."""
        if (
            self._lower(last) == "and"
            and self._lower(last + 1) == "a"
            and self._lower(last + 2) in ("half", "quarter")
        ):
            part, last = 1 / _FRACTIONS[self._lower(last + 2)], last + 3
            while self._lower(last) in _SCALES:
                return (amount + part) * _SCALES[self._lower(last)], last + 1
            return amount + part, last
        word = self._lower(last)
        if word in _FRACTIONS and amount < _FRACTIONS[word] and (amount == 1 or word.endswith("s")):
            return amount / _FRACTIONS[word], last + 1
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
        if lower == "times" or (lower == "fold" and self._words[last].joined):
            return "times", "", last + 1
        return ("money", sign, last) if sign else self._named_unit(last)

    def _named_unit(self, last: int) -> tuple[str, str, int]:
        """The currency or the measure that is named behind a number."""
        lower, after = self._lower(last), self._lower(last + 1)
        single = _singular(lower)
        if lower in _DOLLARS and _singular(after) == "dollar":
            return "money", "$", last + 2
        if single in _CURRENCIES:
            return ("number" if single == "pound" else "money"), _CURRENCIES[single], last + 1
        if single == "cent":
            return "money", single, last + 1
        if single in ("square", "cubic", "nautical") and _singular(after) in _MEASURES:
            return "number", f"{single} {_MEASURES[_singular(after)]}", last
        if single == "metric":
            single = _singular(after)
        return "number", _PER.get((single, after)) or _MEASURES.get(single, ""), last


_DOLLARS = ("us", "america", "american", "canadian", "australian")
_PER = {("mile", "per"): "mph", ("mile", "an"): "mph"} | {
    (one, "per"): "kph" for one in ("km", "kilometer", "kilometre")
}
_YEARS = {"decade": 10, "century": 100}
_MONTH_DAYS = 31
_HALVES = {"a.m": 0, "am": 0, "p.m": 12, "pm": 12}


def _singular(word: str) -> str:
    if word in _MEASURES:
        return word
    return word.removesuffix("es") if word.endswith("ches") else word.removesuffix("s")


def _form(year: int, month: int, day: int) -> str:
    return f"{f'{year:04}' if year else '-'}-{month:02}{f'-{day:02}' if day else ''}"


def _days(form: str, published: date | None) -> tuple[Days, ...]:
    """The calendar days that a date can mean, the likeliest first."""
    if form.endswith("-"):
        decade = int(form[:3]) * 10
        return ((date(decade, 1, 1), date(decade + 9, 12, 31)),)
    if form[:1].isdecimal() and not form.endswith("ago"):
        return _calendar(form)
    if published is None:
        return ()
    if form.startswith("-"):
        years = [published.year, published.year - 1, published.year + 1]
        spans = [span for year in years for span in _calendar(f"{year:04}{form[1:]}")]
        return tuple(sorted(spans, key=lambda span: abs((span[0] - published).days))[:2])
    return _ago(form, published) if form.endswith("ago") else _counted(form, published)


def _calendar(form: str) -> tuple[Days, ...]:
    """The days of "2024", "2024-07" or "2024-07-28"; none when there is no such day."""
    parts = [int(part) for part in form.split("-")]
    if len(parts) == 1:
        return ((date(parts[0], 1, 1), date(parts[0], 12, 31)),)
    if len(parts) == 2:  # noqa: PLR2004 - year and month
        first = date(parts[0], parts[1], 1)
        return ((first, _next_month(first) - timedelta(1)),)
    try:
        day = date(*parts)
    except ValueError:
        return ()
    return ((day, day),)


def _next_month(first: date) -> date:
    return (first.replace(day=28) + timedelta(4)).replace(day=1)


def _counted(form: str, published: date) -> tuple[Days, ...]:
    """The days of a form that counts from the day of publication."""
    if form in _NEAR:
        day = published + timedelta(_NEAR[form])
        return ((day, day),)
    when, _, unit = form.rpartition(" ")
    if unit in _DAYS:
        return _weekdays(_DAYS.index(unit), when, published)
    step = {"last": -1, "this": 0, "next": 1}[when]
    if unit.startswith("--"):
        years = {-1: (0, -1), 0: (0,), 1: (0, 1)}[step]
        spans = [span for add in years for span in _calendar(f"{published.year + add:04}{unit[1:]}")]
        return tuple(span for span in spans if step * (span[0] - published).days >= 0)
    if unit in ("week", "weekend"):
        return _weeks(unit, published - timedelta(published.weekday()) + timedelta(7 * step))
    return _calendar(_month_away(published, step) if unit == "month" else str(published.year + step))


def _weeks(unit: str, monday: date) -> tuple[Days, ...]:
    """A week, which begins on Sunday or on Monday; a weekend is that of the week or the one before."""
    if unit == "week":
        return ((monday - timedelta(1), monday + timedelta(6)),)
    return tuple((monday + timedelta(5 - back), monday + timedelta(6 - back)) for back in (0, 7))


def _month_away(published: date, months: int) -> str:
    """The month that is so many later, as "2024-07"."""
    month = published.year * 12 + published.month - 1 + months
    return f"{month // 12:04}-{month % 12 + 1:02}"


_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}


def _weekdays(weekday: int, when: str, published: date) -> tuple[Days, ...]:
    """The nearest such days: before and on the day itself, then after it; as "last" or "next" has it."""
    past = published - timedelta((published.weekday() - weekday) % 7)
    found = {"": (past, past + timedelta(7)), "this": (past, past + timedelta(7))}
    before = past if past < published else past - timedelta(7)
    found["last"] = (before, before - timedelta(7))
    found["next"] = (past + timedelta(7), past + timedelta(14))
    return tuple((day, day) for day in found[when])


def _ago(form: str, published: date) -> tuple[Days, ...]:
    number, unit, _ = form.split()
    amount = round(float(number))
    try:
        if unit in _AGO:
            day = published - timedelta(amount * _AGO[unit])
            around = timedelta(3 if unit == "week" else 0)
            return ((day - around, day + around),)
        if unit == "year":
            return _calendar(f"{published.year - amount:04}") if published.year > amount else ()
        return _calendar(_month_away(published, -amount))
    except (OverflowError, ValueError):  # longer ago than the calendar goes
        return ()


def _says_date(source: Value, claim: Value) -> bool:
    if source.kind != claim.kind:
        number, dated = (source, claim) if claim.kind == "date" else (claim, source)
        return number.kind == "number" and not number.unit and dated.form == f"{number.amount:g}"
    if source.form == claim.form or _is_part(claim.form, source.form):
        return True
    return any(
        outer[0] <= inner[0] and inner[1] <= outer[1] for outer in claim.days for inner in source.days[:2]
    )


def _is_part(coarse: str, fine: str) -> bool:
    """Whether the one says less of the same date: "2024-07" of "2024-07-28", "--07" of both."""
    if not (coarse[:1] in "-12" and fine[:1] in "-12"):
        return coarse in fine.split()
    coarse_year, _, coarse_rest = coarse.partition("-") if coarse[0] != "-" else ("", "", coarse[2:])
    fine_year, _, fine_rest = fine.partition("-") if fine[0] != "-" else ("", "", fine[2:])
    same_year = not coarse_year or coarse_year == fine_year
    return same_year and (
        not coarse_rest or fine_rest.split("-")[: len(coarse_rest.split("-"))] == coarse_rest.split("-")
    )
