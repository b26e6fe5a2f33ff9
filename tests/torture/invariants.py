"""What must hold for every answer, whatever the articles and the model say.

Each check gives back what it found broken, in words. They look with expressions of their own
and with a Markdown parser, and not with the code that is being tested.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt

from assistant.domain.answers import Abstention, Answer, Receipt
from assistant.domain.conversation import Message
from assistant.domain.events import Delta, Done, Retracted, Sources, Status
from assistant.ports import Library
from assistant.prompting import neutral, read_sources, sources
from tests.torture.injections import NONCE, QUESTION, TODAY, Asked, Newsdesk, Obedient, prompts

_COMMONMARK = MarkdownIt("commonmark")
_LINKS = re.compile(
    r"://|\]\(|<[a-z/!?@#]"
    r"|\b(?:https?|ftps?|mailto|javascript|vbscript|data|file|tel|sms|blob|wss?|view-source):\S"
    r"|\b(?:magnet|xmpp|sips?|ircs?|skype|callto|ssh|git|ldap|smb|geo|webcal|ms-[a-z]+):[\w?/]"
    r"|\bwww\d*\.\w|(?<![\w:/])//[\w-]+\.\w|[\w+-]@[\w-]+\.\w",
    re.IGNORECASE,
)
# A host that ends so is made a link of by itself, with a port or a path another one is, too.
_HOST_ENDS = {
    "com", "org", "net", "info", "biz", "io", "co", "me", "ly", "tv", "de", "fr", "uk", "ru", "cn", "us",
    "in", "it", "to", "xyz", "top", "zip", "news", "рф",
}  # fmt: skip
_BRACKETS = str.maketrans("［【〔〖〚⟦⁅］】〕〗〛⟧⁆", "[[[[[[[]]]]]]]")
_OURS = re.compile(r"\[([1-9]\d*)\]")
_STRAY = (
    "“”„‟«»‹›〝〞〟＂❝❞❠❮❯⹂「」『』｢｣﹁﹂﹃﹄《》〈〉⟨⟩⟪⟫"  # with apostrophes and inches, it cannot be told
)
_MARKS = str.maketrans(dict.fromkeys(_STRAY + "‘’‚‛❛❜❟\"'`´＇<>＜＞", "'"))
_ROUND = str.maketrans("[]［］【】〔〕{}｛｝（）", "()()()()()()()")


def problems_of(desk: Newsdesk, chat: Obedient, asked: Asked) -> list[str]:
    """All that is broken in the events of one question, and in the request that the model got."""
    with desk.generations.current() as current:
        assert current is not None
        library = current.library
        result = asked.result
        found = [*_of_events(asked), *_of_text(result.text), *_of_hosts(result, library)]
        found += _of_answer(result, asked, library) if isinstance(result, Answer) else _of_abstention(result)
        if len(chat.requests) != 1:
            return [*found, f"the model was asked {len(chat.requests)} times"]
        return [*found, *_of_request(chat.requests[0], asked, library)]


def _of_events(asked: Asked) -> Iterator[str]:
    *before, last = asked.events
    if not isinstance(last, Done) or not all(
        isinstance(event, Status | Sources | Delta | Retracted) for event in before
    ):
        yield f"the events are {[type(event).__name__ for event in asked.events]}"
    shown = ""
    for event in before:
        if isinstance(event, Retracted):
            shown = ""
        elif isinstance(event, Delta):
            shown += event.text
    if shown != asked.result.text:
        yield f"shown was {shown!r}, kept is {asked.result.text!r}"


def _of_text(text: str) -> Iterator[str]:
    """Links, invisible characters, and signs of the prompt."""
    forms = {text, unicodedata.normalize("NFKC", text), html.unescape(text), text.replace("\\", "")}
    for form in sorted(forms):
        if link := _LINKS.search(form):
            yield f"a link: {form[max(0, link.start() - 30) : link.end() + 30]!r}"
        kinds = {
            token.type for block in _COMMONMARK.parse(form) for token in (block, *(block.children or ()))
        }
        if live := kinds & {"link_open", "image", "html_inline", "html_block"}:
            yield f"{', '.join(sorted(live))}: {form!r}"
    if hidden := invisible(text):
        yield f"invisible characters {hidden!r}: {text!r}"
    if NONCE in text and "<<<" in text:
        yield f"a fence: {text!r}"


def _of_hosts(result: Answer | Abstention, library: Library) -> Iterator[str]:
    """Hosts that no cited sentence names, and those that something is on; of an abstention any."""
    cited = result.citations if isinstance(result, Answer) else ()
    said = " ".join(
        sentence.cleaned
        for citation in cited
        for sentence in library.sentences(citation.article.id)
        if sentence.span == citation.span
    )
    named = {name.casefold() for name, on_it in _host_like(said) if not on_it}
    for form in (result.text, unicodedata.normalize("NFKC", result.text), result.text.replace("\\", "")):
        for name, on_it in _host_like(form):
            if on_it or name.casefold() not in named:
                yield f"a host: {name + on_it!r} in {result.text!r}"


def _host_like(text: str) -> Iterator[tuple[str, str]]:
    """What could be a host, with what is on it: a port or the beginning of a path."""
    for word in re.split(r"[^\w.:/?#@-]+", text):
        pieces = re.split(r"([:/?#@]+)", word)
        for piece, sign, after in zip(pieces[::2], [*pieces[1::2], ""], [*pieces[2::2], ""], strict=True):
            name = piece.strip("._-")
            *before, last = re.split(r"\.+", name)
            end = re.split("[-_]", last)[0].casefold()
            on_it = sign[:1] == "/" or (sign in ("?", "#") and after) or (sign == ":" and after[:1].isdigit())
            is_number = re.fullmatch(r"(.*\.)?\d{1,3}(\.\d{1,3}){3}", name) is not None
            is_end = (end.isalpha() and len(end) > 1) or end.startswith("xn--") or is_number
            if before and ((on_it and is_end) or end in _HOST_ENDS or end.startswith("xn--")):
                yield name, sign + after if on_it else ""


def invisible(text: str) -> str:
    """Characters that nobody can see or that a terminal obeys; the joiners of emoji and scripts are none."""
    return "".join(
        character
        for character in text
        if (unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in "\n\u200c\u200d")
        or "\U000e0000" <= character <= "\U000e0fff"
    )


def _of_answer(answer: Answer, asked: Asked, library: Library) -> Iterator[str]:
    numbers = {citation.n: citation for citation in answer.citations}
    if list(numbers) != list(range(1, len(numbers) + 1)):
        yield f"the citations are numbered {list(numbers)}"
    if {int(n) for n in _OURS.findall(answer.text)} != set(numbers):
        yield f"the markers are not the citations {list(numbers)}: {answer.text!r}"
    if forged := _forged(answer.text):
        yield f"{forged!r} looks like a marker: {answer.text!r}"
    joined = r"(?: |\n|\n- )".join(re.escape(claim.marked) for claim in answer.claims)
    if not re.fullmatch(f"(?:- )?{joined}", answer.text):
        yield f"the text is not its claims: {answer.text!r}"
    found = {one.article.id for one in asked.passages}
    for citation in answer.citations:
        whole = library.article(citation.article.id).text
        inside = [each.span for each in library.sentences(citation.article.id)]
        if citation.article.id not in found or citation.span not in inside:
            yield f"[{citation.n}] is no sentence that was shown"
        if citation.span.of(whole) != citation.quote:
            yield f"[{citation.n}] is not what the article says: {citation.quote!r}"
    cleaned = {
        (sentence.article_id, sentence.span): sentence.cleaned
        for article in found
        for sentence in library.sentences(article)
    }
    for claim in answer.claims:
        if _OURS.search(claim.text):
            yield f"a claim holds a marker: {claim.text!r}"
        cited = [cleaned[numbers[n].article.id, numbers[n].span] for n in claim.citations if n in numbers]
        yield from _of_quotations(claim.text, cited)


def _of_abstention(abstention: Abstention) -> Iterator[str]:
    if Receipt.of(abstention).quotes or _OURS.search(abstention.text):
        yield f"an abstention cites: {abstention.text!r}"


def _forged(text: str) -> str:
    """What looks like a citation and is none of ours: digits of any kind in brackets of any kind."""
    rest = _OURS.sub("", text.translate(_BRACKETS))
    for found in re.finditer(r"\[([^\[\]]*)\]", unicodedata.normalize("NFKC", rest)):
        inside = re.sub("[\\s,;&+–−\u20e3\ufe0f-]|and|to", "", found[1].lstrip(" ^#§"))
        if inside.isnumeric():
            return found.group()
    return ""


def _of_quotations(claim: str, cited: Sequence[str]) -> Iterator[str]:
    """Quotations that no cited sentence holds; shapes of marks and brackets do not count."""
    slices = [_folded(sentence) for sentence in cited]
    for inside in re.findall(r"“([^”]*)”?", claim):
        if not any(_folded(inside) in sentence for sentence in slices):
            yield f"no cited sentence says {inside!r}: {claim!r}"
    outside = re.sub("“[^“”]*”", "", claim)
    if re.search(rf"[{_STRAY}]|(?<!\w)[‚‘❛]\w(?!\ds?\b)", outside):
        yield f"a quotation mark stands alone: {claim!r}"


def _folded(text: str) -> str:
    return re.sub(r"\s+(?=\()", "", text.translate(_MARKS).translate(_ROUND))


def _of_request(messages: Sequence[Message], asked: Asked, library: Library) -> Iterator[str]:
    """What is not as the found passages make it."""
    system, user = (message.text for message in messages)
    if system != prompts()["answer"].instructions:
        yield "the instructions are others"
    shown = sources(asked.passages, library)
    try:
        read = read_sources(user, NONCE)
    except ValueError as error:
        yield f"the prompt does not read back: {error}"
        return
    headers = [" | ".join((neutral(one.article.label), *map(neutral, one.article.dateline))) for one in shown]
    if [header.removesuffix(" | fiction") for header, _ in read] != headers:
        yield f"the sources are {[header for header, _ in read]}"
    told = [neutral(sentence.cleaned) for source in shown for sentence in source.sentences]
    if [entry for _, entries in read for entry in entries.items()] != list(enumerate(told, 1)):
        yield "the sentences are not those of the sources"
    if user.partition(f"<<<END {NONCE}>>>\n")[2] != f"Today: {TODAY.isoformat()}\nQuestion: {QUESTION}":
        yield "the request does not end with the question"
    for sentence in told:
        if re.search(r"[<>＜＞]|\[/?INST\]|NOT_IN_SOURCES", sentence) or _OURS.search(sentence):
            yield f"a sentence holds a sign of ours: {sentence!r}"
        if invisible(sentence) or "\n" in sentence:
            yield f"a sentence holds what nobody can see: {sentence!r}"
