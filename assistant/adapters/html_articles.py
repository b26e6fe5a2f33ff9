"""Web pages, by trafilatura: the article without navigation, comments and what is not shown.

Owns what of a page is invisible, and which dates and which address it states.
Dates and the address are read here and not by trafilatura, which gives no time of day, takes
a date that it finds anywhere for that of the article, and a site's base for its address.

Runs in the parser process, because libxml2 and trafilatura can need minutes for a page
that was made to hurt them; the limits below stop all but the most inventive ones earlier.
"""

from __future__ import annotations

import copy
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assistant.adapters.article_formats import Found, Unusable, hides
from assistant.adapters.markup_encodings import decode_markup

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_TAGS = 40_000  # a long live blog has 20,000; trafilatura takes up to 0.2 ms for each
MAX_DEPTH = 200  # nested elements; news pages have 20 to 50, and the cost of a level grows with the depth
MAX_ATTRIBUTES = 1_000  # of one element; the parser compares each with all before it
NEEDS = "needs the extra \"html\": pip install 'cited-assistant[html]'"


def read_html(data: bytes) -> list[Found]:
    """The one article of a page; raises Unusable when there is none, or when the page is too much."""
    try:
        import trafilatura
        from trafilatura.metadata import extract_metadata
    except ImportError:
        raise Unusable(NEEDS) from None
    source = decode_markup(data)
    _check_measure(source)
    page = _parsed(source)
    _remove_broken_data(page)
    try:
        about = extract_metadata(page, date_config=_NO_DATES)
        stated = {
            "title": about.title,
            "outlet": _outlet(about),
            "author": about.author and about.author.replace("; ", ", "),
            **_stated(page),
        }
        _remove_hidden(page)
        article = trafilatura.bare_extraction(page, include_comments=False, config=_short_ones_too())
    except Exception as error:  # trafilatura promises nothing about pages that it did not expect
        raise Unusable(f"cannot be read as HTML: {type(error).__name__}") from error
    if not isinstance(article, trafilatura.settings.Document):
        raise Unusable("has no text")
    blocks = list(_blocks(article.body))
    if blocks and blocks[0] == stated["title"]:
        del blocks[0]
    return [Found({name: value for name, value in stated.items() if value}, "\n\n".join(blocks))]


# Trafilatura's own search for a date cannot be left out, but this keeps it short, and away from the clock.
_NO_DATES = {"original_date": True, "extensive_search": False, "max_date": "2200-01-01"}


def _short_ones_too() -> Any:
    """Trafilatura takes an article below 250 characters for a failure and all words of the page instead."""
    from trafilatura.settings import DEFAULT_CONFIG

    config = copy.deepcopy(DEFAULT_CONFIG)
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
    return config


def _outlet(about: Any) -> str | None:
    """The site's name where the page has one; trafilatura takes the host of its address instead."""
    host = (about.hostname or "").removeprefix("www.")
    return None if about.sitename == host else about.sitename


_CODE = re.compile(r"<(script|style)(?=[\s/>]).*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
_LONG_TAG = re.compile(rf"<[a-z][^<>]{{{MAX_ATTRIBUTES},}}", re.IGNORECASE)
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")


def _check_measure(source: str) -> None:
    if source.count("<") > MAX_TAGS:
        raise Unusable(f"has more than {MAX_TAGS:,} HTML tags: too many for one article")
    for tag in _LONG_TAG.findall(_CODE.sub("", source)):
        names = _QUOTED.sub(" ", tag)
        if max(names.count("="), len(names.split())) > MAX_ATTRIBUTES:
            raise Unusable(f"has an HTML element with more than {MAX_ATTRIBUTES:,} attributes")


def _parsed(source: str) -> HtmlElement:
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        page = html.document_fromstring(source.encode(), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        raise Unusable("has no text") from None
    depth = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise Unusable(f"has more than {MAX_DEPTH} HTML elements inside each other")
    return page


_UNSEEN = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math"}
    | {"select", "textarea", "dialog"}
)


def _remove_hidden(page: HtmlElement) -> None:
    """Take out what a browser would not show; what style sheets hide cannot be known here."""
    for element in list(page.iter()):
        unseen = element.tag in _UNSEEN or "hidden" in element.attrib or hides(element.get("style", ""))
        if unseen and element.getparent() is not None:
            element.drop_tree()


_PUBLISHED = (
    *("article:published_time", "og:article:published_time", "datepublished", "citation_publication_date"),
    *("dc.date.issued", "dcterms.issued", "dc.date", "dcterms.date", "sailthru.date", "parsely-pub-date"),
    *("publication_date", "publish-date", "publishdate", "pubdate", "date"),
)
_UPDATED = (
    "article:modified_time",
    "og:article:modified_time",
    "datemodified",
    "dcterms.modified",
    "last-modified",
)


def _stated(page: HtmlElement) -> dict[str, str | None]:
    """Dates, address and language, where the page's head or structured data states them."""
    meta = _meta(page)
    article = _structured(page)
    links = page.xpath('//link[@rel="canonical"]/@href')
    return {
        "published": _first(article.get("datePublished"), *map(meta.get, _PUBLISHED), _marked_time(page)),
        "updated": _first(article.get("dateModified"), *map(meta.get, _UPDATED)),
        "url": _first(*links, meta.get("og:url")),
        "language": page.get("lang"),
    }


def _first(*values: object) -> str | None:
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)


