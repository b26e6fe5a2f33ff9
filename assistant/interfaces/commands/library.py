"""``assistant ingest`` and ``assistant articles``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.interfaces.console import (
    ANSWERED,
    INTERNAL,
    assistant_of,
    note,
    settings_flags,
    settings_of,
    show,
    workers_flag,
)

if TYPE_CHECKING:
    from assistant.domain.errors import AssistantError
    from assistant.ingest import IngestReport


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--prune", is_flag=True, help="Also remove what came from these PATHs and is gone from them.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@click.option("--watch", is_flag=True, help="Stay, and follow what is added, changed and removed there.")
@click.option("--rebuild", is_flag=True, help="Prepare and embed every stored article again.")
@workers_flag
@click.option("--json", "as_json", is_flag=True, help="Print each report as one JSON object.")
@settings_flags
def ingest(paths: tuple[Path, ...], watch: bool, rebuild: bool, as_json: bool, **flags: Any) -> int:
    """Store the articles of files, folders and patterns.

    Read are Markdown, text, HTML, PDF, JSON, JSONL, RSS and Atom files. The first ingest
    makes your own articles the corpus that is asked by default.
    Exit code 0: at least one article is stored; 1: none; 2: a PATH does not exist.
    """
    from assistant.bootstrap import follow_paths, ingest_paths
    from assistant.interfaces.progress import progress_bar

    how = {name: flags.pop(name) for name in ("prune", "dry_run", "workers")}
    if not paths and (not rebuild or how["prune"] or how["dry_run"] or watch):
        raise click.UsageError("name at least one file or folder, or --rebuild")
    if watch and (how["dry_run"] or rebuild):
        raise click.UsageError("--watch stays; run --dry-run and --rebuild without it")
    settings = settings_of(flags)
    if watch:
        follow_paths(
            paths, settings, workers=how["workers"], told=partial(_follow, as_json=as_json), notice=note
        )
        note("Watching has ended.")
        return ANSWERED
    with progress_bar() as progress:
        corpus, report = ingest_paths(paths, settings, rebuild=rebuild, progress=progress, notice=note, **how)
    _report(corpus, report, as_json=as_json, rebuilt=rebuild)
    return ANSWERED if report.accepted or (rebuild and not paths) else INTERNAL


def _follow(corpus: str, outcome: IngestReport | AssistantError, *, as_json: bool) -> None:
    """What one round of watching did, or why it failed and is tried again."""
    from assistant.domain.errors import AssistantError

    if isinstance(outcome, AssistantError):
        note(f"{outcome}; watching goes on.{'' if outcome.retryable else f' {outcome.help}'}")
    elif outcome.changes or outcome.rejected or outcome.spared:
        _report(corpus, outcome, as_json=as_json)


def _report(corpus: str, report: IngestReport, *, as_json: bool, rebuilt: bool = False) -> None:
    from assistant.interfaces import json_output, rendering

    for rejection in report.rejected:
        note(f"{rejection.where}: {rejection.reason}")
    if as_json:
        show(json_output.dumps(json_output.ingest_json(corpus, report)))
    else:
        note(rendering.ingest_summary(corpus, report, rebuilt=rebuilt))


@click.group()
def articles() -> None:
    """Look at the stored articles, and withdraw some."""


@articles.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each article.")
@settings_flags
def list_articles(as_json: bool, **flags: Any) -> int:
    """List all articles, newest first: id, date, outlet, title."""
    from assistant.interfaces import json_output, rendering

    listed = assistant_of(settings_of(flags), answering=False).articles()
    for info, line in zip(listed, rendering.articles_table(listed), strict=True):
        show(json_output.dumps(json_output.info_json(info)) if as_json else line)
    return ANSWERED


@articles.command("show")
@click.argument("article_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with the stored text.")
@settings_flags
def show_article(article_id: str, as_json: bool, **flags: Any) -> int:
    """Show one article: what is known about it, and its text."""
    from assistant.interfaces import json_output, rendering

    assistant = assistant_of(settings_of(flags), answering=False)
    article, sentences = assistant.article(article_id)
    copies = assistant.copies(article_id)
    if as_json:
        show(json_output.dumps(json_output.article_json(article, sentences, copies)))
    else:
        show(rendering.article_text(article, copies))
    return ANSWERED


@articles.command("rm")
@click.argument("article_ids", nargs=-1, required=True, metavar="ID...")
@settings_flags
def withdraw_articles(article_ids: tuple[str, ...], **flags: Any) -> int:
    """Withdraw articles: out of this corpus, its older generations and the quotes of it in the history.

    Other corpora and near copies keep theirs. Later ingests reject the articles; `assistant
    articles readmit ID` lets them in again.
    Exit code 1: somebody still reads an older generation; run it again later.
    """
    from assistant import bootstrap
    from assistant.domain.text import counted

    corpus, done = bootstrap.withdraw_articles(article_ids, settings_of(flags))
    note(f"{corpus} corpus: {counted(len(done.withdrawn), 'article')} withdrawn.")
    if done.copies:
        note(f"Near copies stay: {', '.join(done.copies)}.")
    if done.still_read:
        numbers = ", ".join(map(str, done.still_read))
        note(f"Generation {numbers} still holds the text, because somebody reads it: run this again later.")
    return INTERNAL if done.still_read else ANSWERED


@articles.command("readmit")
@click.argument("article_ids", nargs=-1, required=True, metavar="ID...")
@settings_flags
def readmit_articles(article_ids: tuple[str, ...], **flags: Any) -> int:
    """Let later ingests accept withdrawn articles again."""
    from assistant import bootstrap
    from assistant.domain.text import counted

    corpus = bootstrap.readmit_articles(article_ids, settings_of(flags))
    note(f"{corpus} corpus: {counted(len(article_ids), 'article')} may be ingested again.")
    return ANSWERED
