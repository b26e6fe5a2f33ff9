"""Where reports differ: two articles that give other values for the thing that was asked.

Of the found passages' sentences, those that share the question's words and hold a number, an
amount or a date are held against each other. They differ where the same is counted, measured or
dated, in the same period and of the same names, and no rounding or bound explains it. False
alarms are worse than silence here, so whatever speaks for two things instead of one ends the
comparison. What is a fact is not decided: the newest comes first, and dates and words say
whether it updates, corrects or contradicts the other. English. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

from assistant.domain.answers import Difference, Disagreement, Side
from assistant.domain.articles import ArticleInfo
from assistant.domain.passages import RankedPassage, Sentence
from assistant.grounding.values import Value, same_value, values_in
from assistant.grounding.words import Text, lexicon, read, stem
from assistant.ports import Library
from assistant.questions import Kind, content, kind_of

_ASKING = (Kind.NUMBER, Kind.DURATION, Kind.DATE, Kind.OTHER)  # questions that a value can answer
MAX_SIDES = 3  # values in one line; a fourth says no more about how sure the thing is
_COVERED = 0.5  # share of the question's words that a sentence and its headline must hold
_ALIKE = 0.3  # share of the words around two values that must be the same
_REACH, _FADE = 12.0, 4.0  # how far words count as being around a value, and how fast less
_NEAR = 9.0  # distance up to which a word says what happened to the things that a value counts
_EXACT = 100  # whole numbers below it are counts and no roundings
_ABOUT, _BEYOND = 0.15, 0.3  # how far "about 50" and "more than 50" can be from the number meant
_START = 4  # letters by which a word of the question is looked for before anything is read
LONGEST = 600  # characters of a sentence; longer ones are lists and tables
_FIGURE = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred"
    r"|thousand|million"
    r"|billion|dozen|half|third|quarter|twice|doubl|tripl"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july"
    r"|august|september"
    r"|october|november|december|tomorrow|yesterday|today|next|last)",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"\bcorrect(?:s|ed|ing|ion)\b|\berrat(?:um|a)\b|\bearlier (?:version|report|stor|article"
    r"|figure|said|stated)"
    r"|\b(?:mis(?:stated|reported|counted|calculated|printed|read|took)|mistak\w*|wrong\w*"
    r"|erroneous\w*|errors?|inaccurate|in fact|recount\w*)"
    r"|\brevis(?:es|ed|ion)\b|\bretract|\bnot \S+ as\b|\bdouble[- ]count|\bcounted twice\b|\bamended\b"
    r"|\bfirst (?:given|reported)|\bpreviously (?:reported|stated|said)|\binitially (?:reported"
    r"|stated|said|put|given)|\bclarifi",
    re.IGNORECASE,
)
# What is a part, a sum, an average or a stage of something else is not the same as it.
_SCOPE = re.compile(
    r"\b(?:total|overall|altogether|worldwide|globally?|nation(?:al|wide)|countrywide|whole"
    r"|entire|net|gross|operating"
    r"|pre-tax|quarter|half|average|median|finals?|qualif\w*|preliminary|polls?|surveys?|peak"
    r"|capital|daily|weekly"
    r"|monthly|annual|yearly|alone|only|exclud\w*|includ\w*|counting|combined|cumulative|across"
    r"|downtown|provisional"
    r"|metropolitan|suburbs?|among|women|men|children|maximum|minimum|record|seasonally)\b",
    re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b(?:now|has (?:since )?risen|rose|risen|climb\w*|grown|grew|up from|down from|jump\w*"
    r"|increased|fallen|fell"
    r"|dropped|postpon\w*|delay\w*|moved|resched\w*|pushed back|put (?:back|off)|brought forward"
    r"|reached|later)\b",
    re.IGNORECASE,
)
_PAST_VALUE = re.compile(
    r"\b(?:from|than|earlier|previous(?:ly)?|initial(?:ly)?|original(?:ly)?|first|not|instead of"
    r"|against)\b[^,;]{0,40}$",
    re.IGNORECASE,
)
_FORECAST = re.compile(
    r"\b(?:forecasts?|predict\w*|project(?:s|ed|ions?)|targets?|targeted|aims?|goals?|propos\w*"
    r"|request\w*|demand\w*"
    r"|sought|offer\w*|hope[sd]?|could|might|may|would|expect\w*|plans?|planned|budgeted)\b"
)
_SETTLED = re.compile(
    r"\b(?:sold|bought|paid|fined|sentenced|scored|won|voted|votes|built|founded|born|attended"
    r"|marched|crowd|seats"
    r"|stole|stolen|tall|wide|aged|years old|rallied|gathered|protesters|demonstrators|fetched|weigh\w*"
    r"|measures?|stands|opened|length|height|jailed|seized)\b"
)
_ABOUTS = re.compile(
    r"\b(?:about|around|some|roughly|approximately|nearly|almost|close to|estimated|approaching"
    r"|just (?:over|under))"
    r"(?: \w+)?\W*$"
)
_LOWEST = re.compile(r"\b(?:more than|over|upwards? of|in excess of|at least|no fewer than|exceed\w*)\W*$")
_HIGHEST = re.compile(r"\b(?:up to|as many as|as much as|fewer than|less than|under|below|at most)\W*$")
_MORE = re.compile(r"\b(?:another|additional|further|extra)\W*$|\bby\W*$")
_MORE_AFTER = re.compile(r"^\W*(?:more|others?|additional|further|extra|new)\b")
_PER = re.compile(
    r"^[^,;.]{0,20}?\b(?:per|a|an|each|every) (second|minute|hour|day|night|week|month|year|head|person)\b"
)
_AS_OF = re.compile(r"\b(?:as of|by|since|late|early|until)(?: \w+)? ?$")
_MEASURED = frozenset(
    (
        "km",
        "m",
        "cm",
        "mm",
        "mile",
        "yard",
        "foot",
        "inch",
        "kg",
        "gram",
        "tonne",
        "ton",
        "pound",
        "degree",
        "year",
    )
)
# Words that part what is counted into different things; those of one group mean one thing.
_OUTCOMES = (
    "kill die death dead toll fatality casualty perish drown",
    "injure wound hurt hospitalise hospitalised treat",
    "missing unaccounted disappear",
    "arrest detain charge jail",
    "rescue save",
    "evacuate displace homeless flee",
    "infect case",
    "destroy demolish flatten",
    "damage",
    "cost price spend budget",
    "donate",
    "revenue sales turnover",
    "profit earnings",
    "loss",
    "hire recruit",
    "open opening reopen inaugurate",
    "close closure shut",
    "begin start launch",
    "end finish expire",
    "vote election poll ballot",
    "arrive",
    "leave depart",
    "width wide",
    "length long",
    "height high tall",
)
_STEPS = (
    "rise increase climb grow jump fall drop decline reach least most total number figure now late report"
)
_ANYBODY = "people person victim dead death fatality passenger resident life other"
_PARTS = (
    "child woman man girl boy police officer firefighter soldier student pupil teacher tourist foreigner"
    " crew civilian adult teenager baby infant worker nurse doctor"
)


@dataclass(frozen=True, eq=False)
class Stated:
    """A sentence of an article, to be held against those of others."""

    article: ArticleInfo
    sentence: Sentence

    @property
    def day(self) -> date | None:
        """The day on which the article appeared."""
        return self.article.published.day if self.article.published else None

    @cached_property
    def text(self) -> Text:
        """The sentence, read."""
        return read(self.sentence.cleaned)

    @cached_property
    def title(self) -> Text:
        """The headline, read."""
        return read(self.article.title or "")

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Its values; relative dates count from the day of the article."""
        return values_in(self.sentence.cleaned, self.day)

    @cached_property
    def names(self) -> frozenset[str]:
        """The stems of its names, but for those who only say it."""
        return frozenset(
            stem(word)
            for name in self.text.names
            if not name.unsure and not self._speaks(name.first, name.last)
            for word in name.words
        )

    @cached_property
    def known(self) -> frozenset[str]:
        """The stems of sentence and headline."""
        return self.text.stems | self.title.stems

    @property
    def said(self) -> str:
        """Headline and sentence."""
        return f"{self.article.title or ''}. {self.sentence.cleaned}"

    def before(self, value: Value) -> str:
        """The text up to the value, in lower case."""
        return self.sentence.cleaned[: value.start].lower()

    def after(self, value: Value) -> str:
        """The text behind the value, in lower case."""
        return self.sentence.cleaned[value.end :].lower()

    def _speaks(self, first: int, last: int) -> bool:
        said = lexicon()["said"]
        around = (*range(max(0, first - 5), first), *range(last, last + 5))
        return any(self.text.lower(at) in said for at in around) or "according" in (
            self.text.lower(at) for at in range(max(0, first - 6), first)
        )


