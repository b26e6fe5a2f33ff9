"""Batch lines: what is asked of each, and that none takes the others with it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from assistant.domain.errors import LibraryBusy
from assistant.interfaces.batch import BatchQuestion, run_batch


def echo(asked: BatchQuestion) -> dict[str, Any]:
    return {"question": asked.question, "as_of": asked.as_of}


def test_blank_lines_are_passed_over_and_the_others_are_asked_in_order() -> None:
    lines = [
        '{"id": 2, "question": "b"}\n',
        "\n",
        "  \n",
        '{"id": 1, "question": "a", "as_of": "2024-07-28"}',
    ]
    told = list(run_batch(lines, echo))
    assert [good for _, good in told] == [True, True]
    for line, _ in told:
        assert line.pop("elapsed_ms") >= 0
    assert [line for line, _ in told] == [
        {"id": 2, "question": "b", "as_of": None},
        {"id": 1, "question": "a", "as_of": date(2024, 7, 28)},
    ]


def test_a_line_is_answered_before_the_next_one_is_read() -> None:
    read: list[int] = []

    def lines() -> Any:
        for number in (1, 2):
            read.append(number)
            yield json.dumps({"id": number, "question": "x"})

    told = run_batch(lines(), echo)
    assert next(told)[0]["id"] == 1
    assert read == [1]


@pytest.mark.parametrize("asked", ["x", 7, 0, None, "ü\u202e"])
def test_an_id_comes_back_as_it_was(asked: object) -> None:
    ((line, good),) = run_batch([json.dumps({"id": asked, "question": "q"})], echo)
    assert (line["id"], good) == (asked, True)


@pytest.mark.parametrize("asked", [1.5, [1], {"a": 1}, float("nan"), float("inf")])
def test_an_id_that_is_none_is_refused_and_not_repeated(asked: object) -> None:
    ((line, good),) = run_batch([json.dumps({"id": asked, "question": "q"})], echo)
    assert (line["id"], line["error"]["type"], good) == (None, "InvalidQuestion", False)


@pytest.mark.parametrize(
    "as_of", [20240728, "20240799", "tomorrow", "", 0, True, "1722124800", ["2024-07-28"]]
)
def test_what_is_no_date_is_refused_and_not_taken_for_seconds(as_of: object) -> None:
    ((line, good),) = run_batch([json.dumps({"id": 1, "question": "q", "as_of": as_of})], echo)
    assert (line["id"], line["error"]["type"], good) == (1, "InvalidQuestion", False)
    assert line["error"]["message"].startswith("as_of: ")
    assert line["error"]["message"].endswith('write it like "2024-07-28"')


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (LibraryBusy("somebody is ingesting"), {"type": "LibraryBusy", "message": "somebody is ingesting"}),
        (ValueError("a secret path"), {"type": "ValueError", "message": "internal error"}),
    ],
)
def test_whatever_goes_wrong_with_one_line_the_next_is_answered(
    raised: Exception, told: dict[str, str]
) -> None:
    def answer(asked: BatchQuestion) -> dict[str, Any]:
        if asked.question == "bad":
            raise raised
        return {}

    lines = [json.dumps({"id": question, "question": question}) for question in ("bad", "good")]
    (first, second) = run_batch(lines, answer)
    assert first == ({"id": "bad", "error": told}, False)
    assert (second[0]["id"], second[1]) == ("good", True)
