"""Articles become sentences, passages and a new generation.

``prepare`` is pure and picklable; ``ingest`` is the only place that writes a corpus.
An article whose content hash is unchanged costs nothing; a changed one is replaced
whole; one that is not mentioned stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from assistant.domain.articles import Article
from assistant.domain.errors import ArticleRejected, EmbedderMismatch
from assistant.domain.passages import PreparedArticle, make_passages, make_sentences
from assistant.ports import ArticleSource, Embedder, Generations, GenerationWriter, Segmenter

_BATCH = 64  # articles that are embedded together

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or record that is no usable article, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one ingest did: article ids by outcome, and the generation that is current now."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    generation: int | None = None
    articles: int = 0
    passages: int = 0

    @property
    def accepted(self) -> int:
        """How many articles of the source are in the corpus now."""
        return len(self.added) + len(self.changed) + len(self.unchanged)


@dataclass
class _Tally:
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def prepare(articles: Iterable[Article], segmenter: Segmenter) -> list[PreparedArticle]:
    """Each article with its sentences and passages, in order."""
    prepared = []
    for article in articles:
        sentences = make_sentences(article, segmenter.segment(article.text, article.info.language))
        prepared.append(PreparedArticle(article, sentences, make_passages(sentences)))
    return prepared


def ingest(
    source: ArticleSource,
    generations: Generations,
    *,
    segmenter: Segmenter,
    embedder: Embedder,
    only: bool = False,
    rebuild: bool = False,
    progress: Progress = lambda seen: None,
) -> IngestReport:
    """Put the source's articles into the corpus and publish a new generation.

    only: the corpus then holds the source's articles and no others.
    rebuild: prepare and embed every stored article again, with this embedder.
    progress: called with the number of articles and rejections seen so far.

    Nothing is published when nothing changes. Raises LibraryBusy when another
    process is ingesting, EmbedderMismatch when the corpus was embedded otherwise.
    """
    with generations.writer() as writer:
        again = _prepare_again(writer, segmenter, embedder, rebuild=rebuild)
        tally = _Tally()
        batch: list[Article] = []
        known = dict(writer.library.hashes())
        seen: set[str] = set()
        for number, item in enumerate(source.read(), 1):
            if isinstance(item, ArticleRejected):
                tally.rejected.append(Rejection(item.where, item.reason))
            elif _is_new(item, known, seen, tally):
                batch.append(item)
                if len(batch) == _BATCH:
                    _store(batch, writer, segmenter, embedder)
                    batch.clear()
            progress(number)
        _store(batch, writer, segmenter, embedder)
        removed = sorted(set(known) - seen) if only and seen else []
        for article_id in removed:
            writer.library.remove(article_id)
        if again:
            kept = [article for article in writer.library.articles() if article.id in tally.unchanged_or(known, seen)]
            _store(kept, writer, segmenter, embedder)
        return _report(writer, tally, removed, changed=bool(again or tally.added or tally.changed or removed))
