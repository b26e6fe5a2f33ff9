"""Generations in memory: what is published stays as it is, whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.domain.errors import LibraryBusy
from assistant.ports import Manifest
from assistant.testing.indexes import MemoryLexicalIndex, MemoryVectorIndex
from assistant.testing.library import MemoryLibrary, MemoryLibraryWriter, Stored
from assistant.testing.strict import UnexpectedCall

FORMAT = 1


class MemoryGeneration:
    """One published state."""

    def __init__(self, number: int, manifest: Manifest, library: MemoryLibraryWriter) -> None:
        self.number = number
        self.manifest = manifest
        self.stored: Stored = dict(library.stored)
        self.library = MemoryLibrary(self.stored)
        self.lexical = MemoryLexicalIndex(library.rows())
        self.vectors = MemoryVectorIndex(library.rows())


class MemoryWriter:
    """The next generation under construction; of no use once it is published or left."""

    def __init__(self, owner: MemoryGenerations, current: MemoryGeneration | None) -> None:
        self._owner = owner
        self._library = MemoryLibraryWriter(current.stored if current else {})
        self.before = current.manifest if current else None
        self.ended = ""

    @property
    def library(self) -> MemoryLibraryWriter:
        """A copy of the current generation's library, to be changed freely."""
        if self.ended:
            raise UnexpectedCall(f"the writer is used after it was {self.ended}")
        return self._library

    def publish(self, source: str = "") -> int:
        """Make the library the current generation; returns its number."""
        number = self._owner.add(self.library, source)
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
    def writer(self) -> Iterator[MemoryWriter]:
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

    def discard(self) -> None:
        """Forget every generation."""
        self.published.clear()

    def add(self, library: MemoryLibraryWriter, source: str) -> int:
        """Publish the library; a writer calls this."""
        passages = sum(len(prepared.passages) for prepared, _ in library.stored.values())
        manifest = Manifest(
            FORMAT, *self._fingerprints, len(library.stored), passages, library.content(), source
        )
        self.published.append(MemoryGeneration(len(self.published) + 1, manifest, library))
        return len(self.published)
