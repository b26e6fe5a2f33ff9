"""Whole processes from start to exit, beside what a newcomer could not avoid anyway.

    python -m benchmarks.cold_start [--runs N]

``assistant ask`` with the index there against ``python -c "import chromadb"``, on the
demo (where Chroma is not asked) and on a corpus of 1,200 passages (where it is);
``assistant --help`` against ``python -c pass``. Runs alternate, so that a slow moment
of the machine strikes both; medians and their ratio are printed. The first ask, which
indexes the demo, is reported apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ASK = [sys.executable, "-m", "assistant", "ask", "Who heads the new command?"]
HELP = [sys.executable, "-m", "assistant", "--help"]
CHROMA = [sys.executable, "-c", "import chromadb"]
BARE = [sys.executable, "-c", "pass"]
LARGE = 1_200  # articles of one passage each: more passages than Chroma would propose


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        home = {"ASSISTANT_HOME": str(Path(folder) / "home")}
        print(f"first ask, indexes the demo: {timed(ASK, home):.2f} s")
        beside("ask, demo", ASK, "import chromadb", CHROMA, runs=runs, environment=home)
        large = {"ASSISTANT_HOME": str(Path(folder) / "large")}
        ingested(Path(folder), large)
        beside(f"ask, {LARGE} passages", ASK, "import chromadb", CHROMA, runs=runs, environment=large)
        beside("--help", HELP, "python -c pass", BARE, runs=runs, environment=home)


def beside(
    name: str,
    command: Sequence[str],
    other_name: str,
    other: Sequence[str],
    *,
    runs: int,
    environment: dict[str, str],
) -> None:
    """Time both alternately and print medians and ratio."""
    pairs = [(timed(command, environment), timed(other, environment)) for _ in range(runs)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"{name}: {ours:.3f} s, {other_name}: {theirs:.3f} s, ratio {ours / theirs:.2f},"
        f" difference {1000 * (ours - theirs):.0f} ms"
    )


def timed(command: Sequence[str], environment: dict[str, str]) -> float:
    """Seconds from start to exit of one process."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode not in (0, 10):
        sys.exit(done.stderr.decode())
    return elapsed


def ingested(folder: Path, environment: dict[str, str]) -> None:
    """A corpus of many short articles."""
    articles = folder / "articles.jsonl"
    lines = (
        f'{{"id": "a{n}", "text": "Notice {n}: the harbour office closes at {n % 12}."}}'
        for n in range(LARGE)
    )
    articles.write_text("\n".join(lines), encoding="utf-8")
    timed([sys.executable, "-m", "assistant", "ingest", str(articles)], environment)


if __name__ == "__main__":
    main()
