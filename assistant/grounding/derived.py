"""Values that a text does not write and yet says: counted, converted or computed from those it does.

"A decade" is ten years and "both" are two; from "60 to 52" follow a fall of 8 and one by 13 %, from
"three of the nine" a third, from "since 1974" in 2024 fifty years. What follows is sure only where
the claim's own words say what was done ("8 fewer", "in all", "of the nine"); any two numbers
differ by something, so that without such a word it is only possible. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import IntEnum
from itertools import combinations, pairwise, permutations

from assistant.grounding.dates import WEEKDAYS, Days
from assistant.grounding.evidence import Evidence, Fact, Read
from assistant.grounding.implied import COUNTING, MOST_LISTED, implied, listed_in
from assistant.grounding.limits import limit_of, rounds
from assistant.grounding.values import Value, says, values_in
from assistant.grounding.words import Text, listed

_MOST_NUMBERS = 16  # of the sentences that are computed with: more are a table
_FEW_NUMBERS = 5  # among which a ratio is hardly one by accident
_NEAR_WORDS = 6  # words before and behind a value that may say of what it is a part
_CUE_REACH = 3  # words in which one must say that it is a difference
_EXACT = 1e-6


class Derivation(IntEnum):
    """How surely a value follows from the sentences."""

    NONE = 0
    POSSIBLE = 1
    SURE = 2


def derivation(claim: Read, fact: Fact, evidence: Evidence) -> Derivation:
    """How surely a value of the claim, which the cited sentences do not write, follows from them.

    >>> from datetime import date
    >>> from assistant.grounding.evidence import Cited, read_claim, read_evidence
    >>> evidence = read_evidence([Cited("Its seats rose from 40 to 52.", published=date(2024, 7, 28))])
    >>> claim = read_claim("It has 12 more seats.", None)
    >>> derivation(claim, claim.values[0], evidence).name
    'SURE'
    """
    value = fact.value
    if value is None:
        return Derivation.NONE
    limit = limit_of(claim.text, fact)
    best = _Case(claim.text, fact, value, limit, evidence).best()
    if best is Derivation.SURE and limit in ("at least", "at most") and not _is_limited(evidence, limit):
        # A limit has to make the value true: "nearly a fifth" is 18 %, and "at least 12" is not 12.
        without = _Case(claim.text, fact, value, "", evidence).best()
        return Derivation.POSSIBLE if without is Derivation.SURE else best
    return best


def _is_limited(evidence: Evidence, limit: str) -> bool:
    """Whether the sentences limit one of their numbers in this way."""
    return any(limit_of(evidence.read.text, one) == limit for one in evidence.read.values)


class _Case:
    """A value of a claim, the words near it, and the values that it may follow from."""

    def __init__(self, text: Text, fact: Fact, value: Value, limit: str, evidence: Evidence) -> None:
        self.text, self.fact, self.value, self.limit, self.evidence = text, fact, value, limit, evidence
        self.source = evidence.read.text
        self.written = [one.value for one in evidence.read.values if one.value]
        self.implied = implied(self.source)
        quantities = (one for one in (*self.written, *self.implied) if one.is_quantity)
        self.numbers = [one for one in quantities if one.kind not in ("some", "times")][:_MOST_NUMBERS]

    def near(self, words: int = _NEAR_WORDS) -> frozenset[str]:
        """The words of the claim before and behind the value."""
        lowers, first, last = self.text.lowers, self.fact.first, self.fact.last
        return frozenset((*lowers[max(0, first - words) : first], *lowers[last : last + words]))

    def best(self) -> Derivation:
        """How surely the value follows, in the way that is surest."""
        best = Derivation.NONE
        for way in _WAYS:
            best = max(best, way(self))
            if best is Derivation.SURE:
                break
        return best

    def agrees(self, amount: float, unit: str = "") -> bool:
        """Whether the claim's number is that amount, or a rounding of it that its limit makes true."""
        value, own = self.value, self.value.amount
        if abs(own - amount) <= _EXACT * max(1.0, abs(own)):
            return True
        computed = Value(value.kind, round(amount, 6), unit, 0, 0, "")
        return rounds(value, self.limit, computed)

    def is_change(self) -> Derivation:
        """Sure when a word at the value says that it is a difference, possible otherwise."""
        before = self.text.lowers[max(0, self.fact.first - _CUE_REACH) : self.fact.first]
        behind = self.text.lowers[self.fact.last : self.fact.last + _CUE_REACH]
        said = not _CHANGED.isdisjoint((*before, *behind)) or not _MORE.isdisjoint(behind)
        return Derivation.SURE if said and "or" not in behind[:1] else Derivation.POSSIBLE


