"""``assistant index``: examine, rebuild, export, import and tidy what is stored of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.interfaces.console import (
    ANSWERED,
    INTERNAL,
    note,
    settings_flags,
    settings_of,
    show,
    workers_flag,
)

if TYPE_CHECKING:
    from assistant.bootstrap import Care
    from assistant.upkeep import Rebuilt


@click.group()
def index() -> None:
    """Look after what is stored of a corpus: its library and its indexes."""


@index.command()
@settings_flags
def verify(**flags: Any) -> int:
    """Read everything that is stored and say what is wrong.

    Exit code 0: nothing; 1: something, and the last line says which command repairs it.
    """
    from assistant.domain.text import counted

    care = _care(flags)
    found = care.archives.verify()
    for number, problems in found.items():
        for problem in problems:
            show(f"generation {number}: {problem}")
    (current, wrong), *kept = found.items()
    if wrong:
        note("Repair it with `assistant index rebuild` and the same --corpus.")
    elif any(problems for _, problems in kept):
        note(f"Generation {current} is sound; `assistant index gc --previous` deletes the one before.")
    else:
        note(f"{care.corpus} corpus: {counted(len(found), 'generation')}, everything is sound.")
    return INTERNAL if any(found.values()) else ANSWERED


@index.command()
@workers_flag
@settings_flags
def rebuild(workers: int | None, **flags: Any) -> int:
    """Build both indexes anew from the stored articles; nothing is embedded again.

    Mends damaged indexes, takes an older generation where the library itself is damaged,
    and takes over a corpus of an older version.
    """
    from assistant.interfaces.progress import progress_bar

    care = _care(flags)
    with progress_bar() as progress:
        done = care.rebuild(workers=workers, progress=progress)
    _tell(care, done, "rebuilt")
    return ANSWERED


@index.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@settings_flags
def write_export(file: Path, **flags: Any) -> int:
    """Write the corpus's articles, with their vectors, into one ZIP FILE."""
    from assistant.domain.text import counted

    care = _care(flags)
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {str(file.parent)!r} to write into")
    manifest = care.archives.export(file)
    note(f"{care.corpus} corpus: {counted(manifest.articles, 'article')} written to {file}.")
    return ANSWERED


@index.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in place of the articles that the corpus has.")
@workers_flag
@settings_flags
def read_export(file: Path, replace: bool, workers: int | None, **flags: Any) -> int:
    """Make the export in FILE the corpus; nothing is embedded again."""
    from assistant.bootstrap import take_care
    from assistant.interfaces.progress import progress_bar

    care = take_care(settings_of(flags))
    with progress_bar() as progress:
        done = care.take_over(file, replace=replace, workers=workers, progress=progress)
    _tell(care, done, "imported")
    return ANSWERED


@index.command()
@click.option("--previous", is_flag=True, help="Delete the generation before the current one, too.")
@settings_flags
def gc(previous: bool, **flags: Any) -> int:
    """Delete what crashes have left and generations that nobody needs."""
    from assistant.domain.text import counted

    care = _care(flags)
    freed = care.archives.collect(previous=previous)
    size = f"{freed.bytes / 1_000_000:,.1f} MB"
    note(f"{care.corpus} corpus: {counted(freed.generations, 'generation')} deleted, {size} freed.")
    return ANSWERED


def _care(flags: dict[str, Any]) -> Care:
    from assistant.bootstrap import take_care
    from assistant.domain.errors import CorpusNotFound

    settings = settings_of(flags)
    care = take_care(settings)
    if not care.archives.is_published():
        raise CorpusNotFound(f"there is no corpus {care.corpus!r} in {str(settings.home)!r}")
    return care


def _tell(care: Care, done: Rebuilt, what: str) -> None:
    from assistant.domain.text import counted

    note(f"{care.corpus} corpus: {counted(done.articles, 'article')} {what} as generation {done.generation}.")
    if done.lost:
        note(f"{done.lost}.")
