"""`assistant history`: what was asked and answered, seen again later, and deleted."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assistant.bootstrap import open_history
from assistant.settings import Settings

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Run

ISLAND = "How many people live on Little Corrow?"
OUTSIDE = "Who won the 2022 World Cup?"
MILL = "How many sails does the Quill mill have?"
KEPT = {
    "schema", "answer_id", "at", "kind", "reason", "question", "as_of", "text", "claims", "dropped",
    "unknown_markers", "stands", "disagreements", "complete",
    "citations", "nearest", "confidence", "degraded", "corpus", "usage", "provenance", "withdrawn",
}  # fmt: skip
QUOTED = {
    "n", "article_id", "title", "outlet", "url", "published", "start", "end", "quote", "sha256", "now",
}  # fmt: skip
LINE = re.compile(r"([0-9a-f]{16})  \d{4}-\d\d-\d\d \d\d:\d\d  (answer|abstention) *  (.*)")
ALTERED = "the article has another text there now"


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """A home with the demo, in use, in which nothing was asked yet."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("history.db"))
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "mill.md"
    path.write_text("---\nid: mill\ntitle: The mill\n---\nThe Quill mill has 11 sails.\n")
    return path


def ids(call: Call) -> list[str]:
    return [record["answer_id"] for record in call("history", "list", "--json").lines()]


def asked(call: Call, question: str, *flags: str) -> str:
    """Ask, and return the id of the answer."""
    answer_id: str = call("ask", question, "--json", *flags).json()["answer_id"]
    return answer_id


def test_what_was_asked_is_listed_newest_first(call: Call, home: Path) -> None:
    first, second = asked(call, ISLAND), asked(call, OUTSIDE)
    ran = call("history", "list")
    assert (ran.code, ran.err) == (0, "")
    rows = [LINE.fullmatch(line) for line in ran.out.splitlines()]
    assert [row and row.groups() for row in rows] == [
        (second, "abstention", OUTSIDE),
        (first, "answer", ISLAND),
    ]
    assert len(call("history", "list", "--limit", "1").out.splitlines()) == 1


def test_nothing_asked_is_said_beside_the_output(call: Call, home: Path) -> None:
    ran = call("history", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "The history is empty.\n")
    assert not (home / "history.db").exists()


def test_a_kept_answer_is_what_was_given_out(call: Call, home: Path) -> None:
    given = call("ask", ISLAND, "--json").json()
    kept = call("history", "show", given["answer_id"], "--json").json()
    assert kept.keys() == KEPT
    assert {frozenset(citation) for citation in kept["citations"]} == {frozenset(QUOTED)}
    assert {citation["now"] for citation in kept["citations"]} == {None}
    for name in KEPT & given.keys() - {"schema", "citations", "nearest"}:
        assert (name, kept[name]) == (name, given[name])
    assert [
        {key: one[key] for key in one if key in QUOTED - {"sha256", "now"}} for one in kept["citations"]
    ] == (given["citations"])
    nearest = list(dict.fromkeys(found["article_id"] for found in given["nearest"]))
    assert [found["article_id"] for found in kept["nearest"]] == nearest
    assert (kept["schema"], kept["withdrawn"]) == ("assistant.history/1", [])
    assert kept["at"].endswith("+00:00")
    assert call("history", "list", "--json").lines() == [kept]


def test_a_kept_answer_reads_as_it_did(call: Call, home: Path) -> None:
    given = call("ask", ISLAND)
    (answer_id,) = ids(call)
    shown = call("history", "show", answer_id)
    assert (shown.code, shown.err) == (0, "")
    text, sources = given.out.rstrip("\n").split("\n\n")
    head, then, quoted, made = shown.out.rstrip("\n").split("\n\n")
    assert head.splitlines()[0] == ISLAND
    assert f"answer {answer_id}; demo corpus: 20 articles, newest 2024-08-16, as of {date.today()}" in head
    assert then == text
    assert quoted.splitlines()[0] == sources.splitlines()[0]
    assert "    “About 740 people live on Little Corrow.”" in quoted.splitlines()
    assert made.startswith("made with: assistant 0.1.0, no model, generation 1, embedder static/")


def test_a_kept_abstention_names_the_nearest_articles(call: Call, home: Path) -> None:
    shown = call("history", "show", asked(call, OUTSIDE)).out
    assert "Not in the corpus (demo: 20 articles, 2024-01-22 to 2024-08-16): " in shown
    assert "\nnearest articles: " in shown


