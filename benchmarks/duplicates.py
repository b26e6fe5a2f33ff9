"""Near-copies among real news: reprints planted in 4,932 articles, and what is joined that was there.

    python -m benchmarks.duplicates --data FOLDER [--half odd] [--show]

FOLDER holds ``realtimeqa/``. Reprints of four kinds are planted: another headline in
front; the tail cut to 30 to 70 %; another dateline, outlet, typography and agency line with
one word in a hundred lost; and all of that at once. Originals come from one half of the
articles (by line; thresholds were tuned on the even one), all articles are distractors.
Only articles without a twin of their own are copied, so that every other join of a copy
is wrong; twins are found by plain five-word runs, not by the module measured.

Beside it, on the same texts: exact resemblance and containment of five-word runs, each copy
with each original; datasketch's MinHash with LSH and with LSHEnsemble where it is installed.
"""

from __future__ import annotations

import argparse
import importlib
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from assistant.domain.articles import Article
from assistant.duplicates import OPENING_VALUES, WHOLE_VALUES, clusters, signature
from benchmarks.datasets import realtimeqa

RUN = 5  # words
PERMUTATIONS = 128  # datasketch's usual number
SCALE = 20  # times the articles, for the time that many take
_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "—": "--", "–": "-", "\n": " "})
_SENTENCE_END = re.compile(r"[.!?][\"”’')]*\s")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Planted:
    """A copy that was made: of which article, how, and its text."""

    id: str
    original: str
    kind: str
    text: str


def main() -> None:
    """Plant, join, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--half", choices=["even", "odd"], default="odd", help="where originals come from")
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2023)
    parser.add_argument("--show", action="store_true", help="list the real articles that are joined")
    options = parser.parse_args()
    articles, _ = realtimeqa(options.data)
    half = articles[options.half == "odd" :: 2]
    copies = list(planted(articles, half, options.pairs, random.Random(options.seed)))  # noqa: S311 -- copies, not a secret
    texts = {article.id: article.text for article in articles} | {copy.id: copy.text for copy in copies}

    print(f"{len(articles)} articles, {len(copies)} copies of articles on {options.half} lines")
    ours = report("assistant.duplicates", texts, copies, joined_by_clusters)
    real = {pair for pair in ours if not any(one.startswith("copy-") for one in pair)}
    among(real, articles, "all real articles")
    among(real, half, f"those on {options.half} lines")
    if options.show:
        show(real, articles)
    scaled(texts)
    for bound in (0.8, 0.5):
        report(f"exact resemblance >= {bound}", texts, copies, exact(copies, bound, max))
    report("exact containment >= 0.5", texts, copies, exact(copies, 0.5, min))
    with_datasketch(texts, copies)


def planted(
    articles: Sequence[Article], half: Sequence[Article], pairs: int, rng: random.Random
) -> Iterator[Planted]:
    """Copies of articles of the half, as many of each kind."""
    twins = with_twins(articles)
    originals = rng.sample([article for article in half if article.id not in twins], pairs)
    kinds: dict[str, Callable[[str], str]] = {
        "headline": lambda text: headlined(text, rng.choice(articles).info.title or ""),
        "tail cut": lambda text: cut(text, rng.uniform(0.3, 0.7)),
        "dateline": lambda text: redatelined(text, rng),
        "all at once": lambda text: headlined(
            redatelined(cut(text, rng.uniform(0.3, 0.7)), rng), rng.choice(articles).info.title or ""
        ),
    }
    for at, article in enumerate(originals):
        kind = list(kinds)[at % len(kinds)]
        yield Planted(f"copy-{at}", article.id, kind, kinds[kind](article.text))


def headlined(text: str, headline: str) -> str:
    """The text under another headline and byline."""
    return f"{headline}\n\nBy Our Own Correspondent\n\n{text}"


def cut(text: str, share: float) -> str:
    """The text up to the first end of a sentence behind that share of it."""
    end = _SENTENCE_END.search(text, int(share * len(text)))
    return text[: end.end()] if end else text


def redatelined(text: str, rng: random.Random) -> str:
    """As another outlet would set it, one word in a hundred lost."""
    body = re.sub(r"^[^\n]{0,40}?(?:—|–|--)\s*", "", text).translate(_TYPOGRAPHY)
    words = [word for word in body.split() if rng.random() >= 0.01]
    place = rng.choice(["QUILLPORT", "SALTMERE", "NORTH HARBOUR"])
    return (
        f"The Coast Herald\n\n{place}, March {rng.randint(1, 28)} (Coast Wire) - {' '.join(words)}"
        "\n\n(Reporting by Coast Wire; Editing by the night desk)"
    )


def with_twins(articles: Sequence[Article]) -> set[str]:
    """Articles whose first 200 words share a fifth of their runs with another article's."""
    openings = {article.id: runs(" ".join(article.text.split()[:200])) for article in articles}
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for one, opening in openings.items():
        for run in opening:
            owners[run].append(one)
    found = set()
    for one, opening in openings.items():
        shared: defaultdict[str, int] = defaultdict(int)
        for run in opening:
            for other in owners[run]:
                shared[other] += 1
        shared.pop(one, None)
        if max(shared.values(), default=0) >= 0.2 * len(opening):
            found.add(one)
    return found


