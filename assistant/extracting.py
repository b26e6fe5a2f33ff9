"""The answer without a model: which sentences of the found passages answer best.

Every sentence of the passages is described by fifteen features (how much of the
question's rare words it holds, alone and with its neighbours and headline; whether
it offers the kind of thing that is asked for; how its passage ranked; ...) and
ranked by a linear model over them. A logistic one, over features that mean the same
in every corpus, says how likely it is that the question is answered at all. Both
sets of weights lie in ``extracting_weights.json``, which names the script that fits them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from operator import mul

from assistant.domain.articles import ArticleInfo
from assistant.domain.passages import RankedPassage, Sentence
from assistant.ports import Embedder, Generation, LexicalIndex, Library
from assistant.questions import (
    LISTS_FILE,
    Kind,
    content,
    kind_of,
    names_in,
    offers,
    phrases,
)

MAX_SHOWN = 3
WEIGHTS_FILE = "extracting_weights.json"
_BEFORE = 2  # sentences before one that lend it their words: pronouns point backwards
_SAME_STEM = 5  # letters two stems must share to count as one word: occupied, occupation
_NEAR = 0.8  # what such a near match is worth
_WORD = re.compile(r"[^\W\d_]{2,}")
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
class Description:
    """Unscored candidates, and what can be said of the question's chances without scoring them."""

    candidates: tuple[Candidate, ...]
    circumstances: Mapping[str, float]
    names: bool


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
    generation: Generation,
    embedder: Embedder,
) -> Extract:
    """Score the sentences of the ranked passages as answers to the question."""
    return score(describe(question, ranked, generation, embedder), load_weights())


def describe(
    question: str, ranked: Sequence[RankedPassage], generation: Generation, embedder: Embedder
) -> Description:
    """The features of every sentence of the ranked passages, and of the question as a whole."""
    lexical = generation.lexical
    asked = _Asked.of(question, lexical)
    pool = _pool(ranked, generation.library)
    if not pool or not asked.rarity:
        return Description((), {}, names=False)
    vectors = embedder.embed([question, *(placed.sentence.cleaned for placed in pool)])
    cosines = vectors[1:] @ vectors[0]
    kinship = _Kinship(asked, pool, embedder)
    candidates = tuple(
        Candidate(
            placed.sentence,
            placed.ranked.article,
            _features(asked, placed, float(cosine), lexical, kinship),
            0.0,
        )
        for placed, cosine in zip(pool, cosines, strict=True)
    )
    return Description(
        candidates, _circumstances(candidates, ranked, generation.manifest.passages), names=bool(asked.names)
    )


def score(described: Description, weights: Weights) -> Extract:
    """The candidates by their weighted features, and the confidence that follows from the best ones."""
    candidates = [
        replace(candidate, score=_activation(weights.sentence, candidate.features))
        for candidate in described.candidates
    ]
    if not candidates:
        return Extract((), 0.0, {})
    candidates.sort(key=lambda one: (-one.score, one.article.id, one.sentence.span))
    evidence = {**described.circumstances, **_evidence(candidates, names=described.names)}
    return Extract(tuple(candidates), confidence(evidence, weights.confidence), evidence)


