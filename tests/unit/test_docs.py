"""What the docs say about the command line is what the program does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from readme_line import NotOneLine, readme_line
from write_docs import PAGE, REMEDY, WIDTH, cli_page, help_texts

from assistant.interfaces.cli import cli

README = Path(__file__).parents[2] / "README.md"
WORDS = README.read_text(encoding="utf-8")
SEPARATORS = frozenset({"&&", "||", "|", ";", ">", "<", ">>"})


def examples(markdown: str) -> Iterator[list[str]]:
    """The words behind ``assistant`` of each example in a console block or a code span."""
    blocks = re.findall(r"^ *```(?:console|sh|bash)\n(.*?)^ *```", markdown, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"(?<!`)`(assistant [^`]+)`(?!`)", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL))
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *(" ".join(span.split()) for span in spans)]:
        if re.search(r"(?:^|\$ |&& |\| |=\S* )assistant ", line):
            yield from _calls(line)


def _calls(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.commenters = ""
    command: list[str] = []
    for word in [*lexer, ";"]:
        if word not in SEPARATORS:
            command.append(word)
            continue
        while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
            command.pop(0)
        if command[:1] == ["assistant"]:
            yield command[1:]
        command = []


def mistake(arguments: list[str]) -> str | None:
    """What the program's own parser says against these words. Runs no command, opens no file."""
    command: click.Command = cli
    context = click.Context(command, info_name="assistant")
    while True:
        try:
            _, rest, _ = command.make_parser(context).parse_args(list(arguments))
        except click.UsageError as error:
            return error.format_message()
        if not isinstance(command, click.Group) or not rest:
            return None
        found = command.get_command(context, rest[0])
        if found is None:
            return f"No such command {rest[0]!r}."
        context, command, arguments = (
            click.Context(found, parent=context, info_name=rest[0]),
            found,
            list(rest[1:]),
        )


def every_flag(command: click.Command = cli) -> set[str]:
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return flags.union({"--help", "-h"}, *(every_flag(one) for one in below))


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == cli_page(cli), REMEDY


def test_the_page_shows_every_command_at_one_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    page = cli_page(cli)
    monkeypatch.setenv("COLUMNS", "200")
    assert cli_page(cli) == page
    texts = dict(help_texts(cli, "assistant"))
    assert {"assistant", "assistant ask", "assistant articles show"} <= set(texts)
    assert max(len(line) for text in texts.values() for line in text.splitlines()) <= WIDTH


def test_the_readme_names_only_what_the_program_has() -> None:
    shown = list(examples(WORDS))
    assert shown
    assert {shlex.join(one): mistake(one) for one in shown if mistake(one)} == {}
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", WORDS, flags=re.DOTALL))
    named = {flag for span in spans for flag in re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", span)}
    assert named - every_flag() == set()


def test_the_readme_has_the_two_lines_that_ci_runs() -> None:
    assert readme_line(WORDS, "first answer") == 'pip install . && assistant ask "Who heads the new command?"'
    assert readme_line(WORDS, "tests") == "pip install '.[test]' && pytest"


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("```console\n$ assistant ask 'Who?' --json | jq .\n```", [["ask", "Who?", "--json"]]),
        ("```sh\npip install . && assistant ask Who\n```", [["ask", "Who"]]),
        ("```console\nassistant search dam \\\n    -k 3\n```", [["search", "dam", "-k", "3"]]),
        (
            "```console\nASSISTANT_HOME=h assistant ingest a; assistant ask b\n```",
            [["ingest", "a"], ["ask", "b"]],
        ),
        ("```console\nassistant: it's an error\n```", []),
        ("```python\nassistant ask\n```", []),
        ("Use `assistant articles\nlist`, or `assistant` alone.", [["articles", "list"]]),
    ],
)
def test_examples_are_found(markdown: str, found: list[list[str]]) -> None:
    assert list(examples(markdown)) == found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ask 'Who heads it?' --as-of 2024-07-28 --json", None),
        ("articles show ID --json", None),
        ("--version", None),
        ("ask --batch missing.jsonl", None),
        ("aks Who", "No such command 'aks'."),
        ("articles rename", "No such command 'rename'."),
        ("ask Who --jsno", "No such option"),
        ("ask --as-of", "requires an argument"),
    ],
)
def test_mistakes_in_examples_are_found(line: str, message: str | None) -> None:
    said = mistake(shlex.split(line))
    assert said is None if message is None else message in str(said)


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("<!-- ci: tests -->\n```console\npytest\n```\n", "pytest"),
        ("<!-- ci: tests -->\n```sh\n\n$ pytest -q\n\n```\n", "pytest -q"),
        ("<!-- ci: other -->\n```sh\nno\n```\n<!-- ci: tests -->\n```sh\nyes\n```\n", "yes"),
    ],
)
def test_a_marked_line_is_found(markdown: str, line: str) -> None:
    assert readme_line(markdown, "tests") == line


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        ("", "before 0 console or sh fences"),
        ("<!-- ci: tests -->\n\n```sh\npytest\n```\n", "before 0 console or sh fences"),
        ("<!-- ci: tests -->\n```python\npytest\n```\n", "before 0 console or sh fences"),
        ("<!-- ci: tests -->\n```sh\npytest\n```\n" * 2, "before 2 console or sh fences"),
        ("<!-- ci: tests -->\n```sh\n```\n", "holds 0 lines"),
        ("<!-- ci: tests -->\n```sh\nruff\npytest\n```\n", "holds 2 lines"),
    ],
)
def test_a_missing_marked_line_is_told(markdown: str, message: str) -> None:
    with pytest.raises(NotOneLine, match=message):
        readme_line(markdown, "tests")