def runs(text: str) -> set[str]:
    """The runs of five words, in lower case."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return {" ".join(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1))}


def report(
    name: str,
    texts: Mapping[str, str],
    copies: Sequence[Planted],
    join: Callable[[Mapping[str, str]], set[Pair]],
) -> set[Pair]:
    """Join, print what became of the copies, and give all joined pairs."""
    print(f"\n{name}")
    joined = join(texts)
    for kind in dict.fromkeys(copy.kind for copy in copies):
        print(f"  {kind:12}{scores(joined, [copy for copy in copies if copy.kind == kind])}")
    print(f"  {'in all':12}{scores(joined, copies)}")
    return joined


def scores(joined: Collection[Pair], copies: Sequence[Planted]) -> str:
    """Precision, recall and F1 of the pairs that have one of the copies in them."""
    truth = {pair(copy.id, copy.original) for copy in copies}
    ids = {copy.id for copy in copies}
    claimed = {one for one in joined if not ids.isdisjoint(one)}
    right = len(truth & claimed)
    precision, recall = right / max(1, len(claimed)), right / len(truth)
    f1 = 2 * right / max(1, len(claimed) + len(truth))
    return f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}  ({right} of {len(truth)})"


def joined_by_clusters(texts: Mapping[str, str]) -> set[Pair]:
    """The pairs that stand in one cluster; prints what it took."""
    started = time.perf_counter()
    signatures = {one: signature(text) for one, text in texts.items()}
    signed = time.perf_counter()
    found = clusters(signatures)
    took(signed - started, time.perf_counter() - signed, max(map(len, signatures.values())))
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for one, name in found.items():
        groups[name].append(one)
    return {pair(a, b) for group in groups.values() for a, b in combinations(group, 2)}


def exact(
    copies: Sequence[Planted], bound: float, size: Callable[[int, int], int]
) -> Callable[[Mapping[str, str]], set[Pair]]:
    """Joins by whole sets of runs: each copy with each original, nothing else.

    size: max for a share of the larger set (resemblance, taken over the union), min for containment.
    """

    def join(texts: Mapping[str, str]) -> set[Pair]:
        started = time.perf_counter()
        of = {one: runs(texts[one]) for copy in copies for one in (copy.id, copy.original)}
        joined = set()
        for copy in copies:
            for other in copies:
                a, b = of[copy.id], of[other.original]
                shared = len(a & b)
                whole = len(a) + len(b) - shared if size is max else size(len(a), len(b))
                if shared >= bound * whole:
                    joined.add(pair(copy.id, other.original))
        print(f"  {time.perf_counter() - started:.2f} s for {len(copies) ** 2} pairs")
        return joined

    return join


def with_datasketch(texts: Mapping[str, str], copies: Sequence[Planted]) -> None:
    """MinHash of five-word runs, joined by LSH and by LSHEnsemble; all texts against all."""
    try:
        datasketch = importlib.import_module("datasketch")
    except ImportError:
        print("\ndatasketch is not installed: not compared")
        return
    started = time.perf_counter()
    sets = {one: [run.encode() for run in runs(text)] for one, text in texts.items()}
    sketches = {}
    for one, values in sets.items():
        sketches[one] = datasketch.MinHash(num_perm=PERMUTATIONS)
        sketches[one].update_batch(values)
    signing = time.perf_counter() - started

    def by_lsh(texts: Mapping[str, str]) -> set[Pair]:
        started = time.perf_counter()
        index = datasketch.MinHashLSH(threshold=0.5, num_perm=PERMUTATIONS)
        for one in texts:
            index.insert(one, sketches[one])
        joined = {
            pair(one, other)
            for one in texts
            for other in index.query(sketches[one])
            if one != other and sketches[one].jaccard(sketches[other]) >= 0.5
        }
        took(signing, time.perf_counter() - started, 8 * PERMUTATIONS)
        return joined

    def by_ensemble(texts: Mapping[str, str]) -> set[Pair]:
        started = time.perf_counter()
        index = datasketch.MinHashLSHEnsemble(threshold=0.5, num_perm=PERMUTATIONS, num_part=8)
        index.index([(one, sketches[one], len(sets[one])) for one in texts])
        joined = set()
        for one in texts:
            for other in index.query(sketches[one], len(sets[one])):
                sizes = len(sets[one]) + len(sets[other])
                alike = sketches[one].jaccard(sketches[other])
                smaller = min(len(sets[one]), len(sets[other]))
                if one != other and alike / (1 + alike) * sizes >= 0.5 * smaller:
                    joined.add(pair(one, other))
        took(signing, time.perf_counter() - started, 8 * PERMUTATIONS)
        return joined

    joins = (("MinHashLSH, resemblance", by_lsh), ("MinHashLSHEnsemble, containment", by_ensemble))
    for name, join in joins:
        joined = report(f"datasketch {name} >= 0.5", texts, copies, join)
        real = sum(not any(one.startswith("copy-") for one in two) for two in joined)
        print(f"  {real} pairs of real articles joined")


def among(joined: Collection[Pair], articles: Sequence[Article], name: str) -> None:
    """Print how many pairs of these articles are joined, and how many of different texts."""
    texts = {article.id: article.text for article in articles}
    inside = [(a, b) for a, b in joined if a in texts and b in texts]
    unequal = [one for one in inside if texts[one[0]] != texts[one[1]]]
    pairs = len(texts) * (len(texts) - 1) // 2
    print(
        f"  {name}: {len(inside)} of {pairs} pairs joined ({len(inside) / pairs:.5%}),"
        f" {len(unequal)} of them of different texts"
    )


def show(joined: Collection[Pair], articles: Sequence[Article]) -> None:
    """List the joined real pairs of different texts with their share of runs in common."""
    by_id = {article.id: article for article in articles}
    for a, b in sorted(joined):
        first, second = by_id[a], by_id[b]
        if first.text == second.text:
            continue
        one, other = runs(first.text), runs(second.text)
        print(f"    {len(one & other) / min(len(one), len(other)):.2f} of {min(len(one), len(other))} runs")
        for article in (first, second):
            print(f"      {article.info.published and article.info.published.day} {article.info.url}")


def scaled(texts: Mapping[str, str]) -> None:
    """Print the time for many articles: the same ones over and over, each time with other values."""
    width = 1 + OPENING_VALUES + WHOLE_VALUES
    table = np.frombuffer(b"".join(map(signature, texts.values())), "<u4").reshape(-1, width)
    many: dict[str, bytes] = {}
    for world in range(SCALE):
        moved = table.copy()
        filled = moved[:, 1:] < 0xFFFF_0000
        moved[:, 1:][filled] += np.uint32(world)
        many |= {f"{world}-{at}": row.tobytes() for at, row in enumerate(moved)}
    started = time.perf_counter()
    found = clusters(many)
    print(f"  {len(many)} articles: clusters {time.perf_counter() - started:.2f} s, {len(found)} in clusters")


def took(signing: float, joining: float, size: int) -> None:
    """Print the time of both stages and the size of a signature."""
    print(f"  signatures {signing:.2f} s, joining {joining:.3f} s, {size} bytes an article")


def pair(a: str, b: str) -> Pair:
    """The two in order."""
    return (a, b) if a < b else (b, a)


if __name__ == "__main__":
    main()
