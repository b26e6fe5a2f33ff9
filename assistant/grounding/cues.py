"""What a text denies, in whatever words.

"Not", "no" and "without"; verbs that deny with what follows them ("refused to", "ruled out"; not yet
"denied taking"); words that say that
something is not there ("lost", "full") and prefixes that turn a word around ("unhurt",
"harmless"). What only limits ("no fewer than", "not only") denies nothing, and two negations
that cancel each other ("cannot do without") are none. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from assistant.grounding.forms import forms_of
from assistant.grounding.words import CACHED_TEXTS, SENTENCE_ENDS, Text, base, lexicon, listed, stem

REACH = 8  # words over which a negation reaches on
NEAR = 6  # words on either side in which a word such as "lost" or "full" tells what is not there
CLAUSE_ENDS = frozenset(",.;?!") | listed("while but who which whose although though however because")


class Cue(NamedTuple):
    """A negation and the content words that it denies.

    kind: "not" when it stands by a verb, "no" by anything else, "verb" when a verb denies ("refused to").
    """

    at: int
    kind: str
    targets: tuple[int, ...]


@lru_cache(maxsize=CACHED_TEXTS)
def cues_of(text: Text) -> tuple[Cue, ...]:
    """The negations of a text; those that deny nothing and those that cancel each other are left out."""
    found = list(_cues(text))
    doubled = {
        cue.at
        for first, second in pairwise(found)
        if _cancel(text, first.at, second.at)
        for cue in (first, second)
    }
    return tuple(cue for cue in found if cue.at not in doubled)


def is_denied(text: Text, at: int) -> bool:
    """Whether a negation or a verb of denial reaches the word."""
    return _denied(text)[at]


@lru_cache(maxsize=CACHED_TEXTS)
def _denied(text: Text) -> tuple[bool, ...]:
    return tuple(_is_denied(text, at) for at in range(len(text.words)))


def _is_denied(text: Text, at: int) -> bool:
    for back in range(at - 1, max(-1, at - REACH - 1), -1):
        lower = text.lowers[back]
        if lower in SENTENCE_ENDS or lower in CLAUSE_ENDS - {","}:
            break
        if (is_negator(text, back) and not _denies_nothing(text, back)) or is_denial(text, back):
            return True
    return any(lower in ("nobody", "none", "no", "false") for lower in text.lowers[at + 1 : at + 3])


# What denies


_HARDLY = listed("hardly barely scarcely rarely seldom unless")


def is_negator(text: Text, at: int) -> bool:
    """Whether a negation stands there, or a word that is nearly one: "hardly"."""
    return text.lowers[at] in lexicon()["negators"] or text.lowers[at] in _HARDLY


def is_denial(text: Text, at: int) -> bool:
    """Whether a verb of denial stands there: "refused", "ruled out"."""
    lower = text.lowers[at]
    return base(lower) in denials() or text.lower(at + 1) in _phrases().get(lower, ())


@lru_cache(maxsize=1)
def denials() -> frozenset[str]:
    """The verbs that deny, as bases."""
    return frozenset(base(word) for word in lexicon()["negative_verbs"])


# "Rule out", "stop short of", "yet to": a word that denies together with the next one.
_PHRASES = {
    "rule": "out",
    "short": "of",
    "yet": "to",
    "instead": "of",
    "rather": "than",
    "hold": "off",
    "call": "off",
    "give": "up",
    "turn": "down away",
    "vote": "down",
    "run": "out",
    "keep": "from",
    "free": "from of",
    "knock": "out",
}


@lru_cache(maxsize=1)
def _phrases() -> dict[str, frozenset[str]]:
    return {form: listed(behind) for first, behind in _PHRASES.items() for form in forms_of([first])}


def _cues(text: Text) -> Iterator[Cue]:
    negators = lexicon()["negators"]
    for at, lower in enumerate(text.lowers):
        if lower in negators:
            if not _denies_nothing(text, at):
                by_verb = lower in _BY_VERB or text.lower(at + 1) == "longer"
                yield Cue(at, "not" if by_verb else "no", _targets(text, at))
        elif is_denial(text, at) and (target := _refused(text, at)) is not None:
            yield Cue(at, "verb", (target,))


_BY_VERB = listed("not n't never cannot")


def _targets(text: Text, at: int) -> tuple[int, ...]:
    """The content words that a negation stands before: one, or two behind "no" and "without"."""
    count = 2 if text.lowers[at] in ("no", "without") and text.lower(at + 1) != "one" else 1
    found = []
    for one in range(at + 1, min(len(text.words), at + REACH)):
        if text.lowers[one] in CLAUSE_ENDS:
            break
        if text.words[one].content and not text.lowers[one].endswith("ly"):
            found.append(one)
    words = [one for one in found if not text.words[one].capital]
    return tuple(words or found)[:count]


def _refused(text: Text, at: int) -> int | None:
    """What "refused to", "stopped short of" or "ruled out" is about, when a verb follows at once."""
    after = at + 1
    while text.lower(after) in ("to", "of", "out", "from", "off", "up", "short", "than"):
        after += 1
    if after == at + 1 or after >= len(text.words) or not text.words[after].content:
        return None
    verb = text.lower(after - 1) == "to" or text.lowers[after].endswith("ing")
    return after if verb else None


def _denies_nothing(text: Text, at: int) -> bool:
    """Whether it limits or stands in a set phrase: "no fewer than", "not only", "whether or not"."""
    lower, after = text.lowers[at], text.lower(at + 1)
    if lower in ("no", "not", "n't"):
        than = "than" in text.lowers[at + 2 : at + 5]
        if (lower == "no" and after in ("later", "earlier", "sooner")) or (
            than and is_comparative(text, at + 1)
        ):
            return True
    if lower in ("nothing", "none", "nobody") or (lower == "no" and after == "one"):
        return "but" in (after, text.lower(at + 2))
    if lower == "no":
        return after in _WITH_NO or after.isdecimal() or _is_in_name(text, at)
    if lower not in ("not", "n't"):
        return False
    before = text.lower(at - 1)
    if after in ("until", "before", "since"):
        return before not in AUXILIARIES
    return after in _WITH_NOT or before in ("or", "if", "why", "whether")


def _is_in_name(text: Text, at: int) -> bool:
    """Whether "No" begins a name: "No Man's Sky"."""
    behind = text.words[at + 1 : at + 4]
    return text.words[at].capital and len([word for word in behind if word.capital]) > 1


_WITH_NO = listed("matter doubt wonder")
_WITH_NOT = listed("only just merely simply solely alone least surprisingly")
AUXILIARIES = listed(
    "be is are was were been being has have had do does did will would can could may might should"
)


def is_comparative(text: Text, at: int) -> bool:
    """Whether a comparative stands there: "larger", "more"."""
    lower = text.lower(at)
    return lower in _COMPARATIVES or (lower.endswith("er") and len(lower) > len("over"))


_COMPARATIVES = listed("more less fewer better worse further other")


def has_superlative(text: Text) -> bool:
    """Whether something is the most so: "the longest", "a record", "for the first time"."""
    return any(
        lower in _SUPERLATIVES
        or (lower.endswith("est") and len(lower) > len("guest") and lower not in _NO_SUPERLATIVES)
        for lower in text.lowers
    )


_SUPERLATIVES = listed(
    "most best worst first last least record unprecedented only sole unique unequalled unrivalled big "
    "best ever unparalleled maximum minimum top"
)
_NO_SUPERLATIVES = listed(
    "interest request protest contest forest harvest suggest invest arrest manifest conquest midwest"
)


def leaves_one_out(text: Text) -> bool:
    """Whether it says so of all but one: "everyone except the captain"."""
    return any(
        lower in _WHOLES and not {"but", "except"}.isdisjoint(text.lowers[at + 1 : at + 4])
        for at, lower in enumerate(text.lowers)
    )


_WHOLES = listed("all every everyone everybody everything each none nobody nothing")


def _cancel(text: Text, first: int, second: int) -> bool:
    """Whether two negations of one clause make none: "not a day without", "did not fail to"."""
    between = text.lowers[first + 1 : second]
    if second - first > REACH or not CLAUSE_ENDS.isdisjoint(between):
        return False
    if text.lowers[first] not in lexicon()["negators"] or text.lowers[first] == "without":
        return False
    return text.lowers[second] == "without" or (
        text.lowers[second] in _failing()
        and all(not text.words[one].content for one in range(first + 1, second))
    )


@lru_cache(maxsize=1)
def _failing() -> frozenset[str]:
    return forms_of(["fail", "lack", "miss", "forget"])


# Other words for what is not


def is_lacking(text: Text, at: int) -> bool:
    """Whether a word says that something is not there or not so: "lost", "full", "only", "until"."""
    lower = text.lowers[at]
    return lower in _lacking() or is_denial(text, at) or is_negator(text, at) or bool(turned_around(lower))


@lru_cache(maxsize=1)
def _lacking() -> frozenset[str]:
    return forms_of(_LACKING)


_LACKING = listed(
    "lose loss lack miss missing absent absence short shortage scarce full empty free end stop cease "
    "halt lapse out hardly barely scarcely rarely seldom little few only alone sole under below until "
    "till yet last former abandon scrap drop exclude omit skip withhold suspend remove ignore neglect "
    "close shut vanish disappear impossible difficult unless except instead rather against differ "
    "divided deprive strip exempt devoid prevent"
)
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non")
_SHORTEST_REST = 4  # letters of the word that a prefix turns around
_NOT_TURNED = listed(  # begin with "un" and turn nothing around
    "unless unlike unseat unseated unveil unveils unveiled unveiling unfold unfolds unfolded unfolding "
    "unload unloaded uncover uncovers uncovered uncovering unrest undock undated undone undoing "
    "unending until"
)
_TURNABLE = listed(  # by a prefix that many other words begin with too
    "able ability accessible accuracy accurate accurately action active actively adequate adequately "
    "advantage agree agreed agreement agrees allow allowed appear appeared appropriate approval "
    "approve approved balance belief capable coherent comfort competence competent complete connect "
    "connected considerate consistent content contented continue continued convenient correct "
    "correctly credit curable decision decisive definite definitely dependent direct directly "
    "effective efficient eligible equality equity evitable expensive experienced fallible fertile "
    "flexible formal formally frequent frequently honest honesty justice legal legally legible "
    "legitimate like liked literate logical loyal loyalty mature mobile moral mortal mutable obedient "
    "obey obeyed offensive operable organized partial passable patient penetrable perfect perfectly "
    "permanent personal plausible possible practical precise probable proper properly proven qualified "
    "qualify rational regard regarded regular regularly relevant replaceable resistible respect "
    "respectful responsible reversible sane satisfied secure security sensitive significant sincere "
    "soluble stability sufficient sufficiently tangible tolerance tolerant tolerable trust valid "
    "validate validated visible voluntary"
)


@lru_cache(maxsize=32_768)
def turned_around(lower: str) -> str:
    """The word that a prefix or an ending turns around: "harm" of "harmless", "checked" of "unchecked"."""
    if lower.endswith(("less", "free")) and len(lower) >= len("less") + _SHORTEST_REST - 1:
        rest = lower[: -len("less")]
        return rest if lower not in ("unless", "nevertheless", "nonetheless", "regardless") else ""
    for prefix in _PREFIXES:
        rest = lower.removeprefix(prefix)
        if rest == lower or len(rest) < _SHORTEST_REST:
            continue
        if rest in _TURNABLE or (
            prefix in ("un", "non") and rest in _ordinary() and lower not in _NOT_TURNED
        ):
            return rest
    return ""


@lru_cache(maxsize=1)
def _ordinary() -> frozenset[str]:
    lists = lexicon()
    return lists.common | lists.verbs | lists.past


def has_turned_around(word: str, text: Text) -> bool:
    """Whether the text says it with a prefix or an ending: "unhurt" for "not hurt"."""
    prefixed = (f"{prefix}{word}" for prefix in _PREFIXES)
    return any(stem(one) in text.stems for one in prefixed) or any(
        rest and stem(rest) == stem(word) for rest in map(turned_around, text.lowers)
    )


def is_lacking_near(text: Text, places: Sequence[int]) -> bool:
    """Whether one of the words has such a word by it, in the same sentence."""
    for place in places:
        first, last = text.sentence(place)
        around = range(max(first, place - NEAR), min(last, place + NEAR + 1))
        if any(one != place and is_lacking(text, one) for one in around):
            return True
        if text.lower(place + 1) in ("free", "less"):
            return True
    return False


# What reaches a word


NOT = "(not)"


def negatives_of(text: Text, at: int) -> frozenset[str]:
    """The negations and the verbs of denial that reach a word; the former count as one."""
    found = set[str]()
    for back in range(at - 1, max(-1, at - REACH - 1), -1):
        lower = text.lowers[back]
        if lower in SENTENCE_ENDS or lower in CLAUSE_ENDS - {","}:
            break
        if is_negator(text, back) and not _denies_nothing(text, back):
            found.add(NOT)
        elif is_denial(text, back):
            found.add(base(lower))
    if any(
        lower in ("nobody", "none", "no", "false", "not", "n't") for lower in text.lowers[at + 1 : at + 4]
    ):
        found.add(NOT)
    return frozenset(found)
