"""A whole ingest of real news, beside the time that Chroma alone takes for the same vectors.

    python -m benchmarks.ingest --data FOLDER [--articles N] [--workers N] [--home FOLDER]

FOLDER holds ``realtimeqa/``. Four ingests as whole processes of ``assistant ingest``: all
articles, the same again, one article more, and that one changed; after the latter two it
is timed until an open reader finds the new sentence. The first one's memory is that of
all its processes together, sampled. Then a bare ``upsert`` of the very vectors that the
ingest has made, into a collection with the same settings, in batches of 1,000; and an
ingest in this process, which tells what share of the time each stage takes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from assistant.adapters.generation_folders import GenerationFolders
from assistant.adapters.worker_pool import WorkerPool
from assistant.bootstrap import build_assistant, build_parts, stores
from assistant.ingest import ingest, preparation
from assistant.ports import ArticleSource
from assistant.settings import Settings

BATCH = 1_000  # vectors in one upsert
SAMPLE = 0.1  # seconds between two looks at memory


def main() -> None:
    """Ingest, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=None, help="as many articles only")
    parser.add_argument("--workers", type=int, default=None, help="worker processes; one for each core")
    parser.add_argument("--home", type=Path, default=None, help="a folder in which the library stays")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        home = options.home or scratch / "home"
        news = scratch / "news.jsonl"
        characters = unpack(options.data, news, options.articles)
        whole = first(news, home, options.workers, characters)
        again(news, home, whole)
        print(f"one article more: answerable after {one_more(scratch, home, 'blue'):.2f} s")
        print(f"that one changed: answerable after {one_more(scratch, home, 'red'):.2f} s")
        bare = bare_upsert(home, scratch / "bare")
        print(
            f"Chroma alone, upsert of the same vectors: {bare:.1f} s; the whole is {whole / bare:.2f} x that"
        )
        stages(news, scratch / "staged", options.workers)


def unpack(data: Path, news: Path, articles: int | None) -> int:
    """Write the articles as JSONL; returns how many characters their texts have."""
    characters = 0
    with (
        gzip.open(data / "realtimeqa/articles-2023.jsonl.gz", "rt", encoding="utf-8") as lines,
        news.open("w", encoding="utf-8") as out,
    ):
        for line in islice(lines, articles):
            characters += len(json.loads(line)["text"])
            out.write(line)
    return characters


def first(news: Path, home: Path, workers: int | None, characters: int) -> float:
    """Ingest everything and print what it takes; returns the seconds."""
    started = time.perf_counter()
    process = subprocess.Popen([*command(news, home), *(["--workers", str(workers)] if workers else [])])
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(SAMPLE)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"the ingest ended with exit code {process.returncode}")
    articles = sum(1 for _ in news.open(encoding="utf-8"))
    rate, volume = articles / seconds, characters / 1e6 / seconds
    print(f"whole ingest of {articles:,} articles, {characters / 1e6:.1f} M characters: {seconds:.1f} s")
    print(
        f"  {rate:.0f} articles a second, {volume:.2f} M characters a second, peak memory {peak / 1e9:.2f} GB"
    )
    return seconds


def again(news: Path, home: Path, whole: float) -> None:
    """The same articles once more."""
    seconds = timed(lambda: subprocess.run(command(news, home), check=True))
    print(f"the same again: {seconds:.2f} s, {whole / seconds:.0f} x faster")


def one_more(scratch: Path, home: Path, colour: str) -> float:
    """Seconds until an open reader finds the sentence of an article that is ingested."""
    text = f"The Quill bridge opened on Monday. Mayor Anna Dorn cut the {colour} ribbon."
    (scratch / "one.jsonl").write_text(json.dumps({"id": "bench-1", "title": "Quill bridge", "text": text}))
    reader = build_assistant(Settings(home=home, history=False))
    reader.search("Who cut the ribbon?")

    def until_found() -> None:
        subprocess.run(command(scratch / "one.jsonl", home), check=True)
        best = reader.search(f"Which colour had the {colour} ribbon that Anna Dorn cut at the Quill bridge?")
        assert colour in best[0].passage.text

    return timed(until_found)