# The ways in which a value follows


def _other_words(case: _Case) -> Derivation:
    """Written in another unit of the same kind, or as a word that stands for it."""
    best = max((_as_other(case, one) for one in (*case.written, *case.implied)), default=Derivation.NONE)
    value = case.value
    if value.kind == "number":
        same = (one for one in case.implied if one.unit == value.unit)
        if any(says(one, value) or rounds(value, case.limit, one) for one in same):
            return Derivation.SURE
    return best


def _as_other(case: _Case, one: Value) -> Derivation:
    """How surely one value of the sentences is what the claim calls otherwise."""
    value = case.value
    if {"ordinal", "times"} & {one.kind, value.kind}:
        return _as_count(case, one) if one.amount == value.amount else Derivation.NONE
    if {one.kind, value.kind} == {"percent", "number"} and one.amount == value.amount and not value.unit:
        behind = case.fact.last < len(case.text.words) and case.text.words[case.fact.last].content
        others = any(other.kind == "percent" for other in values_in(case.text.text))
        return Derivation.SURE if others and not behind else Derivation.POSSIBLE  # "58 percent and 42"
    if one.unit and one.is_quantity and value.is_quantity and _dimension(one) == _dimension(value):
        amount = one.amount * _factor(one) / _factor(value)
        foreign = one.unit != value.unit and abs(amount - value.amount) <= _CONVERTED * amount
        return Derivation.SURE if case.agrees(amount, value.unit) or foreign else Derivation.NONE
    return Derivation.NONE


def _as_count(case: _Case, one: Value) -> Derivation:
    """How surely the same number is a rank, or says how many times: "number 3", "a three-time winner"."""
    value, kinds = case.value, {one.kind, case.value.kind}
    if kinds == {"ordinal", "number"}:
        sure = value.kind == "number" and bool(case.near() & _RANK_WORDS)
    elif kinds == {"times", "number"} and not one.unit:
        sure = case.text.lower(case.fact.last) in ("time", "times") or one in case.implied
        sure = sure or (
            value.kind == "times" and value.text.split()[-1].lower() in ("times", "twice", "thrice")
        )
    else:
        sure = kinds in ({"ordinal"}, {"ordinal", "times"})  # "number three", "for the 25th time"
        return Derivation.SURE if sure else Derivation.NONE
    return Derivation.SURE if sure else Derivation.POSSIBLE


_CONVERTED = 0.015  # "26 miles" for 42.2 km
_RANK_WORDS = listed("number no. no rank ranked ranking place position spot #")
_FACTORS = {
    "year": ("month", 12.0),
    "month": ("month", 1.0),
    "week": ("day", 7.0),
    "day": ("day", 1.0),
    "hour": ("day", 1 / 24),
    "minute": ("day", 1 / 1440),
    "second": ("day", 1 / 86_400),
    "km": ("m", 1000.0),
    "m": ("m", 1.0),
    "cm": ("m", 0.01),
    "mm": ("m", 0.001),
    "tonne": ("kg", 1000.0),
    "kg": ("kg", 1.0),
    "gram": ("kg", 0.001),
    "mile": ("m", 1609.34),
    "yard": ("m", 0.9144),
    "foot": ("m", 0.3048),
    "inch": ("m", 0.0254),
    "pound": ("kg", 0.4536),
    "ounce": ("kg", 0.02835),
    "hectare": ("hectare", 1.0),
    "acre": ("hectare", 0.4047),
    "gigawatt": ("kw", 1e6),
    "megawatt": ("kw", 1e3),
    "kilowatt": ("kw", 1.0),
}


