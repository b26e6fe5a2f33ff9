"""What keeps a library in order beside ingesting: withdrawing articles, rebuilding, taking over an export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant.domain.errors import ArticleNotFound, CorpusNotFound
from assistant.duplicates import clusters
from assistant.ingest import Preparation, Progress, Workers, renew
from assistant.ports import Archives, Generations, GenerationWriter

PATIENCE = 30  # seconds to wait for readers of generations that still hold a withdrawn article


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did.

    withdrawn: the articles that were in the corpus until now.
    still_read: generations that still hold them, because somebody has them open.
    """

    withdrawn: tuple[str, ...]
    still_read: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild made: the new generation's number and articles, and what was lost, if anything."""

    generation: int
    articles: int
    lost: str


def withdraw(
    article_ids: Sequence[str],
    generations: Generations,
    *,
    today: date,
    forget_quotes: Callable[[Sequence[str]], object],
    patience: float = PATIENCE,
) -> Withdrawal:
    """Take articles out of the corpus for good: library, indexes, older generations, kept quotes.

    forget_quotes: takes their quotes out of what is kept of earlier answers.
    patience: seconds to wait for readers of older generations.

    Killed on the way, it is finished by calling it again. Later ingests reject the articles.
    Raises ArticleNotFound, before anything is changed, for one that is neither there nor withdrawn.
    """
    with generations.writer() as writer:
        library = writer.library
        there, gone = library.hashes(), library.withdrawn()
        if unknown := [one for one in article_ids if one not in there and one not in gone]:
            raise ArticleNotFound(f"no article has the id {unknown[0]!r}")
        withdrawn = [one for one in dict.fromkeys(article_ids) if one in there]
        for article_id in withdrawn:
            library.remove(article_id)
            library.withdraw(article_id, today.isoformat())
        if withdrawn:
            _publish(writer)
    still_read = generations.forget(patience=patience)
    forget_quotes(article_ids)  # last: answers are kept while their generation is read
    return Withdrawal(tuple(withdrawn), tuple(still_read))


def readmit(article_ids: Sequence[str], generations: Generations) -> None:
    """Let later ingests accept withdrawn articles again.

    Raises ArticleNotFound, and changes nothing, for one that is not withdrawn.
    """
    with generations.writer() as writer:
        known = writer.library.withdrawn()
        for article_id in article_ids:
            if article_id not in known:
                raise ArticleNotFound(f"no article with the id {article_id!r} was withdrawn")
            writer.library.readmit(article_id)
        writer.publish(writer.before.source if writer.before else "")


def rebuild(
    generations: Archives,
    job: Preparation,
    workers: Workers,
    *,
    archive: Path | None = None,
    progress: Progress = lambda stage, articles: None,
) -> Rebuilt:
    """Build both indexes anew from the library, embedding nothing again; from an export where one is named.

    Articles of an older format, or prepared by older rules, are prepared and embedded again.
    A damaged library is replaced by that of the newest sound generation. Raises CorpusNotFound
    where there is none, LibraryLost where none is sound, ArchiveUnusable for a file that is no export.
    """
    with generations.writer(salvage=True, archive=archive) as writer:
        if writer.before is None:
            raise CorpusNotFound("there is no corpus to rebuild")
        renew(writer, job, workers)
        articles = len(writer.library.hashes())
        progress("index", articles)
        return Rebuilt(_publish(writer), articles, writer.salvaged)


def _publish(writer: GenerationWriter) -> int:
    writer.library.link(clusters(writer.library.signatures()))
    return writer.publish(writer.before.source if writer.before else "", fresh=True)
