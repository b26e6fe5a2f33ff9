"""The settings of the assistant: the only module that reads the environment.

A flag wins over the environment (``ASSISTANT_<NAME>``), that over ``assistant.toml``
in the working directory, that over the default. A key that is not known is an error
that names the nearest one that is, so that a typing error never passes for a setting.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from assistant.domain.errors import ConfigurationError

CONFIG_FILE = "assistant.toml"
_PREFIX = "ASSISTANT_"


class Settings(BaseSettings):
    """All settings, frozen. Build it with ``load_settings``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    home: Path = Field(Path(".assistant"), description="Folder for everything that is stored.")
    corpus: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        description="Which corpus to use: your own (main) once you have ingested, else the demo.",
    )
    content: Path | None = Field(
        None, description="Folder that holds corpus/, instead of the one that comes with the package."
    )
    embedder: Literal["static", "hashing"] = Field("static", description="How texts become vectors.")
    passages: int = Field(10, ge=1, le=100, description="How many passages an answer may rest on.")
    exact_dense: bool = Field(
        False, description="Compare with every vector, not only with Chroma's candidates."
    )
    model: str | None = Field(None, description="A model to write answers; this version answers by extracts.")
    no_model: bool = Field(False, description="Answer by extracts, whatever else is set.")
    history: bool = Field(True, description="Keep questions and answers in the home's history.db.")

    @field_validator("home", "content")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        """A ``~`` that no shell has expanded is the person's home folder all the same."""
        return path.expanduser() if path else None

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

    def fingerprint(self) -> str:
        """A short hash over the settings that can change an answer."""
        relevant = self.model_dump(include={"embedder", "passages", "exact_dense", "model", "no_model"})
        return hashlib.sha256(repr(sorted(relevant.items())).encode()).hexdigest()[:12]


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force; flags that are None are as if not given.

    Raises ConfigurationError for an unknown key or a value that does not fit.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    _refuse_unknown(
        (name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX)), _PREFIX
    )
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        named = first["type"] == "string_pattern_mismatch"
        what = (
            "use lower-case letters, digits, '.', '_' and '-', a letter or digit first"
            if named
            else first["msg"]
        )
        raise ConfigurationError(f"setting {name}={first['input']!r}: {what}") from None


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
        return values


def _refuse_unknown(names: Iterable[str], prefix: str) -> None:
    known = list(Settings.model_fields)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            shown, meant = (f"{prefix}{one.upper()}" if prefix else one for one in (name, near))
            where = "" if prefix else f" in {CONFIG_FILE}"
            raise ConfigurationError(f"unknown setting {shown!r}{where}; did you mean {meant!r}?")


def colour_wanted() -> bool:
    """Whether a terminal may be coloured: not when NO_COLOR is set (https://no-color.org) or it is dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
