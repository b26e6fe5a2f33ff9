import time
from datetime import date

import pytest

from assistant.grounding.values import Value, same_value, says, values_in

SUNDAY = date(2024, 7, 28)


def only(text: str, published: date | None = SUNDAY) -> Value:
    found = values_in(text, published)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "kind", "amount", "unit"),
    [
        ("54,000 troops", "number", 54_000, ""),
        ("fifty-four thousand troops", "number", 54_000, ""),
        ("two hundred and fifty ships", "number", 250, ""),
        ("one hundred twenty thousand three hundred", "number", 120_300, ""),
        ("two dozen ships", "number", 24, ""),
        ("2 and a half million people", "number", 2_500_000, ""),
        ("half a million people", "number", 500_000, ""),
        ("half of them", "number", 0.5, ""),
        ("two-thirds of them", "number", 0.666667, ""),
        ("a three-star general", "number", 3, ""),
        ("$5 bn", "money", 5e9, "$"),
        ("5 billion dollars", "money", 5e9, "$"),
        ("€1.2m", "money", 1.2e6, "€"),
        ("50 cents", "money", 0.5, "$"),
        ("13 per cent", "percent", 13, "%"),
        ("3.5 percentage points", "points", 3.5, "points"),
        ("50 basis points", "points", 0.5, "points"),
        ("its 10th increase", "ordinal", 10, ""),
        ("the twenty-first time", "ordinal", 21, ""),
        ("an 18-month closure", "number", 18, "month"),
        ("a 71-year-old man", "number", 71, "year"),
        ("70 square miles", "number", 70, "square mile"),
        ("it doubled", "times", 2, ""),
        ("tens of thousands fled", "some", 10_000, ""),
        ("nine in ten voters", "number", 0.9, ""),
        ("one adult in nine", "number", 0.111111, ""),
        ("one out of every five voters", "number", 0.2, ""),
        ("every ninth adult", "number", 0.111111, ""),
        ("half a year later", "number", 0.5, "year"),
        ("it fell by almost a fifth.", "number", 0.2, ""),
        ("a second factor", "ordinal", 2, ""),
        ("it costs 12 crowns", "money", 12, "krona"),
        ("1945 has weighed on it", "date", 0, ""),
    ],
)
def test_a_quantity_has_one_normal_form(text: str, kind: str, amount: float, unit: str) -> None:
    value = only(text)
    assert (value.kind, value.amount, value.unit) == (kind, amount, unit)


@pytest.mark.parametrize(
    "text",
    [
        "one of them",
        "for the first time",
        "It may march on.",
        "a second later",
        "second-hand",
    ],
)
def test_words_that_are_no_values_here(text: str) -> None:
    assert values_in(text) == ()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("July 28, 2024", "2024-07-28"),
        ("28 July 2024", "2024-07-28"),
        ("the 3rd Sept. 2019", "2019-09-03"),
        ("2024-07-28", "2024-07-28"),
        ("by March 2025", "2025-03"),
        ("on May 3", "--05-03"),
        ("in 2022", "2022"),
        ("in the 1990s", "199-"),
        ("on Sunday", "sunday"),
        ("the fifteenth of January", "--01-15"),
        ("January twenty-first", "--01-21"),
        ("in December 1967: a plan", "1967-12"),
    ],
)
def test_a_date_is_what_the_text_gives_of_it(text: str, form: str) -> None:
    assert [value.form for value in values_in(text) if value.kind == "date"] == [form]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("yesterday", date(2024, 7, 27), date(2024, 7, 27)),
        ("last Tuesday", date(2024, 7, 23), date(2024, 7, 23)),
        ("on Sunday", SUNDAY, SUNDAY),
        ("next Friday", date(2024, 8, 2), date(2024, 8, 2)),
        ("this month", date(2024, 7, 1), date(2024, 7, 31)),
        ("last year", date(2023, 1, 1), date(2023, 12, 31)),
        ("three years ago", date(2021, 1, 1), date(2021, 12, 31)),
        ("two months ago", date(2024, 5, 1), date(2024, 5, 31)),
        ("on May 3", date(2024, 5, 3), date(2024, 5, 3)),
        ("this evening", SUNDAY, SUNDAY),
        ("next spring", date(2025, 3, 1), date(2025, 5, 31)),
        ("last winter", date(2023, 12, 1), date(2024, 2, 29)),
        ("this autumn", date(2024, 9, 1), date(2024, 11, 30)),
    ],
)
def test_a_relative_date_counts_from_publication(text: str, first: date, last: date) -> None:
    assert only(text).days[0] == (first, last)
    assert only(text, published=None).days == ()


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("on 3 May last year", ["2023-05-03"]),
        ("on 19 January 1960, in force on 23 June of that year", ["1960-01-19", "1960-06-23"]),
        ("in 1960, and on 23 June of the same year", ["1960", "1960-06-23"]),
        ("on 23 June of that year", ["--06-23"]),
    ],
)
def test_a_date_takes_the_year_that_the_text_points_to(text: str, forms: list[str]) -> None:
    dates = [value.form for value in values_in(text, SUNDAY) if value.kind == "date"]
    assert [form for form in dates if form != "last year"] == forms


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("7:30 p.m.", ["19:30"]),
        ("4 pm", ["16:00"]),
        ("12:05 am", ["0:05"]),
        ("19:30", ["19:30"]),
        ("at noon", ["12:00"]),
        ("7.30 p.m.", ["19:30"]),
        ("six in the evening", ["18:00"]),
        ("three in the morning", ["3:00"]),
    ],
)
def test_a_time_of_day_has_one_form(text: str, forms: list[str]) -> None:
    assert [value.form for value in values_in(text)] == forms


