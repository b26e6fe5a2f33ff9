r"""Cuts an article's text into sentences: sentencex, and a thin layer of English news rules.

sentencex (https://github.com/wikimedia/sentencex) finds the ends of sentences. The layer
around it knows pages: it joins what was cut after a rank, a title or an initial, takes off
the dateline, the heading and the bullet that layout glued to a sentence, leaves out page
furniture, and bounds what one sentence can be. Where a rule is unsure it joins: a citation
that is too long still holds the claim, a fragment does not. So quotations of several
sentences stay whole, as sentencex has them.

Line ends are ``\n`` already (the loaders see to it); the visible form of a sentence is
``assistant.domain.text``'s. Every expression here looks at a window of bounded length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise, zip_longest
from math import inf

import sentencex

from assistant.domain.passages import Span

LAYER = 1  # counts up whenever a rule below may cut the same text otherwise
MAX_CHARACTERS = 1200  # no sentence is longer: some 200 words, beyond any that news prints
MAX_HEADINGS_IN_A_ROW = 4  # title, byline, date, dateline; five short lines are winners or results
MAX_HEADING_WORDS = 8  # a line of more words without a full stop is a caption or a list entry

# sentencex takes time with the square of its input when that is full of quotation marks
# (100,000 of them: 4 s), so it sees a long paragraph in windows. What begins in a window's
# last part is looked at again in the next, so that a quotation is not torn by the edge.
_WINDOW = 2 * MAX_CHARACTERS
_EDGE = MAX_CHARACTERS // 2

_CLOSERS = "\"'”’»›)]}"
_OPENERS = "\"'“‘«‹([{"


class SentencexSegmenter:
    """Finds sentences with sentencex and what news pages need on top."""

    @property
    def fingerprint(self) -> str:
        """The versions of both parts: ``sentencex-1.0.32/layer-1``."""
        return f"sentencex-{version('sentencex')}/layer-{LAYER}"

    def segment(self, text: str, language: str = "en") -> list[Span]:
        """Spans of the sentences in order, without furniture, headings and blank ends.

        A text with words has a sentence, unless all it holds is furniture.
        """
        base = language.partition("-")[0].lower()
        paragraphs = [each for each in _paragraphs(text) if not _is_furniture(each.span.of(text))]
        prose = list(_without_headings(text, paragraphs))
        return _sentences(text, prose, base) or _sentences(text, paragraphs, base)


def _sentences(text: str, paragraphs: Iterable[_Paragraph], language: str) -> list[Span]:
    found: list[Span] = []
    for paragraph in paragraphs:
        spans = _vendor_spans(text, _body(text, paragraph), language)
        if language == "en":
            spans = _apart_from_headings(text, _rejoined(text, _after_parentheses(text, spans)))
        for span in spans:
            if not _is_furniture(span.of(text)):
                found += _capped(text, span)
    return [span for span in found if _WORD.search(text, span.start, span.end)]


_WORD = re.compile(r"[^\W_]")


# Layout: blocks, lines, paragraphs, headings


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Lines that read on from one to the next; an item opens with a bullet or a number."""

    span: Span
    lines: int
    item: bool


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    for block in _blocks(text):
        room = _room(text, block)
        first, item = block[0], _BULLET.match(text, block[0].start, block[0].end) is not None
        lines = 1
        for before, line in pairwise(block):
            listed = _opens_item(text, before, line, room, item)
            furnished = lines == 1 and _is_furniture(before.of(text))
            if listed or furnished or _opens_paragraph(text, before, line, room):
                yield _Paragraph(Span(first.start, before.end), lines, item)
                first, item, lines = line, listed, 0
            lines += 1
        yield _Paragraph(Span(first.start, block[-1].end), lines, item)


def _blocks(text: str) -> Iterator[list[Span]]:
    """The lines between blank lines, each without its blank ends."""
    block: list[Span] = []
    at = 0
    for line in text.split("\n"):
        words = line.strip()
        if words:
            start = at + len(line) - len(line.lstrip())
            block.append(Span(start, start + len(words)))
        elif block:
            yield block
            block = []
        at += len(line) + 1
    if block:
        yield block


