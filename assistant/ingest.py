"""Articles become sentences, passages and a new generation.

``prepare`` is pure and picklable, so that worker processes can run it; ``ingest`` puts
what they give back, in order. An article whose content hash is unchanged costs nothing;
a changed one is replaced whole; one that is not mentioned stays, unless it is pruned.
Where an API embeds, this process calls it and the workers only prepare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from assistant.domain.articles import Article, Origin
from assistant.domain.errors import ArticleNotFound, ArticleRejected, VectorsUnusable
from assistant.domain.passages import PASSAGE_RULES, PreparedArticle, make_passages, make_sentences
from assistant.domain.text import clean
from assistant.duplicates import clusters, signature
from assistant.ports import ArticleSource, Embedder, Generations, GenerationWriter, Library, Segmenter

if TYPE_CHECKING:
    from assistant.ports import Vectors

_BATCH = 64  # articles that are prepared and embedded together

Progress = Callable[[str, int], None]
"""Told of a stage, "read" or "index", and of how many articles it has seen or has before it."""

In = TypeVar("In")
Out = TypeVar("Out")


class Workers(Protocol):
    """``map``, or something that does the same with several processes: results come in order."""

    def __call__(self, job: Callable[[In], Out], batches: Iterable[In], /) -> Iterator[Out]:
        """The job's result for each batch, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file or record that is no usable article, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one ingest did, or a dry run would do: article ids by outcome, and what was rejected.

    spared: what pruning would have removed, had any article at all been read.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    dry_run: bool = False

    @property
    def accepted(self) -> int:
        """How many articles of the source are in the corpus now."""
        return len(self.added) + len(self.changed) + len(self.unchanged)

    @property
    def changes(self) -> int:
        """How many articles were added, changed or removed."""
        return len(self.added) + len(self.changed) + len(self.removed)


def preparation(segmenter: Segmenter) -> str:
    """What sentences and passages depend on beside the text; kept in the manifest as its segmenter."""
    return f"{segmenter.fingerprint}/passages-{PASSAGE_RULES}"


def prepare(articles: Iterable[Article], segmenter: Segmenter) -> list[PreparedArticle]:
    """Each article with its sentences, passages and signature, in order."""
    prepared = []
    for article in articles:
        sentences = make_sentences(article, segmenter.segment(article.text, article.info.language))
        passages = make_passages(article, sentences)
        prepared.append(PreparedArticle(article, sentences, passages, signature(article.text)))
    return prepared


Embedded = tuple[PreparedArticle, "Vectors"]
"""An article, prepared, with one vector for each of its passages."""

Refuse = Callable[[Article, VectorsUnusable], None]
"""Told of an article that is left out, since the embedder has no vector for one of its passages."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to a batch of articles before it is stored; picklable where its parts are.

    embed_here: whether the embedder is called in this process alone, whoever prepares. So it
        is where it is behind an API, which counts its calls and wants a key, or uses all cores itself.
    """

    segmenter: Segmenter
    embedder: Embedder
    embed_here: bool = False

    def __call__(self, articles: Sequence[Article]) -> list[Embedded]:
        """Each article prepared, with one vector for each of its passages."""
        return embed(prepare(articles, self.segmenter), self.embedder)

    def spread(
        self, workers: Workers, batches: Iterable[Sequence[Article]], refuse: Refuse
    ) -> Iterator[list[Embedded]]:
        """The same for each batch, in order, with the workers' help."""
        if not self.embed_here:
            yield from workers(self, batches)
            return
        for prepared in workers(partial(prepare, segmenter=self.segmenter), batches):
            yield _embed_usable(prepared, self.embedder, refuse)


def embed(articles: Sequence[PreparedArticle], embedder: Embedder) -> list[Embedded]:
    """Each article with one vector for each of its passages."""
    vectors = embedder.embed([passage.cleaned for article in articles for passage in article.passages])
    pairs, start = [], 0
    for article in articles:
        pairs.append((article, vectors[start : (start := start + len(article.passages))]))
    return pairs


def _embed_usable(articles: Sequence[PreparedArticle], embedder: Embedder, refuse: Refuse) -> list[Embedded]:
    """The articles whose every passage can be embedded; the others are refused."""
    try:
        return embed(articles, embedder)
    except VectorsUnusable as error:
        places = [(one, passage) for one in articles for passage in range(len(one.passages))]
        unusable: dict[str, list[int]] = {}
        for at in error.at:
            owner, passage = places[at]
            unusable.setdefault(owner.article.id, []).append(passage)
    for one in articles:
        if one.article.id in unusable:
            refuse(one.article, VectorsUnusable(tuple(unusable[one.article.id]), one.article.id))
    return _embed_usable([one for one in articles if one.article.id not in unusable], embedder, refuse)


