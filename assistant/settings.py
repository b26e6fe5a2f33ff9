"""The settings of the assistant: the only module that reads the environment.

A flag wins over the environment (``ASSISTANT_<NAME>``), that over ``assistant.toml``
in the working directory, that over the default. A key that is not known is an error
that names the nearest one that is, so that a typing error never passes for a setting.
Where the key and the address of a provider go by the names that everybody uses
(``OPENAI_API_KEY``, ``OPENAI_BASE_URL``), these are read, too.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from assistant.domain.errors import ConfigurationError
from assistant.pricing import PRICED_HOST, override

CONFIG_FILE = "assistant.toml"
DEFAULT_MODEL = "openai:gpt-6-luna"  # small, cheap, current: looked up on 2026-11-25, see DESIGN.md
MODEL_NEEDS = (
    "stream_options",
    "system",
    "temperature",
    "max_completion_tokens",
    "reasoning_effort",
    "streaming",
)
_PREFIX = "ASSISTANT_"


class Settings(BaseSettings):
    """All settings, frozen. Build it with ``load_settings``."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    home: Path = Field(Path(".assistant"), description="Folder for everything that is stored.")
    corpus: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        description="Which corpus to use: your own (main) once you have ingested, else the demo.",
    )
    content: Path | None = Field(
        None, description="Folder that holds corpus/, instead of the one that comes with the package."
    )
    embedder: str = Field(
        "static",
        pattern=r"^(static|hashing|minilm|openai:\S+)$",
        description="How texts become vectors: static, minilm, or openai:MODEL.",
    )
    reranker: Path | None = Field(
        None, description="Folder with a cross-encoder that reads the best passages again."
    )
    passages: int = Field(10, ge=1, le=100, description="How many passages an answer may rest on.")
    exact_dense: bool = Field(
        False, description="Compare with every vector, not only with Chroma's candidates."
    )
    model: str | None = Field(
        None,
        pattern=r"^\S+$",
        description=f"The model that writes answers, like {DEFAULT_MODEL} (that one when only a key is set).",
    )
    no_model: bool = Field(False, description="Answer by extracts, whatever else is set.")
    require_model: bool = Field(False, description="Fail when the model cannot answer, instead of extracts.")
    base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("ASSISTANT_BASE_URL", "OPENAI_BASE_URL"),
        description="Address of an OpenAI-compatible server, ending in /v1.",
    )
    api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("ASSISTANT_API_KEY", "OPENAI_API_KEY"),
        description="The provider's key; from the environment alone.",
    )
    support: Literal["drop", "strict", "mark"] = Field(
        "drop",
        description="Claims to leave out: unsupported ones (drop), doubtful ones too (strict), none (mark).",
    )
    judge: bool = Field(False, description="Have the model read each claim again, to lower its verdict.")
    model_seconds: float = Field(
        30.0, gt=0, le=600, description="Seconds after which an answer comes without the model."
    )
    model_lacks: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description=f"What the model's server does not have: {', '.join(MODEL_NEEDS)}."
    )
    model_effort: str = Field(
        "low",
        pattern=r"^(none|minimal|low|medium|high|xhigh|default)$",
        description="How long a reasoning model thinks: none to xhigh; default leaves it to the provider.",
    )
    model_price: str | None = Field(
        None, description="Dollars for a million tokens: prompt, cached, completion, like 0.75,0.075,4.50."
    )
    context_tokens: int = Field(6000, ge=1000, description="How long a prompt may be.")
    answer_tokens: int = Field(800, ge=50, description="How long a model's answer may be.")
    history_tokens: int = Field(1000, ge=0, description="How much of a conversation a model is shown.")
    tokenizers: Path | None = Field(
        None,
        validation_alias=AliasChoices("ASSISTANT_TOKENIZERS", "TIKTOKEN_CACHE_DIR"),
        description="Folder with tiktoken's files, if not tokenizers/ in the home.",
    )
    history: bool = Field(True, description="Keep questions and answers in the home's history.db.")

    @field_validator("home", "content", "reranker", "tokenizers")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        """A ``~`` that no shell has expanded is the person's home folder all the same."""
        return path.expanduser() if path else None

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("write an address like http://localhost:8000/v1")
        return url

    @field_validator("api_key", mode="before")
    @classmethod
    def _is_key(cls, key: object) -> object:
        """A key from a file often brings its line end; what is left has to fit into a header."""
        if not isinstance(key, str):
            return key
        key = key.strip()
        if not all("!" <= character <= "~" for character in key):
            raise ValueError(
                "a key holds letters, digits and signs, and no blank: set OPENAI_API_KEY to it alone"
            )
        return key or None

    @field_validator("model_price")
    @classmethod
    def _is_price(cls, price: str | None) -> str | None:
        if price is not None:
            override(price)
        return price

    @field_validator("model_lacks", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Names between commas, as the environment has them, or a list."""
        names = value.replace(" ", "").split(",") if isinstance(value, str) else value
        if isinstance(names, (list, tuple, set, frozenset)) and (
            unknown := [name for name in names if name and name not in MODEL_NEEDS]
        ):
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(MODEL_NEEDS)}")
        return [name for name in names if name] if isinstance(names, list) else names

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        if self.no_model and self.require_model:
            raise ValueError("--no-model and --require-model exclude each other")
        return self

    @property
    def chosen_model(self) -> str | None:
        """The model that is to write; None for answers by extracts. A key alone chooses the default."""
        if self.no_model:
            return None
        if self.model or self.require_model or self.api_key:
            return self.model or DEFAULT_MODEL
        return None

    @classmethod
    def settings_customise_sources(  # noqa: D102 -- the order is the module's docstring
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _TomlSource(settings_cls)

    @property
    def host(self) -> str:
        """Where OpenAI's protocol leads, without what a person must not see of the address."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2] if self.base_url else PRICED_HOST

    def fingerprint(self) -> str:
        """A short hash over the settings that can change an answer."""
        relevant: dict[str, Any] = self.model_dump(include={"embedder", "passages", "exact_dense"})
        if self.reranker:
            relevant["reranker"] = str(self.reranker)
        if self.chosen_model:
            written = {
                "context_tokens",
                "answer_tokens",
                "history_tokens",
                "model_lacks",
                "model_effort",
                "support",
                "judge",
            }
            relevant |= self.model_dump(include=written) | {"model": self.chosen_model}
            relevant["model_lacks"] = sorted(self.model_lacks)
            relevant["host"] = self.host
        return hashlib.sha256(repr(sorted(relevant.items())).encode()).hexdigest()[:12]


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force; flags that are None are as if not given.

    Raises ConfigurationError for an unknown key or a value that does not fit.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    if given.get("no_model"):  # a flag wins over what elsewhere says the contrary
        given.setdefault("require_model", False)
    if given.get("model") or given.get("require_model"):
        given.setdefault("no_model", False)
    _refuse_unknown(
        (name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX)), _PREFIX
    )
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if not first["loc"]:  # what does not go together
            raise ConfigurationError(first["msg"].removeprefix("Value error, ")) from None
        name = ".".join(str(part) for part in first["loc"])
        patterns = {
            "corpus": "use lower-case letters, digits, '.', '_' and '-', a letter or digit first",
            "embedder": "write static, minilm, hashing or openai:MODEL",
            "model_effort": "write none, minimal, low, medium, high, xhigh or default",
            "model": f"write a name like {DEFAULT_MODEL}",
        }
        wrong = first["type"] == "string_pattern_mismatch"
        what = patterns[name] if wrong else first["msg"].removeprefix("Value error, ")
        secret = name.casefold().endswith(("base_url", "api_key"))  # the first may hold a password
        shown = name if secret else f"{name}={first['input']!r}"
        raise ConfigurationError(f"setting {shown}: {what}") from None