_BULLET = re.compile(r"[•‣▪●■□◦►▸·]\s{0,8}|[-*]\s{1,8}|\d{1,2}[.)]\s{1,8}")
_DOTS = "•‣▪●■□◦►▸"


def _opens_item(text: str, before: Span, line: Span, room: float, in_list: bool) -> bool:
    """Whether a line opens a list item; a dash or number may be prose that was wrapped there."""
    if not _BULLET.match(text, line.start, line.end):
        return False
    return (
        in_list
        or text[line.start] in _DOTS
        or _is_closed(text, before)
        or _was_meant(text, before, line, room)
    )


def _opens_paragraph(text: str, before: Span, line: Span, room: float) -> bool:
    if _is_furniture(line.of(text)) and _is_closed(text, before):
        return True
    return _was_meant(text, before, line, room) and not _opens_lower(text, line.start)


_SLACK = 0.75  # of the width: writers and programs do not fill a line to the last column
_NARROWEST = 30  # columns; nobody wraps prose to less, so breaks between shorter lines were meant


def _room(text: str, block: list[Span]) -> float:
    """How many columns a line may fill whose end was meant: any, when the block was not wrapped."""
    width = max(line.end - line.start for line in block)
    wrapped = width >= _NARROWEST or any(_opens_lower(text, line.start) for line in block[1:])
    return _SLACK * width if wrapped else inf


def _was_meant(text: str, before: Span, line: Span, room: float) -> bool:
    """Whether a line break was meant: the next line's first word had room on the line before."""
    return before.end - before.start + 1 + len(line.of(text).split(maxsplit=1)[0]) <= room


def _without_headings(text: str, paragraphs: list[_Paragraph]) -> Iterator[_Paragraph]:
    """Leave headings out. What nothing follows is none, nor is a long run of them: that is a list."""
    run: list[_Paragraph] = []
    for paragraph, after in zip_longest(paragraphs, paragraphs[1:]):
        if after and _is_heading(text, paragraph) and not _opens_lower(text, after.span.start):
            run.append(paragraph)
            continue
        if len(run) > MAX_HEADINGS_IN_A_ROW:
            yield from run
        run = []
        yield paragraph


def _is_heading(text: str, paragraph: _Paragraph) -> bool:
    """One short line that does not end as sentences do: "Closing loopholes", "Washington CNN —"."""
    span = paragraph.span
    if paragraph.item or paragraph.lines > 1 or span.end - span.start > 10 * MAX_HEADING_WORDS:
        return False
    return len(span.of(text).split()) <= MAX_HEADING_WORDS and not _is_closed(text, span)


def _is_closed(text: str, span: Span) -> bool:
    """Whether the span ends as a sentence does, or promises that one goes on."""
    tail = text[max(span.start, span.end - 8) : span.end].rstrip(_CLOSERS)
    return tail.endswith(_STOPS + _PROMISES)


_STOPS = (".", "!", "?", "…")
_PROMISES = (":", ";", ",", "。", "！", "？", "：", "؟", "۔", "।")  # and the stops of other scripts


def _opens_lower(text: str, start: int) -> bool:
    return text[start : start + 8].lstrip(_OPENERS)[:1].islower()


def _body(text: str, paragraph: _Paragraph) -> Span:
    """The paragraph without what stands before its first sentence: a bullet or a dateline."""
    start, end = paragraph.span.start, paragraph.span.end
    opening = _BULLET if paragraph.item else _DATELINE
    found = opening.match(text, start, min(end, start + 120))
    return Span(found.end() if found else start, end)


