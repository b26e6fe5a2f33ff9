"""Finding passages in a warm process, beside Chroma alone and tantivy alone, at two sizes.

    python -m benchmarks.search --data FOLDER [--home FOLDER] [--questions N] [--times N]

FOLDER holds ``realtimeqa/``: its articles are the library (built first, unless the home
has it), its questions are asked. ``Chroma alone`` and ``tantivy alone`` are their own
queries for as many candidates as ours takes from them, 200 each, texts and metadata not
asked for; what ours does beside that is looking up dates and outlets, exact cosines,
recency, and reading the ten passages. The larger library repeats every passage with
neighbouring vectors and shuffled words, which keeps words and clusters as they are.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.adapters.generation_folders import GenerationFolders
from assistant.adapters.generation_stores import GenerationFolder
from assistant.adapters.tantivy_index import TantivyIndex
from assistant.bootstrap import build_parts, stores
from assistant.domain.articles import Article, Origin
from assistant.domain.passages import Passage, PreparedArticle, Scope, passage_id
from assistant.ingest import ingest, preparation
from assistant.ports import Generation
from assistant.questions import content
from assistant.retrieval import POOL, retrieve
from assistant.settings import Settings
from assistant.testing import ListSource
from benchmarks.datasets import realtimeqa

if TYPE_CHECKING:
    from assistant.ports import Embedder, Vectors

WARM = 20  # questions that are asked before the clock runs
SHAKE = 0.3  # length of the noise that makes a neighbouring vector, as a share of the vector's own


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=None, help="a folder in which the libraries stay")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--times", type=int, default=10, help="how many times larger the second library is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        parts = build_parts(Settings(home=home), "main")
        articles, questions = realtimeqa(options.data)
        asked = [question.text for question in questions[: options.questions]]
        prints = (parts.embedder.fingerprint, preparation(parts.segmenter))
        small = folders(home / "corpora/main", *prints)
        if not small.is_published():
            ingest(ListSource(articles), small, segmenter=parts.segmenter, embedder=parts.embedder)
        larger = folders(home / "corpora/larger", *prints)
        if not larger.is_published():
            print(f"building the library of {options.times} times as many passages")
            with small.current() as generation:
                assert generation is not None
                build_larger(generation, larger, options.times)
        p50s = [measured(each, parts.embedder, asked) for each in (small, larger)]
        print(f"growth from {options.times} times the passages, p50:")
        for name in p50s[0]:
            print(f"  {name:16} {p50s[1][name] / p50s[0][name]:.2f} x")


def measured(
    generations: GenerationFolders, embedder: Embedder, questions: Sequence[str]
) -> dict[str, float]:
    """The p50 of each way to search the current generation."""
    with generations.current() as current:
        assert current is not None
        return measure(current, current.folder, embedder, questions)


def measure(
    generation: Generation, folder: Path, embedder: Embedder, questions: Sequence[str]
) -> dict[str, float]:
    """Print p50 and p95 of each in milliseconds; returns the p50s."""
    scope = Scope(as_of=date(2030, 1, 1))
    vectors = embedder.embed(list(questions))
    words = [content(question) for question in questions]
    lexical = bm25(folder)
    print(f"{generation.manifest.passages:,} passages of {generation.manifest.articles:,} articles")
    with chroma(folder) as collection:

        def ask_chroma(at: int) -> object:
            return collection.query(query_embeddings=[vectors[at]], n_results=POOL, include=[])

        ways: dict[str, Callable[[int], object]] = {
            "ours": lambda at: retrieve(questions[at], generation, embedder, scope),
            "Chroma alone": ask_chroma,
            "tantivy alone": lambda at: lexical(words[at]),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(WARM + len(questions)):  # alternately, so that a slow moment strikes all of them
            for name, find in ways.items():
                started = time.perf_counter()
                find(number % len(questions))
                if number >= WARM:
                    times[name].append((time.perf_counter() - started) * 1_000)
    assert not generation.damage, generation.damage  # else every vector is compared, and not Chroma asked
    p50 = {name: statistics.median(each) for name, each in times.items()}
    for name, each in times.items():
        print(f"  {name:16} p50 {p50[name]:6.2f} ms   p95 {np.percentile(each, 95):6.2f} ms")
    both = p50["Chroma alone"] + p50["tantivy alone"]
    print(f"  ours at p50 is {p50['ours'] / both:.2f} x the sum of the two alone")
    return p50


def build_larger(small: GenerationFolder, larger: GenerationFolders, times: int) -> None:
    """A library in which every passage stands several times, its words shuffled and its vector shaken."""
    chance, shuffle = np.random.default_rng(2023), random.Random(2023)  # noqa: S311 -- no secret
    ids, vectors = small.library.vectors()
    rows = {passage_id: row for row, passage_id in enumerate(ids)}
    passages: dict[str, list[Passage]] = defaultdict(list)
    for passage in small.library.passages(ids):
        passages[passage.article_id].append(passage)
    with larger.writer() as writer:
        for info in small.library.articles():
            article = small.library.article(info.id)
            own = passages[info.id]
            for copy in range(times):
                name = f"{info.id}-{copy}"
                copied = Article(replace(info, id=name, origin=Origin("larger", name)), article.text)
                words = tuple(shuffled(passage, name, shuffle) for passage in own)
                kept = vectors[[rows[passage.id] for passage in own]]
                writer.library.put(PreparedArticle(copied, (), words), shaken(kept, chance))
        writer.publish()


def shuffled(passage: Passage, article_id: str, shuffle: random.Random) -> Passage:
    """The passage as one of another article, its cleaned words in another order."""
    words = passage.cleaned.split()
    shuffle.shuffle(words)
    name = passage_id(article_id, passage.span, passage.text)
    return replace(passage, id=name, article_id=article_id, cleaned=" ".join(words))


def shaken(vectors: Vectors, chance: np.random.Generator) -> Vectors:
    """Unit vectors near these."""
    noise = chance.normal(size=vectors.shape)
    noise *= SHAKE / np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-9)
    moved = (vectors + noise).astype(np.float32)
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return moved


def folders(folder: Path, embedder: str, segmenter: str) -> GenerationFolders:
    """Generations in a folder of their own."""
    return GenerationFolders(folder, stores(), embedder=embedder, segmenter=segmenter)


@contextmanager
def chroma(folder: Path) -> Iterator[Any]:
    """Chroma's collection of the generation, as it lies there."""
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    # The same settings as the index's own: with others Chroma would refuse the index beside it.
    settings = ChromaSettings(anonymized_telemetry=False)
    client: Any = chromadb.PersistentClient(str(folder / "chroma"), settings=settings)
    try:
        yield client.get_collection("passages", embedding_function=None)
    finally:
        client.close()


def bm25(folder: Path) -> Callable[[str], object]:
    """What tantivy itself does, searching the generation's index with the query that we build."""
    ours = TantivyIndex(folder / "lexical")
    searcher = ours._searcher  # without what we do with its hits

    def search(words: str) -> object:
        query = ours._query(words)
        return searcher.search(query, POOL) if query else None

    return search


if __name__ == "__main__":
    main()