def stated(passages: Sequence[RankedPassage], library: Library) -> list[Stated]:
    """The sentences of the passages, the best passage first, each sentence once."""
    found: dict[tuple[str, int], Stated] = {}
    by_article: dict[str, list[Sentence]] = {}
    for each in passages:
        info = each.article
        if info.id not in by_article:
            by_article[info.id] = library.sentences(info.id)
        for sentence in by_article[info.id]:
            if each.passage.holds(sentence):
                found.setdefault((info.id, sentence.span.start), Stated(info, sentence))
    return list(found.values())


def disagreements(question: str, reports: Sequence[Stated]) -> tuple[Disagreement, ...]:
    """What the reports give different values for; each with its values, the newest first."""
    asked = read(content(question))
    kind = kind_of(question)
    if not asked.stems or kind not in _ASKING:
        return ()
    starts = {word.lower[:_START] for word in asked.words if word.content}
    fitting = [one for one in reports if _may_fit(starts, one) and _fits(asked, one)]
    groups: list[list[tuple[Stated, Value]]] = []
    for a, b in combinations(fitting, 2):
        if a.article.id == b.article.id or a.article.fiction != b.article.fiction:
            continue
        if pair := _differing(kind, asked, a, b):
            _join(groups, pair)
    return tuple(_disagreement(group) for group in groups)


