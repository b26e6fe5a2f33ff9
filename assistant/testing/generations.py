"""Generations in memory: what is published stays as it is, whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.domain.articles import Article
from assistant.domain.errors import LibraryBusy
from assistant.ports import Manifest
from assistant.testing.indexes import MemoryLexicalIndex, MemoryVectorIndex
from assistant.testing.library import MemoryLibrary, MemoryLibraryWriter, Stored
from assistant.testing.strict import UnexpectedCall

FORMAT = 2


class MemoryGeneration:
    """One published state; damage says what is wrong with it, where a test wants something to be."""

    def __init__(self, number: int, manifest: Manifest, library: MemoryLibraryWriter) -> None:
        self.number = number
        self.manifest = manifest
        self.damage = ""
        self.stored: Stored = dict(library.stored)
        self.clusters = dict(library.clusters)
        self.library = MemoryLibrary(self.stored, library.clusters, library.withdrawals)
        self.lexical = MemoryLexicalIndex(library.rows())
        self.vectors = MemoryVectorIndex(library.vectors())


class MemoryWriter:
    """The next generation under construction; of no use once it is published or left."""

    def __init__(self, owner: MemoryGenerations, current: MemoryGeneration | None) -> None:
        self._owner = owner
        kept = (current.stored, current.clusters, current.library.withdrawn()) if current else ({}, {}, {})
        self._library = MemoryLibraryWriter(*kept)
        self.before = current.manifest if current else None
        self.salvaged = ""
        self.outdated = False
        self.renewed = False
        self.ended = ""

    @property
    def library(self) -> MemoryLibraryWriter:
        """A copy of the current generation's library, to be changed freely."""
        if self.ended:
            raise UnexpectedCall(f"the writer is used after it was {self.ended}")
        return self._library

    def renew(self) -> Iterator[Article]:
        """Empty the library; every article that it had."""
        self.renewed = True
        yield from self.library.renew()

    def publish(self, source: str = "", *, fresh: bool = False) -> int:
        """Make the library the current generation; returns its number."""
        kept = None if self.renewed or not self.before else (self.before.embedder, self.before.segmenter)
        number = self._owner.add(self.library, source, kept)
        self.ended = "published"
        return number


class MemoryGenerations:
    """The generations of one corpus, without a file.

    embedder, segmenter: fingerprints for the manifests; ``ingest.preparation`` gives the second.
    published: every generation, oldest first.
    writes: for each writer, what it put and removed, as ("put", id) and ("remove", id).
    """

    def __init__(self, *, embedder: str, segmenter: str) -> None:
        self._fingerprints = (embedder, segmenter)
        self._writing = False
        self.published: list[MemoryGeneration] = []
        self.writes: list[tuple[tuple[str, str], ...]] = []

    @contextmanager
    def current(self) -> Iterator[MemoryGeneration | None]:
        """The current generation; None when none is published."""
        yield self.published[-1] if self.published else None

    @contextmanager
    def writer(self, *, salvage: bool = False) -> Iterator[MemoryWriter]:
        """The only writer; raises LibraryBusy while there is another one."""
        if self._writing:
            raise LibraryBusy("another writer is at work")
        self._writing = True
        writer = MemoryWriter(self, self.published[-1] if self.published else None)
        library = writer.library
        try:
            yield writer
        finally:
            self._writing = False
            writer.ended = writer.ended or "left"
            self.writes.append(tuple(library.calls))

    def held(self) -> set[str]:
        """The ids of all articles that a published generation holds."""
        return {article_id for generation in self.published for article_id in generation.stored}

    def forget(self, *, patience: float) -> list[int]:
        """Delete every generation but the current one; nobody is ever waited for."""
        del self.published[:-1]
        return []

    def discard(self) -> None:
        """Forget every generation."""
        self.published.clear()

    def add(self, library: MemoryLibraryWriter, source: str, made_with: tuple[str, str] | None = None) -> int:
        """Publish the library; a writer calls this. made_with: other fingerprints than its own."""
        passages = sum(len(prepared.passages) for prepared, _ in library.stored.values())
        manifest = Manifest(
            FORMAT,
            *(made_with or self._fingerprints),
            len(library.stored),
            passages,
            library.content(),
            source,
        )
        number = self.published[-1].number + 1 if self.published else 1
        self.published.append(MemoryGeneration(number, manifest, library))
        return number