def ingest(
    source: ArticleSource,
    generations: Generations,
    *,
    segmenter: Segmenter,
    embedder: Embedder,
    mirror: str = "",
    rebuild: bool = False,
    prune: bool = False,
    dry_run: bool = False,
    embed_here: bool = False,
    workers: Workers = map,
    progress: Progress = lambda stage, articles: None,
) -> IngestReport:
    """Put the source's articles into the corpus and publish a new generation.

    mirror: names the state of the source, of which the corpus becomes a mirror: it then
        holds the source's articles and no others. Empty: the corpus grows.
    rebuild: prepare and embed every stored article again, with this embedder.
    prune: remove the articles that came from the source earlier and are no longer there.
    dry_run: change nothing, take no lock, and report what would be done.
    embed_here: see ``Preparation``.
    progress: told of each article and rejection that is read, and when indexing begins.

    Nothing is published when nothing changes, or when it ends early. Raises LibraryBusy when
    another process is ingesting, EmbedderMismatch when the corpus was embedded otherwise, and
    ProviderError when an API does not embed; a single article that it cannot embed is rejected.
    """
    items = source.read()  # before anything is created: it may name a path that does not exist
    intake = _Intake(source, prune=prune, mirror=bool(mirror), progress=progress)
    if dry_run:
        with generations.current() as current:
            if current and not rebuild:
                current.manifest.require_embedder(embedder.fingerprint)
            stored = _Standing(current.library if current else None)
            for _ in intake.wanted(items, stored):
                pass
            return intake.report(intake.to_remove(stored), dry_run=True)
    job = Preparation(segmenter, embedder, embed_here)
    with generations.writer() as writer:
        renewed = renew(writer, job, workers, force=rebuild)
        put(writer, intake.wanted(items, writer.library), job, workers, intake.refuse)
        removed = intake.to_remove(writer.library)
        for article_id in removed:
            writer.library.remove(article_id)
        for article_id, origin in intake.moved.items():
            writer.library.relocate(article_id, origin)
        report = intake.report(removed)
        mirrored = bool(mirror) and (writer.before is None or writer.before.source != mirror)
        if renewed or report.changes or mirrored:
            hashes = writer.library.hashes()
            progress("index", len(hashes))
            writer.library.link(clusters(writer.library.signatures()))
            writer.publish(mirror)
        return report


def renew(writer: GenerationWriter, job: Preparation, workers: Workers, *, force: bool = False) -> bool:
    """Prepare the stored articles again where that is due; true when it was.

    It is due when they were prepared by other rules or are stored in an older format.
    Raises EmbedderMismatch, unless forced, where they were embedded otherwise, and
    VectorsUnusable where one can no longer be embedded: what is stored is not left out.
    """
    if writer.before is None:
        return False
    if not force and not writer.outdated:
        writer.before.require_embedder(job.embedder.fingerprint)
        if writer.before.segmenter == preparation(job.segmenter):
            return False
    put(writer, writer.renew(), job, workers, _keep_all)
    return True


def put(
    writer: GenerationWriter, articles: Iterable[Article], job: Preparation, workers: Workers, refuse: Refuse
) -> None:
    """Store the articles, prepared batch by batch."""
    for batch in job.spread(workers, _batches(articles), refuse):
        for prepared, vectors in batch:
            writer.library.put(prepared, vectors)


def _keep_all(article: Article, error: VectorsUnusable) -> None:
    raise error


def _batches(articles: Iterable[Article]) -> Iterator[list[Article]]:
    remaining = iter(articles)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


class _Stored(Protocol):
    """What an intake has to know of the stored articles."""

    def hashes(self) -> Mapping[str, str]: ...

    def origins(self) -> Mapping[str, Origin]: ...

    def withdrawn(self) -> Mapping[str, str]: ...

    def article(self, article_id: str) -> Article | None: ...


class _Standing:
    """The stored articles of a published generation, if there is one, for a dry run."""

    def __init__(self, library: Library | None) -> None:
        self._library = library

    def hashes(self) -> Mapping[str, str]:
        return self._library.hashes() if self._library else {}

    def origins(self) -> Mapping[str, Origin]:
        return {info.id: info.origin for info in self._library.articles()} if self._library else {}

    def withdrawn(self) -> Mapping[str, str]:
        return self._library.withdrawn() if self._library else {}

    def article(self, article_id: str) -> Article | None:
        try:
            return self._library.article(article_id) if self._library else None
        except ArticleNotFound:
            return None


