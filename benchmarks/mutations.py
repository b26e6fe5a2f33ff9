"""From a true pair of a claim and its evidence, false ones, each by one known change.

What is changed names the kind: a digit, a name of another article, the marker, who said it.
A generator gives None where a pair offers nothing of its kind, and rather gives up than
changes a claim into what may still be true: lists, synonyms of place, symmetric verbs and
words inside quotation marks are left alone. The rules here are patterns of their own and
share nothing with the check that they measure. Same seed, same mutations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import TypeVar

from assistant.grounding.verdicts import Cited


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and what it cites.

    origin: which source of pairs it is from. attribution_kept: whether the claim says who
    said it where its sentence does; None when nobody judged that. elsewhere: other
    sentences of the same article, as they would be cited.
    """

    claim: str
    evidence: tuple[Cited, ...]
    origin: str
    attribution_kept: bool | None = None
    elsewhere: tuple[Cited, ...] = ()

    @property
    def shown(self) -> str:
        """All text that the evidence holds."""
        return " ".join(part for cited in self.evidence for part in (cited.title, *cited.before, cited.text))


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of the corpus: names to borrow, and every word that it writes in lower case.

    common: words that begin with a small letter more often than not. longer: the longer ones.
    """

    names: tuple[str, ...]
    words: frozenset[str]
    common: frozenset[str]
    longer: tuple[str, ...]

    @staticmethod
    def of(texts: Iterable[str]) -> Background:
        """The background that these texts make."""
        small: Counter[str] = Counter()
        large: Counter[str] = Counter()
        kept = list(texts)
        for text in kept:
            small.update(re.findall(r"(?<![\w’'-])[a-z]+", text))
            large.update(word.lower() for word in re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text))
        common = frozenset(word for word, times in small.items() if times > large[word])
        found = Counter(name.text for text in kept for name in names_in(text, common) if name.start)
        names = sorted(name for name in found if re.fullmatch(r"[A-Z][a-z]{3,}( [A-Z][a-z]{3,})?", name))
        longer = tuple(sorted(word for word in common if len(word) > 5))
        return Background(tuple(names), frozenset(small), common, longer)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text; kind: of a value, what can be exchanged with it."""

    start: int
    end: int
    text: str
    kind: str = ""


_T = TypeVar("_T")
Generator = Callable[[Pair, Background, Random], Pair | None]


def mutate(kind: str, pair: Pair, background: Background, seed: int) -> Pair | None:
    """A false pair of this kind; None when the true one offers nothing for it."""
    chance = Random(f"{seed} {kind} {pair.claim}")  # noqa: S311 -- a sample, not a secret
    mutated = KINDS[kind](pair, background, chance)
    unchanged = mutated is None or (mutated.claim, mutated.evidence) == (pair.claim, pair.evidence)
    return None if unchanged else mutated


# Parts of a text


def _listed(words: str) -> list[str]:
    return words.split()