def measures(value: Value) -> str:
    """What a value with a unit measures: "time", "m" for length, "kg" for mass; empty when not known."""
    dimension = _FACTORS.get(value.unit, ("", 1.0))[0]
    return "time" if dimension in ("month", "day") else dimension


def _dimension(value: Value) -> str:
    return _FACTORS[value.unit][0] if value.unit in _FACTORS else value.unit or value.kind


def _factor(value: Value) -> float:
    return _FACTORS[value.unit][1] if value.unit in _FACTORS else 1.0


def _counted(case: _Case) -> Derivation:
    """A small number that refers to what is named or listed: "the two allies", "all three"."""
    value, first = case.value, case.fact.first
    if value.kind != "number" or value.unit or not 1 < value.amount <= MOST_LISTED or value.amount % 1:
        return Derivation.NONE
    around = [one for text in case.evidence.around for one in values_in(text.text)]
    listed_here = tuple(listed_in(case.source))
    known = [
        one
        for one in (*around, *case.implied, *listed_here)
        if one.kind == "number" and one.amount == value.amount
    ]
    if not known:
        known = [one for text in case.evidence.around for one in implied(text) if one.amount == value.amount]
    if not known:
        return Derivation.NONE
    definite = not _DEFINITE.isdisjoint(case.text.lowers[max(0, first - 1) : first])
    lasting = any(one.text.lower() in COUNTING for one in known)
    return Derivation.SURE if definite or lasting else Derivation.POSSIBLE


_DEFINITE = listed("the these those all its their his her our latter former other both")


def _changed(case: _Case) -> Derivation:
    """How much two numbers of one kind differ, also in per cent of the first."""
    value = case.value
    if value.kind not in ("number", "money", "percent", "points"):
        return Derivation.NONE
    grown = [100 * (one.amount - 1) for one in case.written if one.kind == "times"]
    best = case.is_change() if value.kind == "percent" and value.amount in grown else Derivation.NONE
    for a, b in _pairs(case):
        fits = not value.unit or _dimension(a) == _dimension(value)
        fits = fits or (not a.unit and (value.unit == "year" or value.kind == "money"))
        fits = fits or (value.kind == "points" and a.kind == "percent")
        if fits and (a.kind == "percent") <= (value.kind in ("points", "percent", "number")):
            factor = _factor(a) / _factor(value) if a.unit and value.unit in _FACTORS else 1.0
            if case.agrees(abs(a.amount * _factor_to(a, b) - b.amount) * factor, value.unit):
                best = max(best, case.is_change())
        fraction = value.kind == "number" and 0 < value.amount < 1
        wanted = value.amount * 100 if fraction else value.amount
        if (fraction or value.kind == "percent") and a.kind != "percent" and a.amount and b.amount:
            change = [abs(b.amount - a.amount) / one * 100 for one in (a.amount, b.amount)]
            if any(_is_about(wanted, one, case.limit) for one in change):
                best = max(best, case.is_change())
    return best


def _factor_to(a: Value, b: Value) -> float:
    """What makes an amount in the unit of the one an amount in the unit of the other."""
    return 1.0 if a.unit == b.unit else _factor(a) / _factor(b)


def _pairs(case: _Case) -> Iterator[tuple[Value, Value]]:
    """Two written numbers of one kind; one without a unit may be of the other's."""
    numbers = [one for one in case.numbers if one in case.written]
    for a, b in combinations(numbers, 2):
        if a.unit == b.unit or (a.unit and b.unit and _dimension(a) == _dimension(b)):
            yield a, b
        elif (not a.unit or not b.unit) and "percent" not in (a.kind, b.kind):
            yield (a, b) if a.unit else (b, a)