def confidence(evidence: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """How likely the best sentences answer, 0 to 1.

    0 when the question names something and nothing near them has any of its names: what is
    said of another place or person is no answer. (It costs one in a hundred right ones.)
    """
    return _logistic(weights, evidence) if evidence["names"] else 0.0


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The fitted weights that come with the package."""
    values = json.loads(files("assistant").joinpath(WEIGHTS_FILE).read_text())
    return Weights(values["sentence"], values["confidence"], values["threshold"])


@lru_cache(maxsize=1)
def weights_hash() -> str:
    """A short hash over the data files that decide which sentences answer."""
    data = (files("assistant").joinpath(name).read_bytes() for name in (WEIGHTS_FILE, LISTS_FILE))
    return hashlib.sha256(b"\0".join(data)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question, analysed once.

    rarity: idf of each index term; words: weight of each content word that is no name;
    phrases: the terms of each run of words that nothing else stands between.
    """

    text: str
    kind: Kind
    rarity: Mapping[str, float]
    words: Mapping[str, float]
    phrases: Sequence[Sequence[str]]
    names: frozenset[str]

    @classmethod
    def of(cls, question: str, lexical: LexicalIndex) -> _Asked:
        runs = [lexical.terms(phrase) for phrase in phrases(question)]
        terms = [term for run in runs for term in run]
        named = names_in(question)
        rarity = lexical.idf(terms)
        words = {
            word: sum(rarity.get(term, 0.0) for term in lexical.terms(word))
            for word in _words(content(question))
            if word not in named
        }
        names = frozenset(term for name in named for term in lexical.terms(name))
        return cls(question, kind_of(question), rarity, words, runs, names)


class _Kinship:
    """How near in meaning the words of a sentence come to those of the question.

    By the embedder's vectors of single words: "leading" is kin to "heads", and no name
    is kin to another name.
    """

    def __init__(self, asked: _Asked, pool: Sequence[_Placed], embedder: Embedder) -> None:
        self._weights = list(asked.words.values())
        self._by_sentence = {id(placed): _words(placed.sentence.cleaned) for placed in pool}
        vocabulary = sorted({word for words in self._by_sentence.values() for word in words})
        self._column = {word: at for at, word in enumerate(vocabulary)}
        vectors = embedder.embed([*asked.words, *vocabulary])
        self._near = vectors[: len(asked.words)] @ vectors[len(asked.words) :].T

    def of(self, placed: _Placed) -> float:
        """The weighted mean, over the question's words, of the nearest word's cosine."""
        columns = [self._column[word] for word in self._by_sentence[id(placed)]]
        total = sum(self._weights)
        if not columns or not total:
            return 0.0
        nearest = self._near[:, columns].max(axis=1)
        return sum(weight * float(near) for weight, near in zip(self._weights, nearest, strict=True)) / total


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
        if article not in by_article:
            by_article[article] = library.sentences(article)
        sentences = by_article[article]
        for index, sentence in enumerate(sentences):
            if found.passage.holds(sentence) and (article, sentence.span.start) not in pool:
                around = [one.cleaned for one in sentences[max(0, index - _BEFORE) : index]]
                around += [one.cleaned for one in sentences[index + 1 : index + 2]]
                placed = _Placed(sentence, found, found.score / top if top else 0.0, index, tuple(around))
                pool[article, sentence.span.start] = placed
    return list(pool.values())


def _features(
    asked: _Asked, placed: _Placed, cosine: float, lexical: LexicalIndex, kinship: _Kinship
) -> dict[str, float]:
    text = placed.sentence.cleaned
    own = lexical.terms(text)
    here = _Bag.of(own)
    title = _Bag.of(lexical.terms(placed.ranked.article.title or ""))
    around = _Bag.of(term for one in placed.around for term in lexical.terms(one))
    matched = {term: here.match(term) for term in asked.rarity}
    headline = {term: title.match(term) for term in asked.rarity}
    reached = {term: max(matched[term], headline[term], around.match(term)) for term in asked.rarity}
    adjacent = frozenset(pairwise(own)) | frozenset(zip(own, own[2:], strict=False))
    words = len(text.split())
    return {
        "cover": _weighted(matched, asked.rarity),
        "context": _weighted(reached, asked.rarity),
        "headline": _weighted(headline, asked.rarity),
        "phrases": _phrases(asked, matched, adjacent),
        "names": _share(matched, asked.names),
        "names_context": _share(reached, asked.names),
        "cosine": cosine,
        "kin": kinship.of(placed),
        "anchor": _anchor(reached, asked.rarity),
        "passage": placed.share,
        "offers": offers(asked.kind, text, asked.text) if asked.kind is not Kind.OTHER else 0.5,
        "lead": 1.0 / (1 + placed.index),
        "length": math.log1p(words) / 4,
        "short": float(words < _SHORT),
        "question": float(text.endswith("?")),
    }


def _phrases(asked: _Asked, matched: Mapping[str, float], adjacent: frozenset[tuple[str, str]]) -> float:
    """How much of the question's phrases the sentence holds as phrases, weighted by rarity."""
    weights = [sum(asked.rarity.get(term, 0.0) for term in phrase) for phrase in asked.phrases]
    held = [_held(phrase, matched, adjacent) for phrase in asked.phrases]
    total = sum(weights)
    return sum(map(mul, weights, held)) / total if total else 0.0


def _held(phrase: Sequence[str], matched: Mapping[str, float], adjacent: frozenset[tuple[str, str]]) -> float:
    """The share of a phrase's neighbours that are (nearly) neighbours in the sentence too.

    A phrase of one word counts as that word does.
    """
    pairs = list(pairwise(phrase))
    return sum(pair in adjacent for pair in pairs) / len(pairs) if pairs else _share(matched, phrase)


def _circumstances(
    candidates: Sequence[Candidate], ranked: Sequence[RankedPassage], passages: int
) -> dict[str, float]:
    """What the passages as a whole say about the question's chances.

    The larger the corpus, the more of a question's words meet somewhere by chance.
    """
    return {
        "size": math.log10(max(1, passages)),
        "passage_cosine": max(found.parts.dense for found in ranked),
        "reach": max(candidate.features["context"] for candidate in candidates),
        "kin_any": max(candidate.features["kin"] for candidate in candidates),
    }


def _evidence(candidates: Sequence[Candidate], *, names: bool) -> dict[str, float]:
    """What speaks for an answer, in terms that mean the same in a corpus of any size."""
    best = candidates[0].features
    leading = [candidate.features for candidate in candidates[:MAX_SHOWN]]
    return {
        "cover": best["cover"],
        "context": best["context"],
        "anchor": best["anchor"],
        "kin": best["kin"],
        "names": max(features["names_context"] for features in leading) if names else 1.0,
        "cosine": max(features["cosine"] for features in leading),
        "phrases": max(features["phrases"] for features in leading),
        "offers": max(features["offers"] for features in leading),
    }


def _anchor(matched: Mapping[str, float], rarity: Mapping[str, float]) -> float:
    """How rare the rarest term is that was matched, beside the rarest of the question."""
    return max(rarity[term] * value for term, value in matched.items()) / max(rarity.values())


def _words(text: str) -> list[str]:
    """The distinct words of a text in lower case, in order."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))


@dataclass(frozen=True, slots=True)
class _Bag:
    """The terms of a text, for looking up terms of the question."""

    terms: frozenset[str]
    by_start: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, terms: Iterable[str]) -> _Bag:
        bag = frozenset(terms)
        by_start: dict[str, list[str]] = {}
        for term in bag:
            if len(term) >= _SAME_STEM:
                by_start.setdefault(term[:_SAME_STEM], []).append(term)
        return cls(bag, by_start)

    def match(self, term: str) -> float:
        """1 for the term itself, less for one with the same beginning, else 0."""
        if term in self.terms:
            return 1.0
        others = self.by_start.get(term[:_SAME_STEM], ())
        return _NEAR if any(_alike(term, other) for other in others) else 0.0


def _alike(one: str, other: str) -> bool:
    """Whether the shorter of two stems begins the longer but for its last letter."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short[: max(_SAME_STEM, len(short) - 1)]) and len(long) - len(short) <= _SAME_STEM


def _weighted(values: Mapping[str, float], rarity: Mapping[str, float]) -> float:
    total = sum(rarity.values())
    return sum(rarity[term] * value for term, value in values.items()) / total if total else 0.0


def _share(matched: Mapping[str, float], terms: Iterable[str]) -> float:
    known = [matched.get(term, 0.0) for term in terms]
    return sum(known) / len(known) if known else 0.0


def _logistic(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return 1.0 / (1.0 + math.exp(-_activation(weights, features)))


def _activation(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return weights.get("bias", 0.0) + sum(weights[name] * value for name, value in features.items())
