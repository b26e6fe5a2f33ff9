"""What the use cases need from the world, in our words; adapters provide it.

Small protocols, each with the methods that are called and no more. Everything
here is synchronous. ``assistant.testing`` has a fake for each.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.conversation import Completion, Message
from assistant.domain.errors import ArticleRejected, EmbedderMismatch
from assistant.domain.history import Record
from assistant.domain.passages import Hit, Passage, PreparedArticle, Sentence, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float32]


class Clock(Protocol):
    """Today's date, this moment and a stopwatch."""

    def today(self) -> date:
        """The current date."""
        ...

    def now(self) -> datetime:
        """This moment, in UTC."""
        ...

    def milliseconds(self) -> float:
        """A monotonic reading; only differences mean something."""
        ...


class ArticleSource(Protocol):
    """Reads articles from somewhere."""

    def read(self) -> Iterator[Article | ArticleRejected]:
        """Every article, or the reason why one was rejected, in a stable order."""
        ...

    def covers(self, origin: Origin) -> bool:
        """Whether an article from there would be read, were it still there."""
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
        """One row for each text, float32, length 1 (all zero for a text without words).

        Raises ProviderError where the vectors come from an API that does not do its work.
        """
        ...


class Reranker(Protocol):
    """Reads a question together with each passage, which says more of both than words and vectors do."""

    @property
    def name(self) -> str:
        """Names the model; scores of two names are never compared."""
        ...

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        """One number for each passage, in their order, float32: the higher, the better it fits.

        Only their order means something, and only within one call. Raises ConfigurationError
        where the model cannot be used.
        """
        ...


class ChatModel(Protocol):
    """Writes text from messages."""

    @property
    def name(self) -> str:
        """Provider and model: "openai:gpt-…"."""
        ...

    @property
    def host(self) -> str:
        """Where the messages go: a host name, with the port where it is unusual."""
        ...

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int, seconds: float
    ) -> Generator[str | Completion, None, None]:
        """The reply in pieces as they come, and last its Completion, without which it is not complete.

        answer_tokens: where the reply is cut. seconds: when all attempts together end.
        Closing it ends the call. Raises ProviderError, also in between.
        """
        ...


class TokenCounter(Protocol):
    """Counts the tokens that a model will see."""

    @property
    def name(self) -> str:
        """What is counted with: an encoding of tiktoken, or "estimate"."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the counts are exact, and not an estimate on the safe side."""
        ...

    def count(self, text: str) -> int:
        """How many tokens the text has."""
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


class Visible(NamedTuple):
    """How many articles exist as of a date, and the days of the oldest and the newest that has one."""

    articles: int
    oldest: date | None
    newest: date | None


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

    def visible(self, as_of: date) -> Visible:
        """How many articles exist as of the date, and from when to when they are."""
        ...

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        ...

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        ...

    def copies(self, article_id: str) -> list[ArticleInfo]:
        """The near copies of the article, by id, without itself."""
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
    def damage(self) -> str:
        """What is damaged, so that less stands behind answers than was stored; empty when all is well."""
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
    """What the lexical index holds of a passage: its id, its article's title, its cleaned text."""

    passage_id: str
    title: str
    body: str


class LibraryWriter(Protocol):
    """The library of the generation under construction."""

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        ...

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        ...

    def origins(self) -> Mapping[str, Origin]:
        """Where each article was read from, by article id."""
        ...

    def signatures(self) -> Mapping[str, bytes]:
        """What near copies are recognised by, by article id."""
        ...

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        ...

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> list[str]:
        """Store the article whole, in place of one with the same id; one vector for each passage.

        Returns the ids of the passages that it replaces.
        """
        ...

    def remove(self, article_id: str) -> list[str]:
        """Forget the article; returns the ids of its passages, none when there is no such article."""
        ...

    def relocate(self, article_id: str, origin: Origin) -> None:
        """Write down that the article, unchanged, is now read from elsewhere."""
        ...

    def link(self, clusters: Mapping[str, str]) -> None:
        """Write down which articles are near copies of each other: a name for each that has some."""
        ...

    def withdraw(self, article_id: str, day: str) -> None:
        """Write down that the article was withdrawn on this day."""
        ...

    def readmit(self, article_id: str) -> None:
        """Forget that the article was withdrawn."""
        ...