@dataclass
class _Intake:
    """Sorts what is read into added, changed, unchanged and rejected.

    moved: where unchanged articles are read from now.
    seen: where the article with each id is from; of two with one id, the first.
    unread: root and path of what was rejected, whose stored articles are not pruned.
    """

    source: ArticleSource
    prune: bool
    mirror: bool
    progress: Progress
    added: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    rejected: list[Rejection] = field(default_factory=list[Rejection])
    spared: list[str] = field(default_factory=list[str])
    moved: dict[str, Origin] = field(default_factory=dict[str, Origin])
    seen: dict[str, str] = field(default_factory=dict[str, str])
    unread: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def wanted(self, items: Iterable[Article | ArticleRejected], stored: _Stored) -> Iterator[Article]:
        """The articles that have to be stored, while all are sorted."""
        hashes, origins, withdrawn = dict(stored.hashes()), dict(stored.origins()), stored.withdrawn()
        for number, item in enumerate(items, 1):
            if isinstance(item, ArticleRejected):
                self._reject(item)
            elif day := withdrawn.get(item.id):
                reason = f"{item.id!r} was withdrawn on {day}; `assistant articles readmit` lets it in again"
                self._reject(_refused(item, reason))
            elif other := self.seen.get(item.id) or _other(item, origins.get(item.id), stored):
                self.seen.setdefault(item.id, other)
                used = f"the id {item.id!r} is that of {clean(other)}, another article"
                self._reject(_refused(item, f"{used}; give one of them another id"))
            elif self._is_new(item, hashes.get(item.id), origins.get(item.id)):
                yield item
            self.progress("read", number)

    def refuse(self, article: Article, error: VectorsUnusable) -> None:
        """Reject an article that was wanted; one that is stored under its id stays as it is."""
        for accepted in (self.added, self.changed):
            if article.id in accepted:
                accepted.remove(article.id)
        self._reject(_refused(article, str(error)))

    def to_remove(self, stored: _Stored) -> list[str]:
        """The stored articles that are no longer in the source, as far as they are to go with it."""
        if not (self.prune or self.mirror):
            return []
        gone = [
            article_id
            for article_id, origin in sorted(stored.origins().items())
            if article_id not in self.seen and (self.mirror or self._is_gone(origin))
        ]
        if not self.seen:  # an empty folder is more often a mistake than a wish
            self.spared, gone = gone, []
        return gone

    def report(self, removed: Sequence[str], *, dry_run: bool = False) -> IngestReport:
        """What came of it."""
        return IngestReport(
            added=tuple(self.added),
            changed=tuple(self.changed),
            unchanged=tuple(self.unchanged),
            removed=tuple(removed),
            spared=tuple(self.spared),
            rejected=tuple(self.rejected),
            dry_run=dry_run,
        )

    def _is_new(self, article: Article, stored_hash: str | None, origin: Origin | None) -> bool:
        """Whether the article has to be prepared; one that has only moved is changed, and has not.

        Its place within its file does not count: a record that goes would move all behind it.
        """
        self.seen[article.id] = article.info.file
        same = stored_hash == article.content_hash()
        moved = origin is not None and _file(origin) != _file(article.info.origin)
        if same and moved:
            self.moved[article.id] = article.info.origin
        if stored_hash is None:
            self.added.append(article.id)
        elif same and not moved:
            self.unchanged.append(article.id)
        else:
            self.changed.append(article.id)
        return not same

    def _reject(self, rejected: ArticleRejected) -> None:
        self.rejected.append(Rejection(rejected.where, rejected.reason))
        if rejected.origin:
            self.unread.add(_file(rejected.origin))

    def _is_gone(self, origin: Origin) -> bool:
        root, file = _file(origin)
        unread = (path for other, path in self.unread if other == root)
        # A folder that could not be listed is as unread as everything below it.
        if any(file == path or not path or file.startswith(f"{path.rstrip('/')}/") for path in unread):
            return False
        return self.source.covers(origin)


def _other(article: Article, origin: Origin | None, stored: _Stored) -> str | None:
    """Where the stored article is from, when it is another story from another file under the same id.

    A story that has kept its title, its address or its text has been moved or edited, and is the same.
    """
    if origin is None or _file(origin) == _file(article.info.origin):
        return None
    standing = stored.article(article.id)
    if standing is None or article.text == standing.text:
        return None
    ours, theirs = article.info, standing.info
    same = (ours.title and ours.title == theirs.title) or (ours.url and ours.url == theirs.url)
    return None if same else theirs.file


def _refused(article: Article, reason: str) -> ArticleRejected:
    return ArticleRejected(clean(article.info.file), reason, article.info.origin)


def _file(origin: Origin) -> tuple[str, str]:
    return origin.root, origin.path.partition("#")[0]
