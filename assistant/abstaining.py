"""The words of an abstention: which step found so, what the corpus covers, what it does say nearby.

A person who gets no answer can then tell a corpus that ends too early from a question that
was put too narrowly. What is known nearby is one sentence, as it stands in its article, and
never a list of sources. Where that sentence counts something otherwise than the question takes
for granted, this is said: the premise is false, and the sentence is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.domain.answers import AbstentionReason, CorpusInfo
from assistant.domain.passages import RankedPassage
from assistant.domain.text import clean, counted
from assistant.grounding.links import hosts, without_links
from assistant.grounding.markers import neutral
from assistant.grounding.values import Value, same_value, values_in
from assistant.grounding.words import read
from assistant.ports import Generation
from assistant.questions import content

_MOST_PREMISES = 5  # numbers of a question that are looked at
_MOST_NOUNS = 3  # words behind a number that name what it counts
MAX_QUOTE = 300  # characters; longer ones are lists and tables more often than sentences


def told(reason: AbstentionReason, corpus: CorpusInfo, dropped: int, *, found: bool) -> str:
    """Which step found that there is no answer, and in which articles.

    dropped: statements of a model that were left out. found: whether there was any passage.
    """
    covers = f"{corpus.name}: {counted(corpus.articles, 'article')}{_days(corpus)}"
    left_out = f"; {counted(dropped, 'statement')} left out" if dropped else ""
    if reason is AbstentionReason.REFUSAL:
        return f"The model refused to answer this question. Searched: {covers}."
    if reason is AbstentionReason.GROUNDING:
        return f"Nothing that the model wrote is supported by the articles{left_out}. Searched: {covers}."
    step = "no passage fits the question and the restrictions"
    if reason is AbstentionReason.MODEL:
        step = f"the model found no answer in the passages that it was shown{left_out}"
    elif found:
        step = "nothing that was found comes near enough to the question"
    return f"Not in the corpus ({covers}): {step}."


def nearest(question: str, ranked: Sequence[RankedPassage], generation: Generation) -> str:
    """What the best passage says about the question's terms, in one sentence, and where.

    A number of the question that it gives otherwise is named before it. The article alone, when no
    sentence of the passage has any of the terms; empty without a passage.
    """
    if not ranked:
        return ""
    best, lexical = ranked[0], generation.lexical
    rarity = lexical.idf(set(lexical.terms(content(question))))
    shared: dict[str, float] = {}
    for sentence in generation.library.sentences(best.article.id):
        if best.passage.holds(sentence):
            terms = set(lexical.terms(sentence.cleaned))
            shared[sentence.cleaned] = sum(weight for term, weight in rarity.items() if term in terms)
    closest = max(shared, key=lambda text: shared[text], default="")
    title, *dateline = map(_harmless, (best.article.label, *best.article.dateline))
    if not shared.get(closest):
        return f"Nearest article: {title} ({', '.join(dateline)})."
    premise = _false_premise(question, closest[:MAX_QUOTE])
    opening = f"The question says {premise}, and the nearest sentence otherwise" if premise else "Nearest"
    return f"{opening}: “{_short(_harmless(closest))}” ({', '.join([title, *dateline])})."


def _false_premise(question: str, sentence: str) -> str:
    """The number of the question that the sentence gives otherwise for the same thing; empty for none.

    The sentence must have all other words of the question: 3 people killed are none of 17 injured.
    """
    there = read(sentence).stems
    for value in values_in(question)[:_MOST_PREMISES]:
        thing = _counted(question, value)
        others = [other for other in values_in(sentence) if thing and _counted(sentence, other) == thing]
        if not others or any(same_value(other, value) for other in values_in(sentence)):
            continue
        if read(content(question.replace(value.text, ""))).stems <= there:
            return value.text
    return ""


def _counted(text: str, value: Value) -> str:
    """The stem of the noun that a plain number counts: "troops" of "54,000 American troops"; else empty."""
    if value.kind != "number" or value.unit:
        return ""
    parsed, found = read(text), ""
    behind = [at for at, word in enumerate(parsed.words) if word.start >= value.end][:_MOST_NOUNS]
    for at in behind:
        word = parsed.words[at]
        if not word.content or not word.lower[0].isalpha() or (found and parsed.verbs[at]):
            break
        found = word.stem
    return found


def _days(corpus: CorpusInfo) -> str:
    if corpus.oldest is None or corpus.newest is None:
        return ""
    if corpus.oldest == corpus.newest:
        return f", all of {corpus.newest.isoformat()}"
    return f", {corpus.oldest.isoformat()} to {corpus.newest.isoformat()}"


def _harmless(fact: str) -> str:
    """A text of an article, in one of ours, without what could pass for a link or a citation of ours."""
    fact = clean(fact)
    return neutral(without_links(fact, allowed=hosts(fact)))  # "Booking.com cuts jobs"


def _short(text: str) -> str:
    """The text, cut between two words where it is too long."""
    return text if len(text) <= MAX_QUOTE else f"{text[: MAX_QUOTE - 1].rsplit(' ', 1)[0]}…"
