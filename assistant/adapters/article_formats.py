"""What a decoded text or record says, as an article.

Owns the formats: Markdown with front matter, plain text, JSON records; which facts
people may state and how they write dates; which HTML one can see; and the one stored
text of each article. Where texts come from, how they are opened and decoded belongs to
``article_files``; what needs a vendor's parser (HTML, PDF, feeds) comes from there as ``Found``.

Nothing is guessed: a fact that is absent stays None, one that a person states and that
cannot be read makes the text ``Unusable``. Front matter is read as written (``id: 007`` stays "007" and
``language: no`` is Norwegian), with neither tags nor aliases, so no document grows.
"""

from __future__ import annotations

import email.utils
import functools
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp, article_id
from assistant.domain.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_ID = 200  # ids stand in commands and links
MAX_TEXT = (
    5_000_000  # characters of one article, six long novels; cutting them into sentences takes ten seconds
)
MAX_FACT = 2_000  # characters; a title or address beyond it is none
MAX_FRONT_MATTER = 64_000  # characters; the YAML parser reads about a megabyte in ten seconds
# Each line or mark costs the Markdown parser up to 0.07 ms and 1 kB, plain words next to
# nothing, so the worst text takes three seconds. A novel has ten thousand lines.
MAX_MARKS = 40_000
YEARS = range(1600, 2200)  # newspapers begin in 1605; beyond these a date is mistyped or stands for none
MAX_NESTING = 20  # of quotes and lists; the parser drops what lies deeper, so we refuse it


class Unusable(ValueError):
    """Why a text or record is no article, as a reason for one line."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article that does not know yet where it comes from."""

    facts: Facts
    text: str

    def article(self, origin: Origin) -> Article:
        """The article, under its own id or else the one that its origin gives."""
        facts = self.facts
        info = ArticleInfo(
            id=facts.id or article_id(origin.root, origin.path),
            origin=origin,
            title=facts.title,
            outlet=facts.outlet,
            author=facts.author,
            url=facts.url,
            published=facts.published,
            updated=facts.updated,
            corrects=facts.corrects,
            language=facts.language or "en",
            fiction=facts.fiction,
            summary_only=facts.summary_only,
        )
        return Article(info, self.text)


@dataclass(frozen=True, slots=True)
class Found:
    """What a parser found in a file: facts as they are written there, by their names, and the text."""

    stated: Mapping[str, str | bool]
    text: str

    def draft(self) -> Draft:
        """The article; what nobody was asked for and cannot be read is absent, not an error."""
        kept: dict[str, str | bool] = {}
        for name, value in self.stated.items():
            with suppress(Unusable):
                read_facts({name: value})
                kept[name] = value
        facts = read_facts(kept)
        language = re.match(r"[a-z]{2,3}(?=[-_]|$)", facts.language or "", re.IGNORECASE)
        doubtful = {
            "published": _set_by_a_person(facts.published),
            "updated": _set_by_a_person(facts.updated),
            "language": language[0].lower() if language else None,
        }
        return Draft(facts.model_copy(update=doubtful), stored(self.text))


def read_plain(text: str) -> Draft:
    """The text as it is; it states no title and no date, so there is none."""
    return Draft(Facts(), stored(text))


def read_markdown(text: str) -> Draft:
    """Front matter and visible text; a heading 1 at the very top is a title when none is given."""
    front, body = _split_front_matter(text)
    facts = read_facts(front)
    blocks = _blocks(body)
    if facts.title is None and blocks and blocks[0].main_heading:
        heading = clean(blocks[0].text)
        facts = facts.model_copy(update={"title": heading if len(heading) <= MAX_FACT else None})
    kept = [block for block in blocks if not (block.main_heading and clean(block.text) == facts.title)]
    return Draft(facts, stored(_joined(kept)))


def parse_json(text: str) -> object:
    """The JSON value; of a key that is given twice the last one counts."""
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        raise Unusable(f"is no JSON: {error.msg} ({place})") from None
    except RecursionError:
        raise Unusable("is nested too deeply") from None
    except Unusable:
        raise
    except ValueError:
        raise Unusable("has a number with too many digits") from None
    return value


def read_record(value: object) -> Draft:
    """The article of one JSON object; its ``text`` is plain text and must be there."""
    if not isinstance(value, dict):
        raise Unusable('is no record: expected an object such as {"title": "…", "text": "…"}')
    facts = read_facts(value)
    text = value.get("text")
    if not isinstance(text, str | None):
        raise Unusable("text: must be a string")
    return Draft(facts, stored(text or ""))