def _may_fit(starts: Collection[str], one: Stated) -> bool:
    """Whether it is worth reading: it holds a value, and a word of the question begins one of its own."""
    if len(one.sentence.cleaned) > LONGEST or not _FIGURE.search(one.sentence.cleaned):
        return False
    said = one.said.lower()
    return any(start in said for start in starts)


def _fits(asked: Text, one: Stated) -> bool:
    shared = asked.stems & one.known
    return len(shared) >= _COVERED * len(asked.stems) and bool(asked.stems & one.text.stems)


def _join(groups: list[list[tuple[Stated, Value]]], pair: tuple[tuple[Stated, Value], ...]) -> None:
    """Add the pair to the group that has one of its articles already, or begin another."""
    for group in groups:
        articles = {one.article.id for one, _ in group}
        if articles.isdisjoint(one.article.id for one, _ in pair):
            continue
        for one, value in pair:
            new = one.article.id not in articles and not any(same_value(value, other) for _, other in group)
            if new and len(group) < MAX_SIDES:
                group.append((one, value))
        return
    groups.append(list(pair))


def _disagreement(group: Sequence[tuple[Stated, Value]]) -> Disagreement:
    ordered = sorted(group, key=lambda side: _order(side[0]), reverse=True)
    kind = _kind(ordered[0], ordered[1])
    sides = (Side(value.text, one.article, one.sentence.span, one.sentence.text) for one, value in ordered)
    return Disagreement(kind, tuple(sides))


