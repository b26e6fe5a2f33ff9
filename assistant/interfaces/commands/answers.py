"""``assistant ask`` and ``assistant search``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from assistant.interfaces.console import (
    ANSWERED,
    INTERNAL,
    NOT_IN_CORPUS,
    Command,
    assistant_of,
    day,
    note,
    reranker_flag,
    settings_flags,
    show,
    split,
    width,
)

if TYPE_CHECKING:
    from assistant.domain.answers import Abstention, Answer
    from assistant.domain.events import Event
    from assistant.interfaces.batch import BatchQuestion


def _answer_flags(command: Command) -> Command:
    """The flags that say what a question may see and how it is answered."""
    flags = (
        click.option(
            "--as-of",
            type=day,
            metavar="YYYY-MM-DD",
            help="Answer as of this date; later articles do not exist.  [today]",
        ),
        click.option(
            "--since", type=day, metavar="YYYY-MM-DD", help="Only articles published on this date or later."
        ),
        click.option(
            "--until",
            type=day,
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
        reranker_flag,
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


@click.command()
@click.argument("question", nargs=-1)
@_answer_flags
@click.option(
    "--model", metavar="NAME", help="Model that writes the answer.  [one of OpenAI's once a key is set]"
)
@click.option("--no-model", is_flag=True, default=None, help="Answer by extracts, whatever else is set.")
@click.option(
    "--require-model", is_flag=True, default=None, help="Fail when the model cannot answer; no extracts."
)
@click.option(
    "--support",
    type=click.Choice(["drop", "strict", "mark"]),
    help="Leave out a model's unsupported claims, doubtful ones too, or none.  [drop]",
)
@click.option(
    "--history/--no-history", default=None, help="Keep questions and answers for `assistant history`.  [keep]"
)
@settings_flags
def ask(question: tuple[str, ...], batch: Iterable[str] | None, as_json: bool, **flags: Any) -> int:
    """Answer QUESTION from the corpus, or read it from standard input.

    Exit code 0: answered; 10: not in the corpus. With --require-model 4: the key is refused;
    5: the model's server is out of reach or sends no usable reply; 6: it takes no more requests;
    7: time is up.
    """
    from assistant.domain.answers import Abstention
    from assistant.domain.text import counted
    from assistant.interfaces import json_output, rendering

    settings, scope = split(flags)
    if batch is not None:
        _no_question_beside(batch, question)
        assistant = assistant_of(settings)
        reasons: Counter[str] = Counter()

        def answered(one: dict[str, Any]) -> dict[str, Any]:
            result = assistant.ask(one.pop("question"), **one)
            reasons.update([result.degraded.reason] if result.degraded else [])
            return json_output.answer_json(result)

        code = _batch(batch, scope, answered)
        for reason, times in reasons.most_common():
            note(f"{counted(times, 'answer')}: {reason}.")
        return code
    asked = _question(question)
    if settings.chosen_model and not as_json and width():
        note(f"Asking {settings.chosen_model}, for {settings.model_seconds:g} seconds at most.")
        result = _watched(assistant_of(settings).stream(asked, **scope))
    elif as_json:
        result = assistant_of(settings).ask(asked, **scope)
        show(json_output.dumps(json_output.answer_json(result)))
        if result.degraded:
            note(rendering.corpus_line(result))
    else:
        result = assistant_of(settings).ask(asked, **scope)
        note(rendering.corpus_line(result))
        show(rendering.answer_text(result, width=width()))
    return NOT_IN_CORPUS if isinstance(result, Abstention) else ANSWERED


def _watched(events: Iterator[Event]) -> Answer | Abstention:
    """The result of an answer whose statements are printed as they come."""
    from assistant.domain.events import Delta, Done, Failed, Retracted
    from assistant.interfaces import rendering

    flow = rendering.Flow(width())
    for event in events:
        if isinstance(event, Delta):
            show(flow.add(event.text), end="")
        elif isinstance(event, Retracted):
            show("")
            note(f"Never mind the above: {event.reason}.")
            flow = rendering.Flow(width())
        elif isinstance(event, Failed):
            raise event.error
        elif isinstance(event, Done):
            result = event.result
            show("".join(f"\n\n{block}" for block in rendering.below_text(result, width=width())))
            note(rendering.corpus_line(result))
            return result
    raise AssertionError("a stream ends with Done or Failed")


@click.command()
@click.argument("query", nargs=-1)
@_answer_flags
@settings_flags
def search(query: tuple[str, ...], batch: Iterable[str] | None, as_json: bool, **flags: Any) -> int:
    """Show the passages that an answer to QUERY would rest on, with scores and why."""
    from assistant.interfaces import json_output, rendering

    settings, scope = split(flags)
    if batch is not None:
        _no_question_beside(batch, query)
        assistant = assistant_of(settings, answering=False)
        return _batch(
            batch, scope, lambda one: json_output.search_json(assistant.search(one.pop("question"), **one))
        )
    asked = _question(query)
    found = assistant_of(settings, answering=False).search(asked, **scope)
    if as_json:
        show(json_output.dumps(json_output.search_json(found)))
    else:
        show(rendering.search_text(found, width=width()))
    return ANSWERED if found else NOT_IN_CORPUS


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
        show(dumps(line))
        complete = complete and good
    return ANSWERED if complete else INTERNAL
