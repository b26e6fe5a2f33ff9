"""The command line: ``assistant ask``, ``search``, ``ingest``, ``articles``, ``index`` and ``history``.

Owns how a run ends. Exit codes: 0 answered, 1 internal or partly failed, 2 usage,
3 configuration, 10 not in the corpus, 130 interrupted, 141 broken pipe, 143 terminated; and
where a model or an embedder behind an API is required, 4 not authorized, 5 out of reach or no
usable reply, 6 busy or out of quota, 7 timed out.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from assistant import __version__
from assistant.interfaces.commands.answers import ask, search
from assistant.interfaces.commands.doctor import doctor
from assistant.interfaces.commands.history import history
from assistant.interfaces.commands.index import index
from assistant.interfaces.commands.library import articles, ingest
from assistant.interfaces.console import (
    ANSWERED,
    BROKEN_PIPE,
    BUSY,
    CONFIGURATION,
    INTERNAL,
    INTERRUPTED,
    TERMINATED,
    TIMED_OUT,
    UNAUTHORIZED,
    UNREACHABLE,
    USAGE,
    note,
)

if TYPE_CHECKING:
    from assistant.domain.errors import AssistantError


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the program and exit with its code; SIGTERM ends it as Ctrl-C does, with nothing half done."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a narrow encoding never ends an answer
    stdout = sys.stdout
    try:
        code = cli.main(arguments, prog_name="assistant", standalone_mode=False)
        if sys.stdout:  # None where it is closed
            sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit:  # from click, which has wrapped stdout if it was a broken pipe
        if sys.stdout is stdout:
            raise
        return _reader_gone()
    except (KeyboardInterrupt, click.Abort, _Terminated) as end:
        terminated = isinstance(end, _Terminated)
        click.echo("terminated" if terminated else "interrupted", err=True)
        return TERMINATED if terminated else INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except Exception as error:  # the last line of defence: no traceback reaches a person
        return _failed(error)
    return code if isinstance(code, int) else ANSWERED


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="assistant")
def cli() -> None:
    """Answer questions over news articles, with the exact sentences that each answer rests on."""


for _command in (ask, search, ingest, articles, index, history, doctor):
    cli.add_command(_command)


class _Terminated(BaseException):
    """Somebody asked this process to end."""


def _terminated(*received: object) -> NoReturn:
    raise _Terminated


def _reader_gone() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
    return BROKEN_PIPE


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)  # the whole help, not squeezed into one line
        return USAGE
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "assistant"
    note(f"{command}: {_sentence(error.format_message())} Try '{command} --help'.")
    return USAGE


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _failed(error: Exception) -> int:
    from assistant.domain.errors import AssistantError

    if isinstance(error, AssistantError):
        note(f"assistant: {_sentence(str(error))} {error.help}")
        return exit_code(error)
    note(f"assistant: internal error, {type(error).__name__}: {error}")
    return INTERNAL


def exit_code(error: AssistantError) -> int:
    """How a run ends that this error ended."""
    from assistant.domain import errors

    if isinstance(error, errors.ProviderPaused) and isinstance(error.__cause__, errors.ProviderError):
        return exit_code(error.__cause__)  # what it failed with before it was paused
    codes: tuple[tuple[type[AssistantError], int], ...] = (
        (errors.InvalidQuestion, USAGE),
        (errors.InputNotFound, USAGE),
        (errors.ArchiveUnusable, USAGE),
        (errors.ArticleNotFound, USAGE),
        (errors.HistoryNotFound, USAGE),
        (errors.ConfigurationError, CONFIGURATION),
        (errors.CorpusNotFound, CONFIGURATION),
        (errors.CorpusExists, CONFIGURATION),
        (errors.EmbedderMismatch, CONFIGURATION),
        (errors.FormatUnsupported, CONFIGURATION),
        (errors.HomeUnusable, CONFIGURATION),
        (errors.ProviderUnauthorized, UNAUTHORIZED),
        (errors.ProviderBusy, BUSY),
        (errors.ProviderTimedOut, TIMED_OUT),
        (errors.ModelUnknown, CONFIGURATION),
        (errors.RequestRejected, CONFIGURATION),
        (errors.ProviderError, UNREACHABLE),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), INTERNAL)
