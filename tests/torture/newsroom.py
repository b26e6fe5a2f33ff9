"""Invented articles in any number, each in any number of editions, and questions about them.

Every story is about a place of its own, whose gauge stands at a figure that only this
edition gives. All other sentences are drawn from a small stock, so that stories share
most of their words, as news does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp

ROOT = "newsroom"
_SYLLABLES = [
    "ba",
    "cor",
    "da",
    "fen",
    "gul",
    "har",
    "lin",
    "mor",
    "nau",
    "os",
    "pel",
    "quil",
    "rav",
    "sel",
    "tor",
    "ul",
    "var",
    "wex",
    "yar",
    "zan",
]
_WHO = [
    "The harbour master",
    "The ferry office",
    "A keeper",
    "The town clerk",
    "An engineer",
    "Councillor Ines Varga",
]
_DID = [
    "counted",
    "mended",
    "sold",
    "lost",
    "painted",
    "weighed",
    "moved",
    "promised",
    "inspected",
    "borrowed",
]
_WHAT = [
    "crates of salt",
    "lanterns",
    "bridge bolts",
    "nets",
    "barrels of tar",
    "oars",
    "sacks of barley",
    "café chairs",
]
_WHY = [
    "before the storm",
    "for the spring fair",
    "after a long dispute",
    "at the council’s request",
    "to everyone’s surprise",
]
_WHEN = [
    "on Monday",
    "on Tuesday",
    "on Friday night",
    "in the early morning",
    "during the regatta",
    "last winter",
]


@dataclass(frozen=True, slots=True)
class Story:
    """An edition of an article: which one, about which place, with which figure."""

    number: int
    edition: int = 0

    @property
    def id(self) -> str:
        """The same for all editions, without a word of the story in it."""
        return f"story-{self.number}"

    @property
    def place(self) -> str:
        """A name that no other story has."""
        n, name = self.number + 1000, ""
        while n:
            n, digit = divmod(n, len(_SYLLABLES))
            name += _SYLLABLES[digit]
        return f"{name.capitalize()}stow"

    @property
    def fact(self) -> str:
        """The sentence that only this edition holds."""
        figure = 1000 + 37 * self.number + self.edition
        return f"The {self.place} gauge stood at {figure} centimetres when it was read."

    @property
    def question(self) -> str:
        """What the fact answers."""
        return f"At how many centimetres did the {self.place} gauge stand?"


def article(story: Story, *, sentences: int = 12) -> Article:
    """The article; sentences beside the fact, which stands among them."""
    draw = Random(f"{story.number}/{story.edition}")  # noqa: S311 -- nothing is kept secret
    told = [_sentence(draw) for _ in range(sentences)]
    told.insert(draw.randrange(len(told) + 1), story.fact)
    day = date(2024, 1, 1) + timedelta(days=story.number % 300)
    info = ArticleInfo(
        id=story.id,
        origin=Origin(ROOT, f"{story.id}.md"),
        title=f"Report {story.number} from {story.place}",
        outlet="Quillport Gazette",
        published=Timestamp.parse(day.isoformat()),
        fiction=True,
    )
    paragraphs = [" ".join(told[start : start + 4]) for start in range(0, len(told), 4)]
    return Article(info, "\n\n".join(paragraphs))


def edition_of(stored: Article) -> Story:
    """Which story the stored article is, whole and unchanged; raises AssertionError otherwise."""
    number = int(stored.id.removeprefix("story-"))
    sentences = stored.text.count(".") - 1
    for edition in range(100):
        story = Story(number, edition)
        if story.fact in stored.text:
            assert article(story, sentences=sentences).text == stored.text, f"half an edition of {stored.id}"
            return story
    raise AssertionError(f"no edition of {stored.id}: {stored.text!r}")


def _sentence(draw: Random) -> str:
    why = draw.choice(_WHY)
    return (
        f"{draw.choice(_WHO)} {draw.choice(_DID)} {draw.randrange(10, 9999)} {draw.choice(_WHAT)}"
        f" {draw.choice(_WHEN)}, {why}."
    )
