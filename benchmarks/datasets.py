"""Question sets from outside the project, read from a folder that is not part of it.

Each set is a list of articles and of questions with acceptable answers. A question
that the articles do not answer has none.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp

UNDATED = date(2026, 1, 1)  # the as-of date for sets without dates: everything is visible


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its acceptable answers (none: not answerable) and as-of date."""

    id: str
    text: str
    answers: tuple[str, ...]
    as_of: date
    articles: tuple[str, ...]


def realtimeqa(data: Path) -> tuple[list[Article], list[Question]]:
    """RealTime QA 2023: news articles, and the questions whose answer one of theirs contains."""
    with gzip.open(data / "realtimeqa/articles-2023.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = [_news(json.loads(line)) for line in lines]
    questions = [
        Question(
            row["id"],
            row["question"],
            tuple(row["answers"]),
            date.fromisoformat(row["date"]),
            tuple(row["retrieved"]),
        )
        for row in _rows(data / "realtimeqa/questions-2023.jsonl")
        if row["answer_in_retrieved"]
    ]
    return articles, questions


def squad(data: Path, version: str = "1.1") -> tuple[list[Article], list[Question]]:
    """SQuAD dev (half of its titles): paragraphs as articles; version 2.0 has unanswerable ones."""
    articles = [
        Article(ArticleInfo(id=row["id"], origin=Origin("squad", row["id"]), title=row["title"]), row["text"])
        for row in _rows(data / f"squad_dev/docs-v{version}.jsonl")
    ]
    questions = [
        Question(
            row["id"],
            row["question"],
            tuple(row["answers"]) if row["answerable"] else (),
            UNDATED,
            (row["doc_id"],),
        )
        for row in _rows(data / f"squad_dev/qa-v{version}.jsonl")
    ]
    return articles, questions


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in the text as whole words, without regard to case."""
    words = f" {_words(text)} "
    return any(f" {_words(answer)} " in words for answer in answers if _words(answer))


def _news(row: dict[str, Any]) -> Article:
    published = Timestamp.parse(row["date"]) if row.get("date") else None
    origin = Origin("realtimeqa", row["id"])
    info = ArticleInfo(id=row["id"], origin=origin, title=row["title"], url=row["url"], published=published)
    return Article(info, row["text"])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _words(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
