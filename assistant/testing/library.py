"""A library in memory, for reading and under construction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.errors import ArticleNotFound
from assistant.domain.passages import Passage, PreparedArticle, Sentence
from assistant.ports import IndexRow, Visible

if TYPE_CHECKING:
    from assistant.ports import Vectors

Stored = Mapping[str, tuple[PreparedArticle, "Vectors"]]


class MemoryLibrary:
    """The articles of one generation."""

    def __init__(
        self,
        stored: Stored,
        clusters: Mapping[str, str] | None = None,
        withdrawn: Mapping[str, str] | None = None,
    ) -> None:
        self._clusters = dict(clusters or {})
        self._withdrawn = dict(withdrawn or {})
        self._prepared = {article_id: prepared for article_id, (prepared, _) in stored.items()}
        self._passages = {
            passage.id: passage for prepared in self._prepared.values() for passage in prepared.passages
        }

    def article(self, article_id: str) -> Article:
        """The article; raises ArticleNotFound."""
        return self._found(article_id).article

    def articles(self) -> list[ArticleInfo]:
        """All articles, newest first, undated last, then by id."""
        infos = [prepared.article.info for _, prepared in sorted(self._prepared.items())]
        dated = [(info.published.order(), info) for info in infos if info.published]
        dated.sort(key=lambda pair: pair[0], reverse=True)
        return [info for _, info in dated] + [info for info in infos if not info.published]

    def sentences(self, article_id: str) -> list[Sentence]:
        """The article's sentences in order; raises ArticleNotFound."""
        return list(self._found(article_id).sentences)

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """The passages in the order asked for; unknown ids are left out."""
        return [self._passages[one] for one in passage_ids if one in self._passages]

    def owners(self, passage_ids: Sequence[str]) -> Mapping[str, ArticleInfo]:
        """Which article each passage belongs to."""
        return {one.id: self.article(one.article_id).info for one in self.passages(passage_ids)}

    def visible(self, as_of: date) -> Visible:
        """How many articles exist as of the date, and from when to when they are."""
        infos = [prepared.article.info for prepared in self._prepared.values()]
        seen = [info for info in infos if info.text_date is None or info.text_date <= as_of]
        days = [info.published.day for info in seen if info.published]
        return Visible(len(seen), min(days, default=None), max(days, default=None))

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return {one: prepared.article.content_hash() for one, prepared in self._prepared.items()}

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        return self._withdrawn

    def copies(self, article_id: str) -> list[ArticleInfo]:
        """The near copies of the article, by id, without itself."""
        cluster = self._clusters.get(article_id)
        same = [one for one, name in self._clusters.items() if cluster == name and one != article_id]
        return [self._found(one).article.info for one in sorted(same)]

    def _found(self, article_id: str) -> PreparedArticle:
        if article_id not in self._prepared:
            raise ArticleNotFound(f"no article has the id {article_id!r}")
        return self._prepared[article_id]


class MemoryLibraryWriter:
    """The library of the generation under construction, a copy of the current one.

    calls: what was put and removed, in order, as ("put", id) and ("remove", id).
    """

    def __init__(
        self,
        stored: Stored,
        clusters: Mapping[str, str] | None = None,
        withdrawn: Mapping[str, str] | None = None,
    ) -> None:
        self.stored: dict[str, tuple[PreparedArticle, Vectors]] = dict(stored)
        self.clusters = dict(clusters or {})
        self.withdrawals = dict(withdrawn or {})
        self.calls: list[tuple[str, str]] = []

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return {one: prepared.article.content_hash() for one, (prepared, _) in self.stored.items()}

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        return self.stored[article_id][0].article if article_id in self.stored else None

    def origins(self) -> Mapping[str, Origin]:
        """Where each article was read from, by article id."""
        return {one: prepared.article.info.origin for one, (prepared, _) in self.stored.items()}

    def signatures(self) -> Mapping[str, bytes]:
        """What near copies are recognised by, by article id."""
        return {one: prepared.signature for one, (prepared, _) in self.stored.items()}

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        return dict(self.withdrawals)

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> list[str]:
        """Store the article whole, in place of one with the same id; one vector for each passage."""
        if len(prepared.passages) != len(vectors):
            raise ValueError(f"{len(prepared.passages)} passages need as many vectors, not {len(vectors)}")
        self.calls.append(("put", prepared.article.id))
        gone = self._passages(prepared.article.id)
        self.clusters.pop(prepared.article.id, None)
        self.stored[prepared.article.id] = (prepared, vectors.copy())
        return gone

    def remove(self, article_id: str) -> list[str]:
        """Forget the article; returns the ids of its passages, none when there is no such article."""
        self.calls.append(("remove", article_id))
        gone = self._passages(article_id)
        self.stored.pop(article_id, None)
        self.clusters.pop(article_id, None)
        return gone

    def relocate(self, article_id: str, origin: Origin) -> None:
        """Write down that the article, unchanged, is now read from elsewhere."""
        self.calls.append(("relocate", article_id))
        prepared, vectors = self.stored[article_id]
        article = replace(prepared.article, info=replace(prepared.article.info, origin=origin))
        self.stored[article_id] = (replace(prepared, article=article), vectors)

    def link(self, clusters: Mapping[str, str]) -> None:
        """Write down which articles are near copies of each other, in place of what was known."""
        self.clusters = {one: name for one, name in clusters.items() if one in self.stored}

    def withdraw(self, article_id: str, day: str) -> None:
        """Write down that the article was withdrawn on this day."""
        self.withdrawals[article_id] = day

    def readmit(self, article_id: str) -> None:
        """Forget that the article was withdrawn."""
        self.withdrawals.pop(article_id, None)

    def renew(self) -> list[Article]:
        """Empty the library; every article that it had, by id."""
        articles = [prepared.article for _, (prepared, _) in sorted(self.stored.items())]
        self.stored.clear()
        self.clusters.clear()
        return articles

    def rows(self) -> list[IndexRow]:
        """What the lexical index is built from, in passage-id order."""
        rows = [
            IndexRow(passage.id, prepared.article.info.title or "", passage.cleaned)
            for prepared, _ in self.stored.values()
            for passage in prepared.passages
        ]
        return sorted(rows, key=lambda row: row.passage_id)

    def vectors(self) -> dict[str, Vectors]:
        """The vector of each passage."""
        return {
            passage.id: vector
            for prepared, vectors in self.stored.values()
            for passage, vector in zip(prepared.passages, vectors, strict=True)
        }

    def content(self) -> str:
        """SHA-256 over all articles' ids and hashes: equal means the same articles."""
        digest = hashlib.sha256()
        for article_id, content_hash in sorted(self.hashes().items()):
            digest.update(f"{article_id}\0{content_hash}\n".encode())
        return digest.hexdigest()

    def _passages(self, article_id: str) -> list[str]:
        return [one.id for one in self.stored[article_id][0].passages] if article_id in self.stored else []
