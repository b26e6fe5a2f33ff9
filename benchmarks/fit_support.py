"""Fit the least share of ``assistant/grounding/support_share.json`` and report on folds not fitted on.

    python -m benchmarks.fit_support --data ../shared/data --seen PARAPHRASES [--write]

Fitted on rewritten sentences of even-numbered news articles with another sentence of their
article cited: the share is the lowest below which most of these fall. What it costs is
measured on true pairs: the same sentences with the right citation, PARAPHRASES (a file of
true pairs that served to write the rules), WiCE and ExpertQA by their human labels. Five
folds, whole articles in each: a share is judged on articles that it was not fitted on.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.grounding import overlap
from benchmarks.claims import expertqa, news_pairs, paraphrases, wice
from benchmarks.fit_extracting import auroc
from benchmarks.mutations import mutate

SEED = 20261125
FOLDS = 5
CAUGHT = 0.95  # of the wrong citations; the tests for names and figures catch most of the others
SHARE = Path(overlap.__file__).with_name(overlap.SHARE_FILE)


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled claim: its set, its share, and the fold that it is judged in."""

    origin: str
    supported: bool
    share: float
    fold: int


def main() -> None:
    """Fit, report, and write the share when asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seen", type=Path, required=True, help="true pairs: source, claim")
    parser.add_argument("--write", action="store_true", help=f"write {SHARE.name}")
    options = parser.parse_args()
    rows = list(described(options.data, options.seen))
    report(rows)
    least = fit(rows)
    print(f"least share {least}")
    if options.write:
        SHARE.write_text(json.dumps(as_json(least), indent=2) + "\n")


def described(data: Path, seen: Path) -> Iterator[Row]:
    """The labelled claims of all sets."""
    pairs, background = news_pairs(data, "even")
    for pair in pairs:
        if pair.origin == "rule-made" and (wrong := mutate("marker", pair, background, SEED)):
            group = fold(pair.evidence[0].title)
            yield Row("news", True, overlap.share(pair.claim, pair.evidence), group)
            yield Row("news", False, overlap.share(wrong.claim, wrong.evidence), group)
    for pair in paraphrases(seen):
        yield Row("paraphrases", True, overlap.share(pair.claim, pair.evidence), fold(pair.shown))
    for labelled in [*wice(data), *expertqa(data)]:
        share = overlap.share(labelled.claim, labelled.evidence)
        yield Row(labelled.origin, labelled.supported, share, fold(labelled.group))


def fold(group: str) -> int:
    """Which fold a group of claims is judged in."""
    return zlib.crc32(group.encode()) % FOLDS


def fit(rows: Sequence[Row]) -> float:
    """The lowest share below which so many wrong citations fall."""
    wrong = [row.share for row in rows if row.origin == "news" and not row.supported]
    return round(float(np.quantile(wrong, CAUGHT)), 3)


def report(rows: Sequence[Row]) -> None:
    """Print what each fold's share, fitted on the other folds, marks of every set."""
    shares = [fit([row for row in rows if row.fold != fold]) for fold in range(FOLDS)]
    print(f"least share by fold: {shares}; judged on the fold that was left out:")
    print(f"{'set':14}{'label':>12}{'n':>6}{'marked':>8}{'AUROC':>8}")
    for name in dict.fromkeys(row.origin for row in rows):
        own = [row for row in rows if row.origin == name]
        true, wrong = ([row for row in own if row.supported is label] for label in (True, False))
        area = auroc(*(np.array([row.share for row in some]) for some in (true, wrong))) if wrong else None
        for label, some in (("supported", true), ("not", wrong)):
            if some:
                marked = np.mean([row.share < shares[row.fold] for row in some])
                print(f"{name:14}{label:>12}{len(some):>6}{marked:>8.3f}{f'{area:.3f}' if area else '-':>8}")


def as_json(least: float) -> dict[str, object]:
    """The content of the file."""
    return {
        "fitted_by": "python -m benchmarks.fit_support --data ../shared/data --seen FILE --write",
        "fitted_on": "rewritten sentences of even-numbered RealTime QA articles, with another sentence cited",
        "least_share": least,
    }


if __name__ == "__main__":
    main()
