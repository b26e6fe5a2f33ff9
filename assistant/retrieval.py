"""A question becomes ranked passages: BM25 and cosine, then recency, within a scope.

    score = (bm25 / best bm25 + DENSE_WEIGHT * cosine) * recency
    recency = 1 + RECENCY_GAIN * 2 ** (-age / HALF_LIFE_DAYS)

Age is counted back from the earlier of the as-of date and the newest article that
is visible then, so that an archive keeps its order and nothing gains from the
future. An undated passage takes the mean recency of the dated ones beside it: it is
neither lifted nor sunk. Weights and half-life are those measured on news-quiz
questions (DESIGN.md, "Retrieval"). Where the question cannot be embedded, its words
alone count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean
from typing import TYPE_CHECKING

from assistant.domain.articles import ArticleInfo
from assistant.domain.errors import EmbedderMismatch, ProviderError
from assistant.domain.passages import Hit, RankedPassage, Scope, ScoreParts
from assistant.ports import Embedder, Generation, Reranker
from assistant.questions import content

if TYPE_CHECKING:
    from assistant.ports import Vectors

DENSE_WEIGHT = 0.3
RECENCY_GAIN = 0.5
HALF_LIFE_DAYS = 14.0
POOL = 200  # candidates of each index that are scored
RERANKED = 50  # passages that a reranker reads, if there is one: about a second on two cores
_WIDEST = 100_000  # where looking for more candidates inside a narrow scope ends


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The passages that were found, best first, and why less was done than usual; empty when it was not."""

    passages: list[RankedPassage]
    problem: str = ""


def retrieve(
    question: str,
    generation: Generation,
    embedder: Embedder,
    scope: Scope,
    *,
    limit: int = 10,
    exact: bool = False,
    reranker: Reranker | None = None,
) -> Retrieval:
    """The best passages within the scope, best first, ties by passage id.

    exact: compare with every vector instead of Chroma's candidates. reranker: reads the best
    RERANKED passages again, and its order is theirs; the others keep their places behind them.

    Passages are found by words alone, and the problem says so, where the embedder is behind an
    API that does not do its work.
    """
    words = content(question)
    owners: dict[str, ArticleInfo] = {}
    visible = generation.library.visible(scope.as_of)
    all_admitted = not scope.is_narrow and visible.articles == generation.manifest.articles

    def admitted(search: Callable[[int], list[Hit]]) -> list[Hit]:
        if all_admitted:
            return search(POOL)
        wanted = POOL
        while True:
            hits = search(wanted)
            owners.update(generation.library.owners([hit.passage_id for hit in hits]))
            inside = [hit for hit in hits if scope.admits(owners[hit.passage_id])]
            if len(inside) >= POOL or len(hits) < wanted or wanted >= _WIDEST:
                return inside[:POOL]
            wanted *= 4

    lexical = admitted(lambda wanted: generation.lexical.search(words, wanted))
    vector: Vectors | None = None
    dense: list[Hit] = []
    problem = ""
    try:
        vector = asked = embedder.embed([question])[0]
        # Where the scope is narrow and more are wanted, the graph's proposals may run dry: compare with all.
        dense = admitted(
            lambda wanted: generation.vectors.search(asked, wanted, exact=exact or wanted > POOL)
        )
    except (ProviderError, EmbedderMismatch) as error:  # the second: a model that now has other vectors
        vector = None
        problem = f"the question could not be embedded ({error}): found by words alone"
    bm25 = {hit.passage_id: hit.score for hit in lexical}
    ids = sorted({*bm25, *(hit.passage_id for hit in dense)})
    if all_admitted:
        owners.update(generation.library.owners(ids))
    cosines = generation.vectors.cosines(vector, ids) if vector is not None else dict.fromkeys(ids, 0.0)
    recency = _recency({one: owners[one] for one in ids}, scope, newest=visible.newest)
    top = max(bm25.values(), default=1.0)
    parts = {
        one: ScoreParts(bm25.get(one, 0.0) / top, DENSE_WEIGHT * cosines[one], recency[one]) for one in ids
    }
    best = sorted(ids, key=lambda one: (-parts[one].total, one))
    if reranker:
        best = _reranked(question, best, generation, reranker)
    ranked = [
        RankedPassage(passage, owners[passage.id], parts[passage.id])
        for passage in generation.library.passages(best[:limit])
    ]
    return Retrieval(ranked, problem)


def _reranked(question: str, ids: Sequence[str], generation: Generation, reranker: Reranker) -> list[str]:
    """The same passages, the first ones in the reranker's order; those that it ranks alike keep theirs."""
    read = generation.library.passages(ids[:RERANKED])
    scores = reranker.score(question, [passage.cleaned for passage in read])
    ordered = sorted(zip(read, scores, strict=True), key=lambda pair: -float(pair[1]))
    return [*(passage.id for passage, _ in ordered), *ids[RERANKED:]]


def _recency(owners: Mapping[str, ArticleInfo], scope: Scope, *, newest: date | None) -> dict[str, float]:
    now = min(scope.as_of, newest) if newest else scope.as_of
    dated = {
        passage_id: 1 + RECENCY_GAIN * 2 ** (-(now - owner.published.day).days / HALF_LIFE_DAYS)
        for passage_id, owner in owners.items()
        if owner.published
    }
    neutral = fmean(dated.values()) if dated else 1.0
    return {passage_id: dated.get(passage_id, neutral) for passage_id in owners}
