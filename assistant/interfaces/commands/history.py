"""``assistant history``: what was asked and answered, and what becomes of it."""

from __future__ import annotations

import sys
from datetime import date, datetime, time
from pathlib import Path

import click

from assistant.interfaces.console import ANSWERED, day, home_flag, note, settings_of, show, width


@click.group()
def history() -> None:
    """Look at the questions that were asked and their answers, or delete them."""


@history.command("list")
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each.")
@home_flag
def list_history(limit: int, as_json: bool, home: Path | None) -> int:
    """List what was asked, newest first: id, time, kind, question."""
    from assistant.bootstrap import open_history
    from assistant.interfaces import json_output, rendering

    records = open_history(settings_of({"home": home})).newest(limit)
    for record, line in zip(records, rendering.history_table(records, width=width()), strict=True):
        show(json_output.dumps(json_output.record_json(record)) if as_json else line)
    if not records:
        note("The history is empty.")
    return ANSWERED


@history.command("show")
@click.argument("answer_id")
@click.option("--check", is_flag=True, help="Say of each sentence whether the corpus still has it there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@home_flag
def show_history(answer_id: str, check: bool, as_json: bool, home: Path | None) -> int:
    """Show one answer as it was given, with its sentences and what it was made with."""
    from assistant.bootstrap import open_history, verify_record
    from assistant.interfaces import json_output, rendering

    settings = settings_of({"home": home})
    record = open_history(settings).find(answer_id)
    standings = verify_record(record, settings) if check else None
    if as_json:
        show(json_output.dumps(json_output.record_json(record, standings)))
    else:
        show(rendering.record_text(record, standings, width=width()))
    return ANSWERED


@history.command("delete")
@click.argument("answer_ids", nargs=-1, metavar="[ID]...")
@click.option("--before", type=day, metavar="YYYY-MM-DD", help="Delete what was asked before this day.")
@click.option("--all", "everything", is_flag=True, help="Delete the whole history.")
@click.option("--yes", is_flag=True, help="Do not ask back before deleting all.")
@home_flag
def delete_history(
    answer_ids: tuple[str, ...], before: date | None, everything: bool, yes: bool, home: Path | None
) -> int:
    """Delete answers from the history, so that no file holds them any more."""
    from assistant.bootstrap import open_history
    from assistant.domain.text import counted

    if sum(map(bool, (answer_ids, before, everything))) != 1:
        raise click.UsageError("name ids, or --before a day, or --all: one of the three")
    kept = open_history(settings_of({"home": home}))
    if everything and not yes and not _confirmed():
        note("Nothing is deleted.")
        return ANSWERED
    if answer_ids:
        kept.delete(answer_ids)
        deleted = len(set(answer_ids))
    else:
        deleted = kept.clear(datetime.combine(before, time.min).astimezone() if before else None)
    note(f"{counted(deleted, 'answer')} deleted.")
    return ANSWERED


def _confirmed() -> bool:
    """Whether the person at the terminal wants the whole history to go."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("--all deletes the whole history; add --yes where nobody can be asked")
    return click.confirm("Delete the whole history?", err=True)