_CHANGED = listed(
    "by up down extra additional another increase increased increases increasing rise rises rose risen "
    "rising drop drops dropped decrease decreased fall fell fallen falls falling cut cuts gain gained "
    "gains lose lost loses loss short above below ahead behind difference gap margin lead jump jumped "
    "climb climbed grow grew grown growth decline declined shrink shrank shrunk points point raise "
    "raised reduce reduced reduction save saved saving lowered surge surged slip slipped slump slumped"
)
_MORE = listed(
    "more less fewer higher lower dearer cheaper older younger longer shorter later earlier taller "
    "heavier faster slower warmer colder larger smaller bigger"
)


def _summed(case: _Case) -> Derivation:
    """Two or three numbers of one kind together."""
    value = case.value
    if value.kind not in ("number", "money", "percent"):
        return Derivation.NONE
    written = [one for one in case.numbers if one in case.written and one.kind == value.kind]
    for size in (2, 3):
        for some in combinations(written[:_MOST_NUMBERS], size):
            units = {one.unit for one in some} | ({value.unit} if value.unit else set())
            if len(units - {""}) <= 1 and case.agrees(sum(one.amount for one in some), value.unit):
                return Derivation.SURE if case.near() & _TOGETHER else Derivation.POSSIBLE
    if value.kind == "number" and any(
        one.amount + 1 == value.amount
        and case.source.lower(at) in ("other", "others", "more", "further", "another")
        for one, at in ((fact.value, fact.last) for fact in case.evidence.read.values)
        if one
    ):
        return Derivation.POSSIBLE
    return Derivation.NONE


_TOGETHER = listed(
    "together total totals totalling totaling combined altogether overall sum all both between joint"
)


def _rest(case: _Case) -> Derivation:
    """What a share or a part leaves of the whole: 40 % of "60 % against", 42 of "lost 19 of its 61"."""
    value = case.value
    cues = case.near() & _OTHERS
    for one in case.written:
        whole = (
            100.0 if one.kind == "percent" else 1.0 if one.kind == "number" and 0 < one.amount < 1 else 0.0
        )
        same = value.kind == one.kind or (whole == 1.0 and value.kind == "percent")
        scale = 100.0 if value.kind == "percent" and whole == 1.0 else 1.0
        if (
            whole
            and same
            and abs(value.amount - (whole - one.amount) * scale) < _HALF_POINT * scale / 100 * whole
        ):
            return Derivation.SURE if cues else Derivation.POSSIBLE
    for part, whole_of in _of_wholes(case):
        if case.agrees(whole_of.amount - part, value.unit or whole_of.unit):
            says_whole = any(
                other.kind == whole_of.kind and other.amount == whole_of.amount
                for other in values_in(case.text.text)
            )
            return Derivation.SURE if cues or says_whole else Derivation.POSSIBLE
    return Derivation.NONE


_OTHERS = listed("not n't never without rest remaining remain remained remains remainder left other others")
_HALF_POINT = 0.5
_OF_WHOLE = listed("the its their his her these those our")


def _of_wholes(case: _Case) -> Iterator[tuple[float, Value]]:
    """The parts and wholes of "19 of its 61 seats" and "one of the nine"."""
    facts, text = case.evidence.read.values, case.source
    for fact in facts:
        if not fact.value or fact.value.kind != "number":
            continue
        at = fact.first - 1
        at -= text.lower(at) in _OF_WHOLE
        if text.lower(at) != "of" or at < 1:
            continue
        part = next((one.value.amount for one in facts if one.value and one.last == at), 0.0)
        part = part or float(text.lower(at - 1) == "one")
        if 0 < part < fact.value.amount:
            yield part, fact.value


