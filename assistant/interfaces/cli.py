"""The command line: ``assistant ask``, ``search``, ``ingest`` and ``articles``.

stdout carries the answer and nothing else; what is being done, and errors in one
line, go to stderr. Heavy modules are imported inside the commands, so that ``--help``
and a mistyped flag answer at once. Exit codes: 0 answered, 1 internal or partly
failed, 2 usage, 3 configuration, 10 not in the corpus, 130 interrupted, 141 broken pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from assistant import __version__

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.domain.errors import AssistantError
    from assistant.interfaces.batch import BatchQuestion
    from assistant.settings import Settings

ANSWERED, INTERNAL, USAGE, CONFIGURATION, NOT_IN_CORPUS, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 10, 130, 141
_Command = TypeVar("_Command", bound=Callable[..., Any])
_SETTING_FLAGS = ("home", "corpus", "content", "embedder", "passages", "exact_dense", "model", "no_model")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the program and exit with its code."""
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
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except Exception as error:  # the last line of defence: no traceback reaches a person
        return _failed(error)
    return code if isinstance(code, int) else ANSWERED


def _settings_flags(command: _Command) -> _Command:
    """The flags that choose home, corpus and how an answer is made."""
    flags = (
        click.option(
            "--home", type=click.Path(path_type=Path), help="Folder for what is stored.  [.assistant]"
        ),
        click.option(
            "--corpus", metavar="NAME", help="Corpus to use.  [your own once you have one, else demo]"
        ),
        click.option(
            "--content",
            type=click.Path(path_type=Path),
            help="Folder whose corpus/ is the demo, instead of ours.",
        ),
        click.option(
            "--embedder", type=click.Choice(["static", "hashing"]), help="How texts become vectors.  [static]"
        ),
    )
    for flag in reversed(flags):
        command = flag(command)
    return command


