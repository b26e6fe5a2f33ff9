"""What all commands share: exit codes, the flags that choose settings, and how they print.

stdout carries the answer and nothing else; what is being done, and errors in one line,
go to stderr. Heavy modules are imported inside the functions, so that ``--help`` and a
mistyped flag answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.settings import Settings

ANSWERED, INTERNAL, USAGE, CONFIGURATION, NOT_IN_CORPUS = 0, 1, 2, 3, 10
UNAUTHORIZED, UNREACHABLE, BUSY, TIMED_OUT = 4, 5, 6, 7
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143
Command = TypeVar("Command", bound=Callable[..., Any])
_SETTING_FLAGS = (
    "home", "corpus", "content", "embedder", "reranker", "passages", "exact_dense", "model", "no_model",
    "require_model", "support", "history",
)  # fmt: skip
home_flag = click.option(
    "--home", type=click.Path(path_type=Path), help="Folder for what is stored.  [.assistant]"
)

reranker_flag = click.option(
    "--reranker",
    type=click.Path(path_type=Path),
    help="Folder with a cross-encoder that reads the best passages again.  [none]",
)
workers_flag = click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Processes that prepare articles.  [one for each core]",
)


def settings_flags(command: Command) -> Command:
    """The flags that choose home, corpus and how an answer is made."""
    flags = (
        home_flag,
        click.option(
            "--corpus", metavar="NAME", help="Corpus to use.  [your own once you have one, else demo]"
        ),
        click.option(
            "--content",
            type=click.Path(path_type=Path),
            help="Folder whose corpus/ is the demo, instead of ours.",
        ),
        click.option(
            "--embedder",
            metavar="NAME",
            help="How texts become vectors: static, minilm, openai:MODEL.  [static]",
        ),
    )
    for flag in reversed(flags):
        command = flag(command)
    return command


def settings_of(flags: dict[str, Any]) -> Settings:
    """The settings that the flags, the environment and assistant.toml give."""
    from assistant.settings import load_settings

    return load_settings({name: flags[name] for name in _SETTING_FLAGS if name in flags})


def split(flags: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """The settings, and the flags that belong to the question alone."""
    scope = {name: value for name, value in flags.items() if name not in _SETTING_FLAGS}
    return settings_of(flags), scope


def assistant_of(settings: Settings, *, answering: bool = True) -> Assistant:
    """The assistant over the chosen corpus; what it does first is noted on stderr.

    answering: False for one that only searches.
    """
    from assistant.bootstrap import build_assistant

    return build_assistant(settings, answering=answering, notice=note)


def day(text: str) -> date:
    """A date on the command line."""
    from assistant.domain.articles import Timestamp

    try:
        return Timestamp.parse(text).day
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write it like 2024-07-28.") from None


def width() -> int | None:
    """Columns to wrap to on a terminal; None for a pipe or a file."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def show(text: str, end: str = "\n") -> None:
    """Print a line of the answer on stdout, or a piece of one."""
    from assistant.settings import colour_wanted

    click.echo(f"{text}{end}", nl=False, color=None if colour_wanted() else False)


def note(text: str) -> None:
    """Say a line on stderr, without anything that a terminal would obey."""
    from assistant.domain.text import clean

    click.echo(clean(text), err=True)
