"""How often the claim check catches false claims, and how often it is wrong about true ones.

    python -m benchmarks.claims --data ../shared/data [--proof ../shared/proofs/binding/bind.py]
        [--examples 5] [--wrong]

True pairs: sentences of odd-numbered news articles as they are, and shortened or turned by
rules; ClapNQ's answers with the sentences that people selected for them; paraphrases written
by people who knew no rule of the check. False ones: ``benchmarks.mutations``, one row a kind.
Then WiCE and ExpertQA against their human labels. A claim goes through the quotation check
first, as in an answer. With --proof, the rules of another file (its ``check``) stand beside.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from assistant.adapters.sentencex_segmenter import SentencexSegmenter
from assistant.domain.answers import Support
from assistant.domain.articles import Article
from assistant.domain.passages import Sentence, Span
from assistant.domain.text import clean
from assistant.grounding import overlap, quotes
from assistant.grounding.verdicts import Cited, Verdict, check_claim
from benchmarks.datasets import realtimeqa
from benchmarks.fit_extracting import auroc
from benchmarks.mutations import KINDS, Background, Pair, mutate

SEED = 20261125
SENTENCES = 12  # of an article, so that rare kinds find some
COPIES, SHORTENED = 700, 700
TIMED = 300  # claims; fewer than the check keeps in its memory
PER_KIND = 200  # mutations of a kind
PARAPHRASES = Path(__file__).parent / "data/claim_paraphrases.jsonl"  # rules were made on these
HELD_OUT = PARAPHRASES.with_name("claim_paraphrases_held_out.jsonl")  # nobody who makes rules reads them
# From the issue: caught (dropped or marked), in percent.
TARGETS = {
    **dict.fromkeys(("digit", "unit", "scale", "date", "name", "quote", "marker"), 98),
    "value of something else": 85,
    "name exchanged": 80,
    "title given away": 95,
    "speaker exchanged": 80,
    "subject and object": 60,
    "negation added": 95,
    "negation removed": 85,
    "plan told as done": 88,
    **dict.fromkeys(("only added", "at least added", "all added", "first added"), 95),
    "attribution dropped": 80,
}
DROPPED, MARKED, SUPPORTED = "dropped", "marked", "supported"
RESTORED = "restored"  # supported, since a changed quotation became the article's words again
Check = Callable[[str, Sequence[Cited]], str]


def main() -> None:
    """Read, check, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--proof", type=Path, help="a file whose check(claim, sources, before) stands beside")
    parser.add_argument("--examples", type=int, default=0, help="print so many mutations of each kind")
    parser.add_argument("--wrong", action="store_true", help="print what the check got wrong, news only")
    parser.add_argument("--half", choices=("even", "odd"), default="odd", help="of the news articles")
    options = parser.parse_args()
    news, background = news_pairs(options.data, options.half)
    others = [*clapnq(options.data), *paraphrases(PARAPHRASES), *paraphrases(HELD_OUT, "held out")]
    if options.proof:
        seen = options.proof.with_name("paraphrases.jsonl")
        others += paraphrases(seen, "paraphrases of the proof, seen")
    checks: dict[str, Check] = {"ours": ours}
    if options.proof:
        checks["proof"] = proof(options.proof)
    written = [[pair for pair in others if pair.origin == origin] for origin in ("paraphrases", "held out")]
    report_time(news)
    for name, pairs in (
        ("news, copies and rule-made", news),
        ("paraphrases", written[0]),
        ("paraphrases held out", written[1]),
    ):
        report_mutations(name, pairs, background, checks, options)
    report_true([*news, *others], checks, wrong=options.wrong)
    report_labelled(options.data)


# The checks


def ours(claim: str, evidence: Sequence[Cited]) -> str:
    """What an answer does with the claim."""
    cited = [Sentence(f"{at}", Span(0, len(one.text)), one.text, one.text) for at, one in enumerate(evidence)]
    quoted = quotes.check(claim, cited, [], "")
    if isinstance(quoted, quotes.Altered):
        return DROPPED
    result = outcome(check_claim(quoted.text, evidence))
    changed = re.findall(r"\w+", quoted.text) != re.findall(r"\w+", claim)
    return RESTORED if changed and result == SUPPORTED else result


