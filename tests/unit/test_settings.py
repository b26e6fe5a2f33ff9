"""The settings: which source wins, what is refused, and what changes an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assistant.domain.errors import ConfigurationError
from assistant.settings import Settings, colour_wanted, load_settings

DEFAULTS: dict[str, Any] = {
    "home": Path(".assistant"),
    "corpus": None,
    "content": None,
    "embedder": "static",
    "passages": 10,
    "exact_dense": False,
    "model": None,
    "no_model": False,
    "history": True,
}
# A line of assistant.toml, a value of the environment, a flag; and what each of them means.
SOURCES: list[tuple[str, str, object, list[object]]] = [
    ("home = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
    ("corpus = 'file'", "env", "flag", ["file", "env", "flag"]),
    ("content = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
    ("embedder = 'hashing'", "static", "hashing", ["hashing", "static", "hashing"]),
    ("passages = 2", "3", 4, [2, 3, 4]),
    ("exact_dense = true", "false", True, [True, False, True]),
    ("model = 'file'", "env", "flag", ["file", "env", "flag"]),
    ("no_model = true", "0", True, [True, False, True]),
    ("history = false", "1", False, [False, True, False]),
]


def test_without_anything_the_defaults_hold() -> None:
    assert load_settings().model_dump() == DEFAULTS


@pytest.mark.parametrize(("line", "environment", "flag", "meant"), SOURCES)
def test_flag_over_environment_over_file(
    monkeypatch: pytest.MonkeyPatch, line: str, environment: str, flag: object, meant: list[object]
) -> None:
    name = line.split(maxsplit=1)[0]
    Path("assistant.toml").write_text(line)
    seen = [getattr(load_settings(), name)]
    monkeypatch.setenv(f"ASSISTANT_{name.upper()}", environment)
    seen.append(getattr(load_settings(), name))
    seen.append(getattr(load_settings({name: flag}), name))
    assert seen == meant
    assert load_settings({name: None}) == load_settings()


def test_every_setting_is_in_the_table() -> None:
    assert [line.split()[0] for line, *_ in SOURCES] == list(Settings.model_fields) == list(DEFAULTS)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("hoem = 'x'", "unknown setting 'hoem' in assistant.toml; did you mean 'home'?"),
        ("zzz = 1", "unknown setting 'zzz' in assistant.toml; did you mean "),
        ("Home = 'x'", "unknown setting 'Home' in assistant.toml; did you mean 'home'?"),
        ("home = 3", "setting home=3: "),
        ("passages = 101", "setting passages=101: "),
        ("passages = 'ten'", "setting passages='ten': "),
        ("exact_dense = 'perhaps'", "setting exact_dense='perhaps': "),
        ("embedder = 'openai'", "setting embedder='openai': "),
        ("corpus = '../../etc'", "setting corpus='../../etc': "),
        ("corpus = '.hidden'", "setting corpus='.hidden': "),
        ("corpus = ''", "setting corpus='': "),
        ("home", "assistant.toml cannot be read: "),
        ("home = 'a'\nhome = 'b'", "assistant.toml cannot be read: "),
    ],
)
def test_what_the_file_says_wrong_is_a_configuration_error(toml: str, said: str) -> None:
    Path("assistant.toml").write_text(toml)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(said)


def test_a_file_that_is_no_text_is_a_configuration_error() -> None:
    Path("assistant.toml").write_bytes(b"home = '\xff'")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings()


def test_a_folder_in_place_of_the_file_is_a_configuration_error() -> None:
    Path("assistant.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ASSISTANT_PASAGES", "ASSISTANT_PASSAGES"),
        ("ASSISTANT_MODELS", "ASSISTANT_MODEL"),
        ("ASSISTANT_EXACTDENSE", "ASSISTANT_EXACT_DENSE"),
    ],
)
def test_an_unknown_name_in_the_environment_is_an_error_that_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value) == f"unknown setting {name!r}; did you mean {meant!r}?"


def test_a_name_that_only_resembles_ours_is_no_business_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ASSISTANT_HOEM", "x")
    assert load_settings().model_dump() == DEFAULTS


def test_an_empty_variable_is_as_if_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS:
        monkeypatch.setenv(f"ASSISTANT_{name.upper()}", "")
    assert load_settings().model_dump() == DEFAULTS


def test_settings_are_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.passages = 3  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        ({"home": Path("elsewhere")}, False),
        ({"corpus": "other"}, False),
        ({"content": Path("elsewhere")}, False),
        ({"embedder": "hashing"}, True),
        ({"passages": 9}, True),
        ({"exact_dense": True}, True),
        ({"model": "some"}, True),
        ({"no_model": True}, True),
    ],
)
def test_the_fingerprint_changes_with_what_can_change_an_answer(
    change: dict[str, Any], matters: bool
) -> None:
    assert (Settings(**change).fingerprint() != Settings().fingerprint()) is matters


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": "0"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_when_a_terminal_may_be_coloured(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wanted: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colour_wanted() is wanted
