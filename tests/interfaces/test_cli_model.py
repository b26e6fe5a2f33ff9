"""Answers that a model behind a server writes, as people get them from the program."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from assistant.testing.openai_server import FAULTS, Echo, Fault, OpenAIServer, Reader, Reply, Vectors

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Ran, Run

pytestmark = pytest.mark.enable_socket

WHO = "Who heads the new command?"
ISLAND = "How many people live on Little Corrow?"
KEY = "sk-planted-0123456789"


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """A home in which nothing was told yet; ``call`` uses it, too."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "corpora").symlink_to(demo_home / "corpora")
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A server whose model reads the prompt and does what it says, in use."""
    with OpenAIServer(default=Reader()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("ASSISTANT_MODEL", "test-model")
        yield server


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OpenAIServer]]:
    """Starts a server with these steps, in use."""
    servers: list[OpenAIServer] = []

    def behind(*steps: object, **options: object) -> OpenAIServer:
        server = OpenAIServer(steps, **options)  # type: ignore[arg-type]
        servers.append(server.__enter__())
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("ASSISTANT_MODEL", "test-model")
        monkeypatch.setenv("ASSISTANT_MODEL_SECONDS", "2")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return server

    yield behind
    for server in servers:
        server.close()


def test_a_model_that_does_what_the_prompt_says_is_cited(
    call: Call, home: Path, reader: OpenAIServer
) -> None:
    ran = call("ask", WHO, "--json")
    answer = ran.json()
    assert ran.code == 0
    assert "three-star general" in answer["text"]
    assert "BROKEN PROMPT" not in answer["text"]
    assert answer["provenance"]["model"] == "openai:test-model"
    assert answer["degraded"] is None
    assert answer["usage"]["exact"]
    assert answer["usage"]["prompt_tokens"] > 0
    assert answer["usage"]["cost_usd"] is None  # nobody knows what this server costs
    stored: dict[str, Any] = {}
    for citation in answer["citations"]:
        article = stored.setdefault(
            citation["article_id"], call("articles", "show", citation["article_id"], "--json").json()
        )
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert set(re.findall(r"\[(\d+)\]", answer["text"])) == {str(one["n"]) for one in answer["citations"]}


def test_where_questions_go_is_told_once(call: Call, home: Path, reader: OpenAIServer) -> None:
    host = reader.base_url.split("/")[2]
    told = (
        "Questions, what was said before them and the passages found for them are sent to"
        f" openai:test-model at {host}; --no-model keeps them here."
    )
    assert call("ask", ISLAND).err.splitlines()[0] == told
    assert told not in call("ask", ISLAND).err
    assert told.replace("test-model", "other") in call("ask", ISLAND, "--model", "other").err


def test_the_line_below_says_who_wrote(call: Call, home: Path, reader: OpenAIServer) -> None:
    assert call("ask", ISLAND).err.endswith("; written by openai:test-model.\n")
    assert call("ask", ISLAND, "--no-model").err.endswith("; extracts, no model.\n")


def test_searching_asks_no_model_and_says_nothing_of_one(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_MODEL", "without-a-key")
    assert (call("search", ISLAND).code, call("search", ISLAND).err) == (0, "")
    assert call("articles", "list").code == 0


def test_a_remote_embedder_is_told_of_as_well(
    call: Call, home: Path, demo_home: Path, reader: OpenAIServer
) -> None:
    (home / "corpora").unlink()  # the demo is embedded anew, in a copy of its own
    shutil.copytree(demo_home / "corpora", home / "corpora")
    host = reader.base_url.split("/")[2]
    ran = call("ask", ISLAND, "--embedder", "openai:small", "--corpus", "demo", "--no-model")
    told = f"Questions are sent to openai:small at {host}; --embedder static keeps them here."
    assert told in ran.err.splitlines()


def test_an_ingest_tells_once_that_articles_leave_the_machine(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: OpenAIServer
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path / "own"))
    (tmp_path / "mill.txt").write_text("The Quill mill has 11 sails.")
    host = reader.base_url.split("/")[2]
    told = f"Articles are sent to openai:small at {host}; --embedder static keeps them here."
    ingest = ("ingest", tmp_path / "mill.txt", "--embedder", "openai:small")
    assert told in call(*ingest).err.splitlines()
    assert told not in call(*ingest).err


def test_an_embedder_that_hangs_leaves_the_model_time_to_answer(
    call: Call, home: Path, demo_home: Path, behind: Callable[..., OpenAIServer]
) -> None:
    (home / "corpora").unlink()
    shutil.copytree(demo_home / "corpora", home / "corpora")
    behind(Vectors(), Vectors(), Fault("hang"), Reply("Many live there. [1]"))
    assert call("ask", ISLAND, "--embedder", "openai:small", "--no-model").code == 0
    started = time.monotonic()
    ran = call("ask", ISLAND, "--embedder", "openai:small", "--json")
    assert time.monotonic() - started < 4
    answer = ran.json()
    assert answer["provenance"]["model"] == "openai:test-model"
    assert "found by words alone" in answer["degraded"]["reason"]


def test_a_broken_off_answer_says_so_where_the_answer_stands(
    call: Call, home: Path, behind: Callable[..., OpenAIServer]
) -> None:
    behind(Fault("cut", text="Many people live there. [1] And the oth", after=8))
    ran = call("ask", ISLAND)
    assert ran.out.startswith("Many people live there. [1]\n\n[The answer broke off here.]\n\n")
    assert "the model's answer broke off: " in ran.err


def test_no_model_sends_nothing(call: Call, home: Path, reader: OpenAIServer) -> None:
    assert call("ask", ISLAND, "--no-model").code == 0
    assert reader.requests == []


def test_what_is_not_there_is_not_in_the_corpus(call: Call, home: Path, reader: OpenAIServer) -> None:
    ran = call("ask", "Which zoologist catalogued Patagonian beetles?")
    assert ran.code == 10
    assert ran.out.startswith("Not in the corpus (demo: 20 articles")


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (Fault("invalid_api_key"), 4, "OPENAI_API_KEY"),
        (Fault("model_not_found"), 3, "ASSISTANT_MODEL"),
        (Fault("html"), 5, "OPENAI_BASE_URL"),
        (Fault("insufficient_quota"), 6, "credit"),
        (Fault("rate_limit", retry_after="130"), 6, "Try again in a minute"),
        (Fault("hang"), 7, "ASSISTANT_MODEL_SECONDS"),
        (Fault("unfinished", text="It"), 5, "Ask again."),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_fault_leaves_the_extract_unless_the_model_is_required(
    call: Call,
    home: Path,
    behind: Callable[..., OpenAIServer],
    *,
    fault: Fault,
    code: int,
    said: str,
) -> None:
    behind(default=fault)
    answered = call("ask", ISLAND)
    assert answered.code == 0
    assert "740" in answered.out
    assert "the model did not answer: " in answered.err
    required = call("ask", ISLAND, "--require-model")
    assert required.code == code
    assert said in required.complaint()
    assert KEY not in answered.err + required.err
    assert "Traceback" not in answered.err + required.err


def test_a_server_that_is_not_there_leaves_the_extract(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert call("ask", ISLAND, "--model", "test-model").code == 0
    assert call("ask", ISLAND, "--model", "test-model", "--require-model").code == 5


def test_a_model_without_key_and_server_is_a_configuration_error(call: Call, home: Path) -> None:
    ran = call("ask", ISLAND, "--model", "gpt-x")
    assert ran.code == 3
    assert "OPENAI_API_KEY" in ran.complaint()


@pytest.mark.parametrize("how", ["sources", "prompt"])
def test_a_model_that_repeats_what_it_reads_brings_in_no_link_and_no_marker(
    call: Call, home: Path, behind: Callable[..., OpenAIServer], how: Literal["sources", "prompt"]
) -> None:
    behind(default=Echo(how))
    answer = call("ask", WHO, "--json").json()
    assert "://" not in answer["text"]
    assert set(re.findall(r"\[(\d+)\]", answer["text"])) == {str(one["n"]) for one in answer["citations"]}


def test_on_a_terminal_statements_come_one_by_one_and_add_up_to_the_same_answer(
    home: Path, on_terminal: Callable[..., tuple[int, str]], run: Run, behind: Callable[..., OpenAIServer]
) -> None:
    server = behind(default=Reader(pieces=40, delay_s=0.01))
    env = {
        "ASSISTANT_HOME": str(home),
        "OPENAI_BASE_URL": server.base_url,
        "ASSISTANT_MODEL": "test-model",
        "NO_COLOR": "1",
    }
    code, seen = on_terminal("ask", WHO, env=env)
    assert code == 0
    whole: Ran = run("ask", WHO, env=env)
    assert " ".join(whole.out.split()) in " ".join(seen.split())
    _, _, answer = seen.partition("keeps them here.\n")
    assert all(len(line) <= 80 for line in answer.partition("\n\n")[0].splitlines())


def test_a_retracted_answer_is_called_back_on_a_terminal(
    home: Path, on_terminal: Callable[..., tuple[int, str]], behind: Callable[..., OpenAIServer]
) -> None:
    behind(Fault("content_filter", text="A general heads it. [1] Also"))
    env = {"ASSISTANT_HOME": str(home), "NO_COLOR": "1"}
    code, seen = on_terminal("ask", WHO, env=env)
    assert code == 0
    before, _, after = seen.partition("Never mind the above")
    assert "A general heads it. [1]" in before
    assert "three-star general" in after


def test_every_line_of_a_batch_gets_its_answer_whatever_the_server_does(
    call: Call, home: Path, behind: Callable[..., OpenAIServer], tmp_path: Path
) -> None:
    behind(Reply("Many live there. [1]"), Fault("empty_object"), Reply("Few. [1]"))
    lines = [json.dumps({"id": number, "question": ISLAND}) for number in range(3)]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines))
    ran = call("ask", "--batch", tmp_path / "questions.jsonl")
    assert ran.err.splitlines()[-1].startswith("1 answer: the model did not answer: ")
    answers = ran.lines()
    assert [one["provenance"]["model"] is not None for one in answers] == [True, False, True]
    assert [one["kind"] for one in answers] == ["answer"] * 3


def test_the_sentences_stand_below_the_articles_that_they_are_cited_from(
    call: Call, home: Path, behind: Callable[..., OpenAIServer]
) -> None:
    behind(Reply("Many live there. [1] Others do not. [2] So it is. [1]"))
    ran = call("ask", ISLAND, "--support", "mark")
    text, sources, doubts = ran.out.rstrip("\n").split("\n\n")
    assert text == "Many live there. [1] Others do not. [2] So it is. [1]"
    assert doubts.startswith("Not fully borne out by what is cited:\n? Many live there. (")
    quotes = re.findall(r"^  \[(\d)\] “(.+)”$", sources, re.MULTILINE)
    assert [number for number, _ in quotes] == ["1", "2"]
    kept = call("history", "list").out.split()[0]
    shown = call("history", "show", kept, "--json").json()
    assert [quote for _, quote in quotes] == [" ".join(one["quote"].split()) for one in shown["citations"]]


def test_a_reason_is_told_beside_json(call: Call, home: Path, behind: Callable[..., OpenAIServer]) -> None:
    behind(Fault("empty_object"))
    ran = call("ask", ISLAND, "--json")
    assert ran.json()["degraded"]["reason"].startswith("the model did not answer: ")
    assert "the model did not answer: " in ran.err


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_whatever_a_server_does_an_answer_comes_in_time_and_in_plain_words(
    call: Call,
    home: Path,
    behind: Callable[..., OpenAIServer],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    behind(default=Fault(kind))
    monkeypatch.setenv("ASSISTANT_MODEL_SECONDS", "0.5")
    started = time.monotonic()
    ran = call("ask", ISLAND)
    assert time.monotonic() - started < 0.5 + 2
    refused = kind == "refusal"
    assert ran.code == (10 if refused else 0)
    assert ("The model refused" if refused else "[1] ") in ran.out
    assert refused or "the model did not answer: " in ran.err or "[The answer broke off here.]" in ran.out
    assert not any(sign in ran.out + ran.err for sign in ("Traceback", "internal error", KEY))
