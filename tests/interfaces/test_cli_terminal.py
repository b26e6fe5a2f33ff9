"""What reaches a terminal: nothing foreign that it could obey, colours where wanted, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Ran, Run, Start

ISLAND = "How many people live on Little Corrow?"
BOLD = "\x1b[1m[1]\x1b[0m"
OBEYED = (
    "\x1b[2J\x1b]0;owned\x07\x1b]52;c;cm0gLXJm\x1b\\\x9b31m\x90q\x85\u202eevil\u2066\u2069\u061c"
    "\U000e0041\U000e0042\r\x08\x7f\u200b"
)
QUESTION = "How many sails does the Quill mill have?"


@pytest.fixture
def hostile(tmp_path: Path, call: Call) -> tuple[Path, Ran]:
    """A home with an article that is full of what terminals obey, and how its ingest went."""
    folder = tmp_path / f"arti{OBEYED.replace('/', '')}cles"
    folder.mkdir()
    record = {
        "id": "mill",
        "title": f"Sails{OBEYED} of the mill",
        "outlet": f"Quill{OBEYED} Gazette",
        "author": f"Ines{OBEYED} Varga",
        "published": "2024-03-04",
        "text": f"The Quill{OBEYED} mill has 11{OBEYED} sails. It grinds barley.{OBEYED}\n\nThe end{OBEYED}.",
    }
    (folder / f"mill{OBEYED}.jsonl").write_text(f"{json.dumps(record)}\n{OBEYED}\n")
    (folder / f"bad{OBEYED}.md").write_text(f"---\ntitle: {OBEYED}\n---\n")
    (folder / f"untitled{OBEYED}.txt").write_bytes(f"A plain{OBEYED} text about a weir.".encode())
    home = tmp_path / "home"
    return home, call("ingest", folder, "--home", home)


def test_nothing_that_a_terminal_obeys_comes_through(call: Call, hostile: tuple[Path, Ran]) -> None:
    home, ingested = hostile
    assert ingested.code == 0
    assert "2 added" in ingested.err
    assert len(ingested.err.splitlines()) >= 3
    assert (ingested.obeyed(), "\t" in ingested.err) == ([], False)
    for command, said in (
        (["ask", QUESTION], "11"),
        (["ask", "Is there a weir?"], ""),
        (["ask", f"What is{OBEYED} the opposite of wine?"], ""),
        (["search", f"mill{OBEYED}"], "barley"),
        (["search", "weir", "--outlet", OBEYED], "No passage"),
        (["articles", "list"], "Sails"),
        (["articles", "show", "mill"], "barley"),
    ):
        for as_json in ([], ["--json"]):
            ran = call(*command, *as_json, "--home", home)
            assert ran.code in {0, 10}
            assert said in ran.out or as_json
            assert (command, ran.obeyed()) == (command, [])
            assert "\t" not in ran.out or command == ["articles", "list"]


def test_json_still_holds_the_stored_text(call: Call, hostile: tuple[Path, Ran]) -> None:
    home, _ = hostile
    article = call("articles", "show", "mill", "--json", "--home", home).json()
    assert "\x1b[2J" in article["text"]
    assert "\U000e0041" in article["text"]
    (citation, *_) = call("ask", QUESTION, "--json", "--home", home).json()["citations"]
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert "\x1b[2J" in citation["quote"]


def test_a_source_whose_text_hides_something_is_flagged(call: Call, hostile: tuple[Path, Ran]) -> None:
    home, _ = hostile
    note = "the article's text holds invisible characters here; --json shows them"
    assert note in call("ask", QUESTION, "--home", home).out
    assert note not in call("ask", ISLAND).out


@pytest.mark.parametrize(
    "arguments",
    [
        ["articles", "show", OBEYED],
        ["ask", f"--{OBEYED}"],
        [OBEYED],
        ["ask", "x", "--as-of", OBEYED],
        ["ask", "x", "--corpus", OBEYED],
        ["ask", "x", "--content", OBEYED],
        ["ask", "--batch", OBEYED],
        ["ask", "--batch", os.devnull, OBEYED],
        ["ingest", OBEYED],
    ],
)
def test_an_error_shows_what_was_typed_without_what_a_terminal_obeys(
    call: Call, arguments: list[str]
) -> None:
    ran = call(*arguments)
    assert ran.code in {2, 3}
    assert ran.obeyed() == []
    assert "\t" not in ran.complaint()


def test_markers_are_bold_on_a_terminal_and_plain_in_a_pipe(
    on_terminal: Callable[..., tuple[int, str]], run: Run
) -> None:
    code, seen = on_terminal("ask", ISLAND)
    assert code == 0
    assert f"About 740 people live on Little Corrow. {BOLD}" in seen
    assert "\x1b" not in run("ask", ISLAND, env={"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}).out


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(
    on_terminal: Callable[..., tuple[int, str]], environment: Mapping[str, str]
) -> None:
    code, seen = on_terminal("ask", ISLAND, env=environment)
    assert (code, "\x1b" in seen) == (0, False)
    assert "About 740 people live on Little Corrow. [1]" in seen


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}])
def test_a_progress_bar_leaves_a_terminal_as_it_was(
    on_terminal: Callable[..., tuple[int, str]], tmp_path: Path, environment: Mapping[str, str]
) -> None:
    (tmp_path / "mill.txt").write_text("The Quill mill has 11 sails.")
    code, seen = on_terminal("ingest", "mill.txt", env={"ASSISTANT_HOME": "home", **environment})
    assert code == 0
    assert seen.endswith("main corpus: 1 added.\n")
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h")


def test_a_terminal_gets_lines_that_fit(on_terminal: Callable[..., tuple[int, str]]) -> None:
    code, seen = on_terminal(
        "ask", "How many American troops does Japan host?", columns=40, env={"NO_COLOR": "1"}
    )
    _, _, answer = seen.partition("\n")  # the line about the corpus is no part of the answer
    assert code == 0
    assert max(len(line) for line in answer.splitlines()) <= 40
    assert len(answer.splitlines()) > 4


def test_ctrl_c_ends_a_batch_at_once_and_quietly(start: Start) -> None:
    child = start("ask", "--batch", "-")
    assert child.stdin
    assert child.stdout
    assert child.stderr
    child.stdin.write(json.dumps({"id": 1, "question": ISLAND}) + "\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline())["id"] == 1  # now it waits for the next line
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 130
    assert child.stdout.read() == ""
    assert child.stderr.read().strip() == "interrupted"


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_reader_that_leaves_a_batch_ends_it_quietly(start: Start, tmp_path: Path, command: str) -> None:
    (tmp_path / "many.jsonl").write_text((json.dumps({"question": ISLAND}) + "\n") * 500)
    child = start(command, "--batch", "many.jsonl")
    assert child.stdout
    assert child.stderr
    assert child.stdout.read(1) == "{"
    child.stdout.close()
    assert child.wait(30) == 141
    assert child.stderr.read() == ""


def test_a_reader_that_was_never_there_is_no_error_either(start: Start) -> None:
    child = start("articles", "list")
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    assert child.wait(30) == 141
    assert child.stderr.read() == ""


@pytest.mark.parametrize(
    ("closed", "arguments"), [(">&-", ["ask", ISLAND]), ("2>&-", ["ingest", "mill.txt"])]
)
def test_a_closed_stream_is_no_error(
    run_code: Callable[..., Ran], tmp_path: Path, closed: str, arguments: list[str]
) -> None:
    (tmp_path / "mill.txt").write_text("The Quill mill has 11 sails.")
    shell = ["sh", "-c", f'exec "$0" "$@" {closed}']
    code = (
        f"import subprocess, sys\n"
        f"sys.exit(subprocess.call([*{shell!r}, sys.executable, '-m', 'assistant', *{arguments!r}]))"
    )
    assert run_code(code, env={"ASSISTANT_HOME": "home"} if "ingest" in arguments else {}).code == 0


def test_a_damaged_library_is_one_line_that_says_what_to_do(call: Call, tmp_path: Path) -> None:
    home, article = tmp_path / "damaged", tmp_path / "mill.txt"
    article.write_text("The mill grinds barley.")
    assert call("ingest", article, "--home", home).code == 0
    (library,) = home.rglob("library.db")
    content = library.read_bytes()
    library.unlink()
    library.write_bytes(content[:5_000])
    ran = call("ask", "What does the mill grind?", "--home", home)
    assert ran.code == 1
    assert ran.complaint().startswith(
        "assistant: generation 1 of 'main': library.db has 5,000 bytes instead of "
    )
    assert "assistant index rebuild" in ran.complaint()
    assert "Traceback" not in ran.err


def test_a_damaged_demo_is_made_anew(call: Call, demo_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "damaged"
    shutil.copytree(demo_home, home)
    (library,) = home.rglob("library.db")
    content = library.read_bytes()
    library.unlink()
    library.write_bytes(content[:5_000])
    ran = call("ask", ISLAND, "--home", home)
    assert (ran.code, "740" in ran.out) == (0, True)
    assert "Indexing the demo articles" in ran.err
