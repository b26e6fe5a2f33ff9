"""Which settings and which content folder are in force, seen from outside."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.content import content_folder

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call

ISLAND = "How many people live on Little Corrow?"
WELL = "How deep is the Quill well?"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A content folder's corpus/, in the working directory, with one article."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "well.md").write_text(
        "---\nid: well\ntitle: The well\npublished: 2024-03-04\n---\nThe Quill well is 31 metres deep.\n"
    )
    return corpus


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """An empty home, in use."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


def shown(call: Call, *flags: str | Path) -> int:
    """How many passages a search gives that has no -k."""
    return len(call("search", "Japan", "--json", *flags).json()["passages"])


def test_a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(call) == 10
    (tmp_path / "assistant.toml").write_text("passages = 6\n")
    assert shown(call) == 6
    monkeypatch.setenv("ASSISTANT_PASSAGES", "4")
    assert shown(call) == 4
    assert shown(call, "-k", "2") == 2


@pytest.mark.parametrize(
    ("toml", "environment", "said"),
    [
        ("passagse = 6", {}, "unknown setting 'passagse' in assistant.toml; did you mean 'passages'?"),
        ("[model]\nname = 1", {}, "setting model={'name': 1}: "),
        ("passages = 0", {}, "setting passages=0: "),
        ("passages = ", {}, "assistant.toml cannot be read: "),
        ("", {"ASSISTANT_HOEM": "x"}, "unknown setting 'ASSISTANT_HOEM'; did you mean 'ASSISTANT_HOME'?"),
        ("", {"ASSISTANT_PASSAGES": "many"}, "setting passages='many': "),
        ("", {"ASSISTANT_EMBEDDER": "\x1b[2Jword2vec"}, "setting embedder="),
        ("", {"ASSISTANT_CORPUS": "../up"}, "setting corpus='../up': "),
    ],
)
def test_a_setting_that_does_not_fit_is_a_configuration_error_in_one_line(
    call: Call, monkeypatch: pytest.MonkeyPatch, toml: str, environment: dict[str, str], said: str
) -> None:
    Path("assistant.toml").write_text(toml)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = call("ask", ISLAND)
    assert ran.code == 3
    assert ran.complaint().startswith(f"assistant: {said}")
    assert ran.complaint().endswith('README.md, "Settings".')
    assert ran.obeyed() == []


@pytest.mark.parametrize("flags", [["-k", "0"], ["-k", "101"]])
def test_a_flag_out_of_range_is_a_usage_error(call: Call, flags: list[str]) -> None:
    ran = call("ask", ISLAND, *flags)
    assert ran.code == 2
    assert ran.complaint().startswith("assistant ask: Invalid value for ")


@pytest.mark.parametrize("flags", [["--corpus", "a/b"], ["--corpus", ""], ["--embedder", "word2vec"]])
def test_a_flag_that_does_not_fit_is_a_configuration_error(call: Call, flags: list[str]) -> None:
    ran = call("ask", ISLAND, *flags)
    assert ran.code == 3
    assert ran.complaint().startswith("assistant: setting ")


def test_a_foreign_folder_that_holds_corpus_changes_nothing(call: Call, home: Path, corpus: Path) -> None:
    assert "740" in call("ask", ISLAND).out
    assert "31 metres" not in call("ask", WELL).out


def test_beside_assistant_toml_the_folders_own_corpus_is_the_demo(
    call: Call, home: Path, corpus: Path
) -> None:
    (corpus.parent / "assistant.toml").write_text("")
    assert "31 metres" in call("ask", WELL).out
    assert call("ask", ISLAND, "--json").json()["corpus"]["articles"] == 1


def test_a_content_folder_that_is_named_wins(call: Call, home: Path, corpus: Path) -> None:
    (corpus.parent / "assistant.toml").write_text("")
    named = corpus.parent / "named"
    shutil.copytree(corpus, named / "corpus")
    article = named / "corpus" / "well.md"
    article.write_text(article.read_text().replace("31", "77"))
    assert "77 metres" in call("ask", WELL, "--content", named).out


def test_a_content_folder_without_corpus_is_a_configuration_error(
    call: Call, home: Path, tmp_path: Path
) -> None:
    ran = call("ask", WELL, "--content", tmp_path / "nowhere")
    assert ran.code == 3
    assert "holds no folder 'corpus'" in ran.complaint()


def test_the_next_question_sees_what_was_edited_in_the_demo(call: Call, home: Path, tmp_path: Path) -> None:
    packaged = content_folder("corpus", named=None, working=tmp_path, marker="assistant.toml")
    demo = tmp_path / "mine" / "corpus"
    shutil.copytree(packaged, demo)
    island = demo / "ferry-link-axed.md"
    assert "About 740" in call("ask", ISLAND, "--content", demo.parent).out

    island.write_text(island.read_text().replace("About 740", "About 911"))
    edited = call("ask", ISLAND, "--content", demo.parent)
    assert "About 911" in edited.out
    assert edited.err.startswith("Indexing the demo articles")
    assert "Indexing" not in call("ask", ISLAND, "--content", demo.parent).err

    island.unlink()
    gone = call("ask", ISLAND, "--content", demo.parent, "--json")
    assert gone.json()["corpus"]["articles"] == 19
    assert "About 911" not in gone.json()["text"]


def test_a_demo_article_that_cannot_be_used_is_told_in_one_line(call: Call, corpus: Path, home: Path) -> None:
    (corpus / "bad.md").write_text("---\npublished: someday\n---\nThe well has no bottom.\n")
    ran = call("ask", WELL, "--content", corpus.parent)
    assert ran.code == 0
    assert "corpus/bad.md: published: 'someday' is no date" in ran.err
