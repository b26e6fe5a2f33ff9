"""Both indexes in memory: plain BM25 over lower-cased words, and exact cosine."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.domain.errors import LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import IndexRow

if TYPE_CHECKING:
    from assistant.ports import Vectors

_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    ("a", "an", "and", "are", "at", "be", "by", "for", "in", "is", "it", "of", "on", "the", "to", "was")
)
_K1, _B = 1.2, 0.75  # the values that tantivy has


class MemoryLexicalIndex:
    """BM25 over title and body together; a term is a lower-cased word.

    calls: what was searched for, in order.
    """

    def __init__(self, rows: Iterable[IndexRow]) -> None:
        self._counts = {row.passage_id: Counter(self.terms(f"{row.title} {row.body}")) for row in rows}
        self._frequency = Counter(term for counts in self._counts.values() for term in counts)
        lengths = [counts.total() for counts in self._counts.values()]
        self._mean = sum(lengths) / len(lengths) if any(lengths) else 1.0
        self.calls: list[str] = []

    def search(self, text: str, limit: int) -> list[Hit]:
        """Passages that share words with the text, by BM25, ties by passage id."""
        self.calls.append(text)
        rarity = self.idf(self.terms(text))
        scores = {one: self._score(counts, rarity) for one, counts in self._counts.items()}
        hits = [Hit(one, score) for one, score in scores.items() if score > 0]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))[: max(limit, 0)]

    def terms(self, text: str) -> list[str]:
        """Lower-cased words without stop words."""
        return [word for word in _WORD.findall(text.lower()) if word not in _STOP]

    def idf(self, terms: Iterable[str]) -> Mapping[str, float]:
        """The rarity of each term: ln(1 + (N - n + .5) / (n + .5)), an unknown one as if n were 1."""
        total = max(1, len(self._counts))
        counts = {term: max(1, self._frequency[term]) for term in set(terms)}
        return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}

    def _score(self, counts: Counter[str], rarity: Mapping[str, float]) -> float:
        norm = _K1 * (1 - _B + _B * counts.total() / self._mean)
        return sum(
            idf * counts[term] * (_K1 + 1) / (counts[term] + norm) for term, idf in sorted(rarity.items())
        )


class MemoryVectorIndex:
    """Cosine with every passage.

    calls: the limit and the exact flag of each search, in order.
    """

    def __init__(self, vectors: Mapping[str, Vectors]) -> None:
        self._vectors = dict(vectors)
        self.calls: list[tuple[int, bool]] = []

    def search(self, vector: Vectors, limit: int, *, exact: bool = False) -> list[Hit]:
        """The nearest passages, ties by passage id; nothing for an all-zero vector."""
        self.calls.append((limit, exact))
        if not vector.any():
            return []
        hits = [Hit(one, float(other @ vector)) for one, other in self._vectors.items()]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))[: max(limit, 0)]

    def cosines(self, vector: Vectors, passage_ids: Sequence[str]) -> Mapping[str, float]:
        """The exact cosine of each named passage; raises LibraryDamaged for one that is not here."""
        if not self._vectors.keys() >= set(passage_ids):
            raise LibraryDamaged("the vector index does not hold every passage that is asked for")
        return {one: float(self._vectors[one] @ vector) for one in passage_ids}
