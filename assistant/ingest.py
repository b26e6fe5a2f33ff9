"""Articles become sentences, passages and a new generation.

``prepare`` is pure and picklable; ``ingest`` is the only place that writes a corpus.
An article whose content hash is unchanged costs nothing; a changed one is replaced
whole; one that is not mentioned stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from assistant.domain.articles import Article
from assistant.domain.errors import ArticleRejected
from assistant.domain.passages import PASSAGE_RULES, PreparedArticle, make_passages, make_sentences
from assistant.domain.text import clean
from assistant.ports import ArticleSource, Embedder, Generations, GenerationWriter, Segmenter

_BATCH = 64  # articles that are embedded together

Progress = Callable[[str, int], None]
"""Told of a stage, "read" or "index", and of how many articles it has seen or has before it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or record that is no usable article, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one ingest did: article ids by outcome, and what was rejected."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    @property
    def accepted(self) -> int:
        """How many articles of the source are in the corpus now."""
        return len(self.added) + len(self.changed) + len(self.unchanged)


def preparation(segmenter: Segmenter) -> str:
    """What sentences and passages depend on beside the text; kept in the manifest as its segmenter."""
    return f"{segmenter.fingerprint}/passages-{PASSAGE_RULES}"


def prepare(articles: Iterable[Article], segmenter: Segmenter) -> list[PreparedArticle]:
    """Each article with its sentences and passages, in order."""
    prepared = []
    for article in articles:
        sentences = make_sentences(article, segmenter.segment(article.text, article.info.language))
        prepared.append(PreparedArticle(article, sentences, make_passages(article, sentences)))
    return prepared


def ingest(
    source: ArticleSource,
    generations: Generations,
    *,
    segmenter: Segmenter,
    embedder: Embedder,
    mirror: str = "",
    rebuild: bool = False,
    progress: Progress = lambda stage, articles: None,
) -> IngestReport:
    """Put the source's articles into the corpus and publish a new generation.

    mirror: names the state of the source, of which the corpus becomes a mirror: it then
        holds the source's articles and no others. Empty: the corpus grows.
    rebuild: prepare and embed every stored article again, with this embedder.
    progress: told of each article and rejection that is read, and when indexing begins.

    Nothing is published when nothing changes. Raises LibraryBusy when another
    process is ingesting, EmbedderMismatch when the corpus was embedded otherwise.
    """
    items = source.read()  # before anything is created: it may name a path that does not exist
    with generations.writer() as writer:
        desk = _Desk(writer, segmenter, embedder)
        renewed = desk.renew(rebuild=rebuild)
        stored = dict(writer.library.hashes())
        tally = _Tally()
        for number, item in enumerate(items, 1):
            if isinstance(item, ArticleRejected):
                tally.rejected.append(Rejection(item.where, item.reason))
            elif other := tally.seen.get(item.id) or _other(item, writer.library.article(item.id)):
                tally.refuse(item, other)
            elif tally.note(item, stored.get(item.id)):
                desk.put(item)
            progress("read", number)
        desk.flush()
        removed = sorted(stored.keys() - tally.seen.keys()) if mirror and tally.seen else []
        for article_id in removed:
            writer.library.remove(article_id)
        mirrored = bool(mirror) and (writer.before is None or writer.before.source != mirror)
        if renewed or tally.added or tally.changed or removed or mirrored:
            progress("index", len(writer.library.hashes()))
            writer.publish(mirror)
        return IngestReport(
            added=tuple(tally.added),
            changed=tuple(tally.changed),
            unchanged=tuple(tally.unchanged),
            removed=tuple(removed),
            rejected=tuple(tally.rejected),
        )


def _other(article: Article, stored: Article | None) -> str | None:
    """Where the stored article is from, when it is another story from another file under the same id.

    A story that has kept its title or its text has been moved or edited, and is the same.
    """
    if stored is None or _file(stored) == _file(article):
        return None
    same_title = article.info.title is not None and article.info.title == stored.info.title
    return None if same_title or article.text == stored.text else stored.info.location


def _file(article: Article) -> tuple[str, str]:
    return article.info.origin.root, article.info.origin.path.partition("#")[0]


@dataclass
class _Tally:
    """What has been seen of the source so far.

    seen: where the article with each id is from; of two with one id, the first.
    """

    added: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    rejected: list[Rejection] = field(default_factory=list[Rejection])
    seen: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, article: Article, stored_hash: str | None) -> bool:
        """Count the article; true when it has to be stored."""
        self.seen[article.id] = article.info.location
        if stored_hash is None:
            self.added.append(article.id)
        elif stored_hash != article.content_hash():
            self.changed.append(article.id)
        else:
            self.unchanged.append(article.id)
            return False
        return True

    def refuse(self, article: Article, other: str) -> None:
        """Reject the article because the one from another place has its id; that one stays."""
        self.seen.setdefault(article.id, other)
        used = f"the id {article.id!r} is that of {clean(other)}, another article"
        self.rejected.append(Rejection(clean(article.info.location), f"{used}; give one of them another id"))


class _Desk:
    """Prepares articles, embeds them in batches, and stores them."""

    def __init__(self, writer: GenerationWriter, segmenter: Segmenter, embedder: Embedder) -> None:
        self._writer = writer
        self._segmenter = segmenter
        self._embedder = embedder
        self._waiting: list[Article] = []

    def renew(self, *, rebuild: bool) -> bool:
        """Prepare the stored articles again where that is due; true when it was."""
        before = self._writer.before
        if before is None:
            return False
        if not rebuild:
            before.require_embedder(self._embedder.fingerprint)
            if before.segmenter == preparation(self._segmenter):
                return False
        for article in list(self._writer.library.articles()):
            self.put(article)
        self.flush()
        return True

    def put(self, article: Article) -> None:
        """Store the article, now or with the next ones."""
        self._waiting.append(article)
        if len(self._waiting) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Store what waits."""
        prepared = prepare(self._waiting, self._segmenter)
        vectors = self._embedder.embed(
            [passage.cleaned for article in prepared for passage in article.passages]
        )
        start = 0
        for article in prepared:
            end = start + len(article.passages)
            self._writer.library.put(article, vectors[start:end])
            start = end
        self._waiting.clear()
