"""Results as text for a person, without anything that a terminal could obey.

Everything foreign (article text, titles, file names, questions) goes through
``clean``; the only escape codes are those that click writes, and only to a terminal.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate

import click

from assistant.domain.answers import Abstention, Answer, Citation, Difference
from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.history import WITHDRAWN, Record, Standing
from assistant.domain.passages import RankedPassage
from assistant.domain.text import clean, counted, printable
from assistant.ingest import IngestReport

BROKEN_OFF = "[The answer broke off here.]"
MAX_WIDTH = 100  # columns; longer lines are hard to read
_MARKER = re.compile(r"(\[\d+\])")
_PARTS = re.compile(r"\n| ?[^\s]+| ")
_STANDS = {
    Standing.UNCHANGED: "still in the corpus",
    Standing.CHANGED: "the article has another text there now",
    Standing.GONE: "no longer in the corpus",
}
_DIFFERS = {
    Difference.UPDATE: "the later one updates it",
    Difference.CORRECTION: "the first one corrects it",
    Difference.CONFLICT: "they contradict each other",
}
_HIDDEN_NOTE = "the article's text holds invisible characters here; --json shows them"


def answer_text(result: Answer | Abstention, *, width: int | None = None) -> str:
    """The answer with its numbered sources, or what came nearest; width wraps it for a terminal."""
    return "\n\n".join((Flow(width).add(result.text), *below_text(result, width=width)))


def below_text(result: Answer | Abstention, *, width: int | None = None) -> list[str]:
    """What stands below the text: that it broke off, sources, date, doubts, and where reports differ."""
    blocks = [] if result.complete else [BROKEN_OFF]
    if isinstance(result, Answer):
        found = (sources_text, stands_text, doubts_text, differences_text)
        blocks += [block for text in found if (block := text(result, width=width))]
    return blocks


def sources_text(answer: Answer, *, width: int | None = None) -> str:
    """The numbered sources of an answer.

    One line for each citation of extracts, which are the sentences themselves; where a model
    wrote, each article with the sentences that it was cited for.
    """
    if answer.provenance.model:
        by_article: dict[str, list[Citation]] = {}
        for citation in answer.citations:
            by_article.setdefault(citation.article.id, []).append(citation)
        return "\n".join(_cited(citations, width) for citations in by_article.values())
    return "\n".join(_wrapped(_source_line(citation), width, "    ") for citation in answer.citations)


def stands_text(answer: Answer, *, width: int | None = None) -> str:
    """As of which day an answer about the present stands; empty for any other."""
    if answer.stands is None:
        return ""
    day = f"{answer.stands.day} {answer.stands:%B %Y}"
    return _wrapped(f"As of {day}, the date of the newest cited article.", width)


def doubts_text(answer: Answer, *, width: int | None = None) -> str:
    """What is not fully borne out by cited sentences, and why; empty when there is nothing."""
    doubtful = (claim for claim in answer.claims if claim.doubtful and claim.text != WITHDRAWN)
    lines = [_wrapped(f"? {clean(claim.text)} ({clean(claim.why)})", width, "  ") for claim in doubtful]
    return "\n".join(("Not fully borne out by what is cited:", *lines)) if lines else ""


def differences_text(answer: Answer, *, width: int | None = None) -> str:
    """One line for each thing on which the reports differ, the newest first; empty when they agree."""
    lines = []
    for found in answer.disagreements:
        sides = ", ".join(
            f"{clean(side.value)} ({clean(', '.join(side.article.dateline))})" for side in found.sides
        )
        lines.append(_wrapped(f"Reports differ: {sides}: {_DIFFERS[found.kind]}.", width, "  "))
    return "\n".join(lines)


class Flow:
    """Lays out an answer that comes in pieces, whole words each, as it would be laid out at once."""

    def __init__(self, width: int | None) -> None:
        self._width = min(width, MAX_WIDTH) if width else None
        self._column = 0

    def add(self, piece: str) -> str:
        """What is to be written for the piece."""
        return _bold_markers("".join(self._placed(part) for part in _PARTS.findall(_visible(piece))))

    def _placed(self, part: str) -> str:
        """A word with the blank or the line break before it, or a line break that the text has itself."""
        if part == "\n":
            self._column = 0
            return part
        word = part.lstrip()
        columns = sum(map(_columns, part))
        if self._width and self._column and word != part and self._column + columns > self._width:
            self._column = sum(map(_columns, word))
            return f"\n{word}"
        self._column += columns
        return part


def corpus_line(result: Answer | Abstention) -> str:
    """One line about what was searched and how the answer was made."""
    corpus = result.corpus
    newest = f", newest {corpus.newest.isoformat()}" if corpus.newest else ""
    dropped = f"; {counted(result.dropped, 'unsupported statement')} dropped" if result.dropped else ""
    return (
        f"{corpus.name} corpus: {counted(corpus.articles, 'article')}{newest}, as of {result.as_of};"
        f" {_maker(result)}{dropped}."
    )


def _maker(result: Answer | Abstention) -> str:
    """What answered, or why it was not what was asked for."""
    if result.degraded:
        return clean(result.degraded.reason)
    if result.provenance.model:
        return f"written by {clean(result.provenance.model)}"
    if result.confidence is None:  # only where a model writes
        return "no passage came near enough to ask the model for an answer"
    return "extracts, no model"


def search_text(passages: Sequence[RankedPassage], *, width: int | None = None) -> str:
    """The passages with their scores and what these are made of."""
    if not passages:
        return "No passage fits the question and the filters."
    return "\n\n".join(_found(rank, found, width) for rank, found in enumerate(passages, 1))


def articles_table(articles: Iterable[ArticleInfo]) -> Iterator[str]:
    """One line for each article: id, date, outlet, title, separated by tabs."""
    for info in articles:
        published = info.published.day.isoformat() if info.published else "undated"
        yield "\t".join((clean(info.id), published, clean(info.outlet or "-"), clean(info.label)))


def article_text(article: Article, copies: Sequence[ArticleInfo] = ()) -> str:
    """What is known about the article, its near copies included, and its text."""
    info = article.info
    known = [
        ("id", info.id),
        ("title", info.title),
        ("outlet", info.outlet),
        ("author", info.author),
        ("published", info.published.isoformat() if info.published else "undated"),
        ("updated", info.updated.isoformat() if info.updated else None),
        ("corrects", info.corrects),
        ("source", info.location),
        ("fiction", "yes" if info.fiction else None),
        ("summary only", "yes" if info.summary_only else None),
        ("near copies", ", ".join(copy.id for copy in copies)),
    ]
    head = "\n".join(f"{name}: {clean(value)}" for name, value in known if value)
    return f"{head}\n\n{printable(article.text)}"


def history_table(records: Iterable[Record], *, width: int | None = None) -> Iterator[str]:
    """One line for each record: id, local time, kind, question; width cuts it for a terminal."""
    for record in records:
        kind = "answer" if isinstance(record.result, Answer) else "abstention"
        line = f"{clean(record.result.id)}  {_local(record.at)}  {kind:10}  {clean(record.result.question)}"
        yield _cut(line, width)


def record_text(
    record: Record, standings: Sequence[Standing] | None = None, *, width: int | None = None
) -> str:
    """The question, its answer with the sentences as they were, and how it was made.

    standings: what has become of each sentence, when that was looked up.
    """
    result = record.result
    asked = f"asked {_local(record.at)}, answer {result.id}; {corpus_line(result)}"
    blocks = [
        f"{_wrapped(clean(result.question), width)}\n{_wrapped(clean(asked), width)}",
        Flow(width).add(result.text),
    ]
    if isinstance(result, Answer):
        checked: Sequence[Standing | None] = standings or [None] * len(result.citations)
        pairs = zip(result.citations, checked, strict=True)
        blocks.append("\n".join(_quoted(record, citation, standing, width) for citation, standing in pairs))
        found = (stands_text, doubts_text, differences_text)
        blocks += [block for text in found if (block := text(result, width=width))]
    elif record.nearest:
        blocks.append(_wrapped(f"nearest articles: {', '.join(map(clean, record.nearest))}", width))
    return "\n\n".join((*blocks, _wrapped(_made(result), width)))


def ingest_summary(corpus: str, report: IngestReport, *, rebuilt: bool = False) -> str:
    """One line about what an ingest did."""
    done = (
        (len(report.added), "added"),
        (len(report.changed), "changed"),
        (len(report.unchanged), "unchanged"),
        (len(report.removed), "removed"),
        (len(report.rejected), "rejected"),
    )
    said = ["rebuilt"] if rebuilt else []
    said += [f"{number} {what}" for number, what in done if number]
    would = " would be" if report.dry_run and said else ""
    line = f"{corpus} corpus{would}: {', '.join(said) or 'no article found'}."
    if report.spared:
        line += (
            f" Nothing was read from there, so nothing is pruned ({counted(len(report.spared), 'article')})."
        )
        line += " Prune a folder above it, if they are to go."
    return line


def described(info: ArticleInfo) -> str:
    """Title, outlet, date and place of an article in one line."""
    parts = (info.title, *info.dateline, info.location, "fiction" if info.fiction else None)
    return " · ".join(clean(part) for part in parts if part)


def _source_line(citation: Citation) -> str:
    hidden = f" ({_HIDDEN_NOTE})" if _hides(citation.quote) else ""
    return f"[{citation.n}] {described(citation.article)}{hidden}"


def _cited(citations: Sequence[Citation], width: int | None) -> str:
    """An article, and below it the sentences that are cited from it."""
    lines = [_wrapped(described(citations[0].article), width, "    ")]
    for citation in citations:
        hidden = f" ({_HIDDEN_NOTE})" if _hides(citation.quote) else ""
        quote = _wrapped(f"[{citation.n}] “{clean(citation.quote)}”{hidden}", width and width - 2, "    ")
        lines.append(textwrap.indent(quote, "  "))
    return "\n".join(lines)


def _quoted(record: Record, citation: Citation, standing: Standing | None, width: int | None) -> str:
    """A source line, and below it the quote with what has become of it."""
    if citation.article.id in record.withdrawn:
        return f"[{citation.n}] {WITHDRAWN} · {clean(citation.article.id)}"
    head = _wrapped(_source_line(citation), width, "    ")
    quote = f"“{clean(citation.quote)}”{f' ({_STANDS[standing]})' if standing else ''}"
    return f"{head}\n{textwrap.indent(_wrapped(quote, width and width - 4), '    ')}"


def _made(result: Answer | Abstention) -> str:
    """One line about what an answer was made with."""
    made = result.provenance
    parts = (
        f"assistant {made.version}",
        made.model or "no model",
        f"generation {made.generation}",
        f"embedder {made.embedder}",
        f"segmenter {made.segmenter}",
        f"settings {made.settings}",
        *(f"prompt {name} {value}" for name, value in sorted(made.prompts.items())),
        *([f"searched as {made.standalone!r}"] if made.standalone else []),
        *([f"confidence {result.confidence:.2f}"] if result.confidence is not None else []),
    )
    return clean(f"made with: {', '.join(parts)}")


def _local(moment: datetime) -> str:
    """The moment by the machine's calendar, as "today" is."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _cut(text: str, width: int | None) -> str:
    """The text in so many columns of a terminal, with an ellipsis where it had more."""
    columns = list(accumulate(map(_columns, text)))
    if not width or not columns or columns[-1] <= width:
        return text
    return f"{text[: bisect_right(columns, width - 1)]}…"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _hides(quote: str) -> bool:
    return "".join(quote.split()) != "".join(clean(quote).split())


def _found(rank: int, found: RankedPassage, width: int | None) -> str:
    parts = found.parts
    why = f"({parts.lexical:.3f} words + {parts.dense:.3f} meaning) × {parts.recency:.3f} recency"
    head = _wrapped(f"{rank}. {described(found.article)}", width, "   ")
    body = textwrap.indent(_wrapped(clean(found.passage.cleaned), width and width - 3), "   ")
    return f"{head}\n   {found.score:.3f} = {why}\n{body}"


def _visible(piece: str) -> str:
    """The piece cleaned, with the blank and the line breaks at its edges and inside kept."""
    blank = " " if piece[:1] == " " else ""
    return f"{blank}{printable(piece)}"


def _bold_markers(text: str) -> str:
    return _MARKER.sub(lambda marker: click.style(marker.group(), bold=True), text)


def _wrapped(text: str, width: int | None, indent: str = "") -> str:
    if not width:
        return text
    return textwrap.fill(
        text,
        min(width, MAX_WIDTH),
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,  # an address in two pieces can no longer be copied
    )