def stored(text: str) -> str:
    r"""The text as it is kept: line ends are ``\n``, the ends are trimmed, and there are words in it."""
    text = _whole(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    if "\0" in text:
        raise Unusable("contains NUL characters: not a text")
    if len(text) > MAX_TEXT:
        raise Unusable(f"has more than {MAX_TEXT:,} characters: too many for one article")
    # Some characters that count as letters cannot be seen (Hangul fillers).
    if not any(character.isalnum() and clean(character) for character in text):
        raise Unusable("has no text")
    return text


def read_facts(stated: Mapping[Any, object]) -> Facts:
    """The known facts among those stated; raises Unusable with every reason."""
    given = {key: value for key, value in stated.items() if isinstance(key, str) and value is not None}
    try:
        return Facts.model_validate(given)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise Unusable("; ".join(f"{item['loc'][0]}: {item['ctx']['error']}" for item in wrong)) from None


def _fact(value: object) -> str | None:
    if not isinstance(value, str | int | float):
        raise Unusable("must be one text, not a list or a mapping")
    text = clean(_whole(str(value)))
    if len(text) > MAX_FACT:
        raise Unusable(f"is longer than {MAX_FACT} characters")
    return text or None


def _identity(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    if not 1 <= len(text) <= MAX_ID:
        raise Unusable(f"must be a text of 1 to {MAX_ID} characters")
    if not (text := _whole(text)).isprintable():
        raise Unusable(f"{_quoted(text)} holds a line break or an invisible character")
    return text


def _reference(value: object) -> str | None:
    return _identity(value) if _fact(value) else None


def _names(value: object) -> str | None:
    if not isinstance(value, list):
        return _fact(value)
    return ", ".join(name for item in value if item is not None and (name := _fact(item))) or None


def _address(value: object) -> str | None:
    text = _fact(value)
    if text is None:
        return None
    with suppress(ValueError):  # urlsplit: "Invalid IPv6 URL", "Port out of range"
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if known and not re.search(r'[\s<>"`\\]', text):
            return text
    raise Unusable(f"{_quoted(text)} is no full http or https address")


def _flag(value: object) -> bool:
    text = _fact(value) or "no"
    if text.lower() in {"true", "yes", "on", "1"}:
        return True
    if text.lower() in {"false", "no", "off", "0"}:
        return False
    raise Unusable(f"{_quoted(text)} is neither true nor false")


def _timestamp(value: object) -> Timestamp | None:
    text = _fact(value)
    if text is None:
        return None
    stamp = None
    with suppress(ValueError):
        stamp = _iso_date(text) or _mail_date(text) or _written_date(text)
    if stamp is None:
        raise Unusable(f"{_quoted(text)} is no date; write YYYY-MM-DD")
    if stamp.day.year not in YEARS:
        raise Unusable(f"{_quoted(text)} is no date of news: years go from {YEARS[0]} to {YEARS[-1]}")
    return stamp


def _set_by_a_person(stamp: Timestamp | None) -> Timestamp | None:
    """The date, unless it is the zero of a computer's clock, which programs write for "unknown"."""
    return None if stamp and stamp.moment and stamp.moment.timestamp() == 0 else stamp


_ISO = re.compile(
    r"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d\d)(?P=between)(?P<day>\d\d)"
    r"(?:(?:[Tt]|\ +)(?P<time>\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
    r"\ *(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def _iso_date(text: str) -> Timestamp | None:
    """``2024-07-28`` or ``2024/07/28``, maybe with a time and zone: ``2024-07-28 10:00:00 -0400``."""
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, clock, zone = "-".join(match.group("year", "month", "day")), match["time"], match["zone"] or ""
    zone = "+00:00" if zone.isalpha() else zone
    return Timestamp.parse(f"{day}T{clock}{zone}" if clock else day)


_MAIL = re.compile(
    r"(?:[a-z]{3,9},?\ +)?\d{1,2}\ [a-z]{3,9}\ \d{4}\ \d\d:\d\d(?::\d\d)?"
    r"(?:\ (?:[+-]\d{4}|(?![ap]m$)[a-z]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)


def _mail_date(text: str) -> Timestamp | None:
    """``Sun, 28 Jul 2024 10:00:00 +0000``, as feeds and mail write it (RFC 2822)."""
    if not _MAIL.fullmatch(text):
        return None
    moment = email.utils.parsedate_to_datetime(text)
    return Timestamp(moment.date(), moment)


_WRITTEN = re.compile(
    r"(?:[a-z]{3,9},?\ )?"
    r"(?:(?P<month>[a-z]{3,9})\.?\ (?P<day>\d{1,2})(?:st|nd|rd|th)?,?"
    r"|(?P<day2>\d{1,2})(?:st|nd|rd|th)?\.?\ (?P<month2>[a-z]{3,9})\.?,?)\ (?P<year>\d{4})"
    r"(?:,?\ (?:at\ )?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"(?:\ ?(?P<half>[ap])\.?m\.?)?(?:\ (?P<zone>[a-z]{1,5}|[+-]\d\d:?\d\d))?)?",
    re.ASCII | re.IGNORECASE,
)
_ZONES = {"ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5} | {
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7
}  # hours, as mail has them (RFC 2822); the others mean different things in different places  # fmt: skip
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def _written_date(text: str) -> Timestamp | None:
    """``July 28, 2024`` and ``28 July 2024``, maybe ``10:00 pm``; months in English, whole or cut short."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    name = (match["month"] or match["month2"]).lower()
    name = "sep" if name == "sept" else name
    months = [number for number, month in enumerate(_MONTHS, start=1) if month.startswith(name)]
    if len(months) != 1:
        return None
    day = date(int(match["year"]), months[0], int(match["day"] or match["day2"]))
    return Timestamp(day, _moment(day, match) if match["hour"] else None)


def _moment(day: date, match: re.Match[str]) -> datetime:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - the hours on a clock's face
            raise ValueError(hour)
        hour = hour % 12 + 12 * (match["half"].lower() == "p")
    clock = time(hour, int(match["minute"]), int(match["second"] or 0), tzinfo=_zone(match["zone"] or ""))
    return datetime.combine(day, clock)


def _zone(name: str) -> timezone | None:
    """The offset from UTC; None for a name that has no one meaning."""
    if name[:1] in {"+", "-"}:
        offset = timedelta(hours=int(name[1:3]), minutes=int(name[-2:]))
        return timezone(-offset if name[0] == "-" else offset)
    hours = _ZONES.get(name.lower())
    return None if hours is None else timezone(timedelta(hours=hours)) if hours else UTC


Fact = Annotated[str | None, PlainValidator(_fact)]
Moment = Annotated[Timestamp | None, PlainValidator(_timestamp)]


class Facts(BaseModel):
    """What front matter or a record may state about an article; other keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Annotated[str | None, PlainValidator(_identity)] = None
    title: Fact = None
    outlet: Fact = None
    url: Annotated[str | None, PlainValidator(_address)] = None
    published: Moment = Field(default=None, validation_alias=AliasChoices("published", "date"))
    updated: Moment = None
    author: Annotated[str | None, PlainValidator(_names)] = None
    corrects: Annotated[str | None, PlainValidator(_reference)] = None
    language: Fact = None
    fiction: Annotated[bool, PlainValidator(_flag)] = False
    summary_only: Annotated[bool, PlainValidator(_flag)] = False


def _quoted(text: str) -> str:
    """A value as an error shows it, never long."""
    limit = 60
    return repr(text if len(text) <= limit else f"{text[:limit]}…")


def _whole(text: str) -> str:
    """Half characters (lone surrogates, which JSON can write) have no UTF-8; U+FFFD stands for them."""
    try:
        text.encode()  # ten times faster than looking for them
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text)
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise Unusable(f"is no JSON: {name}")


_FENCE = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"[\w-]+[ \t]*:(?:\s|$)")


def _split_front_matter(text: str) -> tuple[Mapping[Any, object], str]:
    r"""The facts between the first line ``---`` and the next one (or ``...``), and the rest."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    if first.rstrip(" \t") != "---":
        return {}, text
    end = _FENCE.search(rest)
    if end is None and _KEY.match(rest):
        raise Unusable("front matter has no closing line ---")
    if end is None:  # a ruled line, as Markdown has it
        return {}, text
    return _front_matter(rest[: end.start()]), rest[end.end() :]


def _front_matter(block: str) -> Mapping[Any, object]:
    if len(block) > MAX_FRONT_MATTER:
        raise Unusable(f"front matter is longer than {MAX_FRONT_MATTER:,} characters")
    try:
        stated = yaml.load(block, Loader=_AsWritten)  # noqa: S506 - a SafeLoader with less in it
    except yaml.reader.ReaderError as error:
        line = block.count("\n", 0, error.position) + 2
        raise Unusable(f"front matter, line {line}: a character that YAML does not allow") from None
    except yaml.MarkedYAMLError as error:
        raise Unusable(_yaml_reason(error)) from None
    except RecursionError:
        raise Unusable("front matter is nested too deeply") from None
    if stated is None:
        return {}
    if not isinstance(stated, dict):
        raise Unusable("front matter is no mapping; write lines such as title: The title")
    return stated


def _yaml_reason(error: yaml.MarkedYAMLError) -> str:
    advice = "; put the value in quotes" if isinstance(error, yaml.scanner.ScannerError) else ""
    return (
        f"front matter, line {_line(error.problem_mark)}: {clean(error.problem or 'cannot be read')}{advice}"
    )


def _line(mark: Any) -> int:
    """The line counted from the start of the file, where the fence is line 1."""
    return mark.line + 2 if mark else 1


class _AsWritten(yaml.SafeLoader):
    """YAML whose scalars are the characters in the file: no numbers, flags, dates, tags or aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            advice = "anchors (&) and aliases (*) are not read; put the value in quotes"
            raise Unusable(f"front matter, line {_line(event.start_mark)}: {advice}")
        return super().compose_node(parent, index)


_KNOWN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "str", "seq", "map")} | {None}
_AsWritten.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in _KNOWN_TAGS
}
_AsWritten.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag.endswith(":null")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class _Block:
    """A piece of visible text; those of one list or table share a group and stand line by line."""

    text: str
    group: int = 0
    main_heading: bool = False


