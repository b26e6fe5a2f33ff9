"""Fit ``assistant/adapters/token_estimate.json``, and measure it on texts not fitted on.

    python -m benchmarks.token_estimate --data ../shared/data --ranks FOLDER [--write]

FOLDER holds the rank file of ``o200k_base`` under the name that tiktoken's cache gives it;
without it nothing can be counted, and nothing is done. Documents are dealt to three parts:
the weights are fitted on the first, the margins are set on the second so that hardly a text
of prompt size is estimated too low, and figures are for the third and for whole sets that
were kept out. The ratio of tokens to bytes, made safe in the same way, stands beside them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.adapters import estimated_counter as estimating
from assistant.adapters.estimated_counter import WEIGHTS_FILE, EstimatedCounter, Group, Weights
from assistant.adapters.tiktoken_counter import TiktokenCounter, cached_encoding
from benchmarks.datasets import realtimeqa

WEIGHTS = Path(estimating.__file__).with_name(WEIGHTS_FILE)
ENCODING = "o200k_base"
SIZE = 1600  # bytes of Latin text in one measured text; other scripts have fewer tokens to the byte
SMALLEST = 200  # tokens from which a text is of prompt size
ALLOWED_UNDER = 0.001  # the share of texts that the margins may leave too low
SAMPLE = 2500  # texts of one set that are looked at
SPREAD = 0.6  # 0: every text counts alike; 1: every set
FREQUENCY = 0.45  # 0: every piece counts alike; 1: as often as it occurs
TRIGRAMS = 4000  # the most frequent ones are listed
LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")
KEPT_OUT = ("chunk_eval", "clapnq", "cranfield", "expertqa", "squadshifts")
SEEN = frozenset({"latin", "greek", "cyrillic", "arabic", "devanagari", "thai", "han", "sign"})
NOT_LATIN = tuple(f"xquad {language}" for language in ("ar", "el", "hi", "ru", "th", "zh"))
SYMBOLS, EMOJI = "symbols, bytes of others", 0.5  # an emoji is about two tokens; the sets have hardly any
NOT_PROSE = ("addresses", "json", "code", "chunk_eval")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """A text of prompt size, the set and part it is from, and its true count."""

    kind: str
    part: str
    text: str
    tokens: int

    @cached_property
    def pieces(self) -> Mapping[str, int]:
        """How often each piece is in it."""
        return Counter(estimating.pieces(self.text))


def main() -> None:
    """Fit, report, and write the weights when asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ranks", type=Path, help="the folder with tiktoken's rank file")
    parser.add_argument("--write", action="store_true", help=f"write {WEIGHTS.name}")
    options = parser.parse_args()
    counter = cached_encoding(options.ranks, ENCODING) if options.ranks else None
    if counter is None:
        print(f"skipped: --ranks has to name a folder with the rank file of {ENCODING}", file=sys.stderr)
        return
    texts = [text for text in measured(options.data, counter) if text.tokens >= SMALLEST]
    fitted = fit([text for text in texts if text.part == "fit"], counter)
    weights = with_margins(fitted, [text for text in texts if text.part == "margin"])
    report(texts, weights)
    if options.write:
        WEIGHTS.write_text(json.dumps(as_json(weights), indent=1, ensure_ascii=False) + "\n", "utf-8")


def documents(data: Path) -> Iterator[tuple[str, list[str]]]:
    """The sets: news, encyclopedia in twelve languages, code, addresses, JSON, and what is kept out."""
    news, _ = realtimeqa(data)
    yield "news", [article.text for article in news]
    yield "addresses", [article.info.url or "" for article in news]
    for language in LANGUAGES:
        yield f"xquad {language}", values(data / f"xquad/{language}.docs.jsonl", "text")
    yield "json", (data / "realtimeqa/questions-2023.jsonl").read_text("utf-8").splitlines()
    yield "code", [path.read_text("utf-8") for path in sorted(Path(json.__file__).parent.parent.glob("*.py"))]
    yield "wice", [" ".join(row) for row in values(data / "wice/claim_dev.jsonl", "sentences")]
    yield "chunk_eval", values(data / "chunk_eval/docs.jsonl", "text")
    yield "clapnq", values(data / "clapnq/dev_answerable.jsonl", "text")
    yield "cranfield", values(data / "cranfield/docs.jsonl", "text")
    yield "expertqa", values(data / "expertqa/rand_val.jsonl", "answer")
    yield "squadshifts", values(data / "squadshifts/new_wiki.docs.jsonl", "text")


