"""`assistant index`, withdrawals, and the flags of `assistant ingest`: a corpus that is looked after."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.interfaces.conftest import Call, Run

MILL = "The Quill mill has eleven sails. It grinds barley for the whole valley."
FERRY = "The Quill ferry carries 96 passengers. It runs every half hour."
PATIENCE = 30  # seconds that something may take that takes one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two articles, one of them with an id of its own."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "mill.md").write_text(f"---\nid: mill\ntitle: The mill\n---\n{MILL}\n")
    (folder / "ferry.txt").write_text(FERRY)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, folder: Path) -> Path:
    """A home in which they are the corpus, in use."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    assert call("ingest", folder).code == 0
    return home


@pytest.fixture
def sealed(home: Path) -> Callable[[], dict[str, bytes]]:
    """What lies in the home, file by file."""
    return lambda: {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_sound_corpus_verifies(call: Call, home: Path) -> None:
    ran = call("index", "verify")
    assert (ran.code, ran.out, ran.err) == (0, "", "main corpus: 1 generation, everything is sound.\n")


def test_damage_is_found_told_and_repaired(call: Call, home: Path) -> None:
    damaged = home / "corpora/main/generations/1/lexical/meta.json"
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content[:-9])
    found = call("index", "verify")
    assert found.code == 1
    assert "lexical/meta.json" in found.out
    assert "assistant index rebuild" in found.err
    assert call("index", "rebuild").err == "main corpus: 2 articles rebuilt as generation 2.\n"
    assert call("index", "gc", "--previous").code == 0
    assert call("index", "verify").code == 0
    assert "eleven" in call("ask", "How many sails does the mill have?").out


