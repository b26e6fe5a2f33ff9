"""Follow-up questions without a model: what is found for the last turn, as the rules put it, as people do.

    python -m benchmarks.follow_ups --data FOLDER [--home FOLDER] [--half even] [--show]

FOLDER holds ``mtrag/`` and ``cast/``, ``xquad/`` for the languages, and the sets that give
8,000 articles beside MTRAG's. Two measures. By what people marked: recall@5, recall@10 and
nDCG@5 over those of MTRAG's turns whose marked passages are all there (30 conversations).
By the human rewrite: how many of the ten articles that it finds are found as well, and
recall and precision of its index terms; over all turns, CAsT's too, whose own passages are
not there. The rules were made on MTRAG's even conversations; the odd ones are reported, and
CAsT, on which nothing was tuned. Earlier answers are known for MTRAG's 30 conversations only.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from assistant.bootstrap import Parts, build_parts
from assistant.condensing import depends, is_english, standalone
from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.conversation import Turn
from assistant.domain.passages import Scope
from assistant.ingest import ingest
from assistant.ports import Generation
from assistant.retrieval import retrieve
from assistant.settings import load_settings
from assistant.testing import ListSource
from benchmarks.datasets import UNDATED, realtimeqa, squad

WAYS = ("raw", "rules", "human")
DEEP = 60  # passages that are looked through for ten different articles
Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """One turn: what was said before, the question as typed and as a person rewrote it.

    gold: the articles that people marked; none where nobody did.
    """

    conversation: str
    turns: tuple[Turn, ...]
    question: str
    rewrite: str
    gold: frozenset[str]

    def ways(self) -> dict[str, str]:
        """The question in each way in which it is searched."""
        return dict(
            zip(WAYS, (self.question, standalone(self.question, self.turns), self.rewrite), strict=True)
        )


def main() -> None:
    """Index, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="keep the indexed articles here for the next run")
    parser.add_argument("--half", choices=["even", "odd"], default="odd", help="of MTRAG's conversations")
    parser.add_argument("--show", action="store_true", help="print every question that the rules change")
    options = parser.parse_args()
    asked = mtrag(options.data, options.half)
    other = cast(options.data)
    with tempfile.TemporaryDirectory() as temporary:
        parts = indexed(articles(options.data), options.home or Path(temporary))
        with parts.generations.current() as generation:
            assert generation is not None
            print(f"{generation.manifest.articles:,} articles")
            search = searcher(generation, parts)
            for name, some in (
                (f"MTRAG, {options.half} conversations", asked),
                ("CAsT 2019 and 2020", other),
            ):
                with_gold = [one for one in some if one.gold]
                if with_gold:
                    report(f"{name}, marked", with_gold, lambda one: by_gold(one, search))
                report(name, some, lambda one: by_rewrite(one, search, generation))
    if options.show:
        for one in (*asked, *other):
            if one.ways()["rules"] != one.question:
                print(f"{one.conversation[:8]:8} {one.question!r}\n    {one.ways()['rules']!r}")
    languages(options.data)


def mtrag(data: Path, half: str) -> list[Asked]:
    """The turns of every other conversation; https://arxiv.org/abs/2501.03468."""
    answers: dict[str, dict[str, str]] = {}
    present: set[str] = set()
    for row in rows(data / "mtrag/human_eval_subset.jsonl"):
        present.update(context["document_id"] for context in row["contexts"])
        said = [message["text"] for message in row["input"]]
        answers.setdefault(conversation(row["id"]), {}).update(zip(said[::2], said[1::2], strict=False))
    found = list(rows(data / "mtrag/retrieval_rewrites.jsonl"))
    chosen = set(sorted({conversation(row["id"]) for row in found})[half == "odd" :: 2])
    return [
        Asked(
            name,
            tuple(Turn(text, answers.get(name, {}).get(text, "")) for text in row["questions"][:-1]),
            row["last"],
            row["rewrite"],
            frozenset(row["gold_doc_ids"]) if present.issuperset(row["gold_doc_ids"]) else frozenset(),
        )
        for row in found
        if (name := conversation(row["id"])) in chosen
    ]


def conversation(turn_id: str) -> str:
    """Which conversation a turn of MTRAG belongs to."""
    return turn_id.partition("<")[0]


def cast(data: Path) -> list[Asked]:
    """All turns of TREC CAsT 2019 and 2020; https://www.treccast.ai."""
    return [
        Asked(
            row["id"].split("_")[0],
            tuple(Turn(turn["user"], "") for turn in row["history"]),
            row["utterance"],
            row["rewrite"],
            frozenset(),
        )
        for row in rows(data / "cast/rewrites.jsonl")
    ]


