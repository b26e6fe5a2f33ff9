"""`assistant doctor`: what it says, what it never shows, and how it ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.testing.openai_server import Fault, OpenAIServer, Reply, Step, Vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.interfaces.conftest import Call, Ran

KEY = "sk-never-to-be-seen"
NUMBERS = "one, two, three, four, five, six, seven, eight, nine, ten"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """A home that is not there yet, in use."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder with one article."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "mill.txt").write_text("The Quill mill has eleven sails.")
    return folder


def said(ran: Ran, name: str) -> str:
    """The state and the text of the one line of this name."""
    (line,) = (line for line in ran.out.splitlines() if line[9:].startswith(f"{name} "))
    return f"{line[:7].strip()}: {line[24:]}"


def test_a_new_user_in_an_empty_folder_has_no_problem_and_the_folder_stays_empty(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSISTANT_HOME")
    ran = call("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert said(ran, "corpus").startswith("note: no articles yet; the demo is indexed")
    assert said(ran, "model") == "ok: none: answers are extracts"
    assert [line.split()[0] for line in ran.out.splitlines()].count("problem") == 0
    assert not any(line[9:].startswith("setting") for line in ran.out.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_the_demo_that_is_indexed_is_described(call: Call) -> None:
    ran = call("doctor")
    assert ran.code == 0
    assert said(ran, "corpus").startswith("ok: demo, generation 1: ")
    assert said(ran, "index").endswith("which is the embedder in use")


def test_json_has_every_check_and_every_setting(call: Call, home: Path) -> None:
    report = call("doctor", "--json", "--corpus", "other").json()
    assert list(report) == ["schema", "ok", "checks", "settings"]
    assert (report["schema"], report["ok"]) == ("assistant.doctor/1", False)
    (corpus,) = (check for check in report["checks"] if check["name"] == "corpus")
    assert corpus == {
        "name": "corpus",
        "state": "problem",
        "text": f"there is no corpus 'other' in {str(home)!r}",
        "help": "`assistant ingest PATH --corpus NAME` makes one; `--corpus demo` is always there.",
    }
    settings = {setting["name"]: (setting["value"], setting["origin"]) for setting in report["settings"]}
    assert settings["corpus"] == ("other", "flag")
    assert settings["home"] == (str(home), "environment variable ASSISTANT_HOME")
    assert settings["passages"] == (10, "default")
    assert settings["api_key"] == ("absent", "default")


def test_settings_that_are_not_at_their_default_say_where_they_come_from(
    call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assistant.toml").write_text("passages = 6\nmodel_lacks = ['system', 'streaming']\n")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:secret@localhost:9/v1")
    ran = call("doctor", "--model", "openai:small", "--embedder", "hashing")
    assert [line[24:] for line in ran.out.splitlines() if line[9:].startswith("setting ")] == [
        f"home = {home} (environment variable ASSISTANT_HOME)",
        "embedder = hashing (flag)",
        "passages = 6 (assistant.toml)",
        "model = openai:small (flag)",
        "base_url = http://localhost:9/v1 (environment variable OPENAI_BASE_URL)",
        "model_lacks = streaming, system (assistant.toml)",
    ]
    assert said(ran, "model") == "ok: openai:small at localhost:9"
    assert "secret" not in ran.out


@pytest.mark.parametrize(
    ("toml", "environment", "text"),
    [
        ("passagse = 6", {}, "unknown setting 'passagse' in assistant.toml; did you mean 'passages'?"),
        ("", {"ASSISTANT_PASSAGES": "0"}, "setting passages='0': "),
        ("api_key = 'x'", {}, "assistant.toml holds a key"),
    ],
)
def test_a_setting_that_stops_everything_else_is_a_line_here(
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    toml: str,
    environment: dict[str, str],
    text: str,
) -> None:
    (tmp_path / "assistant.toml").write_text(toml)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = call("doctor")
    assert (ran.code, ran.err) == (3, "")
    assert said(ran, "settings").startswith(f"problem: {text}")
    report = call("doctor", "--json").json()
    assert (report["ok"], report["settings"]) == (False, [])


def test_an_index_of_another_embedder_ends_with_3_and_the_command_that_mends_it(
    call: Call, home: Path, news: Path
) -> None:
    call("ingest", news, "--embedder", "hashing")
    ran = call("doctor")
    assert ran.code == 3
    assert said(ran, "index").startswith("problem: the corpus was embedded with ")
    assert "`assistant ingest --rebuild`" in said(ran, "index")


def test_damage_ends_with_1_unless_a_setting_is_to_blame_too(call: Call, home: Path, news: Path) -> None:
    call("ingest", news)
    (home / "history.db").write_bytes(b"no database, but longer than a header " * 9)
    assert call("doctor").code == 1
    assert call("doctor", "--corpus", "other").code == 3


def test_a_key_is_shown_nowhere(call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for arguments in (("doctor",), ("doctor", "--json"), ("doctor", "--embedder", "openai:small")):
        ran = call(*arguments)
        assert ran.code == 0
        assert "never-to-be-seen" not in ran.out + ran.err
        assert "present" in ran.out


def test_a_terminal_gets_colours_and_a_pipe_none(
    call: Call, on_terminal: Callable[..., tuple[int, str]]
) -> None:
    wrong = {"ASSISTANT_PASSAGES": "0"}  # ends at once
    assert "\x1b[31mproblem\x1b[0m  settings " in on_terminal("doctor", env=wrong)[1]
    assert "\x1b" not in on_terminal("doctor", env={**wrong, "NO_COLOR": "1"})[1]
    assert "\x1b" not in call("doctor").out


# --live and --fetch-tokenizer: real HTTP, to this machine.


@pytest.fixture
def asked(call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs `doctor --live` against a server with these steps, which it has to use up."""

    def asked(
        *steps: Step,
        flags: tuple[str, ...] = (),
        seconds: str = "10",
        lacks: frozenset[str] = frozenset(),
    ) -> Ran:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("ASSISTANT_MODEL_SECONDS", seconds)
        with OpenAIServer(steps, lacks=lacks) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            ran = call("doctor", "--live", "--model", "openai:small", *flags)
            server.assert_complete()
        assert "never-to-be-seen" not in ran.out + ran.err
        return ran

    return asked


@pytest.mark.enable_socket
def test_a_live_call_tells_latency_streaming_and_usage(asked: Callable[..., Ran]) -> None:
    ran = asked(Reply(NUMBERS))
    assert ran.code == 0
    live = said(ran, "live model")
    assert live.startswith("ok: openai:small at 127.0.0.1:")
    assert "streamed in 10 pieces; " in live
    assert live.endswith(" written")


@pytest.mark.enable_socket
def test_a_poorer_server_is_seen_as_it_is(asked: Callable[..., Ran]) -> None:
    live = said(asked(Reply(NUMBERS), lacks=frozenset({"streaming", "usage"})), "live model")
    assert live.startswith("ok: ")
    assert live.endswith("; not streamed; usage is not told")


@pytest.mark.enable_socket
def test_an_embedder_behind_an_api_is_called_too(asked: Callable[..., Ran]) -> None:
    ran = asked(Reply(NUMBERS), Vectors(dimension=48), flags=("--embedder", "openai:vectors"))
    assert ran.code == 0
    assert ": 48 numbers after " in said(ran, "live embedder")


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("fault", "seconds", "code"),
    [
        (Fault("model_not_found"), "10", 3),
        (Fault("invalid_api_key"), "10", 4),
        (Fault("empty_object"), "10", 5),
        (Fault("insufficient_quota"), "10", 6),
        (Fault("hang"), "0.3", 7),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else str(value),
)
def test_a_fault_is_a_line_with_its_exit_code(
    asked: Callable[..., Ran], fault: Fault, seconds: str, code: int
) -> None:
    ran = asked(fault, seconds=seconds)
    assert (ran.code, ran.err) == (code, "")
    assert said(ran, "live model").startswith("problem: ")


@pytest.mark.enable_socket
def test_the_code_of_a_call_that_failed_goes_before_others(asked: Callable[..., Ran]) -> None:
    assert asked(Fault("insufficient_quota"), flags=("--corpus", "other")).code == 6


def test_live_without_a_model_says_how_to_choose_one(call: Call, home: Path) -> None:
    ran = call("doctor", "--live")
    assert ran.code == 3
    assert said(ran, "live model").startswith(
        "problem: no model is chosen that could be called. Name one with"
    )


@pytest.mark.enable_socket
def test_a_tokenizer_that_does_not_come_is_told_and_the_home_stays_private(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer() as server:
        closed = server.base_url.removesuffix("/v1")
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, closed)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    ran = call("doctor", "--fetch-tokenizer")
    assert ran.code == 5
    assert said(ran, "fetched").startswith("problem: ")
    assert "ASSISTANT_TOKENIZERS" in said(ran, "fetched")
    assert os.name == "nt" or stat.S_IMODE(home.stat().st_mode) == 0o700
