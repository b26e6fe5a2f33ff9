"""The settings: which source wins, what is refused, and what changes an answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assistant.domain.errors import ConfigurationError
from assistant.settings import DEFAULT_MODEL, Settings, colour_wanted, load_settings, settings_in_force

DEFAULTS: dict[str, Any] = {
    "home": Path(".assistant"),
    "corpus": None,
    "content": None,
    "embedder": "static",
    "reranker": None,
    "passages": 10,
    "exact_dense": False,
    "model": None,
    "no_model": False,
    "require_model": False,
    "base_url": None,
    "api_key": None,
    "support": "drop",
    "judge": False,
    "model_seconds": 30.0,
    "model_lacks": frozenset(),
    "model_effort": "low",
    "model_price": None,
    "context_tokens": 6000,
    "answer_tokens": 800,
    "history_tokens": 1000,
    "tokenizers": None,
    "history": True,
}
URLS: list[object] = ["http://file/v1", "http://env/v1", "http://flag/v1"]
LACKS: list[object] = [frozenset({"system"}), frozenset({"streaming", "temperature"}), frozenset()]
# A line of assistant.toml, a value of the environment, a flag; and what each of them means.
SOURCES: list[tuple[str, str, object, list[object]]] = [
    ("home = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
    ("corpus = 'file'", "env", "flag", ["file", "env", "flag"]),
    ("content = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
    ("embedder = 'hashing'", "static", "hashing", ["hashing", "static", "hashing"]),
    ("reranker = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
    ("passages = 2", "3", 4, [2, 3, 4]),
    ("exact_dense = true", "false", True, [True, False, True]),
    ("model = 'file'", "env", "flag", ["file", "env", "flag"]),
    ("no_model = true", "0", True, [True, False, True]),
    ("require_model = true", "0", True, [True, False, True]),
    ("base_url = 'http://file/v1'", "http://env/v1", "http://flag/v1", URLS),
    ("support = 'strict'", "mark", "drop", ["strict", "mark", "drop"]),
    ("judge = true", "0", True, [True, False, True]),
    ("model_seconds = 5", "6.5", 7, [5, 6.5, 7]),
    ("model_lacks = ['system']", "streaming, temperature", frozenset(), LACKS),
    ("model_effort = 'high'", "none", "default", ["high", "none", "default"]),
    ("model_price = '1,1,1'", "2,2,2", "3,3,3", ["1,1,1", "2,2,2", "3,3,3"]),
    ("context_tokens = 1000", "2000", 3000, [1000, 2000, 3000]),
    ("answer_tokens = 100", "200", 300, [100, 200, 300]),
    ("history_tokens = 0", "10", 20, [0, 10, 20]),
    ("tokenizers = 'file'", "env", Path("flag"), [Path("file"), Path("env"), Path("flag")]),
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
    in_file = [name for name in Settings.model_fields if name != "api_key"]  # a key is in no file
    assert [line.split()[0] for line, *_ in SOURCES] == in_file
    assert list(Settings.model_fields) == list(DEFAULTS)


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
        ({"reranker": Path("elsewhere")}, True),
        ({"passages": 9}, True),
        ({"exact_dense": True}, True),
        ({"model": "some"}, True),
        ({"no_model": True}, False),
        ({"context_tokens": 1900}, False),
        ({"api_key": "sk-1"}, True),
        ({"model": "some", "context_tokens": 1900}, True),
        ({"judge": True}, False),
        ({"model": "some", "judge": True}, True),
        ({"model": "some", "base_url": "http://elsewhere/v1"}, True),
        ({"model": "some", "no_model": True}, False),
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


def in_force(name: str, flags: dict[str, Any] | None = None) -> tuple[object, str]:
    """The value of a setting and its origin, as they are shown."""
    shown = {one.name: one for one in settings_in_force(load_settings(flags), flags)}
    assert list(shown) == list(Settings.model_fields)
    return shown[name].value, shown[name].origin


@pytest.mark.parametrize(("line", "environment", "flag", "meant"), SOURCES)
def test_each_value_in_force_tells_its_origin(
    monkeypatch: pytest.MonkeyPatch, line: str, environment: str, flag: object, meant: list[object]
) -> None:
    name = line.split(maxsplit=1)[0]
    variable = f"ASSISTANT_{name.upper()}"
    origins = [in_force(name)[1]]
    Path("assistant.toml").write_text(line)
    origins.append(in_force(name)[1])
    monkeypatch.setenv(variable, environment)
    origins += [in_force(name, {name: given})[1] for given in (None, flag)]
    assert origins == ["default", "assistant.toml", f"environment variable {variable}", "flag"]


@pytest.mark.parametrize(
    ("name", "ours", "usual", "values"),
    [
        ("base_url", "ASSISTANT_BASE_URL", "OPENAI_BASE_URL", ("http://a/v1", "http://b/v1", "http://c/v1")),
        ("tokenizers", "ASSISTANT_TOKENIZERS", "TIKTOKEN_CACHE_DIR", ("a", "b", "c")),
    ],
)
def test_a_usual_variable_wins_over_the_file_and_ours_over_both(
    monkeypatch: pytest.MonkeyPatch, name: str, ours: str, usual: str, values: tuple[str, str, str]
) -> None:
    for variable in (ours, usual):
        monkeypatch.delenv(variable, raising=False)
    Path("assistant.toml").write_text(f"{name} = '{values[0]}'")
    assert in_force(name) == (values[0], "assistant.toml")
    monkeypatch.setenv(usual, values[1])
    assert in_force(name) == (values[1], f"environment variable {usual}")
    monkeypatch.setenv(ours, values[2])
    assert in_force(name) == (values[2], f"environment variable {ours}")
    monkeypatch.setenv(ours, "")
    assert in_force(name) == (values[1], f"environment variable {usual}")


def test_what_is_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_force("api_key") == ("absent", "default")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:secret@models.example:8000/v1?token=secret")
    assert in_force("api_key") == ("present", "environment variable OPENAI_API_KEY")
    assert in_force("base_url")[0] == "http://models.example:8000/v1"
    assert "secret" not in repr(settings_in_force(load_settings()))


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, None),
        ({"base_url": "http://localhost/v1"}, None),
        ({"api_key": "sk-1"}, DEFAULT_MODEL),
        ({"require_model": True}, DEFAULT_MODEL),
        ({"model": "openai:other"}, "openai:other"),
        ({"model": "other", "api_key": "sk-1"}, "other"),
        ({"model": "other", "api_key": "sk-1", "no_model": True}, None),
    ],
)
def test_a_model_is_chosen_by_its_name_or_by_a_key(given: dict[str, Any], chosen: str | None) -> None:
    assert Settings(**given).chosen_model == chosen


def test_the_names_that_everybody_uses_are_read_and_ours_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://theirs/v1")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "theirs")
    loaded = load_settings()
    assert loaded.api_key
    assert loaded.api_key.get_secret_value() == "sk-theirs"
    assert (loaded.base_url, loaded.tokenizers) == ("http://theirs/v1", Path("theirs"))
    assert "sk-theirs" not in repr(loaded)
    monkeypatch.setenv("ASSISTANT_BASE_URL", "http://ours/v1")
    assert load_settings().base_url == "http://ours/v1"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"base_url": "localhost:8000"}, "write an address like http://localhost:8000/v1"),
        ({"model_lacks": "sistem"}, "'sistem' is none of stream_options, system"),
        ({"model": "two words"}, "write a name like openai:"),
        ({"embedder": "word2vec"}, "write static, minilm, hashing or openai:MODEL"),
        ({"model_price": "a"}, "the price 'a' is not made of numbers"),
        ({"no_model": True, "require_model": True}, "--no-model and --require-model exclude each other"),
        ({"model_seconds": 0}, "greater than 0"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_settings(given)


def test_a_key_in_a_file_is_refused() -> None:
    Path("assistant.toml").write_text("api_key = 'sk-1'")
    with pytest.raises(ConfigurationError, match="files are shared: set OPENAI_API_KEY") as caught:
        load_settings()
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "flags", "chosen"),
    [
        ({"ASSISTANT_REQUIRE_MODEL": "1"}, {"no_model": True}, None),
        ({"ASSISTANT_NO_MODEL": "1"}, {"require_model": True}, DEFAULT_MODEL),
        ({"ASSISTANT_NO_MODEL": "1"}, {"model": "openai:other"}, "openai:other"),
    ],
)
def test_a_flag_wins_over_what_elsewhere_says_the_contrary(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], flags: dict[str, Any], chosen: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings(flags).chosen_model == chosen


@pytest.mark.parametrize(("written", "key"), [("sk-1\n", "sk-1"), ("  ", None), ("sk-1 ", "sk-1")])
def test_blanks_around_a_key_do_not_count(
    monkeypatch: pytest.MonkeyPatch, written: str, key: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", written)
    loaded = load_settings().api_key
    assert (loaded.get_secret_value() if loaded else None) == key


@pytest.mark.parametrize("written", ["sk-1 and more", "sk-1\nsk-2", "schlüssel"])
def test_what_is_no_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", written)
    with pytest.raises(ConfigurationError, match="set OPENAI_API_KEY to it alone") as caught:
        load_settings()
    assert written.split(maxsplit=1)[0] not in str(caught.value)


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"base_url": "ftp://me:secret@host/v1"})
    assert "secret" not in str(caught.value)
    assert Settings(base_url="http://me:secret@host:8000/v1").host == "host:8000"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ASSISTANT_MODEL", "model"), ("openai_base_url", "base_url"), ("passagse", "passages")],
)
def test_a_name_from_elsewhere_in_the_file_is_known_again(written: str, meant: str) -> None:
    Path("assistant.toml").write_text(f"{written} = 'x'")
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        load_settings()
