"""The first run, and what a run does not do: load what it does not need, reach for the network."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Ran

HEAVY = {
    "chromadb", "wordllama", "tantivy", "numpy", "pydantic", "pydantic_settings", "rich", "yaml", "langchain",
    "langchain_core", "langchain_openai", "openai", "torch", "sentencex", "sqlite3",
}  # fmt: skip

_LOADED = """
import sys
from assistant.interfaces import cli
cli.run({arguments!r})
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""

# An audit hook sees every attempt of any Python code, in every thread, and stops it.
_OFFLINE = """
import sys
tried = []
def watch(event, arguments):
    if event in {{"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}}:
        tried.append((event, arguments[1:]))
        raise OSError("there is no network")
sys.addaudithook(watch)
from assistant.interfaces import cli
code = cli.run({arguments!r})
print("tried:", tried, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], set()),
        (["ask", "--help"], set()),
        (["--version"], set()),
        (["ask", "--modle"], set()),
        (["frobnicate"], set()),
    ],
)
def test_help_and_a_typing_error_load_nothing_heavy(
    run_code: Callable[..., Ran], arguments: list[str], loaded: set[str]
) -> None:
    ran = run_code(_LOADED.format(arguments=arguments))
    modules = set(ran.err.splitlines()[-1].split())
    assert "click" in modules
    assert modules & HEAVY == loaded


def test_a_question_over_a_small_corpus_does_not_load_chroma_or_a_models_client(
    run_code: Callable[..., Ran],
) -> None:
    ran = run_code(_LOADED.format(arguments=["ask", "How many people live on Little Corrow?"]))
    assert "740" in ran.out
    loaded = set(ran.err.splitlines()[-1].split())
    assert "numpy" in loaded
    assert (
        loaded
        & {
            "chromadb",
            "langchain",
            "langchain_core",
            "langsmith",
            "openai",
            "httpx2",
            "tiktoken",
            "torch",
            "rich",
        }
        == set()
    )


def test_the_first_question_in_an_empty_folder_needs_no_network_and_says_once_what_it_does(
    run_code: Callable[..., Ran], tmp_path: Path
) -> None:
    ask = _OFFLINE.format(arguments=["ask", "How many people live on Little Corrow?"])
    first = run_code(ask, env={"ASSISTANT_HOME": None})
    assert (first.code, "740" in first.out) == (0, True)
    assert first.err.splitlines()[0] == "Indexing the demo articles, once."
    assert first.err.splitlines()[-1] == "tried: []"
    assert [entry.name for entry in tmp_path.iterdir()] == [".assistant"]
    assert stat.S_IMODE((tmp_path / ".assistant").stat().st_mode) == 0o700

    second = run_code(ask, env={"ASSISTANT_HOME": None})
    assert second.out == first.out
    assert "Indexing" not in second.err


def test_an_ingest_needs_no_network(run_code: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The Quill mill has 11 sails.")
    ran = run_code(_OFFLINE.format(arguments=["ingest", "mill.txt"]), env={"ASSISTANT_HOME": "home"})
    assert (ran.code, ran.err) == (0, "main corpus: 1 added.\ntried: []\n")


def test_the_watch_over_the_network_sees_an_attempt(run_code: Callable[..., Ran]) -> None:
    watched = _OFFLINE.format(arguments=["--version"]).replace(
        "code =",
        "try:\n    __import__('socket').getaddrinfo('example.org', 80)\nexcept OSError: pass\ncode =",
    )
    assert "socket.getaddrinfo" in run_code(watched).err
