"""The calendar days that a date of a text can mean, the likeliest first.

A date comes as its form: "2024-07-28", "2024-07", "2024", "--07-28", "--07", "199-", or what
counts from the day on which an article appeared: "sunday", "last week", "next spring",
"3 month ago". Pure.
"""

from __future__ import annotations

from datetime import date, timedelta

Days = tuple[date, date]  # from, until

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_DAYS = 31
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # the month it begins
STEPS = {"last": -1, "this": 0, "next": 1}
_AGO = {"day": 1, "week": 7}


def form_of(year: int, month: int = 0, day: int = 0) -> str:
    """The form of a date; 0 for what is not known of it.

    >>> form_of(2024, 7, 28), form_of(0, 7), form_of(2024)
    ('2024-07-28', '--07', '2024')
    """
    if not month:
        return str(year)
    return f"{f'{year:04}' if year else '-'}-{month:02}{f'-{day:02}' if day else ''}"


def days_of(form: str, published: date | None) -> tuple[Days, ...]:
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
    if unit in WEEKDAYS:
        return _weekdays(WEEKDAYS.index(unit), when, published)
    step = STEPS[when]
    if unit in SEASONS:
        return _seasons(SEASONS[unit], step, published)
    if unit.startswith("--"):
        years = {-1: (0, -1), 0: (0,), 1: (0, 1)}[step]
        spans = [span for add in years for span in _calendar(f"{published.year + add:04}{unit[1:]}")]
        return tuple(span for span in spans if step * (span[0] - published).days >= 0)
    if unit in ("week", "weekend"):
        return _weeks(unit, published - timedelta(published.weekday()) + timedelta(7 * step))
    return _calendar(_month_away(published, step) if unit == "month" else str(published.year + step))


def _seasons(month: int, step: int, published: date) -> tuple[Days, ...]:
    """Three months that begin in that one: the last such before the day, the next, or the year's own."""
    begins = [date(published.year + add, month, 1) for add in (-1, 0, 1)]
    spans = [(first, _next_month(first + timedelta(63)) - timedelta(1)) for first in begins]
    if not step:
        return tuple(spans[1:2])
    found = [span for span in spans if (span[0] > published if step > 0 else span[1] < published)]
    return tuple(found[:1] if step > 0 else found[-1:])


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


def is_part(coarse: str, fine: str) -> bool:
    """Whether the one says less of the same date: "2024-07" of "2024-07-28", "--07" of both."""
    if not (coarse[:1] in "-12" and fine[:1] in "-12"):
        return coarse in fine.split()
    coarse_year, _, coarse_rest = coarse.partition("-") if coarse[0] != "-" else ("", "", coarse[2:])
    fine_year, _, fine_rest = fine.partition("-") if fine[0] != "-" else ("", "", fine[2:])
    same_year = not coarse_year or coarse_year == fine_year
    return same_year and (
        not coarse_rest or fine_rest.split("-")[: len(coarse_rest.split("-"))] == coarse_rest.split("-")
    )
