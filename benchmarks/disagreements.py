"""Whether reports differ: the rules of ``assistant.conflicts`` on pairs that an editor wrote and labelled.

    python -m benchmarks.disagreements [--show]

Each row of ``data/disagreements.jsonl``, and of the held-out file beside it, is a question, two
sentences with headline, outlet and date, and a label: update, correction, conflict or none. Printed
for each file: the confusion table, how many of "none" are taken for a disagreement (the figure that
is held at 5 in a hundred or less), the recall of each kind, and the time that ten passages' sentences
take.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from assistant.conflicts import Stated, disagreements
from assistant.domain.articles import ArticleInfo, Origin, Timestamp
from assistant.domain.passages import Sentence, Span

PAIRS = Path(__file__).parent / "data" / "disagreements.jsonl"  # rules were mended on these once
HELD_OUT = PAIRS.with_name("disagreements_held_out.jsonl")
LABELS = ("update", "correction", "conflict", "none")
SENTENCES, ROUNDS = 60, 40  # of ten passages; how many such sets are timed


def main() -> None:
    """Compare, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--show",
        action="store_true",
        help="print every pair of the first file that is taken for another kind",
    )
    options = parser.parse_args()
    for file in (PAIRS, HELD_OUT):
        compare(file, show=options.show and file is PAIRS)


def compare(file: Path, *, show: bool) -> None:
    """The figures for the pairs of one file."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    print(f"{file.name}: {len(rows)} pairs")
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found = disagreements(row["question"], [stated(row, "a"), stated(row, "b")])
        said = found[0].kind.value if found else "none"
        counts[row["label"], said] += 1
        if show and said != row["label"]:
            print(f"{row['id']}: {row['label']}, taken for {said}: {row['question']}")
            for side in "ab":
                print(f"    {row[side]['published']} {row[side]['outlet']}: {row[side]['sentence']}")
    report(counts)
    print(f"{median(timings(rows)):.2f} ms at p50 for {SENTENCES} sentences that were not read before")


def stated(row: dict[str, Any], side: str) -> Stated:
    """One side of a pair."""
    given = row[side]
    name = f"{row['id']}-{side}"
    published = Timestamp.parse(given["published"]) if given["published"] else None
    info = ArticleInfo(
        id=name, origin=Origin("", name), title=given["title"], outlet=given["outlet"], published=published
    )
    text = given["sentence"]
    return Stated(info, Sentence(name, Span(0, len(text)), text, text))


def report(counts: Counter[tuple[str, str]]) -> None:
    """The confusion table and what is read from it."""
    print(f"{'label':12}" + "".join(f"{said:>12}" for said in LABELS) + f"{'found':>9}{'kind right':>12}")
    for label in LABELS:
        row = [counts[label, said] for said in LABELS]
        found = (sum(row) - row[-1]) / max(1, sum(row))
        right = counts[label, label] / max(1, sum(row))
        print(f"{label:12}" + "".join(f"{one:12}" for one in row) + f"{found:9.1%}{right:12.1%}")
    none = sum(counts["none", said] for said in LABELS)
    false = none - counts["none", "none"]
    print(f"false alarms: {false} of {none} ({false / max(1, none):.1%})")


def timings(rows: list[dict[str, Any]]) -> list[float]:
    """Milliseconds for each set of sentences; a mark at their end keeps them from having been read."""
    times = []
    for turn in range(ROUNDS):
        some = [rows[(turn * 7 + at) % len(rows)] for at in range(SENTENCES // 2)]
        marked = [
            {
                **row,
                side: {**row[side], "sentence": f"{row[side]['sentence']} ({turn}x)"},
                "id": f"{turn}-{at}",
            }
            for at, row in enumerate(some)
            for side in "ab"
        ]
        reports = [stated(row, "ab"[at % 2]) for at, row in enumerate(marked)]
        began = perf_counter()
        disagreements(some[0]["question"], reports)
        times.append((perf_counter() - began) * 1000)
    return times


if __name__ == "__main__":
    main()