def _joined(blocks: Sequence[_Block]) -> str:
    parts: list[str] = []
    for before, block in zip([None, *blocks], blocks, strict=False):
        together = before and before.group == block.group != 0
        parts += ["\n" if together else "\n\n", block.text]
    return "".join(parts[1:])


_MARK = re.compile(r"[\n\[\]*_<>&`|\\]|(?:[-+]|\d[.)])[ \t]")


def _blocks(body: str) -> list[_Block]:
    if sum(1 for _ in islice(_MARK.finditer(body), MAX_MARKS + 1)) > MAX_MARKS:
        raise Unusable(f"has more than {MAX_MARKS:,} lines and marks of Markdown: too many for one article")
    tokens = _parser().parse(body)
    return _VisibleText().of(tokens)


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 60 ms, and plain texts do not need it

    return MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")


class _VisibleText:
    """Turns Markdown's tokens into blocks; a method for each type of token that matters."""

    def __init__(self) -> None:
        self.blocks: list[_Block] = []
        self.counters: list[int | None] = []  # of the open lists; None counts nothing
        self.marker = ""  # waits for the first text of a list item
        self.groups = 0
        self.main_heading = False
        self.row: list[str] | None = None

    def of(self, tokens: Sequence[Token]) -> list[_Block]:
        for token in tokens:
            if token.nesting == 1 and token.level >= MAX_NESTING - 1:
                raise Unusable("has lists or quotes that are nested too deeply")
            if visit := getattr(self, token.type, None):
                visit(token)
        return self.blocks

    def inline(self, token: Token) -> None:
        text = _visible(token.children or ())
        if self.row is None:
            self._add(text)
        else:
            self.row.append(text)

    def code_block(self, token: Token) -> None:
        self._add(token.content.strip("\n"))

    fence = code_block

    def html_block(self, token: Token) -> None:
        for text in visible_texts(token.content):
            self._add(text)

    def heading_open(self, token: Token) -> None:
        self.main_heading = token.tag == "h1"

    def heading_close(self, token: Token) -> None:
        self.main_heading = False

    def bullet_list_open(self, token: Token) -> None:
        self._open_list(None)

    def ordered_list_open(self, token: Token) -> None:
        start = token.attrGet("start")
        self._open_list(1 if start is None else int(start))

    def bullet_list_close(self, token: Token) -> None:
        self.counters.pop()

    ordered_list_close = bullet_list_close

    def list_item_open(self, token: Token) -> None:
        number = self.counters[-1]
        self.marker = "- " if number is None else f"{number}. "
        self.counters[-1] = None if number is None else number + 1

    def list_item_close(self, token: Token) -> None:
        self.marker = ""

    def table_open(self, token: Token) -> None:
        self.groups += 1

    def tr_open(self, token: Token) -> None:
        self.row = []

    def tr_close(self, token: Token) -> None:
        row, self.row = self.row or [], None
        self._add("\t".join(row).strip(), grouped=True)

    def _open_list(self, start: int | None) -> None:
        self.groups += not self.counters  # a list within a list belongs to the same group
        self.counters.append(start)

    def _add(self, text: str, *, grouped: bool = False) -> None:
        if not text.strip():
            return
        group = self.groups if grouped or self.marker else 0
        self.blocks.append(_Block(self.marker + text, group, self.main_heading))
        self.marker = ""


