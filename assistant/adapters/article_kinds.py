"""What a file is, told by its beginning; the name is only a hint.

Owns the choice of the reader. It is careful: Markdown with some HTML in it stays
Markdown, and a text that mentions ``<p>`` stays a text. Markup is what opens as markup.
"""

from __future__ import annotations

import json
import re
from enum import Enum

HEAD = 65_536  # bytes that are looked at: a long comment before the root element fits in
MARKUP_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xml", ".rss", ".atom"})
SUFFIXES = frozenset({".md", ".markdown", ".txt", ".json", ".jsonl", ".pdf"}) | MARKUP_SUFFIXES
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Kind(Enum):
    """How a file is read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    JSON = "json"
    JSON_LINES = "jsonl"
    HTML = "html"
    FEED = "feed"
    PDF = "pdf"
    XML = "xml"


def kind_of(suffix: str, head: bytes) -> Kind:
    """The kind of a file with this suffix (lower case, with its dot) that begins with these bytes.

    >>> kind_of(".txt", b"<!DOCTYPE html><title>The dam</title>")
    <Kind.HTML: 'html'>
    >>> kind_of(".html", b"The dam opened on Monday.")
    <Kind.PLAIN: 'plain'>
    """
    if head.startswith(b"%PDF-"):
        return Kind.PDF
    text = _decoded(head)
    return _markup(suffix, text) or _json(suffix, text) or _TEXTS.get(suffix, Kind.PLAIN)


_TEXTS = {".md": Kind.MARKDOWN, ".markdown": Kind.MARKDOWN, ".json": Kind.JSON, ".jsonl": Kind.JSON_LINES}
_PAGES = frozenset({".html", ".htm", ".xhtml"})


def _decoded(head: bytes) -> str:
    text = head.decode("utf-16" if head.startswith(UTF16) else "latin-1", "replace")
    return text.removeprefix("\ufeff").removeprefix("ï»¿").lstrip()


_BEFORE_ROOT = re.compile(
    r"\s+|<!--.*?-->|<\?.*?\?>|<!doctype\s+(?!html)[^<>\[\]]*>", re.DOTALL | re.IGNORECASE
)
_PAGE = re.compile(r"(?:<!doctype\s+html(?=[\s>])|<html(?=[\s>]))", re.IGNORECASE)
_FEED = re.compile(r"<(?:rss|feed|rdf:rdf|[a-z]+:feed)(?=[\s/>])", re.IGNORECASE)
_ELEMENT = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)


def root_at(text: str) -> int:
    """Where the root element begins, behind declarations, comments and a document type without entities."""
    at = 0
    while before := _BEFORE_ROOT.match(text, at):
        at = before.end()
    return at


def _markup(suffix: str, text: str) -> Kind | None:
    if not text.startswith("<"):
        return Kind.HTML if suffix in _PAGES and _ELEMENT.search(text) else None
    at = root_at(text)
    if _PAGE.match(text, at):
        return Kind.HTML
    if _FEED.match(text, at):
        return Kind.FEED
    if suffix in _PAGES:
        return Kind.HTML
    return Kind.XML if suffix in MARKUP_SUFFIXES or text.startswith("<?xml") else None


_RECORD = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_LIST = re.compile(r'\[\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')


def _json(suffix: str, text: str) -> Kind | None:
    """JSON looks like no prose: an object with a quoted key, or a list of such objects."""
    if _LIST.match(text):
        return Kind.JSON
    if not _RECORD.match(text):
        return None
    first, end, rest = text.partition("\n")
    if not end:  # one line, or the beginning of a long one
        return Kind.JSON_LINES if suffix == ".jsonl" else Kind.JSON
    if _is_whole(first):
        return Kind.JSON_LINES if suffix == ".jsonl" or rest.strip() else Kind.JSON
    return Kind.JSON_LINES if suffix == ".jsonl" and first.strip() != "{" else Kind.JSON


def _is_whole(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