def articles(data: Path) -> list[Article]:
    """MTRAG's marked passages among paragraphs that other sets have."""
    found = {
        context["document_id"]: (context["title"], context["text"])
        for row in rows(data / "mtrag/human_eval_subset.jsonl")
        for context in row["contexts"]
    }
    for name in ("clapnq/dev_answerable", "clapnq/dev_unanswerable", "nq_oracle/test", "qed/dev"):
        found.update(
            (f"{name}/{row['id']}", (row["title"], row["text"])) for row in rows(data / f"{name}.jsonl")
        )
    others = [
        Article(ArticleInfo(id=one, origin=Origin("follow-ups", one), title=title), text)
        for one, (title, text) in found.items()
    ]
    return others + squad(data)[0] + realtimeqa(data)[0]


def indexed(some: Sequence[Article], home: Path) -> Parts:
    """The articles as a corpus, indexed unless they are already."""
    parts = build_parts(load_settings({"home": home}), "follow-ups")
    ingest(
        ListSource(some),
        parts.generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        mirror="follow-ups",
    )
    return parts


def searcher(generation: Generation, parts: Parts) -> Callable[[str], list[str]]:
    """What finds the ids of the ten best articles, best first."""

    def search(question: str) -> list[str]:
        scope = Scope(as_of=UNDATED)
        found = retrieve(question, generation, parts.embedder, scope, limit=DEEP, exact=True)
        return list(dict.fromkeys(one.article.id for one in found.passages))[:10]

    return search


def by_gold(asked: Asked, search: Callable[[str], list[str]]) -> Iterator[tuple[str, Metrics]]:
    """How much of what people marked each way finds."""
    for way, question in asked.ways().items():
        right = [one in asked.gold for one in search(question)]
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(5, len(asked.gold))))
        gained = sum(1 / math.log2(rank + 2) for rank, hit in enumerate(right[:5]) if hit)
        yield (
            way,
            {
                "recall@5": sum(right[:5]) / len(asked.gold),
                "recall@10": sum(right) / len(asked.gold),
                "nDCG@5": gained / ideal,
            },
        )


def by_rewrite(
    asked: Asked, search: Callable[[str], list[str]], generation: Generation
) -> Iterator[tuple[str, Metrics]]:
    """How near each way comes to the human rewrite."""
    wanted = set(search(asked.rewrite))
    terms = set(generation.lexical.terms(asked.rewrite))
    for way, question in asked.ways().items():
        own = set(generation.lexical.terms(question))
        yield (
            way,
            {
                "same@10": len(wanted.intersection(search(question))) / len(wanted) if wanted else 1.0,
                "terms recall": len(terms & own) / len(terms) if terms else 1.0,
                "terms precision": len(terms & own) / len(own) if own else 1.0,
            },
        )


def report(
    name: str, asked: Sequence[Asked], judge: Callable[[Asked], Iterator[tuple[str, Metrics]]]
) -> None:
    """Print the means for first turns and follow-ups, and what the rules close of the gap."""
    for kind, some in (
        ("first turns", [one for one in asked if not one.turns]),
        ("follow-ups", [one for one in asked if one.turns]),
        ("follow-ups that people rewrote", [o for o in asked if o.turns and o.rewrite != o.question]),
    ):
        print(f"{name}, {kind}: {len(some)}")
        judged = [dict(judge(one)) for one in some]
        means = {way: mean([one[way] for one in judged]) for way in WAYS}
        print(f"  {'':16}{'raw':>8}{'rules':>8}{'human':>8}{'of the gap':>12}{'better/worse':>14}")
        for metric, raw in means["raw"].items():
            rules, human = means["rules"][metric], means["human"][metric]
            closed = f"{(rules - raw) / (human - raw):.0%}" if abs(human - raw) > 1e-9 else "-"
            gains = [one["rules"][metric] - one["raw"][metric] for one in judged]
            signs = f"{sum(gain > 0 for gain in gains)}/{sum(gain < 0 for gain in gains)}"
            print(f"  {metric:16}{raw:8.3f}{rules:8.3f}{human:8.3f}{closed:>12}{signs:>14}")
        changed = [one.rewrite != one.question for one in some]
        called = [depends(one.question, one.turns) for one in some]
        hit = sum(a and b for a, b in zip(changed, called, strict=True))
        print(
            f"  held to depend: {sum(called)}, of the {sum(changed)} that people rewrote {hit}, "
            f"of the {len(some) - sum(changed)} others {sum(called) - hit}"
        )


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def mean(rows_of: Sequence[Metrics]) -> Metrics:
    """Each metric's mean."""
    return {name: fmean(row[name] for row in rows_of) for name in rows_of[0]}


def languages(data: Path) -> None:
    """Print how often the questions of XQuAD are taken for English, by language."""
    shares: Mapping[str, float] = {
        file.name.split(".")[0]: fmean(is_english(row["question"]) for row in rows(file))
        for file in sorted((data / "xquad").glob("*.qa.jsonl"))
    }
    print("held to be English: " + ", ".join(f"{name} {share:.3f}" for name, share in shares.items()))


if __name__ == "__main__":
    main()