_UNSEEN = "script|style|template|noscript|iframe|svg"
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)", re.IGNORECASE)


def _visible(children: Sequence[Token]) -> str:
    """The words of a paragraph or heading, without emphasis, link targets, images and tags."""
    parts: list[str] = []
    unseen = ""  # the element whose content is being passed over
    for token in children:
        tag = _TAG.match(token.content) if token.type == "html_inline" else None
        if tag:
            closing, name = bool(tag[1]), tag[2].lower()
            if unseen:
                unseen = "" if closing and name == unseen else unseen
            elif not closing and (
                re.fullmatch(_UNSEEN, name) or _is_hidden(name, token.content[tag.end() :])
            ):
                unseen = name
            elif name == "br":
                parts.append("\n")
        elif not unseen:
            parts.append(_inline_text(token))
    lines = "".join(parts).split("\n")
    return "\n".join(re.sub(r"[ \t]+", " ", line).strip(" ") for line in lines).strip()


def _inline_text(token: Token) -> str:
    if token.type in {"text", "text_special", "code_inline"}:
        return token.content
    return {"softbreak": " ", "hardbreak": "\n"}.get(token.type, "")


# Each piece stops at the next "<" or runs to the end, so that no text is read twice.
_HTML = re.compile(
    r"<!--(?:-?>|.*?(?:-->|\Z))|<\?.*?(?:\?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<![a-z].*?(?:>|\Z)"
    rf"|<(?P<unseen>{_UNSEEN})(?=[\s/>]).*?(?:</(?P=unseen)\s*>|\Z)"
    r"""|<(?P<end>/?)(?P<tag>[a-z][a-z0-9-]*)(?P<attributes>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>"""
    r"|</?[a-z][^<>]*>?",
    re.IGNORECASE | re.DOTALL,
)
_WITHIN_A_LINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "cite",
        "code",
        "del",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
    }
    | {"strong", "sub", "sup", "time", "u", "var", "wbr"}
)


