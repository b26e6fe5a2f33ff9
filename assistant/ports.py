"""What the use cases need from the world, in our words; adapters provide it.

Small protocols, each with the methods that are called and no more. Everything
here is synchronous. ``assistant.testing`` has a fake for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.errors import ArticleRejected, EmbedderMismatch
from assistant.domain.passages import Hit, Passage, PreparedArticle, Sentence, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class Clock(Protocol):
    """Today's date and a stopwatch."""

    def today(self) -> date:
        """The current date."""
        ...

    def milliseconds(self) -> float:
        """A monotonic reading; only differences mean something."""
        ...


class ArticleSource(Protocol):
    """Reads articles from somewhere."""

    def read(self) -> Iterator[Article | ArticleRejected]:
        """Every article, or the reason why one was rejected, in a stable order."""
        ...


class Segmenter(Protocol):
    """Finds sentences."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text may be cut otherwise."""
        ...

    def segment(self, text: str, language: str = "en") -> list[Span]:
        """Spans of the sentences in order, without furniture, headings and blank ends."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Names the model; vectors of two fingerprints are never compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, float32, length 1 (all zero for a text without words)."""
        ...


class LexicalIndex(Protocol):
    """Full-text search over title and body of passages, and what it knows of words."""

    def search(self, text: str, limit: int) -> list[Hit]:
        """Passages that share words with the text, by BM25, ties by passage id."""
        ...

    def terms(self, text: str) -> list[str]:
        """The index's own terms of a text: lower case, stemmed, without stop words."""
        ...

    def idf(self, terms: Iterable[str]) -> Mapping[str, float]:
        """The rarity of each term, as BM25 weighs it (more is rarer; always above 0)."""
        ...


class VectorIndex(Protocol):
    """Nearest-neighbour search over the passages' vectors."""

    def search(self, vector: Vectors, limit: int, *, exact: bool = False) -> list[Hit]:
        """Passages by cosine, computed exactly for every candidate, ties by passage id."""
        ...

    def cosines(self, vector: Vectors, passage_ids: Sequence[str]) -> Mapping[str, float]:
        """The exact cosine of the named passages."""
        ...


class Library(Protocol):
    """The stored articles of one generation."""

    def article(self, article_id: str) -> Article:
        """The article; raises ArticleNotFound."""
        ...

    def articles(self) -> list[ArticleInfo]:
        """All articles, newest first, undated last, then by id."""
        ...

    def sentences(self, article_id: str) -> list[Sentence]:
        """The article's sentences in order; raises ArticleNotFound."""
        ...

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """The passages in the order asked for."""
        ...

    def owners(self, passage_ids: Sequence[str]) -> Mapping[str, ArticleInfo]:
        """Which article each passage belongs to."""
        ...

    def visible(self, as_of: date) -> tuple[int, date | None]:
        """How many articles exist as of the date, and the newest date among them."""
        ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is made of; written into its folder.

    content: SHA-256 over all articles' hashes: equal means the same articles.
    source: the state of the source that the corpus mirrors; empty for one that grows.
    """

    format: int
    embedder: str
    segmenter: str
    articles: int
    passages: int
    content: str
    source: str

    def require_embedder(self, fingerprint: str) -> None:
        """Raises EmbedderMismatch unless the generation was embedded with this embedder."""
        if self.embedder != fingerprint:
            raise EmbedderMismatch(
                f"the corpus was embedded with {self.embedder!r}, not with {fingerprint!r}"
            )


class Generation(Protocol):
    """One published, unchanging state of a corpus, open for reading."""

    @property
    def number(self) -> int:
        """Counts up from 1 with each publish."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What it is made of."""
        ...

    @property
    def library(self) -> Library:
        """Articles, sentences, passages."""
        ...

    @property
    def lexical(self) -> LexicalIndex:
        """BM25."""
        ...

    @property
    def vectors(self) -> VectorIndex:
        """Cosine."""
        ...


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the indexes are built from: one passage, its article's title, its vector."""

    passage_id: str
    title: str
    body: str
    vector: Vectors


class LibraryWriter(Protocol):
    """The library of the generation under construction."""

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        ...

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        ...

    def articles(self) -> Iterator[Article]:
        """Every stored article, by id."""
        ...

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> None:
        """Store the article whole, in place of one with the same id; one vector for each passage."""
        ...

    def remove(self, article_id: str) -> None:
        """Forget the article; nothing happens when there is none."""
        ...


class GenerationWriter(Protocol):
    """The next generation, under construction, locked against other writers."""

    @property
    def before(self) -> Manifest | None:
        """What the current generation is made of; None when there is none."""
        ...

    @property
    def library(self) -> LibraryWriter:
        """A copy of the current generation's library, to be changed freely."""
        ...

    def publish(self, source: str = "") -> int:
        """Index the library and make it the current generation; returns its number.

        source: see Manifest.
        Killed at any moment before, the old generation stays current. Without this
        call nothing that was changed is kept.
        """
        ...


class Generations(Protocol):
    """The generations of one corpus."""

    def current(self) -> AbstractContextManager[Generation | None]:
        """The current generation, held open while the context lasts; None when none is published."""
        ...

    def writer(self) -> AbstractContextManager[GenerationWriter]:
        """The only writer; raises LibraryBusy while another process holds it."""
        ...

    def discard(self) -> None:
        """Forget every generation, for a corpus that can be made again from its source."""
        ...
