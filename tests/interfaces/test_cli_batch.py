"""`--batch`: many questions in one process, in order, one line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Run

ISLAND = "How many people live on Little Corrow?"
OUTSIDE = "Who won the 2022 World Cup?"


def batch(path: Path, lines: Iterable[dict[str, Any] | str | bytes]) -> Path:
    written = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in written))
    return path


def test_answers_come_in_the_order_of_the_questions_with_their_ids(call: Call, tmp_path: Path) -> None:
    questions = batch(
        tmp_path / "questions.jsonl",
        [
            {"id": "z", "question": ISLAND},
            "",
            {"id": 7, "question": OUTSIDE},
            "   ",
            {"question": ISLAND, "as_of": "2024-05-20"},
            {"id": "a", "question": ISLAND, "as_of": None, "note": "other keys are passed over"},
        ],
    )
    ran = call("ask", "--batch", questions, "--as-of", "2024-06-30")
    assert (ran.code, ran.err) == (0, "")
    told = [(line["id"], line["kind"], line["as_of"]) for line in ran.lines()]
    assert told == [
        ("z", "answer", "2024-06-30"),
        (7, "abstention", "2024-06-30"),
        (None, "answer", "2024-05-20"),
        ("a", "answer", "2024-06-30"),
    ]
    for line in ran.lines():
        assert line["schema"] == "assistant.answer/1"
        assert 0 < line["elapsed_ms"] < 60_000


def test_search_takes_a_batch_too(call: Call, tmp_path: Path) -> None:
    ran = call("search", "--batch", batch(tmp_path / "q.jsonl", [{"id": 1, "question": ISLAND}]), "-k", "2")
    (line,) = ran.lines()
    assert ran.code == 0
    assert line.keys() == {"id", "schema", "passages", "elapsed_ms"}
    assert (line["id"], line["schema"], len(line["passages"])) == (1, "assistant.search/1", 2)


@pytest.mark.parametrize(
    ("line", "named", "said"),
    [
        ("no json", None, "the line is no JSON"),
        ('{"id": 1, "question": "x"', None, "the line is no JSON"),
        ("[1]", None, "no JSON object"),
        ('{"id": 1}', 1, "question: Field required"),
        ('{"id": 1, "question": " "}', 1, "the question is empty"),
        ('{"id": 1, "question": 5}', 1, "question: "),
        ('{"id": 1, "question": null}', 1, "question: "),
        ('{"id": 1, "question": ["x"]}', 1, "question: "),
        ('{"id": {"a": 1}, "question": "x"}', None, "id"),
        ('{"id": NaN, "question": "x"}', None, "id"),
        ('{"id": 1, "question": "x", "as_of": "soon"}', 1, "as_of: "),
        ('{"id": 1, "question": "x", "as_of": 20240728}', 1, "as_of: "),
        (json.dumps({"id": 1, "question": "x" * 2001}), 1, "2001 characters"),
        (b'{"id": 1, "question": "\xff"}', None, "the line is no JSON"),
        ("[" * 100_000, None, "the line is no JSON"),
    ],
)
def test_a_line_that_cannot_be_used_is_an_error_of_its_own(
    call: Call, tmp_path: Path, line: str | bytes, named: int | None, said: str
) -> None:
    good = {"id": "good", "question": ISLAND}
    ran = call("ask", "--batch", batch(tmp_path / "q.jsonl", [good, line, good]))
    assert ran.code == 1
    first, bad, last = ran.lines()
    assert (first["text"], first["id"]) == (last["text"], "good")
    assert bad.keys() == {"id", "error"}
    assert bad["id"] == named
    assert bad["error"].keys() == {"type", "message"}
    assert bad["error"]["type"] == "InvalidQuestion"
    assert said in bad["error"]["message"]


def test_a_dash_reads_standard_input_and_a_byte_order_mark_is_no_harm(run: Run) -> None:
    line = json.dumps({"id": 1, "question": ISLAND})
    ran = run("ask", "--batch", "-", stdin=b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    assert ran.code == 0
    assert [(one["id"], one["kind"]) for one in ran.lines()] == [(1, "answer")]


def test_an_empty_batch_is_answered_with_nothing(call: Call, tmp_path: Path) -> None:
    ran = call("ask", "--batch", batch(tmp_path / "q.jsonl", ["", " "]))
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_batch_file_that_is_missing_is_a_usage_error(call: Call) -> None:
    ran = call("ask", "--batch", "nowhere.jsonl")
    assert ran.code == 2
    assert "nowhere.jsonl" in ran.complaint()


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_beside_a_batch_is_a_usage_error(call: Call, tmp_path: Path, command: str) -> None:
    ran = call(command, "--batch", batch(tmp_path / "q.jsonl", []), "Who?")
    assert ran.code == 2
    assert "leave out 'Who?'" in ran.complaint()