def test_a_span_is_also_its_number_of_years() -> None:
    found = values_in("Japan's 1910–1945 occupation")
    assert [value.form or value.amount for value in found] == ["1910", "1945", 35.0]
    assert found[2].unit == "year"


@pytest.mark.parametrize(
    "text", ["from 2001 to August", "1990s to 2001", "August to 2001", "2001 - 1990", "2001 to"]
)
def test_what_only_looks_like_a_span_of_years_is_none(text: str) -> None:
    assert {value.kind for value in values_in(text, SUNDAY)} == {"date"}


def test_a_value_knows_where_it_stands() -> None:
    text = "“It paid $5 bn – or 13 percent,” she said."
    assert [text[value.start : value.end] for value in values_in(text)] == ["$5 bn", "13 percent"]


@pytest.mark.parametrize(
    ("source", "claim", "expected"),
    [
        ("54,000", "fifty-four thousand", True),
        ("54,000", "tens of thousands", True),
        ("54,000", "hundreds", False),
        ("54,000", "45,000", False),
        ("half", "50%", True),
        ("a third of them", "33 percent", True),
        ("three", "3%", False),
        ("3%", "3 percentage points", False),
        ("$5 bn", "5 billion euros", False),
        ("5 miles", "5 km", False),
        ("doubled", "twice", True),
        ("on Sunday", "28 July 2024", True),
        ("on Sunday", "in July 2024", True),
        ("in July 2024", "28 July 2024", False),
        ("this month", "July 2024", True),
        ("last year", "2023", True),
        ("last year", "2022", False),
        ("yesterday", "Saturday", True),
        ("yesterday", "Sunday", False),
        ("7:30 p.m.", "19:30", True),
        ("10th", "10", False),
        ("four years ago", "four years", True),
        ("four years ago", "five years", False),
        ("57 million years ago", "57 million years", True),
        ("next spring", "2025", True),
        ("next spring", "2024", False),
    ],
)
def test_what_a_source_says_of_a_value(source: str, claim: str, expected: bool) -> None:
    assert says(only(source), only(claim)) is expected


def test_without_a_day_of_publication_a_weekday_is_no_date() -> None:
    assert not says(only("on Sunday", None), only("28 July 2024", None))
    assert says(only("on Sunday", None), only("Sunday", None))


def test_two_dates_agree_when_one_lies_in_the_other() -> None:
    assert same_value(only("in July 2024"), only("28 July 2024"))
    assert not same_value(only("in July 2024"), only("28 June 2024"))


@pytest.mark.parametrize(
    "piece", ["1,", "9", "one hundred ", "a", "July ", "1910-", "$", "'", "U.", "12:", "last "]
)
def test_a_long_text_of_one_piece_is_read_in_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    values_in(text)
    assert time.perf_counter() - begun < 5