def outcome(verdict: Verdict) -> str:
    """What becomes of a claim with this verdict when nothing is set."""
    return {Support.SUPPORTED: SUPPORTED, Support.PARTIAL: MARKED}.get(verdict.support, DROPPED)


def proof(file: Path) -> Check:
    """The rules of a file that is not part of the project, as a check."""
    spec = importlib.util.spec_from_file_location("proof", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    names = {"drop": DROPPED, "mark": MARKED, "supported": SUPPORTED}

    def check(claim: str, evidence: Sequence[Cited]) -> str:
        before = [text for cited in evidence for text in (cited.title, *cited.before) if text]
        return names[module.check(claim, [cited.text for cited in evidence], before)[0]]

    return check


# True pairs


def news_pairs(data: Path, half: str) -> tuple[list[Pair], Background]:
    """Sentences of every other article, by turns as they are and rewritten; and what articles are made of."""
    chance = Random(SEED)  # noqa: S311 -- a sample, not a secret
    articles = realtimeqa(data)[0][half == "odd" :: 2]
    segmenter = SentencexSegmenter()
    cited = [list(sentences(article, segmenter)) for article in articles]
    background = Background.of(one.text for some in cited for one in some)
    copies: list[Pair] = []
    shortened: list[Pair] = []
    for some in cited:
        usable = [one for one in some if is_prose(one.text)]
        for one in chance.sample(usable, min(SENTENCES, len(usable))):
            far = [other for other in usable if not {one.text, *one.before} & {other.text, *other.before}]
            elsewhere = tuple(chance.sample(far, min(12, len(far))))
            copies.append(Pair(one.text, (one,), "copies", None, elsewhere))
            shortened += [
                Pair(claim, (one,), "rule-made", None, elsewhere) for claim in rewritten(one.text, background)
            ]
    chance.shuffle(copies)
    chance.shuffle(shortened)
    alternating = [pair for both in zip(copies, shortened, strict=False) for pair in both]
    return alternating + copies[len(shortened) :] + shortened[len(copies) :], background


def sentences(article: Article, segmenter: SentencexSegmenter) -> Iterator[Cited]:
    """The article's first sentences as they would be cited."""
    text = article.text[:6000]
    cleaned = [clean(span.of(text)) for span in segmenter.segment(text)]
    info = article.info
    for at, sentence in enumerate(cleaned[:-1]):  # the last may be cut
        yield Cited(
            sentence,
            tuple(cleaned[max(0, at - 2) : at]),
            info.title or "",
            urlsplit(info.url or "").netloc,
            info.published.day if info.published else None,
        )


def is_prose(text: str) -> bool:
    """Whether it is a whole sentence of an ordinary length, and no heading, caption or list."""
    words = text.split()
    small = sum(word[:1].islower() for word in words)
    return (
        8 <= len(words) <= 45
        and text[0].isupper()
        and text[-1] in '.”"'
        and small > 0.5 * len(words)
        and not _FURNITURE.search(text)
        and text.count("“") == text.count("”")
    )


_FURNITURE = re.compile(
    r"https?:|www\.|@|©|Getty|\bphoto\b|Read more|newsletter|information you|sign up|[|•]"
)
_SAID = r"(?:said|told [A-Z]\w+|warned|argued|added)"


def rewritten(text: str, background: Background) -> Iterator[str]:
    """True claims that rules make of a sentence."""
    if re.search(r"[“”\"‘]", text):
        return
    for pattern, new in _REWRITES.items():
        found = re.fullmatch(pattern, text)
        if found and (claim := new(found, background)):
            yield claim[0].upper() + claim[1:]


def _without_adverbial(found: re.Match[str], background: Background) -> str | None:
    rest = found["rest"]
    starts = re.match(r"(?:the|a|an|he|she|it|they|we|his|her|its|their|[A-Z][\w’-]+)\b", rest)
    return rest if starts and _is_clause(rest) and not re.match(r"[A-Z][\w’-]+,", rest) else None


def _without_middle(found: re.Match[str], background: Background) -> str | None:
    return f"{found['a']} {found['b']}"


def _first_clause(found: re.Match[str], background: Background) -> str | None:
    text = found["a"]
    return f"{text}." if not _DEPENDENT.match(text) and _is_clause(text) and _is_clause(found["b"]) else None


def _said_in_front(found: re.Match[str], background: Background) -> str | None:
    who, said = found["who"], found["what"]
    if not _is_clause(said) or re.match(r"(?i)(?:if|when|while|but|and|so)\b", said):
        return None
    return f"{who} {found['said']} that {_small(said, background)}."


def _said_behind(found: re.Match[str], background: Background) -> str | None:
    what = found["what"]
    if not _is_clause(what) or re.search(r"\b(?:said|told|and that)\b", what):
        return None
    return f"{what[0].upper()}{what[1:]}, {_small(found['who'], background)} {found['said']}."


def _according_behind(found: re.Match[str], background: Background) -> str | None:
    return f"{found['what'][0].upper()}{found['what'][1:]}, according to {found['who']}."


def _turned(found: re.Match[str], background: Background) -> str | None:
    """Who did it comes first: "it was approved by the court" as "the court approved it"."""
    return f"{found['by']} {found['verb']} {_small(found['what'].strip(), background)}{found['rest']}"


def _small(text: str, background: Background) -> str:
    first = re.split(r"\W", text, maxsplit=1)[0]
    return text[0].lower() + text[1:] if first.lower() in background.common else text


def _is_clause(text: str) -> bool:
    return len(text.split()) >= 5 and bool(
        re.search(
            r"\b(?:is|are|was|were|has|have|had|will|would|can|could|said|made|took|won|lost|led|gave|went|became"
            r"|began|[a-z]{3,}ed)\b",
            text,
        )
    )


_DEPENDENT = re.compile(r"(?i)(?:if|when|while|although|though|unless|as|after|before|since|because|not)\b")
_ADVERBIAL = "On|In|At|After|Before|During|Since|Despite|Following|Earlier|Last|Until|For|By|Over"
_DONE = r"(?:is|was|has|had|will|said|told|wrote|[a-z]{3,}ed)\b"
_WHOM = r"the [a-z]+(?: [a-z]+)?|[A-Z][\w’-]+(?: [A-Z][\w’-]+)?"
_Rewrite = Callable[[re.Match[str], Background], str | None]
_REWRITES: Mapping[str, _Rewrite] = {
    rf"(?:{_ADVERBIAL}) [^,:;]{{3,70}}, (?P<rest>[^:;]+)": _without_adverbial,
    r"(?P<a>[^,:;]{8,80}[a-z]), (?:who|which|whose) [^,:;]{5,120}, (?P<b>[a-z][^:;]{12,}\.)": _without_middle,
    r"(?P<a>[A-Z][\w’-]+ [A-Z][\w’-]+), (?:(?:an?|the) [^,:;]{4,90}|\d\d), "
    rf"(?P<b>{_DONE}[^:;]{{12,}}\.)": _without_middle,
    r"(?P<a>[^,:;]{25,}), (?:but|while|and|though|although) (?P<b>[^:;]{20,})\.": _first_clause,
    rf"(?P<what>[^:;]{{25,}}), (?P<who>[^,:;]{{3,60}}) (?P<said>{_SAID})\.": _said_in_front,
    rf"(?P<who>[^,:;]{{3,60}}) (?P<said>{_SAID}) that (?P<what>[^:;]{{20,}})\.": _said_behind,
    r"According to (?P<who>[^,:;]{3,60}), (?P<what>[^:;]{25,})\.": _according_behind,
    r"(?P<what>(?:The|A|An) (?:[a-z]+ ){1,3})(?:was|were) (?P<verb>[a-z]+ed) by "
    rf"(?P<by>{_WHOM})(?P<rest>(?: (?:on|in|last) [^,:;]+)?\.)": _turned,
}


def clapnq(data: Path) -> Iterator[Pair]:
    """Answers that people wrote, sentence by sentence, with all sentences they had selected."""
    segmenter = SentencexSegmenter()
    for row in rows(data / "clapnq/dev_answerable.jsonl"):
        shown = [plain(sentence) for sentence in row["sentences"]]
        for output in row["outputs"]:
            evidence = tuple(
                Cited(shown[at], tuple(shown[max(0, at - 2) : at]), row["title"])
                for at in output["gold_sents"]
            )
            answer = plain(output["answer"])
            for span in segmenter.segment(answer):
                if len(span.of(answer).split()) > 3 and evidence:
                    yield Pair(clean(span.of(answer)), evidence, "clapnq")


def plain(text: str) -> str:
    """The text without the spaces that a tokenizer put around marks."""
    text = re.sub(r"\s+", " ", text.replace("``", "“").replace("''", "”"))
    text = re.sub(r"(?<=[“(\[$£]) | (?=[,.;:?!”)\]%])", "", text)
    return re.sub(r" (?=n't\b|'(?:s|re|ve|ll|d|m)?\b)", "", text).strip()


def paraphrases(file: Path, origin: str = "paraphrases") -> list[Pair]:
    """Claims that people wrote after a source; elsewhere are the sources of the same article's others."""
    read = [(row, cited_of(row)) for row in rows(file)]
    return [
        Pair(
            row["claim"],
            evidence,
            origin,
            row.get("attribution_kept"),
            tuple(
                dict.fromkeys(
                    other[0]
                    for _, other in read
                    if evidence[0].title and other[0].title == evidence[0].title and not near(other, evidence)
                )
            ),
        )
        for row, evidence in read
    ]


def cited_of(row: Mapping[str, Any]) -> tuple[Cited, ...]:
    """What a row of a file of paraphrases cites."""
    source = row["source"] if isinstance(row["source"], list) else [row["source"]]
    published = date.fromisoformat(row["published"]) if row.get("published") else None
    before = tuple(row.get("before") or ())[-2:]
    title, outlet = row.get("title") or "", row.get("outlet") or ""
    return tuple(Cited(text, before, title, outlet, published) for text in source)


def near(some: Sequence[Cited], others: Sequence[Cited]) -> bool:
    """Whether a sentence of the one is among the other's, or before them."""
    one, other = ({text for cited in each for text in (cited.text, *cited.before)} for each in (some, others))
    return bool(one & other)


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a JSON Lines file."""
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# Claims that people labelled


@dataclass(frozen=True, slots=True)
class Labelled:
    """A claim with what it cites, and what people say of it; group: what it shares with others."""

    origin: str
    claim: str
    evidence: tuple[Cited, ...]
    supported: bool
    group: str


def wice(data: Path) -> list[Labelled]:
    """WiCE's claims with their smallest supporting set; https://arxiv.org/abs/2303.01432.

    Only "supported" is supported. What is not supported has no such set: it cites the two
    sentences that have most of its words, as a model would.
    """
    return [
        Labelled(
            "wice",
            row["claim"],
            wice_cited(row["claim"], row["sentences"], row["gold_sents_sets"]),
            row["label"] == "supported",
            row["id"],
        )
        for row in rows(data / "wice/claim_dev.jsonl")
    ]


def wice_cited(claim: str, sentences: Sequence[str], sets: Sequence[Sequence[int]]) -> tuple[Cited, ...]:
    """The smallest set, or the two sentences with most of the claim's words."""
    chosen = min((one for one in sets if one), key=len, default=())
    if not chosen:
        overlaps = [overlap.share(claim, [Cited(text)]) for text in sentences]
        chosen = sorted(range(len(sentences)), key=overlaps.__getitem__)[-2:]
    title = next((text.partition("TITLE: ")[2] for text in sentences if "TITLE: " in text), "")
    return tuple(Cited(sentences[at], tuple(sentences[max(0, at - 2) : at]), title) for at in sorted(chosen))


def expertqa(data: Path) -> list[Labelled]:
    """ExpertQA's claims whose evidence is a text; only "Complete" is supported.

    https://arxiv.org/abs/2309.07852
    """
    return [
        Labelled(
            "expertqa",
            re.sub(r"\s?\[\d+\]|\*\*", "", claim["text"]),
            evidence,
            claim["support"] == "Complete",
            row["id"],
        )
        for row in rows(data / "expertqa/rand_val.jsonl")
        for claim in row["claims"]
        if claim["support"] in ("Complete", "Partial", "Incomplete")
        if (evidence := expertqa_cited(claim["evidence"]))
    ]


def expertqa_cited(evidence: Sequence[str]) -> tuple[Cited, ...]:
    """The texts, without the address before each."""
    texts = [re.sub(r"^(?:\[\d+\]\s*)?(?:https?:\S+\s*)?", "", text).strip() for text in evidence]
    return tuple(Cited(clean(text)) for text in texts if len(text.split()) > 20)


# Reports


def report_mutations(
    name: str,
    pairs: Sequence[Pair],
    background: Background,
    checks: dict[str, Check],
    options: argparse.Namespace,
) -> None:
    """Print for each kind how many were caught, and of those whose true claim passes."""
    print(f"\n{name}: {len(pairs):,} true pairs; false ones")
    head = "".join(f"{check:>8}: dropped  marked  caught  of passing" for check in checks)
    print(f"{'kind':24}{'target':>7}{'n':>5}{head}")
    hidden = pairs[0].origin == "held out"  # who writes rules must not read them
    for kind in KINDS:
        made = list(of_kind(kind, pairs, background))
        cells = []
        for check in checks.values():
            found = [check(false.claim, false.evidence) for _, false in made]
            passing = [
                result != SUPPORTED
                for (true, _), result in zip(made, found, strict=True)
                if check(true.claim, true.evidence) == SUPPORTED
            ]
            parts = (found.count(DROPPED), found.count(MARKED), len(found) - found.count(SUPPORTED))
            shares = [share(part, len(made)) for part in parts]
            cells.append(
                f"{shares[0]:>17}{shares[1]:>8}{shares[2]:>8}{share(sum(passing), len(passing)):>12}"
            )
            if options.wrong and check is ours and not hidden:
                show(kind, [false for (_, false), one in zip(made, found, strict=True) if one == SUPPORTED])
        print(f"{kind:24}{TARGETS[kind]:>6}%{len(made):>5}{''.join(cells)}")
        for true, false in made[: 0 if hidden else options.examples]:
            changed = false.claim if false.claim != true.claim else f"[to {false.evidence[0].text}]"
            print(f"    {true.claim}\n  > {changed}")


def of_kind(kind: str, pairs: Sequence[Pair], background: Background) -> Iterator[tuple[Pair, Pair]]:
    """True and false pairs of the kind, no sentence twice."""
    seen: set[str] = set()
    for pair in pairs:
        if pair.evidence[0].text not in seen and (false := mutate(kind, pair, background, SEED)):
            seen.add(pair.evidence[0].text)
            yield pair, false
            if len(seen) == PER_KIND:
                return


def report_true(pairs: Iterable[Pair], checks: dict[str, Check], *, wrong: bool) -> None:
    """Print how often true claims are dropped and marked, by source."""
    sources: dict[str, list[Pair]] = defaultdict(list)
    limits = {"copies": COPIES, "rule-made": SHORTENED}
    for pair in pairs:
        if len(sources[pair.origin]) < limits.get(pair.origin, sys.maxsize):
            sources[pair.origin].append(pair)
        if pair.attribution_kept is not None:
            kept = "keeps" if pair.attribution_kept else "drops"
            sources[f"  {pair.origin}: {kept} the attribution"].append(pair)
        elif pair.origin in ("paraphrases", "held out"):
            sources[f"  {pair.origin}: no attribution there"].append(pair)
    print("\ntrue pairs; allowed: dropped 2 %, marked 8 % (paraphrases that keep the attribution 15 %)")
    print(f"{'source':44}{'n':>5}{''.join(f'{check:>8}: dropped  marked' for check in checks)}")
    for source, some in sources.items():
        cells = []
        for check in checks.values():
            found = [check(pair.claim, pair.evidence) for pair in some]
            cells.append(
                f"{share(found.count(DROPPED), len(some)):>17}{share(found.count(MARKED), len(some)):>8}"
            )
            if wrong and check is ours and source in limits:
                show(source, [pair for pair, result in zip(some, found, strict=True) if result != SUPPORTED])
        print(f"{source:44}{len(some):>5}{''.join(cells)}")
    print("what was found against true claims, by test (dropping in front):")
    for source, some in sources.items():
        if not source.startswith(" "):
            findings = [check_claim(pair.claim, pair.evidence).findings for pair in some]
            tests = Counter((not f.drops, f.test) for found in findings for f in dict.fromkeys(found))
            listed = ", ".join(f"{test} {times}" for (_, test), times in sorted(tests.items()))
            print(f"  {source}: {listed or 'nothing'}")


def show(kind: str, pairs: Sequence[Pair]) -> None:
    """Print the claims with their sentences, and what the check says of them."""
    for pair in pairs:
        print(f"  [{kind}] {pair.claim}\n     in: {' / '.join(one.text for one in pair.evidence)}")
        for finding in check_claim(pair.claim, pair.evidence).findings:
            print(f"     {finding.test}{' (drops)' if finding.drops else ''}: {finding.reason}")


def report_time(pairs: Sequence[Pair]) -> None:
    """Print how long a claim takes when its sentences are new, and when they were read before."""
    some = [pair for pair in pairs if pair.origin == "rule-made"][-TIMED:]
    for name in ("first time", "again"):
        took = []
        for pair in some:
            started = time.perf_counter()
            check_claim(pair.claim, pair.evidence)
            took.append((time.perf_counter() - started) * 1000)
        cuts = statistics.quantiles(took, n=100)
        print(f"{name}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms a claim (allowed 3 and 30)")


def report_labelled(data: Path) -> None:
    """Print how the verdicts agree with people who judged other systems' claims; nothing was fitted on these.

    The score behind AUROC is the share of words in common, less one for each finding that marks and
    two for one that drops.
    """
    print("\nagainst human labels; positive: supported, nothing found against it")
    print(f"{'set':10}{'n':>5}{'supported':>11}{'precision':>11}{'recall':>8}{'AUROC':>8}{'share alone':>13}")
    for name, some in (("WiCE", wice(data)), ("ExpertQA", expertqa(data))):
        verdicts = [check_claim(one.claim, one.evidence) for one in some]
        right = np.array([one.supported for one in some])
        results = np.array([outcome(verdict) for verdict in verdicts])
        passed = results == SUPPORTED
        shares = np.array([overlap.share(one.claim, one.evidence) for one in some])
        against = np.array([sum(1 + finding.drops for finding in verdict.findings) for verdict in verdicts])
        areas = [auroc(score[right], score[~right]) for score in (shares - against, shares)]
        print(
            f"{name:10}{len(some):>5}{right.sum():>11}{(right & passed).sum() / max(1, passed.sum()):>11.3f}"
            f"{(right & passed).sum() / right.sum():>8.3f}{areas[0]:>8.3f}{areas[1]:>13.3f}"
        )
        for kind, which in (("supported", right), ("not or partly supported", ~right)):
            of = results[which].tolist()
            parts = ", ".join(f"{one} {share(of.count(one), len(of))}" for one in (DROPPED, MARKED))
            print(f"  {kind}: {len(of)}, of these {parts}")


def share(part: int, whole: int) -> str:
    """In percent; a dash where there is nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


if __name__ == "__main__":
    main()