def _meta(page: HtmlElement) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for element in page.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop")
        if name and (content := element.get("content")):
            found.setdefault(name.strip().lower(), content)
    return found


def _marked_time(page: HtmlElement) -> str | None:
    """A ``<time>`` that says of itself that it is the day of publication."""
    marks = '@itemprop="datePublished" or @pubdate or contains(concat(" ", @class, " "), " dt-published ")'
    return _first(*page.xpath(f"//time[{marks}]/@datetime"))


def _structured(page: HtmlElement) -> Mapping[str, Any]:
    """The article among the page's structured data (https://schema.org/Article); empty without one."""
    dated = [item for item in _items(page) if isinstance(item.get("datePublished"), str)]
    articles = (item for item in dated if re.search(r"Article|Posting|Report", str(item.get("@type"))))
    return next(articles, {})


def _items(page: HtmlElement) -> Iterator[Mapping[str, Any]]:
    """The objects of structured data, the outer ones first."""
    waiting: deque[object] = deque(_json(script) for script in _data_scripts(page))
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _remove_broken_data(page: HtmlElement) -> None:
    """Take out structured data that is no JSON: trafilatura would search it for hours."""
    for script in list(_data_scripts(page)):
        if _json(script) is None:
            script.drop_tree()


def _data_scripts(page: HtmlElement) -> Iterator[HtmlElement]:
    return (script for script in page.iter("script") if (script.get("type") or "").endswith("json"))


def _json(script: HtmlElement) -> object:
    try:
        return json.loads(script.text or "", strict=False)
    except (ValueError, RecursionError):
        return None


def _blocks(body: Any) -> Iterator[str]:
    """The texts of trafilatura's result: paragraphs, headings, quotes; lists and tables line by line."""
    yield from _texts(body.text)
    for element in body:
        if element.tag == "list":
            lines = [f"- {line}" for item in element.iter("item") if (line := _words(_own(item)))]
            yield from _texts("\n".join(lines))
        elif element.tag == "table":
            rows = (
                "\t".join(_words(cell.itertext()) for cell in row.iter("cell")) for row in element.iter("row")
            )
            yield from _texts("\n".join(row.strip() for row in rows if row.strip()))
        elif element.tag == "quote" and element.find("p") is not None:
            yield from _blocks(element)
        else:
            yield from _texts("\n".join(map(_words, _lines(element))))
        yield from _texts(element.tail)


def _texts(text: str | None) -> Iterator[str]:
    if text and (trimmed := text.strip()):
        yield trimmed


def _own(item: Any) -> Iterator[str]:
    """The words of a list item without those of lists within it, which come as items of their own."""
    yield item.text or ""
    for child in item:
        if child.tag != "list":
            yield from _own(child)
        yield child.tail or ""


_LINE_END = "\u2028"


def _lines(element: Any) -> list[str]:
    """The texts of an element, cut at its line breaks."""
    for line_break in element.iter("lb"):
        line_break.text = _LINE_END
    return "".join(element.itertext()).split(_LINE_END)


def _words(texts: Iterable[str]) -> str:
    return " ".join("".join(texts).split())
