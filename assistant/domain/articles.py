"""Articles as they are stored, and what is known about them.

An article is one text. Every offset anywhere in the product counts code points
in exactly that text, so ``article.text[start:end]`` is always the quote.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from pathlib import PurePath

_EXTENDED = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:|$)")


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A date that a source states, exactly as precise as the source states it.

    ``Timestamp.parse("2024-07-28").isoformat()`` is ``"2024-07-28"`` again: a
    time of day is never made up.
    """

    day: date
    moment: datetime | None = None

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """Read an ISO 8601 date or date-time; raises ValueError for anything else."""
        text = text.strip()
        if not _EXTENDED.match(text):  # the compact and week forms are too easily a plain number
            raise ValueError(f"{text!r} is no date like 2024-07-28")
        if len(text) == len("YYYY-MM-DD"):
            return cls(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
        return cls(moment.date(), moment)

    def isoformat(self) -> str:
        """The date, or the date-time when the source gave a time."""
        return self.moment.isoformat() if self.moment else self.day.isoformat()

    def order(self) -> tuple[date, bool, datetime]:
        """A sort key: by day, then by time; a day without a time comes first."""
        moment = self.moment or datetime.combine(self.day, time.min)
        return self.day, self.moment is not None, moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an article was read from: a source root and a path relative to it."""

    root: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleInfo:
    """Everything about an article but its text. Absent facts are None, never guessed.

    summary_only: the text is what a feed or a desk says about the article, not the article.
    """

    id: str
    origin: Origin
    title: str | None = None
    outlet: str | None = None
    author: str | None = None
    url: str | None = None
    published: Timestamp | None = None
    updated: Timestamp | None = None
    corrects: str | None = None
    language: str = "en"
    fiction: bool = False
    summary_only: bool = False

    @property
    def location(self) -> str:
        """The article's own url, or else the file that it was read from."""
        return self.url or self.file

    @property
    def file(self) -> str:
        """The file that it was read from, below its root's name."""
        return f"{PurePath(self.origin.root).name}/{self.origin.path}".lstrip("/")

    @property
    def dateline(self) -> tuple[str, ...]:
        """Outlet, where there is one, and day of publication, or "undated"."""
        day = self.published.day.isoformat() if self.published else "undated"
        return (self.outlet, day) if self.outlet else (day,)

    @property
    def text_date(self) -> date | None:
        """Since when the text stands as it is stored: its update, else its publication."""
        days = [stamp.day for stamp in (self.published, self.updated) if stamp]
        return max(days) if self.published else None

    @property
    def label(self) -> str:
        """What to call the article in front of a person: its title, or else its file."""
        return self.title or self.origin.path


_FACTS = tuple(each.name for each in fields(ArticleInfo) if each.name != "origin")


@dataclass(frozen=True, slots=True)
class Article:
    """An article: what is known about it, and its stored text."""

    info: ArticleInfo
    text: str

    @property
    def id(self) -> str:
        """The article's identity, the same over all ingests."""
        return self.info.id

    def content_hash(self) -> str:
        """SHA-256 over text and stated facts, wherever it is read from: equal means that nothing changed."""
        facts = ((name, getattr(self.info, name)) for name in _FACTS)
        stated = {
            name: {"day": value.day, "moment": value.moment} if isinstance(value, Timestamp) else value
            for name, value in facts
            if value not in (None, False)
        }
        known = json.dumps(stated, sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(f"{known}\n{self.text}".encode("utf-8", "surrogatepass")).hexdigest()


def article_id(root: str, path: str) -> str:
    """The identity of an article that names none itself: a hash of root and relative path."""
    return hashlib.sha256(f"{root}\0{path}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
