"""Fit the weights of ``assistant/extracting_weights.json`` and report on questions not fitted on.

    python -m benchmarks.fit_extracting --data ../shared/data [--write]

Sentences: within each question, a softmax over its candidate sentences is fitted so
that those which contain the answer get the probability. Confidence: a logistic
regression says whether one of the three best sentences contains the answer; its
negatives are questions put to a corpus that is about other things, and SQuAD 2.0's
unanswerable ones. Small corpora of 25 news articles are among the corpora, since word
rarity means less there. Every other question is held out; figures are for those.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.bootstrap import Parts, build_parts
from assistant.domain.articles import Article
from assistant.domain.passages import Scope
from assistant.extracting import MAX_SHOWN, Description, Extract, Weights, confidence, describe, score
from assistant.ingest import ingest
from assistant.retrieval import retrieve
from assistant.settings import load_settings
from assistant.testing import ListSource
from benchmarks.datasets import Question, contains, realtimeqa, squad

SEED = 20261124
SAMPLE = 800  # questions of each set
SMALL_SIZES = (2, 3, 5, 8, 10, 15, 20, 25) * 3  # articles in a small corpus
SMALL_QUESTIONS = 12
WEIGHTS = Path(__file__).parent.parent / "assistant" / "extracting_weights.json"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Described:
    """A question put to a corpus: the features of what was found.

    kind: the set, then "answerable", "outside" or "near miss".
    """

    kind: str
    question: str
    held_out: bool
    found: Description
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its scored candidates, and which of them contain the answer."""

    kind: str
    held_out: bool
    found: Extract
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A corpus with the questions to put to it, by kind."""

    name: str
    articles: Sequence[Article]
    questions: Mapping[str, Sequence[Question]]


def main() -> None:
    """Fit, report, and write the weights when asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="keep the indexed sets here for the next run")
    parser.add_argument("--write", action="store_true", help=f"write {WEIGHTS.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        plans = list(planned(options.data))
        described = [one for plan in plans for one in asked(plan, indexed(plan, home))]
    sentence = fit_ranking(judged(described, Weights(defaultdict(float), defaultdict(float), 0.0)))
    rows = judged(described, Weights(sentence, defaultdict(float), 0.0))
    held_in = [row for row in rows if not row.held_out]
    answered = fit_confidence(held_in)
    weights = Weights(sentence, answered, threshold(held_in, answered))
    report(rows, weights)
    if options.write:
        WEIGHTS.write_text(json.dumps(as_json(weights), indent=2) + "\n")


def planned(data: Path) -> Iterator[Plan]:
    """The corpora and the questions for each."""
    chance = random.Random(SEED)  # noqa: S311 -- a sample, not a secret
    news, quiz = realtimeqa(data)
    paragraphs, facts = squad(data)
    unanswerable = [question for question in squad(data, "2.0")[1] if not question.answers]
    facts, unanswerable = chance.sample(facts, SAMPLE), chance.sample(unanswerable, SAMPLE)
    yield Plan(
        "news",
        news,
        {"news answerable": quiz, "news outside": [question_now(one, quiz[-1]) for one in facts[:300]]},
    )
    yield Plan(
        "squad",
        paragraphs,
        {
            "squad answerable": facts,
            "squad near miss": unanswerable,
            "squad outside": chance.sample(quiz, 300),
        },
    )
    yield from small_news(news, quiz, facts, chance)
    yield from single_articles(paragraphs, facts, unanswerable)


def small_news(
    news: Sequence[Article], quiz: Sequence[Question], facts: Sequence[Question], chance: random.Random
) -> Iterator[Plan]:
    """Corpora of 2 to 25 news articles, as a person's first ones are."""
    by_id = {article.id: article for article in news}
    for number, size in enumerate(SMALL_SIZES):
        chosen = chance.sample(quiz, min(size, SMALL_QUESTIONS))
        bearing = {next(one for one in q.articles if contains(by_id[one].text, q.answers)) for q in chosen}
        others = chance.sample(sorted(by_id.keys() - bearing), max(0, size - len(bearing)))
        articles = [by_id[one] for one in sorted({*bearing, *others})]
        strange = [q for q in chance.sample(quiz, 40) if not set(q.articles) & {one.id for one in articles}]
        outside = strange + chance.sample(facts, 20)
        yield Plan(f"small{number}", articles, {"small answerable": chosen, "small outside": outside})


def single_articles(
    paragraphs: Sequence[Article], facts: Sequence[Question], unanswerable: Sequence[Question]
) -> Iterator[Plan]:
    """Each title of SQuAD as one article, alone in its corpus."""
    titles = sorted({article.info.title or "" for article in paragraphs})
    for number, title in enumerate(titles):
        parts = [article for article in paragraphs if article.info.title == title]
        ids = {article.id for article in parts}
        whole = Article(parts[0].info, "\n\n".join(article.text for article in parts))

        def about(questions: Sequence[Question], ids: set[str] = ids) -> list[Question]:
            return [question for question in questions if question.articles[0] in ids]

        outside = [question for question in facts if question.articles[0] not in ids][:40]
        questions = {
            "single answerable": about(facts),
            "single near miss": about(unanswerable),
            "single outside": outside,
        }
        yield Plan(f"single{number}", [whole], questions)


def question_now(question: Question, latest: Question) -> Question:
    """The question, asked on the day of another one."""
    return Question(question.id, question.text, question.answers, latest.as_of, question.articles)


def indexed(plan: Plan, home: Path) -> Parts:
    """The plan's corpus, indexed unless it is already."""
    parts = build_parts(load_settings({"home": home}), plan.name)
    ingest(
        ListSource(plan.articles),
        parts.generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        mirror="fit",
    )
    return parts


def asked(plan: Plan, parts: Parts) -> Iterator[Described]:
    """Every question of the plan put to its corpus."""
    with parts.generations.current() as generation:
        assert generation is not None
        for kind, questions in plan.questions.items():
            for number, question in enumerate(questions):
                scope = Scope(as_of=question.as_of)
                ranked = retrieve(question.text, generation, parts.embedder, scope, exact=True).passages
                found = describe(question.text, ranked, generation, parts.embedder)
                answers = question.answers if kind.endswith("answerable") else ()
                yield Described(kind, question.text, bool(number % 2), found, answers)


def judged(described: Sequence[Described], weights: Weights) -> list[Asked]:
    """The described questions with their candidates scored and marked right or wrong."""
    rows = []
    for one in described:
        found = score(one.found, weights)
        right = tuple(contains(candidate.sentence.cleaned, one.answers) for candidate in found.candidates)
        rows.append(Asked(one.kind, one.held_out, found, right))
    return rows


def fit_ranking(rows: Sequence[Asked]) -> dict[str, float]:
    """Weights that put the sentences with the answer before the others of their question."""
    usable = [row for row in rows if any(row.right) and not row.held_out]
    names = list(usable[0].found.candidates[0].features)
    tables = [
        (
            np.array([[one.features[name] for name in names] for one in row.found.candidates]),
            np.array(row.right, dtype=float),
        )
        for row in usable
    ]

    def gradient(weights: Floats) -> Floats:
        total = np.zeros_like(weights)
        for table, right in tables:
            scores = table @ weights
            chance = np.exp(scores - scores.max())
            chance /= chance.sum()
            wanted = chance * right
            total += table.T @ (chance - wanted / wanted.sum())
        return total / len(tables) + 1e-3 * weights

    fitted = descend(gradient, len(names))
    return {name: round(float(value), 4) for name, value in zip(names, fitted, strict=True)}


def fit_confidence(rows: Sequence[Asked]) -> dict[str, float]:
    """Weights for the chance that one of the sentences shown contains the answer; kinds weigh alike."""
    usable = [row for row in rows if row.found.candidates]
    names = list(usable[0].found.evidence)
    table = np.array([[1.0, *(row.found.evidence[name] for name in names)] for row in usable])
    right = np.array([float(any(row.right[:MAX_SHOWN])) for row in usable])
    sizes = Counter(row.kind for row in usable)
    share = np.array([1.0 / sizes[row.kind] for row in usable])
    share /= share.sum()

    def gradient(weights: Floats) -> Floats:
        chance = 1 / (1 + np.exp(-table @ weights))
        result: Floats = table.T @ (share * (chance - right)) + 1e-4 * weights
        return result

    fitted = descend(gradient, table.shape[1])
    return {name: round(float(value), 4) for name, value in zip(["bias", *names], fitted, strict=True)}


def descend(gradient: Callable[[Floats], Floats], size: int, steps: int = 600, rate: float = 0.1) -> Floats:
    """Adam (Kingma & Ba 2014, https://arxiv.org/abs/1412.6980) from zero."""
    weights, mean, square = np.zeros(size), np.zeros(size), np.zeros(size)
    for step in range(1, steps + 1):
        slope = gradient(weights)
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        weights = weights - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights


def confidences(rows: Sequence[Asked], weights: Mapping[str, float]) -> Floats:
    """The confidence of each question."""
    found = [row.found for row in rows]
    return np.array([confidence(one.evidence, weights) if one.candidates else 0.0 for one in found])


def threshold(rows: Sequence[Asked], weights: Mapping[str, float]) -> float:
    """The confidence from which to answer, by Youden's J over kinds that weigh alike.

    J = share of outside questions abstained from - share of rightly answerable ones lost
    (Youden 1950, https://doi.org/10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3).
    The curve is flat at its top: the lowest threshold within one standard error of the best
    is taken, since an answer that is withheld cannot be judged by the person who asked.
    """
    answerable = [row for row in rows if row.kind.endswith("answerable") and any(row.right[:MAX_SHOWN])]
    outside = [row for row in rows if row.kind.endswith("outside")]
    grid = np.arange(0.02, 0.6, 0.01)

    def abstained(some: Sequence[Asked]) -> tuple[Floats, Floats]:
        """For each threshold the mean share over kinds, and the variance of that mean."""
        chances = confidences(some, weights)
        kinds = np.array([row.kind for row in some])
        names, sizes = np.unique(kinds, return_counts=True)
        quiet: Floats = np.array([[(chances[kinds == kind] < cut).mean() for kind in names] for cut in grid])
        variance: Floats = (quiet * (1 - quiet) / sizes).sum(axis=1) / len(names) ** 2
        mean: Floats = quiet.mean(axis=1)
        return mean, variance

    (caught, caught_variance), (lost, lost_variance) = abstained(outside), abstained(answerable)
    gain = caught - lost
    best = int(gain.argmax())
    error = float(np.sqrt(caught_variance[best] + lost_variance[best]))
    return round(float(grid[np.flatnonzero(gain >= gain[best] - error)[0]]), 2)


def report(rows: Sequence[Asked], weights: Weights) -> None:
    """Print the held-out figures by kind."""
    held = [row for row in rows if row.held_out]
    print(f"threshold {weights.threshold}; held-out questions:")
    print(f"{'kind':24}{'n':>6}{'sent@1':>8}{'sent@3':>8}{'abstained':>11}{'of the right':>14}")
    for kind in sorted({row.kind for row in held}):
        some = [row for row in held if row.kind == kind]
        first = np.mean([any(row.right[:1]) for row in some])
        three = np.array([any(row.right[:MAX_SHOWN]) for row in some])
        quiet = confidences(some, weights.confidence) < weights.threshold
        over = f"{quiet[three].mean():.3f}" if three.any() else "-"
        print(f"{kind:24}{len(some):>6}{first:>8.3f}{three.mean():>8.3f}{quiet.mean():>11.3f}{over:>14}")
    scores = confidences(held, weights.confidence)
    answerable = np.array([row.kind.endswith("answerable") for row in held])
    for kind in sorted({row.kind for row in held if not row.kind.endswith("answerable")}):
        these = np.array([row.kind == kind for row in held])
        same = np.array([row.kind == f"{kind.split()[0]} answerable" for row in held])
        print(f"AUROC {kind}: {auroc(scores[same & answerable], scores[these]):.3f}")


def auroc(positive: Floats, negative: Floats) -> float:
    """The chance that a positive scores above a negative, ties counting half."""
    above = (positive[:, None] > negative[None, :]).mean()
    return float(above + (positive[:, None] == negative[None, :]).mean() / 2)


def as_json(weights: Weights) -> dict[str, object]:
    """The content of the weights file."""
    return {
        "fitted_by": "python -m benchmarks.fit_extracting --data ../shared/data --write",
        "fitted_on": "every other question of RealTime QA 2023 and SQuAD dev 1.1 and 2.0",
        "threshold": weights.threshold,
        "sentence": weights.sentence,
        "confidence": weights.confidence,
    }


if __name__ == "__main__":
    main()