def _share(case: _Case) -> Derivation:
    """The part that one number is of another: a third for "150 of 480", twice for "6.50" and "3.20"."""
    value, limit = case.value, case.limit
    fraction = value.kind == "number" and 0 < value.amount < 1
    if not (fraction or value.kind in ("percent", "times")):
        return Derivation.NONE
    wanted = value.amount * 100 if fraction else value.amount
    for one in case.numbers if value.kind != "times" else ():
        written = 100 * one.amount if one.kind == "number" and 0 < one.amount < 1 else one.amount
        is_share = (one.kind == "percent") != (written != one.amount)
        if is_share and one.kind != value.kind and _is_about(wanted, written, limit):
            return Derivation.SURE
    scale = 1.0 if value.kind == "times" else 100.0
    wholes = [(part, whole.amount) for part, whole in _of_wholes(case)]
    pairs = [(a.amount, b.amount) for pair in _pairs(case) for a, b in permutations(pair)]
    rests = [(whole - part, whole) for part, whole in wholes]
    for sure, some in ((True, wholes), (len(case.written) <= _FEW_NUMBERS, pairs), (False, rests)):
        if any(whole and _is_about(wanted, scale * part / whole, limit) for part, whole in some):
            return Derivation.SURE if sure else Derivation.POSSIBLE
    return Derivation.NONE


def _is_about(wanted: float, found: float, limit: str) -> bool:
    """Whether a share is another's rounding: half a point, or what its limit makes true."""
    slack = max(_HALF_POINT, _SLACK * found) if limit else _HALF_POINT
    if found <= _TIMES_AT_MOST:  # how many times, not per cent
        slack = _SLACK * found if limit else _HALF_POINT / 10
    over = wanted - found
    if limit == "at least":
        return -slack <= over <= 0
    if limit == "at most":
        return 0 <= over <= slack
    return abs(over) <= slack


_SLACK = 0.12  # of a share: "about a fifth" for 18 %, "less than a third" for 31 %
_TIMES_AT_MOST = 5.0


def _years(case: _Case) -> Derivation:
    """The years between two years of the text, or from one until publication."""
    value = case.value
    if value.kind != "number" or value.unit not in ("year", ""):
        return Derivation.NONE
    years = [int(one.form[:4]) for one in case.written if one.kind == "date" and one.form[:4].isdecimal()]
    published = [day.year for day in case.evidence.published]
    if not value.unit:  # "he is 72"
        born = bool({"born", "birth"} & set(case.source.lowers))
        ages = {day - year - turned for day in published for year in years for turned in (0, 1)}
        return Derivation.SURE if born and value.amount in ages else Derivation.NONE
    for begun, ended in permutations([*years, *published][:_MOST_NUMBERS], 2):
        if ended > begun and case.agrees(float(ended - begun), "year"):
            return Derivation.SURE
    return Derivation.NONE


def _lasted(case: _Case) -> Derivation:
    """The time between two days or hours: two weeks for "from 3 to 17 March"; the last may count or not."""
    value = case.value
    if value.kind != "number" or measures(value) != "time" or case.source.vocabulary.isdisjoint(_FROM_TO):
        return Derivation.NONE
    days = [one.days[0][0] for one in case.written if one.days and one.days[0][0] == one.days[0][1]]
    weekdays = [WEEKDAYS.index(one.form) for one in case.written if one.form in WEEKDAYS]
    between = [abs((b - a).days) for a, b in pairwise(days)] if not weekdays else []
    between += [(b - a) % 7 for a, b in pairwise(weekdays)]
    hours = [_hours(one.form) for one in case.written if one.kind == "time"]
    spans = [float(one + more) for one in between for more in (0, 1)]
    spans += [(b - a) % 24 / 24 for a, b in pairwise(hours)]
    dimension, factor = _FACTORS[value.unit]
    fits = dimension == "day" and any(one and case.agrees(one / factor, value.unit) for one in spans)
    return Derivation.SURE if fits else Derivation.NONE


_FROM_TO = listed("from between began begun started starts begins ended until to and through")


def _hours(form: str) -> float:
    hour, _, minutes = form.partition(":")
    return float(hour) + float(minutes.partition(":")[0]) / 60


def _multiplied(case: _Case) -> Derivation:
    """A part of a number or its multiple: 200 for "two thirds of the 300", 24 for "48, twice the sum"."""
    value = case.value
    if value.kind not in ("number", "money"):
        return Derivation.NONE
    shares = [one.amount for one in case.numbers if one.kind == "number" and 0 < one.amount < 1]
    shares += [one.amount / 100 for one in case.numbers if one.kind == "percent"]
    times = [one.amount for one in case.written if one.kind == "times" and one.amount > 1]
    factors = [*shares, *times, *(1 / one for one in times)]
    wholes = [
        one for one in case.written if one.kind == value.kind and one.amount > 1 and one.unit == value.unit
    ]
    products = (one.amount * factor for one in wholes[:_FEW_NUMBERS] for factor in factors[:_FEW_NUMBERS])
    return Derivation.SURE if any(case.agrees(one, value.unit) for one in products) else Derivation.NONE