_EMPTY = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=]+)))?""")
_CSS_BLANK = re.compile(r"/\*.*?\*/|\s", re.DOTALL)
_CSS_HIDES = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|font-size:0+(?:\.0*)?(?![.\d]))", re.IGNORECASE
)


def visible_texts(source: str) -> Iterator[str]:
    """The visible texts of raw HTML, one for each element that stands on its own."""
    parts: list[str] = []
    at = depth = 0
    unseen = ""  # the hidden element that is being passed over, and how many of its name are open
    for found in _HTML.finditer(source):
        if not depth:
            parts.append(source[at : found.start()])
        at = found.end()
        name = (found["tag"] or "").lower()
        if depth:
            if name == unseen:
                depth += -1 if found["end"] else 1
        elif name and not found["end"] and _is_hidden(name, found["attributes"]):
            unseen, depth = name, 1
        if name not in _WITHIN_A_LINE:
            parts.append("\0")
    parts.append("" if depth else source[at:])
    for text in "".join(parts).split("\0"):
        yield " ".join(html.unescape(text).split())


def hides(style: str) -> bool:
    """Whether a ``style`` attribute alone makes its element invisible."""
    return _CSS_HIDES.search(_CSS_BLANK.sub("", style)) is not None


def _is_hidden(name: str, attributes: str) -> bool:
    """Whether a tag opens an element that is not shown; one that holds nothing hides nothing."""
    if name in _EMPTY or attributes.endswith("/"):
        return False
    for found in _ATTRIBUTE.finditer(attributes):
        key = found[1].lower()
        if key == "hidden":
            return True
        if key == "style" and hides(html.unescape(found[2] or found[3] or found[4] or "")):
            return True
    return False
