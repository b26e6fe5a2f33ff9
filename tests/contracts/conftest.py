"""Corpora in folders, filled and asked as the tests need it; folders that cannot be written."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from assistant.adapters.generation_folders import GenerationFolders
from assistant.adapters.generation_stores import Stores
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.bootstrap import stores
from assistant.domain.articles import Article
from assistant.domain.errors import ArticleRejected
from assistant.domain.passages import Hit
from assistant.duplicates import clusters
from assistant.ingest import IngestReport, Preparation, ingest, preparation
from assistant.ports import GenerationWriter
from assistant.testing import (
    FullStopSegmenter,
    ListSource,
    MemoryVectorIndex,
    sample_article,
    sample_articles,
)
from assistant.upkeep import Rebuilt, rebuild

if TYPE_CHECKING:
    from assistant.ports import Vectors

REAL = stores()
EMBEDDER = HashingEmbedder()
JOB = Preparation(FullStopSegmenter(), EMBEDDER)
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
MANY = 1_100  # passages, so many that Chroma is asked and its graph is written


class Corpus:
    """The generations of a corpus in a folder, and what tests do with them again and again.

    warnings: what readers were told of damage.
    """

    def __init__(self, folder: Path, stores: Stores = REAL, **options: Any) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self.generations = GenerationFolders(
            folder,
            stores,
            embedder=EMBEDDER.fingerprint,
            segmenter=preparation(JOB.segmenter),
            warn=self.warnings.append,
            **options,
        )

    def publish(
        self, *articles: Article, without: Sequence[str] = (), source: str = "", **options: bool
    ) -> int:
        """Put these articles, remove others, and publish."""
        with self.generations.writer() as writer:
            put(writer, *articles)
            for article_id in without:
                writer.library.remove(article_id)
            return writer.publish(source, **options)

    def ingest(self, *items: Article | ArticleRejected, **options: Any) -> IngestReport:
        """Read the items in as a source."""
        return ingest(
            ListSource(items), self.generations, segmenter=JOB.segmenter, embedder=JOB.embedder, **options
        )

    def rebuild(self, **options: Any) -> Rebuilt:
        """Build both indexes anew from the library, or from an export."""
        return rebuild(self.generations, JOB, map, **options)

    def ids(self) -> list[str]:
        """The articles of the current generation; [] when there is none."""
        with self.generations.current() as current:
            return sorted(info.id for info in current.library.articles()) if current else []

    def number(self) -> int:
        """The number of the generation that answers."""
        with self.generations.current() as current:
            return current.number if current else 0

    def damage(self) -> str:
        """What the generation that answers says of damage."""
        with self.generations.current() as current:
            assert current is not None
            return current.damage

    def hits(self, question: str, limit: int = 9) -> tuple[list[Hit], list[Hit], list[Hit]]:
        """What both indexes find, the vector index as it is asked by default and exactly."""
        vector = EMBEDDER.embed([question])[0]
        with self.generations.current() as current:
            assert current is not None
            return (
                current.lexical.search(question, limit),
                current.vectors.search(vector, limit),
                current.vectors.search(vector, limit, exact=True),
            )

    def numbers(self) -> list[str]:
        """What lies among the generations."""
        return sorted(path.name for path in (self.folder / "generations").iterdir())

    def path(self, name: str, number: int = 1) -> Path:
        """A file or folder of a generation."""
        return self.folder / "generations" / str(number) / name


def put(writer: GenerationWriter, *articles: Article) -> None:
    """Put the articles, and link the near copies among all."""
    for prepared, vectors in JOB(articles):
        writer.library.put(prepared, vectors)
    if articles:
        writer.library.link(clusters(writer.library.signatures()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "corpora" / "main"


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    """A corpus with the real stores."""
    return Corpus(folder)


@pytest.fixture(scope="session")
def corpus_in() -> type[Corpus]:
    """Corpora in other folders, with other stores or options."""
    return Corpus


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one generation, with one article. Copy it."""
    folder = tmp_path_factory.mktemp("one") / "main"
    Corpus(folder).publish(BRIDGE)
    return folder


@pytest.fixture(scope="session")
def two(one: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a second publish, of another article. Copy it."""
    folder = shutil.copytree(one, tmp_path_factory.mktemp("two") / "main")
    Corpus(folder).publish(LIGHTHOUSE)
    return folder


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus so large that Chroma is asked. Copy it."""
    folder = tmp_path_factory.mktemp("many") / "main"
    Corpus(folder).publish(*many_articles())
    return folder


def many_articles(seed: int = 7, prefix: str = "a") -> list[Article]:
    """Many short articles of invented words."""
    chance = random.Random(seed)  # noqa: S311 -- words, no secrets
    words = ["".join(chance.choices("aeioubdgklmnrst", k=5)) for _ in range(300)]
    return [
        sample_article(f"{prefix}{at:04}", f"{' '.join(chance.choices(words, k=8))}.") for at in range(MANY)
    ]


# Vectors without Chroma, for tests that are about folders


class LightVectors(MemoryVectorIndex):
    """Vectors read from a plain file; tells when it is closed."""

    damage = ""

    def __init__(self, folder: Path, closed: list[str]) -> None:
        vectors: Mapping[str, Vectors] = dict(np.load(folder / "vectors.npz"))
        super().__init__(vectors)
        self._name = folder.parent.name
        self._closed = closed
        self.passages = len(vectors)

    def problems(self, passage_ids: Sequence[str], vectors: Vectors, *, every: int = 1) -> Iterator[str]:
        if set(passage_ids) != set(self._vectors):
            yield "other passages"

    def close(self) -> None:
        self._closed.append(self._name)


class LightWriter:
    """Writes them all at the end."""

    def __init__(self, folder: Path, copy_of: Path | None) -> None:
        self._folder = folder

    def add(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        pass

    def remove(self, passage_ids: Sequence[str]) -> None:
        pass

    def finish(
        self, passage_ids: Sequence[str], vectors: Vectors, *, fresh: bool = False, graph: bool = True
    ) -> None:
        self._folder.mkdir(exist_ok=True)
        np.savez(self._folder / "vectors.npz", **dict(zip(passage_ids, vectors, strict=True)))

    def close(self) -> None:
        pass


@pytest.fixture
def closed() -> list[str]:
    """The generations whose light vectors were closed, in order; 0 is one that is probed."""
    return []


@pytest.fixture
def light(closed: list[str]) -> Stores:
    """The real library and lexical index, and vectors without Chroma."""
    return replace(
        REAL, write_vectors=LightWriter, open_vectors=lambda folder, check: LightVectors(folder, closed)
    )


@pytest.fixture
def quick(folder: Path, light: Stores) -> Corpus:
    """A corpus with the light stores."""
    return Corpus(folder, light)


# Folders that cannot be written, as on a read-only mount (for root, permissions prove nothing)


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    folder = tmp_path / "writable"
    folder.mkdir()
    return folder


@pytest.fixture
def mounted(writable: Path, tmp_path: Path) -> Iterator[Path]:
    """The writable folder once more, mounted read-only."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    commands = (
        ["mount", "--bind", str(writable), str(folder)],
        ["mount", "-o", "remount,ro,bind", str(folder)],
    )
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