def _dated(case: _Case) -> Derivation:
    """A date that is told from another: "three days later", "before 2026" for the end of 2025."""
    value, source = case.value, case.source
    if value.kind == "ordinal":
        days = {span[0].day for span in _days_of(case) if span[0] == span[1]}
        return Derivation.SURE if value.amount in days and case.near() & _ON else Derivation.NONE
    if value.kind != "date":
        return Derivation.NONE
    if _is_turn(case):
        return Derivation.SURE
    if value.form.isdecimal():
        year = int(value.form)
        before = case.text.lower(case.fact.first - 1)
        ends = any(one.form == str(year - 1) for one in case.written)
        if ends and before in ("before", "until", "till") and {"end", "late"} & set(source.lowers):
            return Derivation.SURE
        ages = [one.amount for one in case.written if one.unit == "year"]
        if any(
            year + age - day.year in (0, 1) for day in case.evidence.published for age in ages if age < _LIVES
        ):
            return Derivation.POSSIBLE
    found = any(first <= span[0] and span[1] <= last for first, last in value.days for span in _days_of(case))
    return Derivation.SURE if found else Derivation.NONE


def _is_turn(case: _Case) -> bool:
    """Whether it is the 1800s of "the 19th century", or the December of "the end of the year"."""
    value, source = case.value, case.source.text
    centuries = {f"{int(found[1]) - 1}0-" for found in _CENTURY.finditer(source)}
    if value.form in centuries:
        return True
    december = {f"{day.year}-12" for day in case.evidence.published}
    return value.form in december and bool(_YEAR_END.search(source))


_ON = listed("the on")
_CENTURY = re.compile(r"\b(\d\d)th[ -]century\b", re.IGNORECASE)
_YEAR_END = re.compile(r"\bend of (?:the|this) year\b", re.IGNORECASE)
_LIVES = 200  # years back to which a length of time leads to a date
_LATER = re.compile(
    r"(?<![\w-])([\w-]{1,20}) (day|week)s? (later|after|afterwards|earlier|before)\b", re.IGNORECASE
)


def _days_of(case: _Case) -> Iterator[Days]:
    """The days that "three days later" can mean: so many from each day that the sentences name."""
    for found in _LATER.finditer(case.source.text):
        number = values_in(found[1])
        amount = number[0].amount if len(number) == 1 else 1.0
        away = timedelta(min(amount, _LIVES) * (7 if found[2].lower() == "week" else 1))
        for first, last in (one.days[0] for one in case.written if one.days):
            if first == last:
                day = first - away if found[3].lower() in ("earlier", "before") else first + away
                yield day, day


def _clock(case: _Case) -> Derivation:
    """An hour without its half of the day: "after five" for "5 p.m."."""
    value = case.value
    if value.kind != "number" or value.unit or not 1 <= value.amount <= _HOURS or value.amount % 1:
        return Derivation.NONE
    if case.text.lower(case.fact.first - 1) not in _AT_AN_HOUR:
        return Derivation.NONE
    hours = [one.form.removesuffix(":00") for one in case.written if one.kind == "time"]
    fits = any(hour.isdecimal() and int(hour) % _HOURS == value.amount % _HOURS for hour in hours)
    return Derivation.SURE if fits else Derivation.NONE


_HOURS = 12
_AT_AN_HOUR = listed("at to until till from after before by since and around about")

_WAYS: tuple[Callable[[_Case], Derivation], ...] = (
    _other_words,
    _clock,
    _counted,
    _share,
    _years,
    _lasted,
    _multiplied,
    _dated,
    _changed,
    _summed,
    _rest,
)