def _order(one: Stated) -> tuple[date, bool, object]:
    """By day, of one day the one that corrects; undated reports come last."""
    published = one.article.published
    corrects = bool(_CORRECTS.search(one.said))
    return (published.day, corrects, published.order()[1:]) if published else (date.min, corrects, ())


def _kind(newer: tuple[Stated, Value], older: tuple[Stated, Value]) -> Difference:
    (new, value), (old, former) = newer, older
    if _CORRECTS.search(new.said) or (new.article.corrects and new.article.corrects == old.article.id):
        return Difference.CORRECTION
    if new.day is None or old.day is None:
        return Difference.CONFLICT
    if _order(new) > _order(old) and _MOVES.search(new.said):
        return Difference.UPDATE
    if (new.day - old.day).days < 1 or _is_settled(new, value, old) or _is_settled(old, former, old):
        return Difference.CONFLICT
    return Difference.UPDATE


def _is_settled(one: Stated, value: Value, older: Stated) -> bool:
    """Whether the value is one that no longer changes: a length, a price that was paid, a past day."""
    if value.kind == "date":
        return bool(value.days and older.day and value.days[0][1] < older.day)
    return value.unit in _MEASURED or bool(_SETTLED.search(one.sentence.cleaned.lower()))


# Whether two reports speak of one thing


def _differing(
    kind: Kind, asked: Text, a: Stated, b: Stated
) -> tuple[tuple[Stated, Value], tuple[Stated, Value]] | None:
    """The values in which the two differ; None when there are none, or when they may be of two things."""
    if not _same_topic(a, b):
        return None
    best: tuple[float, Value, Value] | None = None
    for x in _candidates(kind, a):
        for y in _candidates(kind, b):
            if x.kind != y.kind or not _comparable(x, y) or _agree(a, x, b, y):
                continue
            likeness = max(_likeness(a, x, b, y), _ALIKE * _counts_what_is_asked(asked, (a, x), (b, y)))
            if likeness >= _ALIKE and _same_thing(asked, a, x, b, y) and (best is None or likeness > best[0]):
                best = (likeness, x, y)
    if best is None or _known_to(a, best[1], b) or _known_to(b, best[2], a):
        return None
    return (a, best[1]), (b, best[2])


def _same_topic(a: Stated, b: Stated) -> bool:
    """No name of the one stands against another of the other, and what each forecasts does the other too."""
    mine, theirs = a.names - b.known, b.names - a.known
    if mine and theirs:
        return False
    return _words(a, _SCOPE) == _words(b, _SCOPE) and bool(_words(a, _FORECAST)) == bool(_words(b, _FORECAST))


def _words(one: Stated, pattern: re.Pattern[str]) -> set[str]:
    return set(pattern.findall(one.sentence.cleaned.lower()))


def _candidates(kind: Kind, one: Stated) -> Iterator[Value]:
    """The values that may be what the question asks for, but for those told as former ones."""
    for value in one.values:
        if value.kind in ("some", "ordinal"):
            continue
        if (kind is Kind.DATE) != (value.kind in ("date", "time")):
            continue
        if not _PAST_VALUE.search(one.before(value)) or len(one.values) == 1:
            yield value


def _comparable(x: Value, y: Value) -> bool:
    """Whether both have one unit, or are dates of one exactness."""
    if x.kind == "date":
        return bool(x.days and y.days) and _length(x) == _length(y)
    return x.unit == y.unit


