"""What becomes of replies that forge a citation: the verdict is read from what the reader is shown.

Each row has the sources, a reply, and what is expected of it in words. The rows below are always
tried, those of the collection where ../shared/data/security is there. A model's reply
takes the way that it takes in ``ask``; ``drop`` and ``mark`` are both tried. A kind of expectation
that is not known here is an error and no pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from assistant.bootstrap import build_assistant
from assistant.domain.answers import Abstention, AbstentionReason, Answer, Claim, Support
from assistant.ingest import ingest, preparation
from assistant.interfaces.rendering import answer_text
from assistant.settings import Settings
from assistant.testing import (
    BlindEmbedder,
    FixedClock,
    LineSegmenter,
    ListSource,
    MemoryGenerations,
    ScriptedChatModel,
    sample_article,
)

COLLECTION = Path(__file__).parents[3] / "shared" / "data" / "security" / "own" / "citation_forgery.jsonl"
# One line, so that it is sentence 1 as a whole.
FERRY = (
    "Quillport council bought a ferry for 3.5 million crowns on Friday. "
    "Mayor Ines Varga said that the ferry was “a bargain for the budget”."
)

OWN = {  # reply: what is expected of it, in the words that the collection uses
    "The council bought a ferry for 3.5 million crowns [1].": "accept",
    "Varga said the ferry was «a bargain for the budget» [1].": "accept: guillemets normalised",
    "The council bought a ferry for 5.3 million crowns [1].": "reject: number changed",
    "The council bought a ferry for 3.5 billion crowns [1].": "reject: scale changed",
    "The council bought a ferry on Monday [1].": "reject: day changed",
    "Varga said the ferry was “a burden for the budget” [1].": "reject: quote altered by a word",
    "Varga said the ferry was “the envy of all harbours” [1].": "reject: quote invented",
    "Mayor Brand said the ferry was “a bargain for the budget” [1].": "reject: speaker changed",
    "The council did not buy a ferry [1].": "reject: negation added",
    "The council bought a ferry [7].": "reject",
    "The council bought a ferry [one].": "reject",
    "The council bought a ferry [１].": "normalise or reject",
    "The council bought a ferry [001].": "normalise or reject",
    "The council bought a ferry [1][99].": "split; 99 rejected",
    "The council bought a ferry [1; 3].": "split; 3 rejected",
    "The council bought a ferry.": "flag: uncited sentence",
    "The council bought a ferry [[1]](//drop.example/1).": "strip link",
    "The council bought a ferry [1]: <https://drop.example>": "strip link",
    "The council bought a ferry 【1": "drop",
    '```json\n{"answer": "It bought a ferry", "sources": [1]}\n```': "repair or fall back",
    "\n \n": "fall back extractive",
    "The ferry will sink before the summer comes [1].": "reject: not said (needs entailment)",
}  # fmt: skip

# What is said of replies that are wrong, but only for somebody who knows what the words mean. No rule
# is made for any of them: this is what the general ones come to.
ENTAILMENT: Mapping[str, tuple[Support, str]] = {
    "The council rejected the budget [1].": (
        Support.UNSUPPORTED,
        "'rejected' is the opposite of 'approved' in the cited sentence",
    ),
    "The ferry will sink before the summer comes [1].": (
        Support.PARTIAL,
        "it has too little in common with the cited sentences",
    ),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reply came to: what is shown by default, and where all is shown and marked."""

    reply: str
    dropping: Answer | Abstention
    marking: Answer | Abstention

    @property
    def claim(self) -> Claim | None:
        """The one claim that a reader is shown of the reply by default."""
        if not isinstance(self.dropping, Answer) or self.dropping.provenance.model is None:
            return None
        (claim,) = self.dropping.claims
        return claim


def seen(reply: str, source: Mapping[str, str]) -> Seen:
    """What comes of the reply when its sources are the sentences of the request."""
    return Seen(reply, asked(reply, source, "drop"), asked(reply, source, "mark"))


def asked(reply: str, source: Mapping[str, str], support: str) -> Answer | Abstention:
    segmenter, embedder = LineSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    text = "\n".join(source[key] for key in sorted(source, key=int))
    report = sample_article("a", text, title="Council meeting", published="2024-03-06")
    ingest(ListSource([report]), generations, segmenter=segmenter, embedder=embedder)
    chat = ScriptedChatModel(reply)
    result = build_assistant(
        Settings(corpus="samples", support=support),
        generations=generations,
        segmenter=segmenter,
        embedder=embedder,
        clock=FixedClock(date(2024, 4, 1)),
        chat=chat,
    ).ask(f"Is it true that {text.split('. ')[0]}?")
    chat.assert_complete()
    return result


# The verdicts, each by the word that asks for it ----------------------------------------------------------


def accepted(seen: Seen) -> bool:
    """Shown as the model wrote it, borne out by sentence 1, without a doubt."""
    claim = seen.claim
    return (
        claim is not None
        and claim.support is Support.SUPPORTED
        and claim.citations == (1,)
        and letters(claim.text) == letters(statement(seen.reply))
        and seen.dropping.unknown_markers == 0
    )


