"""Write docs/cli.md from the program's own ``--help`` texts; ``--check`` only compares.

The texts are made at a fixed width, so that the page does not depend on anyone's terminal.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"
WIDTH = 100  # columns, the widest that the program itself uses
REMEDY = "run `make docs` and commit docs/cli.md"
_OPENING = """\
# Command line

<!-- Written by scripts/write_docs.py from the program's own help texts: `make docs` writes it anew. -->
"""


def cli_page(cli: click.Command, name: str = "assistant") -> str:
    """The page: one section for each command, in the order in which ``--help`` lists them."""
    sections = [f"## `{path}`\n\n```text\n{text}\n```\n" for path, text in help_texts(cli, name)]
    return "\n".join([_OPENING, *sections])


def help_texts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """The path and the help text of a command and of all below it."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = command.context_class(command, parent=parent, info_name=name, **settings)
    yield context.command_path, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None and not found.hidden:
                yield from help_texts(found, below, context)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say how it differs; 1 when it does, 2 for a mistyped flag."""
    if arguments not in ([], ["--check"]):
        print("usage: python scripts/write_docs.py [--check]", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))  # the program of this checkout, whatever else is installed
    from assistant.interfaces.cli import cli

    page = cli_page(cli)
    if arguments != ["--check"]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        return 0
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    changed = list(difflib.unified_diff(current.splitlines(), page.splitlines(), lineterm="", n=0))
    if changed:
        print(*changed, f"docs/cli.md is not what the program says: {REMEDY}", sep="\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