def _length(value: Value) -> int:
    return min((value.days[0][1] - value.days[0][0]).days // 20, 10)


def _agree(a: Stated, x: Value, b: Stated, y: Value) -> bool:
    """Whether both can mean the same: one is the other's rounding, or within what it bounds."""
    if same_value(x, y):
        return True
    if x.kind == "date":
        return any(p[0] <= q[1] and q[0] <= p[1] for p in x.days[:2] for q in y.days[:2])
    if x.kind == "time":
        return x.form == y.form
    return _explains(a, x, y) or _explains(b, y, x) or _is_rounding(x, y) or _is_rounding(y, x)


def _explains(one: Stated, rough: Value, exact: Value) -> bool:
    before = one.before(rough)
    apart = _apart(rough.amount, exact.amount)
    if apart <= _ABOUT and _ABOUTS.search(before):
        return True
    more = exact.amount > rough.amount
    return apart <= _BEYOND and bool((_LOWEST if more else _HIGHEST).search(before))


def _apart(x: float, y: float) -> float:
    """How much more the greater is, as a share of the less."""
    return max(x, y) / min(x, y) - 1 if min(x, y) > 0 else math.inf


def _is_rounding(rough: Value, exact: Value) -> bool:
    """Whether the one is the other with fewer figures: 54,000 of 53,872, 1.2 million of 1.24 million."""
    if (
        not rough.amount
        or not exact.amount
        or (rough.amount < _EXACT and rough.amount.is_integer() and exact.amount.is_integer())
    ):
        return False
    figures = len(f"{rough.amount:.6g}".split("e")[0].replace(".", "").strip("0"))
    finer = len(f"{exact.amount:.9g}".split("e")[0].replace(".", "").strip("0"))
    return finer > figures and math.isclose(float(f"{exact.amount:.{figures}g}"), rough.amount)


def _same_thing(asked: Text, a: Stated, x: Value, b: Stated, y: Value) -> bool:
    """Whether the values count or date the same, by their nouns, what happened, and when."""
    if _is_increment(a, x) or _is_increment(b, y) or _per(a, x) != _per(b, y):
        return False
    happened = [_outcomes(one.text, *_place(one.text, value)) for one, value in ((a, x), (b, y))]
    wanted = {index for one in asked.stems for index in _OUTCOME_OF.get(one, ())}
    if happened[0] and happened[1] and not happened[0] & happened[1]:
        return False
    if wanted and any(some and not some & wanted for some in happened):
        return False
    if x.kind in ("date", "time"):
        return True
    return _counts_same(asked, _nouns(a, x), _nouns(b, y)) and _same_period(a, x, b, y)


def _is_increment(one: Stated, value: Value) -> bool:
    return bool(_MORE.search(one.before(value)) or _MORE_AFTER.search(one.after(value)))


def _per(one: Stated, value: Value) -> str:
    found = _PER.search(one.after(value))
    return found.group(1) if found else ""


def _counts_same(asked: Text, mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether the nouns behind two numbers name one thing; a part of the people is not all of them."""
    for nouns in (mine, theirs):
        if nouns and nouns[-1] in _PART_STEMS and nouns[-1] not in asked.stems:
            return False
    if not mine or not theirs:
        return True
    if set(mine) & set(theirs) - _ANYBODY_STEMS:
        return True
    return {mine[0], mine[-1]} & _ANYBODY_STEMS != set() and {theirs[0], theirs[-1]} & _ANYBODY_STEMS != set()


def _nouns(one: Stated, value: Value) -> list[str]:
    """The stems of the words right behind the number, up to the end of their phrase."""
    text, found = one.text, list[str]()
    if value.kind != "number" or value.unit:
        return found
    _, last = _place(text, value)
    for at in range(last, min(last + 4, len(text.words))):
        word = text.words[at]
        plural = at == last and word.lower.endswith("s")  # "14 cracks" is no verb
        if not word.content or (text.verbs[at] and not plural) or not word.lower[0].isalpha():
            break
        found.append(word.stem)
    return found


def _same_period(a: Stated, x: Value, b: Stated, y: Value) -> bool:
    """Whether no other date, rank or quarter in the sentences parts them."""
    mine, theirs = _periods(a, x), _periods(b, y)
    return (
        not mine
        or not theirs
        or any(
            p[0] <= q[1] and q[0] <= p[1]
            for first in mine
            for second in theirs
            for p in first
            for q in second
        )
    )


def _periods(one: Stated, value: Value) -> list[tuple[tuple[date, date], ...]]:
    """The dates of the sentence but for those on which it was said or counted."""
    said = lexicon()["said"]
    found = []
    for other in one.values:
        if other is value or other.kind != "date" or not other.days:
            continue
        first, last = _place(one.text, other)
        speech = any(
            one.text.lower(at) in said for at in (*range(max(0, first - 3), first), *range(last, last + 3))
        )
        day = (other.days[0][1] - other.days[0][0]).days == 0
        if day and (speech or _AS_OF.search(one.before(other))):
            continue
        found.append(other.days[:2])
    return found


def _likeness(a: Stated, x: Value, b: Stated, y: Value) -> float:
    """The share of the words around the values, the near ones above all, that is the same."""
    mine, theirs = _around(a, x), _around(b, y)
    least = min(sum(mine.values()), sum(theirs.values()))
    same = sum(min(weight, theirs[one]) for one, weight in mine.items() if one in theirs)
    return same / least if least else 0.0


def _counts_what_is_asked(asked: Text, *sides: tuple[Stated, Value]) -> bool:
    """Whether one counts what the question names and the other, counting nothing, stands near that word."""
    (mine, theirs) = (_nouns(one, value)[-1:] for one, value in sides)
    if bool(mine) == bool(theirs):
        return False
    other = sides[1] if mine else sides[0]
    return bool(asked.stems.intersection(mine or theirs) & _around(*other).keys())


def _around(one: Stated, value: Value) -> dict[str, float]:
    text, said = one.text, lexicon()["said"]
    first, last = _place(text, value)
    inside = {at for other in one.values for at in range(*_place(text, other))}
    found: dict[str, float] = {}
    for at in text.content:
        word = text.words[at]
        if at in inside or word.lower in said or word.stem in _SAYING_LITTLE or not word.lower[0].isalpha():
            continue
        away = text.distance(at, first) if at < first else text.distance(last - 1, at)
        if away <= _REACH:
            weight, key = math.exp(-away / _FADE), _KEYS.get(word.stem, word.stem)
            found[key] = max(weight, found.get(key, 0.0))
    return found


def _outcomes(text: Text, first: int, last: int) -> frozenset[int]:
    """The groups of the nearest word that says what happened to the things that are counted."""
    found = [
        (text.distance(at, first) if at < first else text.distance(last - 1, at), groups)
        for at in text.content
        if not first <= at < last and (groups := _OUTCOME_OF.get(text.words[at].stem))
    ]
    away, groups = min(found, default=(math.inf, ()))
    return frozenset(groups) if away <= _NEAR else frozenset()


def _place(text: Text, value: Value) -> tuple[int, int]:
    """The words from first up to last, exclusive, that the value is made of."""
    inside = [at for at, word in enumerate(text.words) if word.start < value.end and word.end > value.start]
    return inside[0], inside[-1] + 1


def _known_to(one: Stated, value: Value, other: Stated) -> bool:
    """Whether the other report has the value as well, and not as one that no longer holds."""
    return any(
        same_value(value, each) and not _PAST_VALUE.search(other.before(each))
        for each in other.values
        if each.kind == value.kind
    )


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_GROUPS = tuple(map(_stems, _OUTCOMES))
_OUTCOME_OF = {
    word: tuple(at for at, group in enumerate(_GROUPS) if word in group)
    for word in frozenset().union(*_GROUPS)
}
_KEYS = {word: f"outcome {groups[0]}" for word, groups in _OUTCOME_OF.items()}  # one word for each group
_ANYBODY_STEMS, _PART_STEMS = _stems(_ANYBODY), _stems(_PARTS)
_SAYING_LITTLE = _stems(f"{_ANYBODY} {_STEPS}") - _OUTCOME_OF.keys()
