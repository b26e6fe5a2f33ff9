"""``assistant ingest`` and ``assistant articles``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assistant.interfaces.console import (
    ANSWERED,
    INTERNAL,
    assistant_of,
    note,
    settings_flags,
    settings_of,
    show,
)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--rebuild", is_flag=True, help="Prepare and embed every stored article again.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@settings_flags
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
        corpus, report = ingest_paths(paths, settings_of(flags), rebuild=rebuild, progress=progress)
    for rejection in report.rejected:
        note(f"{rejection.where}: {rejection.reason}")
    if as_json:
        show(json_output.dumps(json_output.ingest_json(corpus, report)))
    else:
        note(rendering.ingest_summary(corpus, report, rebuilt=rebuild))
    return ANSWERED if report.accepted or (rebuild and not paths) else INTERNAL


@click.group()
def articles() -> None:
    """Look at the stored articles."""


@articles.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each article.")
@settings_flags
def list_articles(as_json: bool, **flags: Any) -> int:
    """List all articles, newest first: id, date, outlet, title."""
    from assistant.interfaces import json_output, rendering

    listed = assistant_of(settings_of(flags)).articles()
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

    article, sentences = assistant_of(settings_of(flags)).article(article_id)
    if as_json:
        show(json_output.dumps(json_output.article_json(article, sentences)))
    else:
        show(rendering.article_text(article))
    return ANSWERED