def test_an_export_is_a_corpus_again_elsewhere(call: Call, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "news.zip"
    assert call("index", "export", file).err == f"main corpus: 2 articles written to {file}.\n"
    imported = call("index", "import", file, "--corpus", "copy")
    assert imported.err == "copy corpus: 2 articles imported as generation 1.\n"
    question = ("How many sails does the mill have?", "--json")
    ours, theirs = call("ask", *question).json(), call("ask", *question, "--corpus", "copy").json()
    assert ours["citations"] == theirs["citations"]
    assert ours["nearest"] == theirs["nearest"]


def test_an_import_replaces_nothing_unless_it_is_told_to(call: Call, home: Path, tmp_path: Path) -> None:
    call("index", "export", tmp_path / "news.zip")
    refused = call("index", "import", tmp_path / "news.zip")
    assert refused.code == 3
    assert "--replace" in refused.complaint()
    assert call("index", "import", tmp_path / "news.zip", "--replace").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("index", "verify", "--corpus", "none"), 3, "there is no corpus 'none'"),
        (("index", "rebuild", "--corpus", "none"), 3, "there is no corpus 'none'"),
        (("index", "gc", "--corpus", "none"), 3, "there is no corpus 'none'"),
        (("index", "import", "none.zip"), 2, "'none.zip' does not exist"),
        (("articles", "rm", "none"), 2, "no article has the id 'none'"),
        (("articles", "readmit", "mill"), 2, "no article with the id 'mill' was withdrawn"),
        (("articles", "rm", "mill", "--corpus", "demo"), 3, "mirrors the demo articles"),
        (("ingest", "--dry-run"), 2, "name at least one file or folder"),
        (("ingest", ".", "--watch", "--dry-run"), 2, "--watch stays"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    call: Call, home: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = call(*arguments)
    assert ran.code == code
    assert said in ran.complaint()


def test_a_file_that_is_no_export_is_told(call: Call, home: Path, tmp_path: Path) -> None:
    (tmp_path / "news.zip").write_text("no ZIP")
    ran = call("index", "import", tmp_path / "news.zip", "--corpus", "copy")
    assert ran.code == 2
    assert "is no export of a corpus" in ran.complaint()


def test_a_dry_run_tells_and_changes_nothing(
    call: Call, home: Path, folder: Path, sealed: Callable[[], dict[str, bytes]]
) -> None:
    (folder / "ferry.txt").unlink()
    (folder / "mill.md").write_text(f"---\nid: mill\ntitle: The mill\n---\n{MILL} It is old.\n")
    (folder / "weir.txt").write_text("The Quill weir is nine metres wide.")
    before = sealed()
    ran = call("ingest", folder, "--prune", "--dry-run")
    assert ran.err == "main corpus would be: 1 added, 1 changed, 1 removed.\n"
    assert sealed() == before
    assert call("ingest", folder, "--prune").err == "main corpus: 1 added, 1 changed, 1 removed.\n"


def test_pruning_stays_within_what_was_named(call: Call, home: Path, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "weir.txt").write_text("The Quill weir is nine metres wide.")
    call("ingest", other)
    shutil.rmtree(other)
    (folder / "ferry.txt").unlink()
    assert call("ingest", folder, "--prune").err == "main corpus: 1 unchanged, 1 removed.\n"
    assert "nine" in call("ask", "How wide is the weir?").out


def test_an_emptied_folder_prunes_nothing_and_says_so(call: Call, home: Path, folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    ran = call("ingest", folder, "--prune")
    assert ran.code == 1
    assert "Nothing was read from there, so nothing is pruned (2 articles)." in ran.err


def test_a_withdrawn_article_is_nowhere_and_stays_out(
    call: Call, home: Path, folder: Path, sealed: Callable[[], dict[str, bytes]]
) -> None:
    answer = call("ask", "How many sails does the mill have?", "--json").json()
    assert call("articles", "rm", "mill").err == "main corpus: 1 article withdrawn.\n"
    assert not [name for name, content in sealed().items() if b"eleven sails" in content]
    assert "[withdrawn]" in call("history", "show", answer["answer_id"]).out
    assert call("ask", "How many sails does the mill have?").code == 10
    again = call("ingest", folder)
    assert "was withdrawn on" in again.err
    assert call("articles", "readmit", "mill").code == 0
    assert call("ingest", folder).err == "main corpus: 1 added, 1 unchanged.\n"


def test_near_copies_are_shown_with_an_article(call: Call, home: Path, folder: Path) -> None:
    story = " ".join(
        f"Keeper {name} opened sluice number {at}." for at, name in enumerate("ABCDEFGHIJKLMNOP")
    )
    for outlet in ("Herald", "Post"):
        (folder / f"{outlet}.md").write_text(f"---\nid: {outlet}\ntitle: {outlet} on sluices\n---\n{story}\n")
    call("ingest", folder)
    assert "near copies: Post" in call("articles", "show", "Herald").out
    assert call("articles", "show", "Post", "--json").json()["near_copies"] == ["Herald"]
    assert call("articles", "show", "mill", "--json").json()["near_copies"] == []


def test_watching_follows_what_is_added_changed_and_removed(
    start: Callable[..., subprocess.Popen[str]], call: Call, tmp_path: Path, folder: Path, home: Path
) -> None:
    watching = start("ingest", "--watch", str(folder), "--home", str(home), "--json")
    assert watching.stdout is not None
    (folder / "weir.txt").write_text("The Quill weir is nine metres wide.")
    assert len(json.loads(watching.stdout.readline())["added"]) == 1
    (folder / "mill.md").write_text(f"---\nid: mill\ntitle: The mill\n---\n{MILL} It is old.\n")
    assert json.loads(watching.stdout.readline())["changed"] == ["mill"]
    (folder / "ferry.txt").unlink()
    assert len(json.loads(watching.stdout.readline())["removed"]) == 1
    assert "nine" in call("ask", "How wide is the weir?").out
    watching.terminate()
    assert watching.wait(PATIENCE) == 0
    assert watching.stderr is not None
    assert watching.stderr.read() == "Watching has ended.\n"


def test_the_program_ends_on_sigterm_with_one_line_and_nothing_half_done(
    start: Callable[..., subprocess.Popen[str]], run: Run, tmp_path: Path
) -> None:
    news = tmp_path / "many"
    news.mkdir()
    for number in range(400):
        (news / f"{number}.txt").write_text(f"Lock {number} opened at noon. Its keeper rang bell {number}.")
    home = tmp_path / "fresh"
    child = start("ingest", str(news), "--home", str(home))
    until = time.monotonic() + PATIENCE
    while not list(home.glob("corpora/main/generations/*")) and time.monotonic() < until:
        time.sleep(0.02)
    child.terminate()
    assert child.wait(PATIENCE) in {143, 0}
    assert not list(home.glob("corpora/main/generations/*.building"))
    assert run("ingest", str(news), "--home", str(home)).code == 0


def test_an_article_that_was_pruned_before_can_still_be_withdrawn(
    call: Call, home: Path, folder: Path, sealed: Callable[[], dict[str, bytes]]
) -> None:
    call("ask", "How many sails does the mill have?")
    (folder / "mill.md").unlink()
    call("ingest", folder, "--prune")
    assert [name for name, content in sealed().items() if b"eleven sails" in content]
    assert call("articles", "rm", "mill").code == 0
    assert not [name for name, content in sealed().items() if b"eleven sails" in content]


def test_an_import_does_not_bring_back_what_was_withdrawn(
    call: Call, home: Path, folder: Path, tmp_path: Path
) -> None:
    call("index", "export", tmp_path / "old.zip")
    call("articles", "rm", "mill")
    assert call("index", "import", tmp_path / "old.zip", "--replace").err.startswith(
        "main corpus: 1 article "
    )
    assert call("ask", "How many sails does the mill have?").code == 10
    assert "was withdrawn on" in call("ingest", folder).err


def test_an_article_that_has_moved_is_not_prepared_again(call: Call, home: Path, folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "mill.md").rename(folder / "old/mill.md")
    assert call("ingest", folder, "--json").json()["changed"] == ["mill"]
    assert "source: news/old/mill.md" in call("articles", "show", "mill").out
    assert call("ingest", folder, "--prune").err == "main corpus: 2 unchanged.\n"
    assert "eleven" in call("ask", "How many sails does the mill have?").out