_MONTHS = _listed("January February March April May June July August September October November December")
_DAYS = _listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_NUMERALS = _listed(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
_SCALES = ["hundred", "thousand", "million", "billion", "trillion"]
_VALUE = re.compile(
    r"(?<![\w.,:/’'-])(?:[$€£]\s?)?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
    rf"|\b(?i:{'|'.join(_NUMERALS)})\b)(?P<scale>\s(?:{'|'.join(_SCALES)})\b|bn\b|m\b)?"
    r"(?P<percent>\s?%|\s(?:percent|per cent)\b)?(?![\w:/-]|[.,]\d)"
)
_MONTH = "|".join([*_MONTHS, *(f"{month[:3]}\\." for month in _MONTHS), "Sept\\."])
_DAY_OF_MONTH = re.compile(rf"\b(?:{_MONTH})\s(?P<day>\d{{1,2}})\b|\b(?P<first>\d{{1,2}})\s(?:{_MONTH})")
_NAME = re.compile(
    r"(?<![\w’'-])[A-Z][\w’'-]*(?:\.[A-Z]\.?)*(?:(?: (?:of the|of|de|la|al|bin|van|von|del))? [A-Z][\w’'-]*)*"
)
_QUOTATION = re.compile(r"“[^“”]{0,600}”|\"[^\"]{0,600}\"|‘[^‘’]{10,600}’(?!\w)")
_TITLES = (
    "President|Vice President|Prime Minister|Foreign Minister|Defense Minister|Finance Minister|Secretary of"
    " State|Defense Secretary|Treasury Secretary|Senator|Sen\\.|Representative|Rep\\.|Governor|Gov\\.|Mayor"
    "|Judge|Justice|General|Gen\\.|Attorney General|Chancellor|King|Queen|Prince|Princess|Pope|Captain"
    "|Capt\\.|Dr\\.|Coach|Professor|Commissioner|Sheriff|Chief Executive|CEO|Colonel|Col\\.|Minister|Speaker"
)
_NOT_NAMES = {
    *_MONTHS,
    *_DAYS,
    *_listed("I I’m I’ve I’ll I’d Mr Mrs Ms Dr Sen Rep Gov Gen Lt Capt Col Jr St TV OK No CEO UK US"),
    *re.findall(r"[A-Z][a-z]+", _TITLES),
    *_listed(
        "It He She They We You This That These Those There But And The A An In On At As If So Its His Her"
    ),
}


def names_in(text: str, common: frozenset[str]) -> list[Part]:
    """Runs of capitalised words that are no title, day, month or ordinary word at a beginning."""
    found = []
    for match in _NAME.finditer(text):
        words = [(m.start(), m.group()) for m in re.finditer(r"\S+", match.group())]
        while words and (words[0][1] in _NOT_NAMES or words[0][1].lower() in common):
            words.pop(0)
        if not words or any(re.sub(r"[’']s?$", "", word) in _NOT_NAMES for _, word in words):
            continue
        start = match.start() + words[0][0]
        name = re.sub(r"[’']s?$", "", text[start : match.end()])
        if len(name) > 2 and not re.search(r"[’'](?:d|ll|re|ve|m)\b|^[A-Z]?\d", name):
            found.append(Part(start, start + len(name), name))
    return found


@lru_cache(maxsize=512)
def values_in(text: str) -> tuple[Part, ...]:
    """The values of a text, days of a month and what stands in a quotation aside."""
    apart = [match.span() for match in _DAY_OF_MONTH.finditer(text)] + _quoted(text)
    return tuple(
        Part(match.start(), match.end(), match.group(), _kind(match))
        for match in _VALUE.finditer(text)
        if not any(start <= match.start() < end for start, end in apart)
    )


def _kind(match: re.Match[str]) -> str:
    if match["percent"]:
        return "percent"
    if match.group()[0] in "$€£":
        return "money"
    return "year" if re.fullmatch(r"1\d{3}|20\d\d", match.group()) else "count"


def _quoted(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _QUOTATION.finditer(text)]


def _free(text: str, pattern: str | re.Pattern[str]) -> list[re.Match[str]]:
    """Where the pattern matches outside quotations."""
    inside = _quoted(text)
    return [m for m in re.finditer(pattern, text) if not any(a <= m.start() < b for a, b in inside)]


def _with(text: str, part: Part | re.Match[str], new: str) -> str:
    start, end = (part.start, part.end) if isinstance(part, Part) else part.span()
    return text[:start] + new + text[end:]


def _exchanged(text: str, one: Part, other: Part) -> str:
    """The text with the two parts in each other's place."""
    first, last = _ordered(one, other)
    between = text[first.end : last.start]
    return text[: first.start] + last.text + between + first.text + text[last.end :]


def _within(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None


def _claiming(pair: Pair, claim: str | None) -> Pair | None:
    return replace(pair, claim=claim) if claim else None


def _shuffled(items: Sequence[_T], chance: Random) -> list[_T]:
    return chance.sample(items, len(items))


# What is not in the source


def _digit(pair: Pair, background: Background, chance: Random) -> Pair | None:
    for value in _shuffled(values_in(pair.claim), chance):
        digits = [at for at in range(value.start, value.end) if pair.claim[at].isdigit()]
        if not digits:
            numeral = chance.choice(_NUMERALS)
            if value.text.lower() in _NUMERALS and not _within(numeral, pair.shown):
                new = numeral.capitalize() if value.text[0].isupper() else numeral
                return _claiming(pair, _with(pair.claim, value, new))
            continue
        at = chance.choice(digits[:2])  # a digit far behind could be a rounding
        digit = chance.choice([one for one in "123456789" if one != pair.claim[at]])
        claim = pair.claim[:at] + digit + pair.claim[at + 1 :]
        number = re.sub(r"[^\d.,]", "", claim[value.start : value.end])
        if value.kind != "year" and not _within(number, pair.shown):
            return _claiming(pair, claim)
    return None


_UNITS = (
    "seconds minutes hours days weeks months years",
    "miles kilometers meters feet inches yards acres",
    "pounds kilograms tons tonnes ounces",
    "dollars euros yen rupees pesos",
    "gallons liters barrels",
)


def _unit(pair: Pair, background: Background, chance: Random) -> Pair | None:
    for value in _shuffled(values_in(pair.claim), chance):
        rest = pair.claim[value.end :]
        for group in map(str.split, _UNITS):
            found = re.match(rf"[\s-](?P<unit>{'|'.join(group)})\b", rest)
            far = [
                unit for unit in group if found and unit != found["unit"] and not _within(unit, pair.shown)
            ]
            if found and far:
                start = value.end + found.start("unit")
                return _claiming(
                    pair,
                    pair.claim[:start] + chance.choice(far) + pair.claim[value.end + found.end("unit") :],
                )
        if value.kind == "money":
            signs = [sign for sign in "$€£" if sign not in pair.shown]
            if signs:
                return _claiming(pair, _with(pair.claim, value, chance.choice(signs) + value.text[1:]))
    return None


def _scale(pair: Pair, background: Background, chance: Random) -> Pair | None:
    for value in _shuffled(values_in(pair.claim), chance):
        scale = next((one for one in _SCALES if value.text.endswith(f" {one}")), None)
        if scale:
            new = value.text.replace(scale, chance.choice([one for one in _SCALES[1:] if one != scale]))
        elif re.search(r"\d,000$", value.text):
            new = value.text + ",000"
        else:
            continue
        if not _within(new, pair.shown):
            return _claiming(pair, _with(pair.claim, value, new))
    return None


def _date(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """Another month, weekday, day of the month or year."""
    claim = pair.claim
    changes: list[str] = []
    for found in _free(claim, rf"\b(?:{'|'.join(_DAYS)})\b"):
        changes += [
            _with(claim, found, day) for day in chance.sample(_DAYS, 3) if not _within(day, pair.shown)
        ][:1]
    for found in _free(claim, rf"(?:(?<=in )|(?<=since )|(?<=last )|(?<=until ))(?:{'|'.join(_MONTHS)})\b"):
        changes += [
            _with(claim, found, month) for month in chance.sample(_MONTHS, 3) if month[:3] not in pair.shown
        ][:1]
    for found in _free(claim, _DAY_OF_MONTH):
        group = "day" if found["day"] else "first"
        day = str(chance.randint(1, 28))
        if not _within(day, pair.shown):
            changes.append(claim[: found.start(group)] + day + claim[found.end(group) :])
    for value in values_in(claim):
        year = str(int(value.text) + chance.choice((-7, -4, -3, 2, 5))) if value.kind == "year" else ""
        if year and not _within(year, pair.shown):
            changes.append(_with(claim, value, year))
    return _claiming(pair, chance.choice(changes)) if changes else None


def _name(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """A name of another article, as long, in the place of one of the claim's."""
    known = pair.shown + " ".join(cited.text for cited in pair.elsewhere)
    for name in _shuffled(_open_names(pair.claim, background), chance):
        size = len(name.text.split())
        if size > 2 or not _within(name.text, pair.shown):
            continue
        for new in chance.sample(background.names, min(20, len(background.names))):
            if len(new.split()) == size and not any(_within(word, known) for word in new.split()):
                return _claiming(pair, _with(pair.claim, name, new))
    return None


def _open_names(text: str, background: Background) -> list[Part]:
    """The names that stand outside quotations."""
    inside = _quoted(text)
    return [n for n in names_in(text, background.common) if not any(a <= n.start < b for a, b in inside)]


def _quote(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """A word of a quotation changed into one that no cited sentence has."""
    marks = [span for span in _quoted(pair.claim) if len(pair.claim[slice(*span)].split()) > 2]
    for start, end in _shuffled(marks, chance):
        words = [
            m for m in re.finditer(r"(?<![\w’'])[a-z]{5,}(?![\w’'])", pair.claim) if start < m.start() < end
        ]
        if not words:
            continue
        word = chance.choice(words)
        for new in chance.sample(background.longer, min(40, len(background.longer))):
            if new[-2:] == word.group()[-2:] and not _within(new, pair.shown):
                return _claiming(pair, _with(pair.claim, word, new))
    return None


def _marker(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """The claim with another sentence of the same article, which has little of it."""
    own = _content(pair.claim)
    usable = [
        cited
        for cited in pair.elsewhere
        if len(own & _content(" ".join((*cited.before, cited.text)))) < 0.34 * len(own)
    ]
    return replace(pair, evidence=(chance.choice(usable),)) if len(own) > 3 and usable else None


def _content(text: str) -> frozenset[str]:
    return frozenset(word.lower()[:6] for word in re.findall(r"[\w’'-]{4,}|\d+", text))


# What belongs to something else in the same sentence


def _value_exchanged(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """Another value of the sentence, of the same kind, where the claim has one."""
    own = [value for value in values_in(pair.claim) if _counts(pair.claim, value)]
    for one in _shuffled(own, chance):
        for other in _shuffled([v for v in own if v.kind == one.kind and v.start > one.start], chance):
            between = pair.claim[one.end : other.start]
            if one.text.lower() != other.text.lower() and _apart(between) and _differ(pair.claim, one, other):
                return _claiming(pair, _exchanged(pair.claim, one, other))
    mentioned = {value.text.lower() for value in own}
    for one in _shuffled(own, chance):
        for cited in pair.evidence:
            others = [v for v in values_in(cited.text) if v.kind == one.kind and _counts(cited.text, v)]
            here = [v for v in others if v.text.lower() == one.text.lower()]
            far = [
                v
                for v in others
                if v.text.lower() not in mentioned
                and here
                and all(_apart(cited.text[min(v.end, h.end) : max(v.start, h.start)]) for h in here)
            ]
            if far:
                new = chance.choice(far).text
                return _claiming(pair, _with(pair.claim, one, _cased(new, one.text)))
    return None


def _counts(text: str, value: Part) -> bool:
    """Whether it is a value by itself: no "Game 6", no "two in 10", no end of a range."""
    before, after = text[: value.start], text[value.end :]
    named = value.kind == "count" and re.search(r"(?:(?<=\w )[A-Z][\w’-]*|\w+ in) $", before)
    ranged = re.search(r"\b(?:[Bb]etween|[Ff]rom) $", before)
    shared = re.match(r" (?:in|of|out of) (?:\d+|two|five|ten)\b", after)
    return not (named or ranged or shared)


def _cased(new: str, old: str) -> str:
    return new[0].upper() + new[1:] if old[0].isupper() else new


def _apart(between: str) -> bool:
    """Whether what stands between two parts keeps them from being a range, a list or alternatives."""
    words = [word for word in re.findall(r"[^\W\d_]+", between) if word not in _LINKS]
    return len(words) >= 3 and any(word.islower() for word in words)


_LINKS = set(_listed("and or to from between than of the a an with in"))


def _differ(text: str, one: Part, other: Part) -> bool:
    """Whether the words beside two values are not the same: in "5 here and 7 here" they mean alike."""
    after = [re.findall(r"\w+", text[value.end : value.end + 40])[:2] for value in (one, other)]
    return after[0] != after[1]


_SYMMETRIC = re.compile(
    r"\b(?:met|meet|meets|meeting|talks|married|versus|vs|played|plays|play|borders?|shared?|shares|alongside"
    r"|joined|divorced|dated|spoke with|talked|drew|both|each other|respectively|also known as|formerly)\b"
)


def _name_exchanged(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """Two names of the claim in each other's place, or a name of the sentence in the place of another."""
    if _SYMMETRIC.search(pair.shown):
        return None
    own = _open_names(pair.claim, background)
    for one in _shuffled(own, chance):
        for other in _shuffled([name for name in own if name.start > one.start], chance):
            if _distinct(one, other) and _unlinked(pair.claim, one, other):
                return _claiming(pair, _exchanged(pair.claim, one, other))
    for one in _shuffled(own, chance):
        for cited in pair.evidence:
            far = [
                name
                for name in _open_names(cited.text, background)
                if not _within(name.text, pair.claim)
                and _distinct(name, one)
                and all(
                    _distinct(name, here) and _unlinked(cited.text, *_ordered(name, here))
                    for here in _open_names(cited.text, background)
                    if _content(here.text) & _content(one.text)
                )
            ]
            if far and _within(one.text, cited.text):
                return _claiming(pair, _with(pair.claim, one, chance.choice(far).text))
    return None


def _distinct(one: Part, other: Part) -> bool:
    """Whether two names are of different things, and alike enough to be taken for one another."""
    sizes = {min(2, len(name.text.split())) for name in (one, other)}
    return len(sizes) == 1 and not _content(one.text) & _content(other.text)


_VERBS = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|said|says|told|made|took|won|lost|beat|led|gave|sent|went"
    r"|became|[a-z]{3,}ed|[a-z]{3,}(?<!s)s)\b"
)


def _unlinked(text: str, first: Part, last: Part) -> bool:
    """Whether a verb stands between two names, and no list that holds both."""
    between = text[first.end : last.start]
    listed = re.search(r"^(?:,[^,]{0,40})*,? (?:and|or) (?:\w+ )?$", between)
    belongs = re.match(r"[’']s?\b", between)
    return bool(_VERBS.search(between)) and _apart(between) and not listed and not belongs


def _title(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """A title or an apposition, given to another person of the sentence."""
    claim = pair.claim
    titled = [
        (Part(m.start("title"), m.end("title"), m["title"]), m["name"])
        for m in _free(claim, rf"\b(?P<title>{_TITLES}) (?P<name>[A-Z][\w’-]+(?: [A-Z][\w’-]+)?)")
        if not re.match(r"(?:Assembly|Department|House|Office|Court|Council|Club|of)\b", m["name"])
    ]
    for title, name in _shuffled(titled, chance):
        for other, of in titled:
            if title.start < other.start and title.text != other.text and not _content(name) & _content(of):
                return _claiming(pair, _exchanged(claim, title, other))
    names = _open_names(claim, background)
    for one in _shuffled(names, chance):
        others = [
            name
            for name in names
            if _distinct(one, name) and len(name.text.split()) == len(one.text.split())
            if _could_speak(claim, name) and not _has_role(claim, name)
            if _unlinked(claim, *_ordered(one, name))
        ]
        if others and _has_role(claim, one):
            return _claiming(pair, _exchanged(claim, one, chance.choice(others)))
    return None


def _has_role(text: str, name: Part) -> bool:
    """Whether a role that one person has stands right before the name, or in an apposition after it."""
    after = re.match(
        rf", (?:an? |the |[^,]{{2,40}}[’']s? )[^,]{{0,60}}\b(?:{_ROLES})\b[^,]{{0,60}}[,.]", text[name.end :]
    )
    before = re.search(rf"\b(?:{_ROLES})\s$", text[: name.start], re.IGNORECASE)
    return bool(after or before)


def _ordered(one: Part, other: Part) -> tuple[Part, Part]:
    return (one, other) if one.start < other.start else (other, one)


_ROLES = (
    "president|director|chief|minister|secretary|head|chair|chairman|chairwoman|manager|executive|CEO"
    "|spokesman|spokeswoman|spokesperson|analyst|lawyer|attorney|editor|founder|leader|governor|mayor"
    "|judge|commissioner|ambassador|economist|coach|captain|officer|strategist|sheriff|chancellor"
)
_REPORTS = "said|says|told|warned|argued|insisted|wrote|claimed|acknowledged|noted|added(?= that\\b|[,.])"


def _speaker(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """What one said, said by another person of the sentence."""
    claim = pair.claim
    names = _open_names(claim, background)
    reporting = [
        name
        for name in names
        if re.match(rf" (?:{_REPORTS})\b", claim[name.end :])
        or re.search(r"\b(?:said|says|added|told) $", claim[: name.start])
    ]
    for one in _shuffled(reporting, chance):
        if claim[: one.start].endswith(" and "):  # others said it too
            continue
        others = [
            name
            for cited in pair.evidence
            for name in _open_names(cited.text, background)
            if _distinct(one, name) and _could_speak(cited.text, name) and _parted(cited.text, one, name)
            if name.text not in {other.text for other in reporting}
        ]
        if others:
            new = chance.choice(others).text
            if other := next((name for name in names if name.text == new), None):
                return _claiming(pair, _exchanged(claim, one, other))
            return _claiming(pair, _with(claim, one, new))
    return None


def _parted(text: str, one: Part, other: Part) -> bool:
    """Whether the other name is no neighbour of the first: "Army Maj. Curtis Kellogg" is one person."""
    return one.text not in text[max(0, other.start - 40) : other.start] + text[other.end : other.end + 40]


def _could_speak(text: str, name: Part) -> bool:
    """Whether it is no place, nationality or possessive, as far as its neighbours tell."""
    placed = re.search(r"\b(?:in|at|near|across|on|of|from|to|the|and|for) (?:the )?$", text[: name.start])
    acts = re.match(r",|\.$| (?:[a-z]+ed|said|says|told|is|was|has|had|will|would|who)\b|$", text[name.end :])
    return acts is not None and not placed


_ASYMMETRIC = (
    "beat|beats|defeated|accused|sued|killed|shot|attacked|arrested|praised|criticized|criticised|told|urged"
    "|asked|hired|fired|replaced|succeeded|bought|acquired|invaded|warned|endorsed|backed|appointed|named"
    "|charged|convicted|rejected|approved|passed|blocked|banned|ordered|launched|announced|signed|released"
    "|published|filed|opened|closed|cut|raised|lowered|won|hit|struck|destroyed|damaged|overturned|upheld"
    "|sentenced|found|detained|evacuated|rescued|seized|captured|recruited|led|founded|directed|wrote"
    "|designed|developed|produced|owns|runs|leads|visited|thanked|blamed|mocked|supported|opposed|imposed"
)
_NOUN = r"(?:(?:The|the|A|a|An|an|His|his|Her|her|Its|its|Their|their) )?(?:[\w’-]+ ){0,3}?[\w’-]+"
_TRANSITIVE = re.compile(
    rf"^(?P<one>{_NOUN}) (?P<verb>(?:has |have |had |also )?(?:{_ASYMMETRIC})) (?P<other>{_NOUN})"
    r"(?=[.,;]| (?:on|in|at|after|for|over|by|during|as|with|when|while|because|to|from|that|who|earlier"
    r"|last)\b)"
)
_NO_NOUN = re.compile(
    r"(?i)\b(?:and|or|it|he|she|they|we|you|i|which|who|that|this|these|those|there|him|them|us|me|not|of|by"
    r"|to|in|on|at|for|with|from|as|but|if|when|while|after|before|out|up|down|off|over|back|guilty|himself"
    r"|herself|themselves|itself|although|though|since|because|last|where|more|than|yesterday|today|has|have|had"
    r"|was|were|is|are|been|be|also|so|how"
    rf"|{'|'.join(_DAYS)})\b|\d|\b(?:Sen|Rep|Gov|Gen|Dr|Mrs?|Ms|St)$"
)


def _roles(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """Who did it and to whom it was done, in each other's place."""
    found = _TRANSITIVE.match(pair.claim)
    if not found or _quoted(pair.claim[: found.end()]):
        return None
    one, other = found["one"], found["other"]
    if any(_NO_NOUN.search(noun) for noun in (one, other)):
        return None
    if other.split()[0].lower() in background.common and other[0].islower() and len(other.split()) == 1:
        return None  # an adverb, or a mass noun that reads as one
    subject = other[0].upper() + other[1:]
    first = one.split()[0]
    article = first.lower() in _listed("the a an his her its their")
    named = first.lower() not in background.common or re.match(r"[A-Z]\S+ [A-Z]", one)
    kept = one[0].lower() + one[1:] if article or (not named and first.endswith("s")) else one
    return _claiming(pair, f"{subject} {found['verb']} {kept}{pair.claim[found.end() :]}")


# Modality


_NEGATIVE = re.compile(
    r"(?i)\b(?:not|never|no|none|nobody|nothing|nor|neither|without|cannot|hardly|barely|only|unless|whether"
    r"|until|refused?|denied|deny|failed|fails|unable|unlikely)\b|n[’']t\b"
)


def _negated(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """A "not" after the first verb that takes one."""
    if _NEGATIVE.search(pair.claim) or _NEGATIVE.search(" ".join(cited.text for cited in pair.evidence)):
        return None
    verbs = _free(pair.claim, r"(?<=\w )(?:is|are|was|were|has|have|had|will|would|can|must)(?= [a-z]+)")
    usable = [m for m in verbs if not re.match(r" (?:to|been to|had|a lot)\b", pair.claim[m.end() :])]
    if not usable or pair.claim.endswith("?"):
        return None
    before, after = pair.claim[: usable[0].end()], pair.claim[usable[0].end() :]
    asked = re.search(r"\b(?:if|when|what|how)\b", before)
    return None if asked else _claiming(pair, f"{before} not{after}")


_AUXILIARY = r"is|are|was|were|has|have|had|will|would|can|could|should|must|did|does|do|be"
_REMOVED: Mapping[str, str] = {
    rf"(?<= )(?:{_AUXILIARY})(?P<gone> not)(?: yet)? "
    r"(?!only|just|necessarily|alone|until|all\b|every|a\b|an\b|the\b)": "",
    r"\b(?:is|are|was|were|has|have|had|would|could|should|did|does|do)(?P<gone>n[’']t)\b"
    r"(?! (?:only|just|until))": "",
    r"\b(?P<gone>won[’']t)\b": "will",
    r"\b(?P<gone>can[’']t|cannot)\b": "can",
    rf"(?<= )(?:{_AUXILIARY})(?P<gone> (?:never|no longer)) ": "",
    r"\b(?P<gone>without) (?=a\b|any\b|the\b|an\b)": "with",
}


def _affirmed(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """The negation gone, where there is only one and nothing is set against it."""
    if len(_NEGATIVE.findall(pair.claim)) != 1 or re.search(
        r"(?i)\b(?:but|if|why|instead|rather|whether|or|any|anyone|anything|either)\b", pair.claim
    ):
        return None
    for pattern, new in _REMOVED.items():
        for found in _free(pair.claim, pattern)[:1]:
            claim = pair.claim[: found.start("gone")] + new + pair.claim[found.end("gone") :]
            return _claiming(pair, re.sub(r" yet\b", "", claim))
    return None


_CONDITION = re.compile(r"(?i)\b(?:if|when|once|whoever|anyone|would|eyes)\b")
_NOUN_BEFORE = re.compile(r"\b(?:has|have|had|the|an?|its|their|his|her|any|no|of|with|and|or|[a-z]+ed) $")
_PLANS = re.compile(
    r"(?<= )(?P<plan>will|(?:plans?|intends?|hopes?|aims?|vowed|pledged|promised|proposed) to"
    r"|(?:is|are) (?:expected|set|due|likely|scheduled|planning) to) (?P<verb>[a-z]{2,})\b"
)
_PARTICIPLES = dict(
    pair.split("/")
    for pair in _listed(
        "make/made take/taken give/given hold/held send/sent buy/bought sell/sold build/built cut/cut"
        " lose/lost win/won begin/begun leave/left meet/met pay/paid bring/brought become/become"
        " go/gone come/come run/run fall/fallen rise/risen grow/grown speak/spoken stand/stood"
        " see/seen show/shown set/set put/put hit/hit get/gotten withdraw/withdrawn spend/spent"
        " lead/led fight/fought seek/sought"
    )
)
_LASTING = set(
    _listed("be have continue remain keep stay need want likely include depend require never always also")
)
_PAST = re.compile(r"[a-z]+ed")


def _done(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """A plan told as done: "will cut" as "has cut"."""
    if _NEGATIVE.search(pair.claim) or _CONDITION.search(pair.claim):
        return None
    for found in _free(pair.claim, _PLANS)[:1]:
        if _NOUN_BEFORE.search(pair.claim[: found.start()]):  # "have promised to", "their plan to"
            continue
        verb = found["verb"]
        after = pair.claim[found.end() :]
        if verb == "be" and re.match(r" (?:[a-z]+ed|[a-z]+n|held|made|sent|built|sold|paid)\b", after):
            participle: str | None = "been"
        else:
            participle = None if verb in _LASTING else _participle(verb, background)
        if not participle:
            continue
        many = re.search(r"(?:[^s]s|(?i:they|we|you|I|people)) $", pair.claim[: found.start()])
        plural = many or re.match(r"(?:plan|intend|hope|aim|are)\b", found["plan"])
        return _claiming(pair, _with(pair.claim, found, f"{'have' if plural else 'has'} {participle}"))
    return None


def _participle(verb: str, background: Background) -> str | None:
    """The participle of a regular verb that the corpus has, or of a common irregular one."""
    if verb in _PARTICIPLES:
        return _PARTICIPLES[verb]
    regular = [
        verb + "ed",
        verb + "d" if verb.endswith("e") else "",
        re.sub("y$", "ied", verb),
        verb + verb[-1] + "ed",
    ]
    return next((form for form in regular if _PAST.fullmatch(form) and form in background.words), None)


_LIMITS = re.compile(
    r"(?i)(?:at least|at most|about|around|roughly|nearly|almost|over|under|up to|approximately|some"
    r"|more than|less than|fewer than|only|just|the|all|every|each|next|past|last|first|record|as|other"
    r"|another|these|those|his|her|its|their|by|from|to|and|than|of|aged?|an? )\s*$"
)


def _at_least(pair: Pair, background: Background, chance: Random) -> Pair | None:
    known = r"(?i)more than|over|minimum|or more|\bmin\b|up to|least|\bago\b|(?:and|or) (?:up|older)"
    return _limited(pair, chance, "at least", known)


def _only_number(pair: Pair, background: Background, chance: Random) -> Pair | None:
    return _limited(pair, chance, "only", r"(?i)\b(?:only|just|sole|merely|alone|single|exclusively)\b")


def _limited(pair: Pair, chance: Random, limit: str, known: str) -> Pair | None:
    """The limit before a counted value that has none."""
    if re.search(known, pair.shown):
        return None
    for value in _shuffled(values_in(pair.claim), chance):
        before = pair.claim[: value.start]
        counted = value.kind != "year" and re.match(
            r"[\s-](?!out\b|of\b|years? old)[a-z]{3,}", pair.claim[value.end :]
        )
        if before and counted and not _LIMITS.search(before):
            return _claiming(pair, f"{before}{limit} {pair.claim[value.start :]}")
    return None


def _only(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """An "only" before a value, or before who did it."""
    names = _open_names(pair.claim, background)
    known = re.search(r"\b(?:only|just|sole|alone)\b", pair.shown)
    acts = names and names[0].start == 0 and re.match(r" [a-z]+", pair.claim[names[0].end :])
    if acts and not known and chance.random() < 0.5:
        return _claiming(pair, f"Only {pair.claim}")
    return _only_number(pair, background, chance)


def _all(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """All of them where the sentence has some."""
    if re.search(r"(?i)\b(?:all|every|each|both|entire|whole|everyone)\b", pair.shown):
        return None
    some = (
        r"(?<![\w’-])(?i:some|many|most|several|dozens of|hundreds of|thousands of|a number of)"
        r"(?= (?!days|weeks|months|years|hours|minutes|times)[a-z]+s\b)"
    )
    for found in _free(pair.claim, some)[:1]:
        if not re.search(r"\b(?:the|at|not|so|of|how|as) $", pair.claim[: found.start()]):
            return _claiming(pair, _with(pair.claim, found, _cased("all", found.group())))
    return None


def _first(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """For the first time, where nothing says so."""
    known = r"first|second|never|new|debut|inaugural|unprecedented|historic|since|still|ever|longest"
    if re.search(rf"(?i)\b(?:{known})\b", pair.shown):
        return None
    done = re.match(
        rf"(?P<main>[^,“”\"]+?\b(?:{_ASYMMETRIC}|was|were|has|won|became)\b[^,“”\"]+)\.$", pair.claim
    )
    if not done or re.search(r"\b(?:will|would|may|might|could|said|says|told|not)\b", pair.claim):
        return None
    return _claiming(pair, f"{done['main']} for the first time.")


_WHO = (
    rf"(?:[^,“”\"]{{2,70}} (?:{_REPORTS})|(?:said|says) [A-Z][^,“”\"]{{2,70}}"
    r"|according to [^,“”\"]{2,70})"
)


def _unattributed(pair: Pair, background: Background, chance: Random) -> Pair | None:
    """What somebody said, as a fact."""
    if re.search(r"[“”\"]", pair.claim):
        return None
    trailing = re.fullmatch(rf"(?P<said>.{{20,}}?), {_WHO}(?: (?:on|in|at|last) [^,]{{2,40}})?\.", pair.claim)
    leading = re.fullmatch(
        r"(?:[^,]{2,60}|[^,]{2,40}, [^,]{2,40},) (?:said|says|warned|argued|claimed|added)(?: on \w+day)?"
        r",? that (?P<said>.{20,})",
        pair.claim,
    ) or re.fullmatch(r"According to [^,]{2,60}, (?P<said>.{20,})", pair.claim)
    found = trailing or leading
    leans = r"(?i)(?:he|she|it|they|his|her|their|we|I|since|because|as|while|but)\b"
    if not found or re.match(leans, found["said"]):
        return None
    said = found["said"].rstrip(".")
    return (
        None
        if re.search(rf"\b(?:{_REPORTS}|according)\b", said)
        else _claiming(pair, f"{said[0].upper()}{said[1:]}.")
    )


KINDS: Mapping[str, Generator] = {
    "digit": _digit,
    "unit": _unit,
    "scale": _scale,
    "date": _date,
    "name": _name,
    "quote": _quote,
    "marker": _marker,
    "value of something else": _value_exchanged,
    "name exchanged": _name_exchanged,
    "title given away": _title,
    "speaker exchanged": _speaker,
    "subject and object": _roles,
    "negation added": _negated,
    "negation removed": _affirmed,
    "plan told as done": _done,
    "only added": _only,
    "at least added": _at_least,
    "all added": _all,
    "first added": _first,
    "attribution dropped": _unattributed,
}