def rejected(seen: Seen) -> bool:
    """Nothing of it is shown by default, and where all is shown it is called unsupported.

    A quotation in which a word was altered may also be put right, since what was forged is then gone.
    """
    if letters(statement(seen.reply)) in letters(answer_text(seen.dropping)):
        return False
    if seen.claim is not None or fell_back(seen):
        return seen.claim is None or is_put_right(seen)
    assert isinstance(seen.dropping, Abstention)
    assert isinstance(seen.marking, Answer)
    (marked,) = seen.marking.claims
    return (
        seen.dropping.reason is AbstentionReason.GROUNDING
        and seen.dropping.dropped == 1
        and marked.support in (Support.UNSUPPORTED, Support.UNCITED)
    )


def is_put_right(seen: Seen) -> bool:
    """Whether it is shown with another quotation, which stands so in the sentence that it cites."""
    assert isinstance(seen.dropping, Answer)
    (claim,), quotations = seen.dropping.claims, re.findall(r"“([^”]*)”", seen.dropping.text)
    cited = {citation.n: citation.quote for citation in seen.dropping.citations}
    return bool(quotations) and all(
        said in cited[n] and said not in seen.reply for said in quotations for n in claim.citations
    )


def normalised(seen: Seen) -> bool:
    """Shown with the marker as we write it."""
    return accepted(seen) and seen.dropping.text.endswith(" [1]")


def split(seen: Seen) -> bool:
    """The marker that leads somewhere is kept, the other one is removed and counted."""
    return (
        seen.claim is not None
        and seen.claim.support is Support.SUPPORTED
        and re.findall(r"\[[^\]]*\]", seen.dropping.text) == ["[1]"]
        and seen.dropping.unknown_markers == 1
    )


def flagged(seen: Seen) -> bool:
    """Left out, and where all is shown the reader is told what is wrong with it."""
    assert isinstance(seen.marking, Answer)
    (claim,) = seen.marking.claims
    told = f"? {claim.text} (it cites no sentence that was shown)"
    return rejected(seen) and claim.support is Support.UNCITED and told in answer_text(seen.marking)


def unlinked(seen: Seen) -> bool:
    """The statement stays, its address is nowhere."""
    address = re.search(r"[\w-]+\.example", seen.reply)
    assert address
    both = answer_text(seen.dropping) + answer_text(seen.marking)
    return seen.claim is not None and address[0] not in both and "](" not in both


def fell_back(seen: Seen) -> bool:
    """The model's reply is not used; the extract stands in its place and says so."""
    result = seen.dropping
    if not isinstance(result, Answer) or result.provenance.model is not None:
        return False
    said = answer_text(result)
    return result.degraded is not None and all(
        citation.quote.split(".")[0] in said for citation in result.citations
    )


VERDICTS: Mapping[str, Callable[[Seen], bool]] = {
    "accept": accepted,
    "reject": rejected,
    "normalise": normalised,
    "split": split,
    "flag": flagged,
    "strip": unlinked,
    "drop": rejected,
    "repair": accepted,
    "fall": fell_back,
}


def is_as_expected(expect: str, found: Seen) -> bool:
    """Whether one of the verdicts that are allowed ("normalise or reject: …") was given."""
    allowed = re.split(r"[:;(]", expect)[0].split(" or ")
    checks = [VERDICTS[each.split()[0]] for each in allowed]
    return any(check(found) for check in checks)


def statement(reply: str) -> str:
    """The reply without its marker and what follows it."""
    return re.split(r"[\[【]", reply)[0] or reply


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


# The rows -------------------------------------------------------------------------------------------------


def needs_entailment(expect: str) -> bool:
    return "needs entailment" in expect


def rows() -> list[tuple[str, str, Mapping[str, str]]]:
    """Reply, expectation and sources of each row, our own first."""
    found: list[tuple[str, str, Mapping[str, str]]] = [
        (reply, expect, {"1": FERRY}) for reply, expect in OWN.items()
    ]
    if COLLECTION.exists():
        for line in COLLECTION.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.append((row["model_output"], row["expect"], row["source"]))
    return found


@pytest.mark.parametrize(
    ("reply", "expect", "source"), [row for row in rows() if not needs_entailment(row[1])]
)
def test_the_verdict_on_a_forged_citation_is_as_expected(
    reply: str, expect: str, source: Mapping[str, str]
) -> None:
    assert is_as_expected(expect, seen(reply, source)), expect


@pytest.mark.parametrize(("reply", "expect", "source"), [row for row in rows() if needs_entailment(row[1])])
def test_what_is_said_of_a_forgery_that_only_its_meaning_gives_away_is_listed(
    reply: str, expect: str, source: Mapping[str, str]
) -> None:
    result = asked(reply, source, "mark")
    assert isinstance(result, Answer)
    (claim,) = result.claims
    assert (claim.support, claim.why) == ENTAILMENT[reply], expect


@pytest.mark.parametrize("expect", ["", "applaud", "reject or applaud", "Accept"])
def test_a_kind_of_expectation_that_is_not_known_is_no_pass(expect: str) -> None:
    found = seen("The council bought a ferry [7].", {"1": FERRY})
    with pytest.raises((KeyError, IndexError)):
        is_as_expected(expect, found)


@pytest.mark.parametrize("expect", list(VERDICTS))
def test_each_verdict_can_be_missed(expect: str) -> None:
    sound = "The council bought a ferry for 3.5 million crowns [1]."
    forged = "The council bought a ferry for 5.3 million crowns [1](http://drop.example)."
    assert not is_as_expected(expect, seen(sound if expect in ("reject", "drop") else forged, {"1": FERRY}))
