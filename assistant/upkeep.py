"""What keeps a library in order beside ingesting: withdrawing articles, rebuilding, taking over an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant.domain.errors import ArticleNotFound, CorpusNotFound, FormatUnsupported, LibraryDamaged
from assistant.duplicates import clusters
from assistant.ingest import Preparation, Progress, Workers, preparation, renew
from assistant.ports import Archives, Generations, GenerationWriter

PATIENCE = 30  # seconds to wait for readers of generations that still hold a withdrawn article


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did.

    withdrawn: the articles that were not withdrawn until now.
    copies: near copies of them that the corpus still holds.
    still_read: generations that still hold them, because somebody has them open.
    """

    withdrawn: tuple[str, ...]
    copies: tuple[str, ...]
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
    forget_quotes: Callable[[Sequence[str]], int],
    forget_vectors: Callable[[], None],
    patience: float = PATIENCE,
) -> Withdrawal:
    """Take articles out of the corpus for good: library, indexes, older generations, caches, kept quotes.

    forget_quotes: takes their quotes out of what is kept of earlier answers; of how many.
    forget_vectors: empties the cache of vectors. It may hold those of wordings that no generation
        has any more, of which nobody can say whose they are.
    patience: seconds to wait for readers of older generations.

    Killed on the way, it is finished by calling it again. Later ingests reject the articles.
    An article that was removed before is withdrawn from wherever its words still are. Raises
    ArticleNotFound for an id that no generation, no list and no earlier answer knows.
    """
    held = generations.held()
    with generations.writer() as writer:
        library = writer.library
        known = held | library.withdrawn().keys()
        unknown = [one for one in article_ids if one not in known and not forget_quotes([one])]
        if unknown:
            raise ArticleNotFound(f"no article has the id {unknown[0]!r}")
        copies = _copies(article_ids, generations)
        withdrawn = [one for one in dict.fromkeys(article_ids) if one not in library.withdrawn()]
        for article_id in withdrawn:
            library.remove(article_id)
            library.withdraw(article_id, today.isoformat())
        if withdrawn:
            _publish(writer)
    still_read = generations.forget(patience=patience)
    forget_vectors()  # an ingest that begins now knows of the withdrawal, and none is under way
    forget_quotes(article_ids)  # last: answers are kept while their generation is read
    return Withdrawal(tuple(withdrawn), tuple(copies), tuple(still_read))


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

    Articles of an older format, or prepared by older rules, are prepared and embedded again,
    and those of an export that another embedder made. What is withdrawn here stays so.
    A damaged library is replaced by that of the newest sound generation. Raises CorpusNotFound
    where there is none, LibraryLost where none is sound, ArchiveUnusable for a file that is no export.
    """
    kept = _withdrawn(generations) if archive else {}
    with generations.writer(salvage=True, archive=archive) as writer:
        if writer.before is None:
            raise CorpusNotFound("there is no corpus to rebuild")
        if archive and writer.before.embedder != job.embedder.fingerprint:
            renew(writer, job, workers, force=True)
        elif writer.outdated or writer.before.segmenter != preparation(job.segmenter):
            renew(writer, job, workers)
        for article_id, day in kept.items():
            writer.library.remove(article_id)
            writer.library.withdraw(article_id, day)
        articles = len(writer.library.hashes())
        progress("index", articles)
        return Rebuilt(_publish(writer), articles, writer.salvaged)


def _copies(article_ids: Sequence[str], generations: Generations) -> list[str]:
    with generations.current() as current:
        found = {copy.id for one in article_ids if current for copy in current.library.copies(one)}
    return sorted(found.difference(article_ids))


def _withdrawn(generations: Generations) -> Mapping[str, str]:
    """What is withdrawn from the corpus that an export replaces, as far as it can be read."""
    try:
        with generations.current() as current:
            return current.library.withdrawn() if current else {}
    except (LibraryDamaged, FormatUnsupported):
        return {}


def _publish(writer: GenerationWriter) -> int:
    writer.library.link(clusters(writer.library.signatures()))
    return writer.publish(writer.before.source if writer.before else "", fresh=True)
