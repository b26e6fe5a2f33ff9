"""A progress bar on a terminal, silence elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.ingest import Progress

_STAGES = {"read": "Reading articles", "index": "Indexing articles"}


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Shows which stage an ingest is in; how long a stage takes is not known beforehand."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda stage, articles: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_STAGES["read"], total=None)
        yield lambda stage, articles: bar.update(task, description=_STAGES[stage], completed=articles)
