"""Results as JSON: ``assistant.answer/1``, ``search/1``, ``article/1``, ``ingest/1``, ``history/1``.

Quotes and texts are the stored ones, at their stored offsets (code points). Control
and invisible characters, which a terminal might obey, are written as escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from assistant.domain.answers import Abstention, Answer, Citation, Disagreement
from assistant.domain.articles import Article, ArticleInfo
from assistant.domain.errors import AssistantError
from assistant.domain.history import Record, Standing
from assistant.domain.passages import RankedPassage, Sentence, Span
from assistant.domain.text import INVISIBLE
from assistant.ingest import IngestReport

_UNSAFE = re.compile(f"{INVISIBLE.pattern}|[\x85\u200c\u200d\u2028\u2029]")


def dumps(value: object) -> str:
    """One line of JSON without a character that a terminal could obey or hide."""
    return _UNSAFE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def answer_json(result: Answer | Abstention) -> dict[str, Any]:
    """The object of ``assistant.answer/1``."""
    answered = isinstance(result, Answer)
    return {
        "schema": "assistant.answer/1",
        "answer_id": result.id,
        "kind": "answer" if answered else "abstention",
        "reason": None if isinstance(result, Answer) else result.reason.value,
        "question": result.question,
        "as_of": result.as_of.isoformat(),
        "stands": result.stands.isoformat() if isinstance(result, Answer) and result.stands else None,
        "text": result.text,
        "claims": [asdict(claim) for claim in result.claims] if isinstance(result, Answer) else [],
        "dropped": result.dropped,
        "unknown_markers": result.unknown_markers,
        "disagreements": [_disagreement(one) for one in result.disagreements],
        "complete": result.complete,
        "citations": [_citation(citation) for citation in result.citations]
        if isinstance(result, Answer)
        else [],
        "nearest": [passage_json(passage) for passage in result.nearest],
        "confidence": result.confidence,
        "degraded": asdict(result.degraded) if result.degraded else None,
        "corpus": {
            "name": result.corpus.name,
            "articles": result.corpus.articles,
            "oldest": result.corpus.oldest.isoformat() if result.corpus.oldest else None,
            "newest": result.corpus.newest.isoformat() if result.corpus.newest else None,
            "generation": result.corpus.generation,
        },
        "usage": asdict(result.usage),
        "provenance": asdict(result.provenance),
    }


def search_json(passages: Iterable[RankedPassage]) -> dict[str, Any]:
    """The object of ``assistant.search/1``."""
    return {"schema": "assistant.search/1", "passages": [passage_json(passage) for passage in passages]}


def passage_json(found: RankedPassage) -> dict[str, Any]:
    """A passage with its article and the parts of its score, rounded to six places."""
    return {
        "passage_id": found.passage.id,
        **_source(found.article, found.passage.span),
        "score": round(found.score, 6),
        "lexical": round(found.parts.lexical, 6),
        "dense": round(found.parts.dense, 6),
        "recency": round(found.parts.recency, 6),
        "text": found.passage.text,
    }


def article_json(
    article: Article, sentences: Sequence[Sentence], copies: Sequence[ArticleInfo] = ()
) -> dict[str, Any]:
    """The object of ``assistant.article/1``: what is known, near copies, stored text, sentence offsets."""
    return {
        "schema": "assistant.article/1",
        **info_json(article.info),
        "near_copies": [copy.id for copy in copies],
        "text": article.text,
        "sentences": [{"start": one.span.start, "end": one.span.end} for one in sentences],
    }


def info_json(info: ArticleInfo) -> dict[str, Any]:
    """What is known about an article; absent facts are null."""
    return {
        "article_id": info.id,
        "title": info.title,
        "outlet": info.outlet,
        "author": info.author,
        "url": info.location,
        "published": info.published.isoformat() if info.published else None,
        "updated": info.updated.isoformat() if info.updated else None,
        "corrects": info.corrects,
        "language": info.language,
        "fiction": info.fiction,
        "summary_only": info.summary_only,
    }


def ingest_json(corpus: str, report: IngestReport) -> dict[str, Any]:
    """The object of ``assistant.ingest/1``: article ids by outcome, rejections with their reasons."""
    return {"schema": "assistant.ingest/1", "corpus": corpus, **asdict(report)}


def record_json(record: Record, standings: Sequence[Standing] | None = None) -> dict[str, Any]:
    """The object of ``assistant.history/1``: an answer with its receipt; ``now`` is null when not checked.

    What was withdrawn is null where it was a quote, a title or the like, and "[withdrawn]" in texts.
    """
    result = record.result
    citations = result.citations if isinstance(result, Answer) else ()
    checked: Sequence[Standing | None] = standings or [None] * len(citations)
    return {
        **answer_json(result),
        "schema": "assistant.history/1",
        "at": record.at.isoformat(),
        "citations": [
            _kept(citation, quoted, now, withdrawn=citation.article.id in record.withdrawn)
            for citation, (_, _, quoted), now in zip(citations, record.receipt.quotes, checked, strict=True)
        ],
        "nearest": [{"article_id": one} for one in record.nearest],
        "withdrawn": list(record.withdrawn),
    }


def error_json(error: Exception) -> dict[str, str]:
    """An error's type and message, for a line of a batch."""
    message = str(error) if isinstance(error, AssistantError) else "internal error"
    return {"type": type(error).__name__, "message": message}


def _citation(citation: Citation) -> dict[str, Any]:
    return {"n": citation.n, **_source(citation.article, citation.span), "quote": citation.quote}


def _disagreement(found: Disagreement) -> dict[str, Any]:
    sides = [
        {"value": side.value, **_source(side.article, side.span), "quote": side.quote} for side in found.sides
    ]
    return {"kind": found.kind.value, "values": sides}


def _kept(citation: Citation, quoted: str, now: Standing | None, *, withdrawn: bool) -> dict[str, Any]:
    blank = {"url": None, "quote": None} if withdrawn else {}
    return {**_citation(citation), **blank, "sha256": quoted, "now": now}


def _source(article: ArticleInfo, span: Span) -> dict[str, Any]:
    return {
        "article_id": article.id,
        "title": article.title,
        "outlet": article.outlet,
        "url": article.location,
        "published": article.published.isoformat() if article.published else None,
        "start": span.start,
        "end": span.end,
    }


def _escaped(match: re.Match[str]) -> str:
    encoded = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{encoded[at : at + 2].hex()}" for at in range(0, len(encoded), 2))
