"""The answer without a model: which sentences of the found passages answer best.

Every sentence of the passages is described by a dozen features (how much of the
question's rare words it holds, alone and with its neighbours and headline; whether
it offers the kind of thing that is asked for; how its passage ranked; ...) and
scored by a logistic model over them. A second one, over features that mean the same
in every corpus, says how likely it is that the question is answered at all. Both
sets of weights lie in ``extracting_weights.json`` with the script that fitted them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from assistant.domain.articles import ArticleInfo
from assistant.domain.passages import RankedPassage, Sentence
from assistant.ports import Embedder, LexicalIndex, Library
from assistant.questions import Kind, content, kind_of, names_in, offers

MAX_SHOWN = 3
_BEFORE = 2  # sentences before one that lend it their words: pronouns point backwards
_SAME_STEM = 5  # letters two stems must share to count as one word: occupied, occupation
_NEAR = 0.8  # what such a near match is worth
_SHORT = 5  # words; a shorter sentence rarely stands alone


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with its features and its score.

    score: log-odds; only differences between sentences of one question mean something.
    """

    sentence: Sentence
    article: ArticleInfo
    features: Mapping[str, float]
    score: float


@dataclass(frozen=True, slots=True)
class Extract:
    """All candidates, best first, and how likely the best ones answer the question."""

    candidates: tuple[Candidate, ...]
    confidence: float
    evidence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """Two linear models by feature name, and the confidence below which to abstain."""

    sentence: Mapping[str, float]
    confidence: Mapping[str, float]
    threshold: float


def extract(
    question: str,
    ranked: Sequence[RankedPassage],
    library: Library,
    lexical: LexicalIndex,
    *,
    embedder: Embedder,
    weights: Weights | None = None,
) -> Extract:
    """Score the sentences of the ranked passages as answers to the question."""
    weights = weights or load_weights()
    asked = _Asked.of(question, lexical)
    pool = _pool(ranked, library)
    if not pool or not asked.rarity:
        return Extract((), 0.0, {})
    vectors = embedder.embed([question, *(placed.sentence.cleaned for placed in pool)])
    cosines = vectors[1:] @ vectors[0]
    candidates = []
    for placed, cosine in zip(pool, cosines, strict=True):
        features = _features(asked, placed, float(cosine), lexical)
        score = _activation(weights.sentence, features)
        candidates.append(Candidate(placed.sentence, placed.ranked.article, features, score))
    candidates.sort(key=lambda one: (-one.score, one.article.id, one.sentence.span))
    evidence = _evidence(asked, candidates, ranked)
    return Extract(tuple(candidates), _logistic(weights.confidence, evidence), evidence)


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The fitted weights that come with the package."""
    values = json.loads(files("assistant").joinpath("extracting_weights.json").read_text())
    return Weights(values["sentence"], values["confidence"], values["threshold"])


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question, analysed once."""

    text: str
    kind: Kind
    rarity: Mapping[str, float]
    pairs: frozenset[tuple[str, str]]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str, lexical: LexicalIndex) -> _Asked:
        words = lexical.terms(content(question))
        names = frozenset(term for name in names_in(question) for term in lexical.terms(name))
        rarity = lexical.idf(words)
        return cls(question, kind_of(question), rarity, frozenset(pairwise(words)), names)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A sentence with its surroundings."""

    sentence: Sentence
    ranked: RankedPassage
    share: float  # of the best passage's score
    index: int  # in its article, from 0
    around: tuple[str, ...]


def _pool(ranked: Sequence[RankedPassage], library: Library) -> list[_Placed]:
    pool: dict[tuple[str, int], _Placed] = {}
    top = ranked[0].score if ranked else 1.0
    by_article: dict[str, list[Sentence]] = {}
    for found in ranked:
        article = found.article.id
        sentences = by_article.setdefault(article, library.sentences(article))
        for index, sentence in enumerate(sentences):
            inside = found.passage.span.start <= sentence.span.start < found.passage.span.end
            if inside and (article, sentence.span.start) not in pool:
                around = [one.cleaned for one in sentences[max(0, index - _BEFORE) : index]]
                around += [one.cleaned for one in sentences[index + 1 : index + 2]]
                placed = _Placed(sentence, found, found.score / top if top else 0.0, index, tuple(around))
                pool[article, sentence.span.start] = placed
    return list(pool.values())


def _features(asked: _Asked, placed: _Placed, cosine: float, lexical: LexicalIndex) -> dict[str, float]:
    text = placed.sentence.cleaned
    own = lexical.terms(text)
    own_set = frozenset(own)
    title = frozenset(lexical.terms(placed.ranked.article.title or ""))
    around = frozenset(term for one in placed.around for term in lexical.terms(one))
    matched = {term: _match(term, own_set) for term in asked.rarity}
    reached = {term: max(matched[term], _match(term, title), _match(term, around)) for term in asked.rarity}
    adjacent = frozenset(pairwise(own)) | frozenset(zip(own, own[2:], strict=False))
    words = len(text.split())
    return {
        "cover": _weighted(matched, asked.rarity),
        "context": _weighted(reached, asked.rarity),
        "headline": _weighted({term: _match(term, title) for term in asked.rarity}, asked.rarity),
        "pairs": len(asked.pairs & adjacent) / len(asked.pairs) if asked.pairs else 0.0,
        "names": _share(matched, asked.names),
        "names_context": _share(reached, asked.names),
        "cosine": cosine,
        "passage": placed.share,
        "offers": offers(asked.kind, text, asked.text) if asked.kind is not Kind.OTHER else 0.5,
        "lead": 1.0 / (1 + placed.index),
        "length": math.log1p(words) / 4,
        "short": float(words < _SHORT),
        "question": float(text.endswith("?")),
    }


def _evidence(
    asked: _Asked, candidates: Sequence[Candidate], ranked: Sequence[RankedPassage]
) -> dict[str, float]:
    """What speaks for an answer, in terms that mean the same in a corpus of any size."""
    best = candidates[0].features
    leading = [candidate.features for candidate in candidates[:MAX_SHOWN]]
    return {
        "cover": best["cover"],
        "cover_any": max(features["cover"] for features in leading),
        "context": best["context"],
        "names": max(features["names_context"] for features in leading) if asked.names else 1.0,
        "cosine": max(features["cosine"] for features in leading),
        "passage_cosine": max(found.parts.dense for found in ranked),
        "pairs": max(features["pairs"] for features in leading),
        "offers": max(features["offers"] for features in leading),
    }


def _match(term: str, terms: frozenset[str]) -> float:
    """1 for the term itself, less for one with the same beginning, else 0."""
    if term in terms:
        return 1.0
    if len(term) < _SAME_STEM:
        return 0.0
    start = term[:_SAME_STEM]
    return _NEAR if any(other.startswith(start) and _alike(term, other) for other in terms) else 0.0


def _alike(one: str, other: str) -> bool:
    """Whether the shorter of two stems begins the longer but for its last letter."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short[: max(_SAME_STEM, len(short) - 1)]) and len(long) - len(short) <= _SAME_STEM


def _weighted(values: Mapping[str, float], rarity: Mapping[str, float]) -> float:
    total = sum(rarity.values())
    return sum(rarity[term] * value for term, value in values.items()) / total if total else 0.0


def _share(matched: Mapping[str, float], names: frozenset[str]) -> float:
    known = [matched.get(name, 0.0) for name in names]
    return sum(known) / len(known) if known else 0.0


def _logistic(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return 1.0 / (1.0 + math.exp(-_activation(weights, features)))


def _activation(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return weights.get("bias", 0.0) + sum(weights[name] * value for name, value in features.items())