def _answer_flags(command: _Command) -> _Command:
    """The flags that say what a question may see and how it is answered."""
    flags = (
        click.option(
            "--as-of",
            type=_day,
            metavar="YYYY-MM-DD",
            help="Answer as of this date; later articles do not exist.  [today]",
        ),
        click.option(
            "--since", type=_day, metavar="YYYY-MM-DD", help="Only articles published on this date or later."
        ),
        click.option(
            "--until",
            type=_day,
            metavar="YYYY-MM-DD",
            help="Only articles published on this date or earlier.",
        ),
        click.option("--outlet", metavar="NAME", help="Only articles of this outlet."),
        click.option(
            "-k",
            "--passages",
            type=click.IntRange(1, 100),
            metavar="N",
            help="How many passages to use.  [10]",
        ),
        click.option("--exact-dense", is_flag=True, default=None, help="Compare with every vector."),
        click.option(
            "--batch",
            type=click.File(encoding="utf-8-sig", errors="backslashreplace"),  # a bad byte spoils its line
            help="Questions from a JSONL file, - for stdin.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )
    for flag in reversed(flags):
        command = flag(command)
    return command


def _day(text: str) -> date:
    """A date on the command line."""
    from assistant.domain.articles import Timestamp

    try:
        return Timestamp.parse(text).day
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write it like 2024-07-28.") from None


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="assistant")
def cli() -> None:
    """Answer questions over news articles, with the exact sentences that each answer rests on."""


@cli.command()
@click.argument("question", nargs=-1)
@_answer_flags
@click.option("--model", metavar="NAME", help="A model to write the answer (this version gives extracts).")
@click.option("--no-model", is_flag=True, default=None, help="Answer by extracts, whatever else is set.")
@_settings_flags
def ask(question: tuple[str, ...], batch: Iterable[str] | None, as_json: bool, **flags: Any) -> int:
    """Answer QUESTION from the corpus, or read it from standard input.

    Exit code 0: answered; 10: not in the corpus.
    """
    from assistant.domain.answers import Abstention
    from assistant.interfaces import json_output, rendering

    settings, scope = _split(flags)
    if batch is not None:
        _no_question_beside(batch, question)
        assistant = _assistant(settings)
        return _batch(
            batch, scope, lambda one: json_output.answer_json(assistant.ask(one.pop("question"), **one))
        )
    asked = _question(question)
    result = _assistant(settings).ask(asked, **scope)
    if as_json:
        _print(json_output.dumps(json_output.answer_json(result)))
    else:
        _note(rendering.corpus_line(result))
        _print(rendering.answer_text(result, width=_width()))
    return NOT_IN_CORPUS if isinstance(result, Abstention) else ANSWERED


@cli.command()
@click.argument("query", nargs=-1)
@_answer_flags
@_settings_flags
def search(query: tuple[str, ...], batch: Iterable[str] | None, as_json: bool, **flags: Any) -> int:
    """Show the passages that an answer to QUERY would rest on, with scores and why."""
    from assistant.interfaces import json_output, rendering

    settings, scope = _split(flags)
    if batch is not None:
        _no_question_beside(batch, query)
        assistant = _assistant(settings)
        return _batch(
            batch, scope, lambda one: json_output.search_json(assistant.search(one.pop("question"), **one))
        )
    asked = _question(query)
    found = _assistant(settings).search(asked, **scope)
    if as_json:
        _print(json_output.dumps(json_output.search_json(found)))
    else:
        _print(rendering.search_text(found, width=_width()))
    return ANSWERED if found else NOT_IN_CORPUS


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--rebuild", is_flag=True, help="Prepare and embed every stored article again.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@_settings_flags
def ingest(paths: tuple[Path, ...], rebuild: bool, as_json: bool, **flags: Any) -> int:
    """Store the articles of files and folders: Markdown, text, JSONL.

    The first ingest makes your own articles the corpus that is asked by default.
    Exit code 0: at least one article is stored; 1: none; 2: a PATH does not exist.
    """
    from assistant.bootstrap import ingest_paths
    from assistant.interfaces import json_output, rendering
    from assistant.interfaces.progress import progress_bar

    if not paths and not rebuild:
        raise click.UsageError("name at least one file or folder, or --rebuild")
    with progress_bar() as progress:
        corpus, report = ingest_paths(paths, _settings(flags), rebuild=rebuild, progress=progress)
    for rejection in report.rejected:
        _note(f"{rejection.where}: {rejection.reason}")
    if as_json:
        _print(json_output.dumps(json_output.ingest_json(corpus, report)))
    else:
        _note(rendering.ingest_summary(corpus, report, rebuilt=rebuild))
    return ANSWERED if report.accepted or (rebuild and not paths) else INTERNAL


@cli.group()
def articles() -> None:
    """Look at the stored articles."""


@articles.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each article.")
@_settings_flags
def list_articles(as_json: bool, **flags: Any) -> int:
    """List all articles, newest first: id, date, outlet, title."""
    from assistant.interfaces import json_output, rendering

    listed = _assistant(_settings(flags)).articles()
    for info, line in zip(listed, rendering.articles_table(listed), strict=True):
        _print(json_output.dumps(json_output.info_json(info)) if as_json else line)
    return ANSWERED


@articles.command("show")
@click.argument("article_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with the stored text.")
@_settings_flags
def show_article(article_id: str, as_json: bool, **flags: Any) -> int:
    """Show one article: what is known about it, and its text."""
    from assistant.interfaces import json_output, rendering

    article, sentences = _assistant(_settings(flags)).article(article_id)
    if as_json:
        _print(json_output.dumps(json_output.article_json(article, sentences)))
    else:
        _print(rendering.article_text(article))
    return ANSWERED


def _settings(flags: dict[str, Any]) -> Settings:
    from assistant.settings import load_settings

    return load_settings({name: flags[name] for name in _SETTING_FLAGS if name in flags})


def _split(flags: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """The settings, and the flags that belong to the question alone."""
    scope = {name: value for name, value in flags.items() if name not in _SETTING_FLAGS}
    return _settings(flags), scope


def _assistant(settings: Settings) -> Assistant:
    from assistant.bootstrap import build_assistant

    return build_assistant(settings, notice=_note)


def _question(words: tuple[str, ...]) -> str:
    """The question of the command line, or of standard input when that is no terminal."""
    if words:
        return " ".join(words)
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError('write the question behind the command, like: assistant ask "Who heads it?"')
    return sys.stdin.read()


def _no_question_beside(batch: Iterable[str], words: tuple[str, ...]) -> None:
    if words:
        raise click.UsageError(
            f"--batch {getattr(batch, 'name', '-')} brings the questions; leave out {words[0]!r}"
        )


def _batch(
    lines: Iterable[str], scope: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]
) -> int:
    from assistant.interfaces.batch import run_batch
    from assistant.interfaces.json_output import dumps

    def answered(asked: BatchQuestion) -> dict[str, Any]:
        return answer({**scope, "question": asked.question, "as_of": asked.as_of or scope.get("as_of")})

    complete = True
    for line, good in run_batch(lines, answered):
        _print(dumps(line))
        complete = complete and good
    return ANSWERED if complete else INTERNAL


def _width() -> int | None:
    """Columns to wrap to on a terminal; None for a pipe or a file."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def _print(text: str) -> None:
    from assistant.settings import colour_wanted

    click.echo(text, color=None if colour_wanted() else False)


def _note(text: str) -> None:
    from assistant.domain.text import clean

    click.echo(clean(text), err=True)


def _reader_gone() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
    return BROKEN_PIPE


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)  # the whole help, not squeezed into one line
        return USAGE
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "assistant"
    _note(f"{command}: {_sentence(error.format_message())} Try '{command} --help'.")
    return USAGE


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _failed(error: Exception) -> int:
    from assistant.domain.errors import AssistantError

    if isinstance(error, AssistantError):
        _note(f"assistant: {_sentence(str(error))} {error.help}")
        return _exit_code(error)
    _note(f"assistant: internal error, {type(error).__name__}: {error}")
    return INTERNAL


def _exit_code(error: AssistantError) -> int:
    from assistant.domain import errors

    codes: tuple[tuple[type[AssistantError], int], ...] = (
        (errors.InvalidQuestion, USAGE),
        (errors.InputNotFound, USAGE),
        (errors.ArticleNotFound, USAGE),
        (errors.ConfigurationError, CONFIGURATION),
        (errors.CorpusNotFound, CONFIGURATION),
        (errors.EmbedderMismatch, CONFIGURATION),
        (errors.FormatUnsupported, CONFIGURATION),
        (errors.HomeUnusable, CONFIGURATION),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), INTERNAL)