class _TomlSource(PydanticBaseSettingsSource):
    """``assistant.toml`` of the working directory."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise AssertionError("the whole file is read at once")

    def __call__(self) -> dict[str, Any]:
        try:
            values = tomllib.loads(Path(CONFIG_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{CONFIG_FILE} cannot be read: {error}") from error
        _refuse_unknown(values, "")
        if "api_key" in values:
            raise ConfigurationError(f"{CONFIG_FILE} holds a key, and files are shared: set OPENAI_API_KEY")
        return {_key(name): value for name, value in values.items()}


def _refuse_unknown(names: Iterable[str], prefix: str) -> None:
    known = list(Settings.model_fields)
    for name in names:
        if name not in known:
            written = name.lower().removeprefix("assistant_").removeprefix("openai_")
            possible = known if prefix else [one for one in known if one != "api_key"]  # that is in no file
            near = difflib.get_close_matches(written, possible, n=1, cutoff=0.0)[0]
            shown, meant = (f"{prefix}{one.upper()}" if prefix else one for one in (name, near))
            where = "" if prefix else f" in {CONFIG_FILE}"
            raise ConfigurationError(f"unknown setting {shown!r}{where}; did you mean {meant!r}?")


def colour_wanted() -> bool:
    """Whether a terminal may be coloured: not when NO_COLOR is set (https://no-color.org) or it is dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting as anybody may see it: its value as JSON has it, and where that came from.

    origin: "flag", "environment variable NAME", "assistant.toml" or "default".
    """

    name: str
    value: str | int | float | list[str] | None
    origin: str


def settings_in_force(
    settings: Settings, flags: Mapping[str, Any] | None = None
) -> tuple[SettingInForce, ...]:
    """All settings, which were loaded with these flags just now.

    Of a key it only tells whether it is "present" or "absent"; an address comes without its password.
    """
    given = {name for name, value in (flags or {}).items() if value is not None}
    variables = {name.upper(): name for name, value in os.environ.items() if value}
    written = _TomlSource(Settings)()

    def origin(name: str) -> str:
        if name in given:
            return "flag"
        for variable in _aliases(name) or (f"{_PREFIX}{name.upper()}",):
            if variable in variables:  # in whatever case it was set
                return f"environment variable {variables[variable]}"
        return CONFIG_FILE if _key(name) in written else "default"

    return tuple(
        SettingInForce(name, _shown(name, getattr(settings, name)), origin(name))
        for name in Settings.model_fields
    )


def _shown(name: str, value: Any) -> Any:
    if name == "api_key":
        return "present" if value else "absent"
    if name == "base_url" and value:
        parts = urlsplit(value)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, Path) else value


def _aliases(name: str) -> tuple[str, ...]:
    """A setting's environment variables where it has several; the first that is set wins."""
    alias = Settings.model_fields[name].validation_alias
    return tuple(str(choice) for choice in alias.choices) if isinstance(alias, AliasChoices) else ()


def _key(name: str) -> str:
    """What all sources call a setting, so that one of them wins: its first alias where it has some."""
    return (*_aliases(name), name)[0]