def values(path: Path, key: str) -> list[str]:
    """One field of every line."""
    return [json.loads(line)[key] for line in path.read_text("utf-8").splitlines()]


def measured(data: Path, counter: TiktokenCounter) -> Iterator[Text]:
    """Texts of prompt size: each is from documents of one part, and no document is in two parts."""
    for kind, texts in documents(data):
        dealt: dict[str, list[str]] = defaultdict(list)
        for text in dict.fromkeys(texts):
            part = ("fit", "fit", "margin", "test")[zlib.crc32(text.encode()) % 4]
            dealt["test" if kind in KEPT_OUT else part].append(text)
        for part, some in dealt.items():
            joined = "\n\n".join(some)
            step = SIZE * len(joined) // len(joined.encode()) * (2 if kind in NOT_LATIN else 1)
            cuts = [joined[at : at + step] for at in range(0, len(joined), step)]
            every = max(1, len(cuts) // SAMPLE)
            for text in islice(cuts, 0, None, every):
                yield Text(kind, part, text, counter.count(text))


def fit(texts: Sequence[Text], counter: TiktokenCounter) -> Weights:
    """Weights by least squares over pieces; a set counts by the root of its size."""
    numbers = Counter(text.kind for text in texts)
    pieces: dict[str, float] = defaultdict(float)
    for text in texts:
        for piece, times in text.pieces.items():
            if SEEN.issuperset(map(estimating.script, piece)):
                pieces[piece] += times / numbers[text.kind] ** SPREAD
    common: dict[str, float] = defaultdict(float)
    for piece, weight in pieces.items():
        for three in estimating.trigrams(piece):
            common[three] += weight
    listed = frozenset(sorted(common, key=lambda three: (-common[three], three))[:TRIGRAMS])
    names: dict[tuple[str, str], int] = {}
    rows, columns, amounts = [], [], []
    for row, piece in enumerate(pieces):
        for key, amount in described(piece, listed):
            rows.append(row)
            columns.append(names.setdefault(key, len(names)))
            amounts.append(amount)
    solved = least_squares(
        (np.array(rows), np.array(columns), np.array(amounts)),
        np.array([float(counter.count(piece)) for piece in pieces]),
        np.array(list(pieces.values())) ** FREQUENCY,
    )
    found: dict[str, dict[str, float]] = {"shape": {}, "trigram": {}, "rare": {}}
    for (table, name), value in zip(names, solved, strict=True):
        found[table][name] = round(float(value), 3)
    shape = found["shape"] | unseen(counter)
    shape[SYMBOLS] = max(shape[SYMBOLS], EMOJI)
    return Weights(shape, found["trigram"], found["rare"][""], {"latin": 1.0, "other": 1.0, "digits": 1.0})


def described(piece: str, listed: frozenset[str]) -> Iterator[tuple[tuple[str, str], float]]:
    """The features of a piece."""
    for name, value in estimating.shape(piece):
        yield ("shape", name), value
    for three in estimating.trigrams(piece):
        yield (("trigram", three) if three in listed else ("rare", "")), 1.0


def least_squares(
    features: tuple[NDArray[np.int64], NDArray[np.int64], Floats], right: Floats, weight: Floats
) -> Floats:
    """Weighted ridge regression of a sparse table by conjugate gradients."""
    rows, columns, amounts = features
    size = int(columns.max()) + 1

    def down(at: Floats) -> Floats:
        result: Floats = np.bincount(columns, amounts * at[rows], size).astype(np.float64)
        return result

    def squared(at: Floats) -> Floats:
        return down(weight * np.bincount(rows, amounts * at[columns], len(right))) + 0.5 * at

    solved: Floats = np.zeros(size)
    left: Floats = down(weight * right)
    step: Floats = left.copy()
    length = float(left @ left)
    for _ in range(300):
        image = squared(step)
        far = length / float(step @ image)
        solved, left = solved + far * step, left - far * image
        shorter = float(left @ left)
        step, length = left + shorter / length * step, shorter
    return solved


def unseen(counter: TiktokenCounter) -> dict[str, float]:
    """Weights for scripts that no set is in: what their letters cost one by one, on average."""
    costs: dict[str, list[int]] = defaultdict(list)
    for point in range(0x250, 0x10000):
        if (name := estimating.script(chr(point))) not in SEEN:
            costs[name].append(counter.count(chr(point)))
    return {f"{name} letters": round(sum(some) / len(some), 3) for name, some in costs.items()}


def with_margins(weights: Weights, texts: Sequence[Text]) -> Weights:
    """The weights with margins under which hardly a text is estimated too low."""
    margins: dict[Group, float] = {"latin": 1.0, "other": 1.0, "digits": 1.0}
    for group, some in (
        ("latin", [text for text in texts if text.kind not in NOT_LATIN]),
        ("other", [text for text in texts if text.kind in NOT_LATIN]),
    ):
        low, high = 1.0, 3.0
        while high - low > 0.002:
            margins["latin" if group == "latin" else "other"] = middle = (low + high) / 2
            tried = Weights(weights.shape, weights.trigrams, weights.rare, dict(margins))
            under = np.mean(estimates(some, tried) < true(some))
            low, high = (middle, high) if under > ALLOWED_UNDER else (low, middle)
        margins["latin" if group == "latin" else "other"] = round(high, 3)
    return Weights(weights.shape, weights.trigrams, weights.rare, margins)


def estimates(texts: Sequence[Text], weights: Weights) -> Floats:
    """What the counter would say of each text with these weights."""
    known = cache(weights.tokens)
    return np.array([sum(n * known(piece) for piece, n in text.pieces.items()) for text in texts])


def report(texts: Sequence[Text], weights: Weights) -> None:
    """Print how far the estimate and the ratio of bytes are off, on texts that were not fitted on."""
    margin = [text for text in texts if text.part == "margin"]
    rest = [text for text in texts if text.part == "test"]
    ratio = float(np.quantile(true(margin) / sizes(margin), 1 - ALLOWED_UNDER))
    print(f"margins {dict(weights.margins)}; bytes ratio: a token for {1 / ratio:.2f} bytes")
    print(f"{'held out':18}{'texts':>6}{'over':>8}{'worst':>8}{'bytes':>10}{'worst':>8}")
    for kind in (*dict.fromkeys(text.kind for text in rest), "all"):
        some = [text for text in rest if kind in (text.kind, "all")]
        ours = estimates(some, weights) / true(some) - 1
        plain = ratio * sizes(some) / true(some) - 1
        figures = f"{ours.mean():>8.1%}{ours.min():>8.1%}{plain.mean():>10.1%}{plain.min():>8.1%}"
        print(f"{kind:18}{len(some):>6}{figures}")
    prose = [text for text in rest if text.kind not in NOT_PROSE]
    safe, safe_prose = as_safe(rest, weights), as_safe(prose, weights)
    print(f"the ratio, made as safe as that: {safe:.1%} over, {safe_prose:.1%} on prose")
    news = "".join(text.text for text in rest if text.kind == "news")
    counter = EstimatedCounter(weights)
    counter.count(news[:1000])  # builds the pattern
    start = time.perf_counter()
    counter.count(news)
    print(f"speed: {len(news.encode()) / (time.perf_counter() - start) / 1e6:.1f} MB/s of news")


def true(texts: Sequence[Text]) -> Floats:
    """The exact counts."""
    return np.array([float(text.tokens) for text in texts])


def sizes(texts: Sequence[Text]) -> Floats:
    """Bytes of UTF-8."""
    return np.array([float(len(text.text.encode())) for text in texts])


def as_safe(texts: Sequence[Text], weights: Weights) -> float:
    """How far over the ratio of bytes is when its worst text is as far under as that of the estimate."""
    worst = (estimates(texts, weights) / true(texts)).min()
    plain = sizes(texts) / true(texts)
    return float((plain * worst / plain.min()).mean() - 1)


def as_json(weights: Weights) -> dict[str, object]:
    """The content of the weights file."""
    return {
        "fitted_by": "python -m benchmarks.token_estimate --data ../shared/data --ranks FOLDER --write",
        "fitted_on": f"{ENCODING}; half of the texts of RealTime QA 2023, XQuAD, WiCE and Python's library",
        "margins": dict(weights.margins),
        "rare": weights.rare,
        "shape": dict(sorted(weights.shape.items())),
        "trigrams": dict(sorted(weights.trigrams.items())),
    }


if __name__ == "__main__":
    main()