_DASH = r"(?: ?[—–]{1,2} ?| --? )"
_NAME = r"[A-Z][\w.'’-]{1,20}"
_CAPITALS = r"[A-Z][A-Z.'’-]{1,20}"
_PLACE = rf"{_NAME}(?:[ /]{_NAME}){{0,2}}(?:, {_NAME}(?: {_NAME}){{0,2}})?"
_AGENCY = (
    r"(?:CNN|AP|AFP|UPI|PA|DPA|ANI|PTI|TNS|Reuters|REUTERS|Xinhua|Bloomberg|Kyodo|Associated Press)"
    r"(?: (?:Business|Sports|Travel|Opinion|News))?"
)
_SHOUTED_PLACE = (  # four capitals at least: "DL – Jordan Stepp" is a line-up
    rf"(?=[A-Z]{{4}}|[A-Z]{{2,3}}[. ]{{1,2}}[A-Z]{{2}}){_CAPITALS}(?:[ /]{_CAPITALS}){{0,3}}"
    rf"(?:, {_NAME}(?: {_NAME}){{0,2}}){{0,2}}"
)
_DAY = r"(?:,? \d{1,2})?"  # after the month, which reads like a place: "LONDON, Oct 3"
# A place in capitals and a dash; or any place, or none, with an agency; then a sentence.
_DATELINE = re.compile(
    rf"(?:{_SHOUTED_PLACE}{_DAY}(?: \([A-Z][\w .&/-]{{1,30}}\))?{_DASH}"
    rf"|(?:{_PLACE}{_DAY} )?(?:\({_AGENCY}\)(?:{_DASH}| ?)|{_AGENCY}{_DASH}))"
    r"\s{0,4}(?=[\"'“‘(]{0,2}[A-Z0-9])"
)


# Boundaries: sentencex, and corrections to it


def _vendor_spans(text: str, body: Span, language: str) -> Iterator[Span]:
    start = body.start
    while start < body.end:
        window = text[start : min(body.end, start + _WINDOW)]
        settled = len(window) if start + len(window) == body.end else len(window) - _EDGE
        end = 0
        for piece in sentencex.get_sentence_boundaries(language, _SURROGATES.sub("\ufffd", window)):
            if end and piece["end_index"] > settled:
                break
            end = piece["end_index"]
            yield from _trimmed(text, start + piece["start_index"], start + end)
        start += end or len(window)


_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of a character, which sentencex cannot take


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without blank ends, unless nothing is left."""
    piece = text[start:end]
    words = piece.strip()
    if words:
        start += len(piece) - len(piece.lstrip())
        yield Span(start, start + len(words))


def _after_parentheses(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Cut after a sentence in parentheses: "(Three abstained.) It takes effect today."."""
    for span in spans:
        inner = _PARENTHESIS_ENDS.search(text, span.start, span.end) if text[span.start] == "(" else None
        if inner:
            yield Span(span.start, inner.end())
            yield from _trimmed(text, inner.end(), span.end)
        else:
            yield span


_PARENTHESIS_ENDS = re.compile(r"(?<=[a-z\d][.!?])\)(?=\s[\"“‘]?[A-Z])")