def test_questions_of_a_batch_are_kept_and_searches_are_not(call: Call, home: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text("".join(f"{json.dumps({'question': one})}\n" for one in (ISLAND, OUTSIDE)))
    call("search", ISLAND)
    call("search", "--batch", batch)
    given = call("ask", "--batch", batch).lines()
    assert ids(call) == [line["answer_id"] for line in reversed(given)]


def test_keeping_can_be_switched_off(call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("ask", ISLAND, "--no-history").code == 0
    monkeypatch.setenv("ASSISTANT_HISTORY", "false")
    assert call("ask", ISLAND).code == 0
    assert not (home / "history.db").exists()
    kept = asked(call, ISLAND, "--history")
    assert ids(call) == [kept]  # what is there can be looked at all the same


# Checking


def test_what_still_stands_is_said_of_each_sentence(call: Call, home: Path, article: Path) -> None:
    call("ingest", article)
    answer_id = asked(call, MILL)
    assert checked(call, answer_id) == ("unchanged", "still in the corpus")
    article.write_text(article.read_text().replace("11", "12"))
    call("ingest", article)
    assert checked(call, answer_id) == ("changed", ALTERED)
    shutil.rmtree(home / "corpora" / "main")
    assert checked(call, answer_id) == ("gone", "no longer in the corpus")
    open_history(Settings(home=home)).withdraw(["mill"], corpus="main")
    assert checked(call, answer_id)[0] == "withdrawn"


def checked(call: Call, answer_id: str) -> tuple[str, str]:
    """How the one quote stands now, in JSON and in brackets behind it."""
    (citation,) = call("history", "show", answer_id, "--check", "--json").json()["citations"]
    brackets = re.findall(r"” \((.*)\)$", call("history", "show", answer_id, "--check").out, re.MULTILINE)
    return citation["now"], "".join(brackets)


def test_a_withdrawn_article_is_shown_as_withdrawn(call: Call, home: Path, article: Path) -> None:
    call("ingest", article)
    answer_id = asked(call, MILL)
    open_history(Settings(home=home)).withdraw(["mill"], corpus="main")
    shown = call("history", "show", answer_id).out
    assert shown.count("[withdrawn]") == 2
    assert "\n[1] [withdrawn] · mill\n" in shown
    assert (MILL in shown, "11 sails" in shown, "The mill" in shown) == (True, False, False)
    kept = call("history", "show", answer_id, "--json").json()
    (citation,) = kept["citations"]
    assert {name: citation[name] for name in ("article_id", "title", "url", "quote", "outlet")} == {
        "article_id": "mill",
        "title": None,
        "url": None,
        "quote": None,
        "outlet": None,
    }
    assert (kept["withdrawn"], kept["text"]) == (["mill"], "[withdrawn] [1]")
    assert len(citation["sha256"]) == 64


# Deleting


def test_answers_can_be_deleted_by_id(call: Call, home: Path) -> None:
    first, second, third = (asked(call, ISLAND) for _ in range(3))
    ran = call("history", "delete", first, third)
    assert (ran.code, ran.out, ran.err) == (0, "", "2 answers deleted.\n")
    assert ids(call) == [second]


def test_answers_can_be_deleted_by_age(call: Call, home: Path) -> None:
    asked(call, ISLAND)
    assert call("history", "delete", "--before", "2024-07-28").err == "0 answers deleted.\n"
    assert call("history", "delete", "--before", "2999-01-01").err == "1 answer deleted.\n"
    assert ids(call) == []


def test_all_are_deleted_only_when_that_is_meant(call: Call, run: Run, home: Path) -> None:
    asked(call, ISLAND)
    refused = run("history", "delete", "--all", env={"ASSISTANT_HOME": str(home)})
    assert refused.code == 2
    assert "--all deletes the whole history; add --yes where nobody can be asked." in refused.complaint()
    assert len(ids(call)) == 1
    assert call("history", "delete", "--all", "--yes").err == "1 answer deleted.\n"
    assert ids(call) == []


@pytest.mark.parametrize(("typed", "said"), [("y\n", "1 answer deleted."), ("\n", "Nothing is deleted.")])
def test_on_a_terminal_the_person_is_asked(
    call: Call, home: Path, on_terminal: Callable[..., tuple[int, str]], typed: str, said: str
) -> None:
    asked(call, ISLAND)
    environment = {"ASSISTANT_HOME": str(home)}
    code, seen = on_terminal("history", "delete", "--all", env=environment, typed=typed)
    assert code == 0
    assert seen.endswith(f"Delete the whole history? [y/N]: {said}\n")
    assert len(ids(call)) == (typed != "y\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["delete"], "assistant history delete: name ids, or --before a day, or --all: one of the three."),
        (["delete", "a", "--all"], "assistant history delete: name ids, or --before a day, or --all"),
        (["delete", "--before", "soon"], "assistant history delete: Invalid value for '--before': 'soon'"),
        (["delete", "nope"], "assistant: the history holds no answer 'nope'. `assistant history list`"),
        (["delete", "\udcff"], "assistant: the history holds no answer '\\udcff'. `assistant history list`"),
        (["show", "nope"], "assistant: the history holds no answer 'nope'. `assistant history list`"),
        (["show"], "assistant history show: Missing argument 'ANSWER_ID'."),
        (["list", "--limit", "0"], "assistant history list: Invalid value for '--limit'"),
    ],
)
def test_what_does_not_fit_is_a_usage_error_in_one_line(
    call: Call, home: Path, arguments: list[str], said: str
) -> None:
    asked(call, ISLAND)
    ran = call("history", *arguments)
    assert ran.code == 2
    assert ran.complaint().startswith(said)
    assert len(ids(call)) == 1


# A history that cannot be used


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migrations (name) VALUES ('m999_later')")


TROUBLE: dict[str, tuple[Callable[[Path], object], str, int]] = {
    "damaged": (lambda path: path.write_bytes(b"garbage" * 1_000), "Move history.db out of the home", 1),
    "newer": (newer, "which this version does not know. Update the assistant", 3),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_an_answer_comes_all_the_same_and_says_that_it_is_not_kept(
    call: Call, home: Path, trouble: str
) -> None:
    asked(call, ISLAND)
    spoil, said, code = TROUBLE[trouble]
    spoil(home / "history.db")
    before = (home / "history.db").read_bytes()
    ran = call("ask", ISLAND)
    assert (ran.code, "740" in ran.out) == (0, True)
    (told, corpus) = ran.err.splitlines()
    assert told.startswith("This is not kept in the history: ")
    assert said in told
    assert corpus.startswith("demo corpus: ")
    listed = call("history", "list")
    assert listed.code == code
    assert said in listed.complaint()
    assert (home / "history.db").read_bytes() == before


# The terminal

OBEYED = "\x1b[2J\x1b]0;owned\x07\x9b31m\x85\u202eevil\u2066\U000e0041\r\x08\x7f\u200b"


@pytest.fixture
def hostile(call: Call, home: Path, tmp_path: Path) -> str:
    """The id of an answer out of an article that is full of what terminals obey."""
    record = {
        "id": "mill",
        "title": f"Sails{OBEYED} of the mill",
        "outlet": f"Quill{OBEYED} Gazette",
        "text": f"The Quill mill has 11{OBEYED} sails. It grinds barley.{OBEYED}",
    }
    (tmp_path / "mill.jsonl").write_text(json.dumps(record))
    call("ingest", tmp_path / "mill.jsonl")
    asked(call, f"{MILL}{OBEYED}")
    return asked(call, MILL)


def test_nothing_that_a_terminal_obeys_comes_through(call: Call, home: Path, hostile: str) -> None:
    def shown() -> Iterator[Any]:
        for flags in ([], ["--json"]):
            yield call("history", "list", *flags)
            yield call("history", "show", hostile, *flags)
            yield call("history", "show", hostile, "--check", *flags)

    for ran in shown():
        assert (ran.code, ran.obeyed(), "\t" in ran.out) == (0, [], False)
    citations = call("history", "show", hostile, "--json").json()["citations"]
    assert "\x1b[2J" in citations[0]["quote"]
    assert open_history(Settings(home=home)).withdraw([citations[0]["article_id"]], corpus="main") == 2
    for ran in shown():
        assert (ran.code, ran.obeyed(), "owned" in ran.out and "barley" in ran.out) == (0, [], False)


def test_a_line_of_the_list_fits_the_terminal(
    call: Call, home: Path, on_terminal: Callable[..., tuple[int, str]]
) -> None:
    asked(call, "東京" * 60)
    asked(call, ISLAND)
    environment = {"ASSISTANT_HOME": str(home)}
    code, seen = on_terminal("history", "list", columns=60, env=environment)
    assert code == 0
    short, wide = seen.splitlines()
    assert short.endswith("answer      How many pe…")
    assert wide.endswith("abstention  東京東京東…")
    _, full = on_terminal("history", "list", columns=300, env=environment)
    assert full.splitlines()[0].endswith(ISLAND)
    assert full.splitlines()[1].endswith("東京" * 60)