def bare_upsert(home: Path, folder: Path) -> float:
    """Seconds that Chroma takes for the vectors of the library, in the same batches."""
    import chromadb

    newest = max((home / "corpora/main/generations").glob("[0-9]*"), key=lambda path: int(path.name))
    vectors = np.load(newest / "chroma/vectors.npy")
    ids = [one.decode() for one in np.load(newest / "chroma/ids.npy")]
    client = chromadb.PersistentClient(str(folder))
    collection = client.create_collection(
        "passages",
        embedding_function=None,
        configuration={"hnsw": {"space": "cosine", "ef_search": 500}},
    )

    def upsert() -> None:
        for start in range(0, len(ids), BATCH):
            end = start + BATCH
            collection.upsert(ids=ids[start:end], embeddings=vectors[start:end])

    return timed(upsert)


def stages(news: Path, home: Path, workers: int | None) -> None:
    """Ingest in this process and print the share of each stage."""
    spent: dict[str, float] = defaultdict(float)
    last = [time.perf_counter()]

    def step(name: str) -> None:
        now = time.perf_counter()
        spent[f"until {name}"] += now - last[0]
        last[0] = now

    parts = build_parts(Settings(home=home), "main")
    timers = replace(
        stores(),
        write_library=_timed_library(spent),
        write_vectors=lambda folder, copy_of: _Timed(
            stores().write_vectors(folder, copy_of), spent, "Chroma"
        ),
    )
    generations = GenerationFolders(
        home / "corpora/main",
        timers,
        embedder=parts.embedder.fingerprint,
        segmenter=preparation(parts.segmenter),
        step=step,
    )
    source: ArticleSource = _article_files(news)
    started = last[0] = time.perf_counter()
    ingest(
        source,
        generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        workers=WorkerPool(workers),
    )
    total = time.perf_counter() - started
    inside = {name: spent.pop(name) for name in ("Chroma", "library") if name in spent}
    storing = spent.pop("until locked", 0) + spent.pop("until begun", 0) + spent.pop("until stored", 0)
    print(f"stages of an ingest in this process, {total:.1f} s:")
    print(f"  {storing / total:5.1%} reading, preparing, storing; of the whole, in this process:")
    for within, seconds in inside.items():
        print(f"    {seconds / total:5.1%} {within}")
    print(f"    {(storing - sum(inside.values())) / total:5.1%} reading, and waiting for workers")
    for name, seconds in spent.items():
        print(f"  {seconds / total:5.1%} {name}")


class _Timed:
    """Passes every call on and adds up how long it took."""

    def __init__(self, timed: Any, spent: dict[str, float], name: str) -> None:
        self._timed, self._spent, self._name = timed, spent, name

    def __getattr__(self, attribute: str) -> Any:
        method = getattr(self._timed, attribute)

        def call(*args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return method(*args, **options)
            finally:
                self._spent[self._name] += time.perf_counter() - started

        return call if callable(method) else method


def _timed_library(spent: dict[str, float]) -> Any:
    @contextmanager
    def write(path: Path, *, copy_of: Path | None) -> Iterator[Any]:
        with stores().write_library(path, copy_of=copy_of) as library:
            yield _Timed(library, spent, "library")

    return write


def _article_files(news: Path) -> ArticleSource:
    from assistant.adapters.article_files import ArticleFiles

    return ArticleFiles([news])


def command(path: Path, home: Path) -> list[str]:
    """The program, as a person runs it."""
    return [sys.executable, "-m", "assistant", "ingest", str(path), "--home", str(home)]


def memory(pid: int) -> int:
    """Bytes of the process and its children, shared pages counted once for each."""
    total = 0
    for each in [pid, *_children(pid)]:
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def _children(pid: int) -> list[int]:
    try:
        named = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [child for one in named for child in (int(one), *_children(int(one)))]


def timed(action: Callable[[], object]) -> float:
    """Seconds that the action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
