"""Entries of RSS and Atom files, by feedparser.

Owns what an entry is called, which of its texts is the article, and whether that is only
a summary. feedparser opens addresses and files when it is given a text or bytes that look like
one, so it is given a stream, which it can only read.

What stands before the root element is cut off: entities are not expanded, and feedparser's
search for them takes quadratic time. It runs in the parser process for what else there may be.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assistant.adapters.article_formats import Found, Unusable, visible_texts
from assistant.adapters.article_kinds import root_at
from assistant.adapters.markup_encodings import decode_markup

MAX_ENTRIES = 5_000  # feeds have 10 to 100 entries, their archives some thousand
NEEDS = "needs the extra \"feed\": pip install 'cited-assistant[feed]'"


def read_feed(data: bytes) -> list[Found]:
    """The articles of a feed's entries, in its order; raises Unusable when it has none."""
    try:
        import feedparser
    except ImportError:
        raise Unusable(NEEDS) from None
    source = _root(data)
    if len(_ENTRY.findall(source)) > MAX_ENTRIES:
        raise Unusable(f"is a feed with more than {MAX_ENTRIES:,} entries")
    try:
        feed = feedparser.parse(io.BytesIO(source), resolve_relative_uris=False, sanitize_html=False)
        entries: Sequence[Mapping[str, Any]] = feed.entries
        about: Mapping[str, Any] = feed.feed
    except Exception as error:  # a feed may be broken in any way, and so are feedparser's answers
        raise Unusable(f"cannot be read as a feed: {type(error).__name__}") from error
    if not entries:
        raise Unusable("is a feed without entries")
    used = Counter(_named(entry) for entry in entries)
    return [_found(entry, about, unique=used[_named(entry)] == 1) for entry in entries]


_ENTRY = re.compile(rb"<(?:\w+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)


def _root(data: bytes) -> bytes:
    """The feed without what stands before its root: declarations of entities are not read."""
    source = decode_markup(data)
    start = root_at(source)
    if source.startswith("<!", start):
        raise Unusable("declares XML entities, which are not read")
    return source[start:].encode()


def _found(entry: Mapping[str, Any], feed: Mapping[str, Any], *, unique: bool) -> Found:
    text, summary_only = _text(entry)
    stated = {
        "id": entry_id(_named(entry), feed) if unique else "",
        "title": _title(entry),
        "outlet": _title(entry.get("source") or {}) or _title(feed),
        "author": _authors(entry),
        "url": entry.get("link"),
        **_dates(entry),
        "language": (entry.get("title_detail") or {}).get("language") or feed.get("language"),
    }
    known: dict[str, str | bool] = {
        name: value for name, value in stated.items() if isinstance(value, str) and value
    }
    return Found({**known, "summary_only": summary_only}, text)


def _dates(entry: Mapping[str, Any]) -> dict[str, str | None]:
    """Published and updated; when there is but one date, as in RSS 1.0, this text was published then."""
    published, updated = (dict(entry).get(name) for name in ("published", "updated"))
    return {"published": published, "updated": updated} if published else {"published": updated}


def _named(entry: Mapping[str, Any]) -> str:
    """What the entry calls itself: its guid or id, or else its address."""
    return str(entry.get("id") or entry.get("link") or "").strip()


def entry_id(name: str, feed: Mapping[str, Any]) -> str:
    """The article id of an entry: a hash, the same in every file that holds the entry; "" without a name.

    A feed that is fetched each day loses its old entries, so the place in a file names nothing. A name
    with a scheme (``https:``, ``tag:``, ``urn:``) is unique in the world, and an entry that stands in two
    feeds of an outlet is one article. Any other, such as ``1``, belongs to its feed: the feed's own id,
    address or title goes into the hash. An id is hashed because the names are long and hold anything.
    """
    if not name:
        return ""
    if not re.match(r"(?:https?|tag|urn):\S", name, re.IGNORECASE):
        home = feed.get("id") or feed.get("link") or feed.get("title")
        if not home:
            return ""
        name = f"{home}\0{name}"
    return hashlib.sha256(f"feed\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _text(entry: Mapping[str, Any]) -> tuple[str, bool]:
    """The full content when it has words; else the summary, and that it is one."""
    for content in entry.get("content") or ():
        if text := _reduced(content):
            return text, False
    return _reduced(entry.get("summary_detail") or {}), True


def _reduced(detail: Mapping[str, Any]) -> str:
    """The words that one sees of a text construct; pictures, sound and the like have none."""
    kind, value = detail.get("type") or "text/plain", detail.get("value") or ""
    if kind in {"text/html", "application/xhtml+xml"}:
        return "\n\n".join(_html_texts(value))
    return value.strip() if kind == "text/plain" else ""


def _html_texts(source: str) -> Iterator[str]:
    return (text for text in visible_texts(source) if text)


def _title(about: Mapping[str, Any]) -> str:
    detail = about.get("title_detail") or {"value": about.get("title")}
    return " ".join(_reduced(detail).split())


_MAIL = re.compile(r"[<(]?[^\s<(]+@[^\s>)]+[>)]?")


def _authors(entry: Mapping[str, Any]) -> str:
    """Names alone, as a mail address is no byline; feedparser cuts a single author's name at some."""
    people = entry.get("authors") or ()
    written = [person.get("name") for person in people] if len(people) > 1 else [entry.get("author")]
    names = (_MAIL.sub("", name or "").strip() for name in written)
    return ", ".join(re.sub(r"^\((.*)\)$", r"\1", name) for name in names if name)
