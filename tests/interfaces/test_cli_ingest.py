"""`assistant ingest`: one's own articles, and that corpora never mix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Run

GAUGE = "The Quill river gauge stood at 412 centimetres on Monday. Keeper Ines Varga read it at noon."
FERRY = "The Quill ferry carries 96 passengers. It runs every half hour."
REPORT = {"schema", "corpus", "added", "changed", "unchanged", "removed", "spared", "rejected", "dry_run"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good articles, three files that are none, and one that is not meant to be read."""
    folder = tmp_path / "articles"
    (folder / "deep").mkdir(parents=True)
    (folder / "gauge.md").write_text(
        f"---\nid: gauge\ntitle: The gauge\npublished: 2024-03-04\n---\n{GAUGE}\n"
    )
    (folder / "deep" / "ferry.jsonl").write_text(json.dumps({"id": "ferry", "text": FERRY}) + "\nno json\n")
    (folder / "empty.txt").write_text("  \n")
    (folder / "latin.txt").write_bytes("Die Fähre".encode("latin-1"))
    (folder / "notes.css").write_text("p { color: red }")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """An empty home, in use."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


def test_bad_files_are_one_line_each_and_stop_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    ran = run("ingest", str(folder), "--home", str(tmp_path / "home"))
    assert (ran.code, ran.out) == (0, "")
    *rejected, summary = ran.err.splitlines()
    assert [line.removeprefix(f"{folder}/").partition(": ")[0] for line in rejected] == [
        "deep/ferry.jsonl:2",
        "empty.txt",
        "latin.txt",
    ]
    assert summary == "main corpus: 2 added, 3 rejected."


def test_the_report_as_json_names_every_article_and_every_rejection(
    call: Call, home: Path, folder: Path
) -> None:
    first = call("ingest", folder, "--json")
    report = first.json()
    assert first.code == 0
    assert report.keys() == REPORT
    rejected = report.pop("rejected")
    assert report == {
        "schema": "assistant.ingest/1",
        "corpus": "main",
        "added": ["ferry", "gauge"],
        "changed": [],
        "unchanged": [],
        "removed": [],
        "spared": [],
        "dry_run": False,
    }
    assert [one.keys() for one in rejected] == [{"where", "reason"}] * 3
    assert [one["where"].removeprefix(f"{folder}/") for one in rejected] == [
        "deep/ferry.jsonl:2",
        "empty.txt",
        "latin.txt",
    ]
    assert first.err.splitlines() == [f"{one['where']}: {one['reason']}" for one in rejected]


def test_what_is_unchanged_stays_and_what_changed_is_replaced(call: Call, home: Path, folder: Path) -> None:
    call("ingest", folder)
    again = call("ingest", folder, "--json").json()
    assert (again["added"], again["changed"], again["unchanged"]) == ([], [], ["ferry", "gauge"])
    assert (
        call("ask", "How many passengers does the ferry carry?", "--json").json()["corpus"]["generation"] == 1
    )

    (folder / "gauge.md").write_text((folder / "gauge.md").read_text().replace("412", "530"))
    changed = call("ingest", folder / "gauge.md", "--json").json()
    assert (changed["added"], changed["changed"], changed["unchanged"]) == ([], ["gauge"], [])
    answer = call("ask", "How many centimetres did the river gauge stand at?", "--json").json()
    assert "530" in answer["text"]
    assert "412" not in answer["text"]
    assert "412" not in call("articles", "show", "gauge").out
    assert answer["corpus"]["generation"] == 2
    assert call("articles", "list").out.count("\n") == 2


def test_the_first_ingest_makes_ones_own_articles_the_default_and_the_demo_stays_reachable(
    call: Call, home: Path, folder: Path
) -> None:
    assert "740" in call("ask", "How many people live on Little Corrow?").out
    call("ingest", folder)
    own = call("ask", "How many passengers does the ferry carry?", "--json").json()
    assert own["corpus"]["name"] == "main"
    assert "96" in own["text"]
    assert call("ask", "How many people live on Little Corrow?").code == 10
    demo = call("ask", "How many people live on Little Corrow?", "--corpus", "demo", "--json").json()
    assert "740" in demo["text"]
    assert demo["corpus"]["name"] == "demo"


def test_two_corpora_never_mix(call: Call, home: Path, tmp_path: Path) -> None:
    for name, count in (("main", "11"), ("other", "22")):
        source = tmp_path / name / "mill.txt"
        source.parent.mkdir()
        source.write_text(f"The Quill mill has {count} sails. It grinds barley.")
        args = [] if name == "main" else ["--corpus", name]
        assert call("ingest", source, *args).code == 0
    question = "How many sails does the Quill mill have?"
    main = call("ask", question, "--json").json()
    other = call("ask", question, "--corpus", "other", "--json").json()
    for answer, sails in ((main, "11 sails"), (other, "22 sails")):
        assert sails in answer["text"]
        assert {sails in one["text"] for one in answer["nearest"]} == {True}
    assert {one["article_id"] for one in main["nearest"]}.isdisjoint(
        {one["article_id"] for one in other["nearest"]}
    )
    cited = other["citations"][0]["article_id"]
    assert call("articles", "show", cited).code == 2
    assert call("articles", "show", cited, "--corpus", "other").code == 0


def test_when_every_file_is_bad_nothing_changes(call: Call, home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    ran = call("ingest", tmp_path / "empty.txt")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "main corpus: 1 rejected."
    assert call("ask", "How many people live on Little Corrow?", "--json").json()["corpus"]["name"] == "demo"


def test_a_folder_without_an_article_says_so(call: Call, home: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    ran = call("ingest", tmp_path / "bare")
    assert (ran.code, ran.err) == (1, "main corpus: no article found.\n")


def test_a_path_that_does_not_exist_is_a_usage_error(call: Call, home: Path, folder: Path) -> None:
    ran = call("ingest", folder, folder / "nowhere.md")
    assert ran.code == 2
    assert f"{str(folder / 'nowhere.md')!r} does not exist" in ran.complaint()
    assert call("articles", "list", "--corpus", "main").code == 3


def test_without_a_path_there_is_nothing_to_do(call: Call, home: Path) -> None:
    ran = call("ingest")
    assert ran.code == 2
    assert "name at least one file or folder, or --rebuild" in ran.complaint()


def test_the_demo_takes_no_articles(call: Call, home: Path, folder: Path) -> None:
    ran = call("ingest", folder, "--corpus", "demo")
    assert ran.code == 3
    assert "choose another name with --corpus" in ran.complaint()


@pytest.mark.parametrize("command", [["ask", "Who?"], ["search", "who"], ["articles", "list"]])
def test_a_corpus_that_does_not_exist_is_a_configuration_error(
    call: Call, home: Path, command: list[str]
) -> None:
    ran = call(*command, "--corpus", "nope")
    assert ran.code == 3
    assert ran.complaint() == (
        f"assistant: there is no corpus 'nope' in {str(home)!r}. `assistant ingest PATH --corpus NAME` makes "
        "one; `--corpus demo` is always there."
    )


def test_another_embedder_needs_a_rebuild(call: Call, home: Path, folder: Path) -> None:
    call("ingest", folder)
    question = "How many passengers does the ferry carry?"
    mismatch = call("ask", question, "--embedder", "hashing")
    assert mismatch.code == 3
    assert "--rebuild" in mismatch.complaint()
    assert call("ingest", folder, "--embedder", "hashing").code == 3
    rebuilt = call("ingest", "--rebuild", "--embedder", "hashing")
    assert (rebuilt.code, rebuilt.err) == (0, "main corpus: rebuilt.\n")
    assert "96" in call("ask", question, "--embedder", "hashing").out


@pytest.mark.parametrize("command", [["ask", "Who?"], ["articles", "list"], ["ingest", "a.txt"]])
@pytest.mark.parametrize("below", [[], ["home"], ["deep", "home"]])
def test_a_home_that_cannot_be_made_is_a_configuration_error(
    call: Call, tmp_path: Path, command: list[str], below: list[str]
) -> None:
    (tmp_path / "a.txt").write_text(GAUGE)
    ran = call(*command, "--home", (tmp_path / "a.txt").joinpath(*below))
    assert ran.code == 3
    assert "point --home at a folder that you may write to" in ran.complaint()