def _rejoined(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    held: Span | None = None
    for span in spans:
        if held and _reads_on(text, held, span):
            held = Span(held.start, span.end)
            continue
        if held:
            yield held
        held = span
    if held:
        yield held


def _reads_on(text: str, span: Span, after: Span) -> bool:
    """Whether the stop that ends the span belongs to an abbreviation, a name or a number."""
    tail = text[max(span.start, span.end - 40) : span.end].rstrip(_CLOSERS)
    word, stop = _NOT_IN_WORD.split(tail[:-1])[-1], tail[-1:]
    if stop not in _STOPS:
        return False
    follower = text[after.start : after.start + 24]
    if follower.lstrip(_OPENERS)[:1].islower():
        return not _ADDRESS.match(follower) and (stop != "." or not _PLAIN.fullmatch(word))
    return stop == "." and _READS_ON[_kind(word)](follower)


_NOT_IN_WORD = re.compile(r"[^\w.&’'-]")
_PLAIN = re.compile(r"(?:.*[’'-])?[a-z]{2,}(?:[’'][a-z]+)?")
_ADDRESS = re.compile(r"[a-z][A-Z]|[\w-]{1,20}\.\w")  # iPhone, pic.example.com


# Abbreviations, by what their stop says about the capital or number that follows.

_TITLES = """
    Mr Mrs Ms Mx Dr Prof Sen Sens Rep Reps Gov Govs Pres Sec Amb Atty Dep Asst Assoc Supt Insp Det Hon
    Rev Fr Msgr Messrs Mme Mlle JJ
    Gen Lt Col Maj Capt Cpt Cmdr Cdr Adm Brig Sgt Cpl Pvt Pfc Spc Ens Ofc Const
"""
_MID_SENTENCE = "vs v i.e e.g cf viz approx ca incl esp aka a.k.a"
_BEFORE_NUMBERS = """
    No Nos no nos p pp vol vols Vol ch chs Ch sec Sect art arts Art fig figs Fig para par
    hr hrs min mins Rm Prop Ste Apt Bldg
"""
_EITHER_WAY = """
    Inc Corp Co Cos Ltd LLC Bros Assn Dept Univ Jr Sr Esq Mfg Intl
    etc al est
    St Ste Ft Mt Mts Pt Ave Blvd Rd Ln Hwy Pkwy Sq
    Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat
    Ala Ariz Ark Calif Cal Colo Conn Del Fla Ga Ill Ind Kan Kans Ky La Md Mass Mich Minn Miss Mo Mont
    Neb Nev Okla Ore Pa Penn Tenn Tex Vt Va Wash Wis Wisc Wyo Ont Que
"""
_ABBREVIATIONS = {
    word: kind
    for kind, words in (
        ("either way", _EITHER_WAY),
        ("before numbers", _BEFORE_NUMBERS),
        ("hour", "a.m p.m A.M P.M"),
        ("mid sentence", _MID_SENTENCE),
        ("title", _TITLES),
    )
    for word in words.split()
}
_DOTTED = re.compile(r"(?:[A-Za-z]|(?:[A-Za-z]{1,2}\.)+[A-Za-z]{1,2})")  # an initial, U.S, p.m, Ph.D

_NOT_A_NAME = re.compile(
    r"[\"'“‘(\[]{0,2}(?:I[’']\w+|(?:The|This|That|These|Those|There|Their|They|Then|Though|An?|And|As|At|After"
    r"|All|Also|Although|Among|Another|Any|Because|Before|But|By|Both|Critics|During|Each|Even|Every|For|From"
    r"|He|Her|Here|His|How|However|If|In|Instead|It|Its|Just|Last|Many|Meanwhile|More|Most|My|Neither|Nobody"
    r"|No|None|Not|Now|On|Once|One|Only|Or|Other|Others|Our|Over|Officials|Police|She|Since|So|Some|Still|Such"
    r"|To|Today|Two|Under|Until|We|What|When|Where|Whether|Which|While|Who|Why|With|Without|Yet|You|Your|I"
    r")(?:[’']\w+)?)(?![\w.-])"
)


def _kind(word: str) -> str:
    """The kind of abbreviation that a word is, "" when it is none: "then-Pres" is a title."""
    word = word.rpartition("-")[2]
    if _DOTTED.fullmatch(word) and word not in _ABBREVIATIONS:
        return "" if word == "I" else "either way"
    usual = word.title() if word.isupper() else word[:1].lower() + word[1:]  # SEN. LEE; Approx. 10
    return _ABBREVIATIONS.get(word) or _ABBREVIATIONS.get(usual, "")


def _always(follower: str) -> bool:
    return True


def _never(follower: str) -> bool:
    return False


def _before_number(follower: str) -> bool:
    return follower[0].isdigit()


def _unless_a_sentence_opens(follower: str) -> bool:
    return follower[0] not in '"“‘' and not _NOT_A_NAME.match(follower)


_AFTER_HOURS = re.compile(
    r"\(?(?:[A-Z]{2,5}\b|\d|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:January|February|March|April|May|June"
    r"|July|August|September|October|November|December)\b|[A-Z][a-z]{2,3}\. ?\d"
    r"|(?:Eastern|Central|Mountain|Pacific|Alaska|Hawaii|Greenwich|Universal)\b|[A-Z][a-z]{2,14} time\b)"
)


def _after_hours(follower: str) -> bool:
    return _AFTER_HOURS.match(follower) is not None


_READS_ON: dict[str, Callable[[str], bool]] = {
    "title": _always,
    "mid sentence": _always,
    "before numbers": _before_number,
    "hour": _after_hours,
    "either way": _unless_a_sentence_opens,
    "": _never,
}


# Headings that layout ran into the sentence after them


def _apart_from_headings(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Take a heading off the sentence it was run into; never off a paragraph's first one."""
    for number, span in enumerate(spans):
        heading = _glued_heading(text[span.start : min(span.end, span.start + 100)]) if number else 0
        yield Span(span.start + heading, span.end)


_MAX_GLUED_WORDS = 6
_OPENING_WORDS = """
    The An In On At For From But When While After Before If Although Despite During Since With Under Until
    He She They We It This That These Those There His Her Their Its
"""
# What makes the words before a capitalised "The" or "In" part of a sentence: a subject, a verb,
# or a work whose title comes next ("the film In the Heights").
_PROSE_WORDS = """
    i he she they we it this that who which because than yes well
    is are was were be been am has have had do does did will would can could shall should may might must
    said say says told tell tells asks adds wrote writes think thinks thought know knows knew believe believes
    got get gets go goes went came come comes made make makes calls reports
    film films movie movies song songs single album show series sitcom drama play musical opera novel book
    books memoir poem story documentary podcast band group magazine newspaper website episode game title
"""
_OPENS = frozenset(_OPENING_WORDS.split())
_NOT_IN_HEADINGS = frozenset(_PROSE_WORDS.split())


def _glued_heading(opening: str) -> int:
    """The length of a heading that a sentence opens with, as in "Nuclear umbrella For the first time"."""
    words = opening.split(" ", _MAX_GLUED_WORDS + 2)
    if not words[0][:1].isupper() or not _may_stand_in_heading(words[0]):
        return 0
    for at in range(1, min(len(words) - 1, _MAX_GLUED_WORDS + 1)):
        if words[at] in _OPENS and at > 1:
            runs_on = words[at - 1].islower() and not words[at + 1][:1].isupper() and words[at + 1] != ""
            return len(" ".join(words[:at])) + 1 if runs_on else 0
        if not _may_stand_in_heading(words[at]):
            return 0
    return 0


def _may_stand_in_heading(word: str) -> bool:
    letters = word.replace("-", "").replace("’", "").replace("'", "")
    return letters.isalnum() and word.lower() not in _NOT_IN_HEADINGS and not word.endswith("ed")


# Furniture and the bound


def _is_furniture(words: str) -> bool:
    """Whether all of a line or sentence is page furniture."""
    return len(words) <= _MAX_FURNITURE and _FURNITURE.fullmatch(words) is not None


_MAX_FURNITURE = 200
# One expression a line, against a whole line or sentence, in any case; names in <> are below.
_FURNITURE_LINES = r"""
    comments (?:are|have been) (?:now )?closed(?: (?:on|for) this \w{1,10})?
    no comments yet|leave a (?:comment|reply)|(?:view|show|post a) comments?|join the conversation
    advertise?ments?(?: ?[-–—.:] ?scroll to continue(?: reading)?)?|(?:sponsored|promoted)(?: content)?
    (?:story|article) continues (?:below|after)(?: (?:this )?(?:ad|advertisement|video))?
    scroll (?:down )?to continue|skip (?:to (?:main )?content|advertisement)|back to top|loading
    (?:read|see|show|view|load|learn) more(?: (?:here|stories|articles|on this story))?
    read (?:next|also|the full (?:story|article)(?: here)?)|more from <rest>
    (?:read (?:more|next|also)|see also|related(?: (?:articles?|story|stories))?|recommended) ?[:|]<credit>
    related(?: (?:articles?|stories|news|topics|content))?|most (?:read|popular|viewed)
    trending(?: now)?|editors?[’']s? picks?|up next|newsletters?
    sign up(?: (?:here|now|today))?(?: (?:for|to) (?:our|the|this|your|daily|weekly|free|breaking)<rest>)?
    subscribe(?: (?:here|now|today))?(?: to (?:our|the|this|your|us)<rest>| to [\w.]{2,30} today)?
    get (?:our|the|more)<rest>(?:newsletter|in your inbox)<rest>
    (?:share|print|email|save|tweet) this (?:article|story|post|page|video)
    share(?: this)? (?:on|via|with) [\w ,]{1,40}
    (?:click|tap) here(?: (?:to|for|if)<rest>)?
    (?:follow|like|join|find) us on <credit>
    follow [^.!?\n]{1,50} on <network>(?:(?: at|:)? ?@\w{1,30})?
    (?:copyright (?:©|\(c\)|\d{4})|©)<credit>|all rights reserved
    this (?:material|content) may not be (?:published|reproduced)<credit>
    this (?:article|story|post|piece|report) (?:was )?(?:originally|first) (?:publish|appear)ed<credit>
    this (?:article|story|post) has been updated(?: (?:with|to)<credit>)?
    (?:file )?(?:photo|image|picture)(?: credits?| courtesy)? ?[:/]<credit>|(?:file|stock) (?:photo|image)
    \(?(?:photo|image|picture|video)s? (?:by|courtesy of|via) [^.!?,\n]{2,40}(?:/|, | via )<press><credit>
    \(?[\w .'’-]{2,40}(?:/| via )(?:<press>/){0,2}<press>(?:/[\w .'’-]{2,40}|, file)?\)?
    \(?(?:(?:the )?associated press|reuters|afp|ap photo|getty images|shutterstock)(?:/<credit>|, file)?\)?
    \((?:additional )?(?:reporting|writing|editing|compiled) by <credit>\)
    (?:additional )?(?:reporting|writing) by [^!?;\n]{1,90}; ?(?:additional |editing |writing )<credit>
    our standards: the thomson reuters trust principles
    terms of (?:use|service)|privacy policy|cookie (?:policy|settings)|accept (?:all )?cookies
    (?:about|contact) us
"""
_PARTS = {
    "<rest>": r"[^.!?,\"“”\n]{0,100}",
    "<credit>": r"[^!?\n]{0,120}",
    "<network>": "(?:Twitter|X|Facebook|Instagram|Threads|Telegram|TikTok|YouTube|LinkedIn|WhatsApp|Bluesky)",
    "<press>": (
        "(?:Getty(?: Images)?|AP(?: Photo)?|AFP|Reuters|EPA(?:-EFE)?|Shutterstock|iStock(?:photo)?|Bloomberg"
        "|Xinhua|PA|Alamy|UPI|Zuma|USA TODAY(?: Sports| Network)?|Associated Press|Handout|Pool)"
    ),
}


def _compiled(lines: str, parts: dict[str, str]) -> re.Pattern[str]:
    for name, part in parts.items():
        lines = lines.replace(name, part)
    choices = "|".join(line.strip() for line in lines.strip().splitlines())
    return re.compile(rf"(?:{choices})\s{{0,2}}[.!:»›>…→]{{0,3}}", re.IGNORECASE)


_FURNITURE = _compiled(_FURNITURE_LINES, _PARTS)


def _capped(text: str, span: Span) -> Iterator[Span]:
    """The span in pieces of at most MAX_CHARACTERS, cut at blanks where there are any."""
    start = span.start
    while span.end - start > MAX_CHARACTERS:
        piece = text[start : start + MAX_CHARACTERS]
        if not text[start + MAX_CHARACTERS].isspace():
            piece = _BLANK_AND_WORD.sub("", piece)
        end = start + (len(piece.rstrip()) or MAX_CHARACTERS)
        yield Span(start, end)
        start = _skip_blank(text, end)
    yield Span(start, span.end)


def _skip_blank(text: str, at: int) -> int:
    while text[at].isspace():
        at += 1
    return at


_BLANK_AND_WORD = re.compile(r"\s\S*\Z")