class GenerationWriter(Protocol):
    """The next generation, under construction, locked against other writers."""

    @property
    def before(self) -> Manifest | None:
        """What the generation that this one starts from is made of; None when there is none."""
        ...

    @property
    def library(self) -> LibraryWriter:
        """A copy of that generation's library, to be changed freely."""
        ...

    @property
    def salvaged(self) -> str:
        """What was lost with the current generation, when this one starts from an older one; or empty."""
        ...

    @property
    def outdated(self) -> bool:
        """Whether that has an older format, so that the library is empty until it is renewed."""
        ...

    def renew(self) -> Iterator[Article]:
        """Empty the library, which nothing has changed yet; every article that it had, to be put again."""
        ...

    def publish(self, source: str = "", *, fresh: bool = False) -> int:
        """Index the library and make it the current generation; returns its number.

        source: see Manifest.
        fresh: build both indexes anew from the library, whatever they were before.
        Killed at any moment before, the old generation stays current. Without this
        call nothing that was changed is kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class Freed:
    """What was deleted: how many generations, and how many bytes with all that crashes had left."""

    generations: int
    bytes: int


class Generations(Protocol):
    """The generations of one corpus."""

    def current(self) -> AbstractContextManager[Generation | None]:
        """The current generation, held open while the context lasts; None when none is published."""
        ...

    def writer(self, *, salvage: bool = False) -> AbstractContextManager[GenerationWriter]:
        """The only writer; raises LibraryBusy while another process holds it.

        salvage: start from the newest generation whose library is sound, instead of
            raising LibraryDamaged when that of the current one is not.
        """
        ...

    def held(self) -> set[str]:
        """The ids of all articles that a generation on disk holds, the current one or an older one."""
        ...

    def forget(self, *, patience: float) -> list[int]:
        """Delete every generation but the current one, waiting for readers; those still read are returned."""
        ...

    def discard(self) -> None:
        """Forget every generation, for a corpus that can be made again from its source."""
        ...


class Archives(Generations, Protocol):
    """Generations that can be examined, tidied, written into one file and started from it."""

    def writer(
        self, *, salvage: bool = False, archive: Path | None = None
    ) -> AbstractContextManager[GenerationWriter]:
        """The only writer; archive: start from this export. Raises ArchiveUnusable for another file."""
        ...

    def is_published(self) -> bool:
        """Whether there is a generation, damaged or not."""
        ...

    def verify(self) -> Mapping[int, list[str]]:
        """What is wrong with each generation, a line each, the current one first."""
        ...

    def collect(self, *, previous: bool = False) -> Freed:
        """Delete what crashes have left and what nobody reads; previous: the generation before, too."""
        ...

    def export(self, file: Path) -> Manifest:
        """Write the current library into one file."""
        ...


class History(Protocol):
    """Keeps every question with what came of it."""

    def record(self, record: Record) -> None:
        """Keep the record, in place of one with the same id."""
        ...

    def newest(self, limit: int | None = None) -> list[Record]:
        """The records that were kept last, the newest first; all without a limit."""
        ...

    def find(self, answer_id: str) -> Record:
        """The record of this answer; raises HistoryNotFound."""
        ...

    def delete(self, answer_ids: Collection[str]) -> None:
        """Forget these answers; raises HistoryNotFound, and forgets none, when one is not there."""
        ...

    def clear(self, before: datetime | None = None) -> int:
        """Forget everything, or what was asked before a moment; returns how many records that were."""
        ...

    def withdraw(self, article_ids: Collection[str], *, corpus: str) -> int:
        """Take the words of these articles out of every record about the corpus; returns of how many."""
        ...
