"""What the history keeps of a question, and what a withdrawal takes out of it.

An answer is made of verbatim sentences, so its text is as much the article's as its
quotes are. After a withdrawal all of them are gone; that something was asked, when,
and with which receipt, stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from assistant.domain.answers import Abstention, Answer, Citation, Disagreement, Receipt
from assistant.domain.articles import ArticleInfo, Origin

WITHDRAWN = "[withdrawn]"  # stands where an article's words stood


class Standing(StrEnum):
    """What has become of a sentence that was quoted: still at its place, or not."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    GONE = "gone"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A question and what came of it, as it is kept.

    at: when it was answered, in UTC.
    result: what was given out, without the passages of ``nearest``.
    nearest: the ids of those passages' articles, best first.
    receipt: what can be checked again later; of its hashes a withdrawal takes none.
    withdrawn: the ids of articles whose words were taken out.
    """

    at: datetime
    result: Answer | Abstention
    nearest: tuple[str, ...]
    receipt: Receipt
    withdrawn: tuple[str, ...] = ()

    @classmethod
    def of(cls, result: Answer | Abstention, at: datetime) -> Record:
        """The record of a result that is given out at this moment."""
        nearest = tuple(dict.fromkeys(found.article.id for found in result.nearest))
        return cls(at=at, result=replace(result, nearest=()), nearest=nearest, receipt=Receipt.of(result))

    def without(self, article_ids: Collection[str]) -> Record:
        """The record without a word of these articles: quotes, titles, the claims and texts made of them.

        An abstention names its nearest article, so its text goes when one of the nearest does.
        """
        result = self.result
        cited = [citation.article.id for citation in result.citations] if isinstance(result, Answer) else []
        differing = [side.article.id for found in result.disagreements for side in found.sides]
        mentioned = dict.fromkeys((*cited, *self.nearest, *differing))
        gone = [one for one in mentioned if one in article_ids and one not in self.withdrawn]
        if not gone:
            return self
        result = replace(result, disagreements=_agreeing(result.disagreements, gone))
        stripped = _stripped(result, gone) if isinstance(result, Answer) else replace(result, text=WITHDRAWN)
        # A follow-up is made whole with words of the answer before it.
        made = replace(result.provenance, standalone=None)
        return replace(
            self,
            result=replace(stripped, provenance=made),
            receipt=replace(self.receipt, provenance=made),
            withdrawn=(*self.withdrawn, *gone),
        )


def _agreeing(found: tuple[Disagreement, ...], gone: Collection[str]) -> tuple[Disagreement, ...]:
    """The disagreements in which none of these articles has a side."""
    return tuple(one for one in found if not any(side.article.id in gone for side in one.sides))


def _stripped(answer: Answer, gone: Collection[str]) -> Answer:
    """The answer, put together anew from the claims that rest on other articles alone."""
    numbers = {citation.n for citation in answer.citations if citation.article.id in gone}
    if not numbers:
        return answer
    claims = tuple(
        claim if numbers.isdisjoint(claim.citations) else replace(claim, text=WITHDRAWN, why="")
        for claim in answer.claims
    )
    citations = tuple(
        _blank(citation) if citation.n in numbers else citation for citation in answer.citations
    )
    text = " ".join(claim.marked for claim in claims)
    return replace(answer, text=text, claims=claims, citations=citations, stands=None)


def _blank(citation: Citation) -> Citation:
    return replace(
        citation, article=ArticleInfo(id=citation.article.id, origin=Origin(root="", path="")), quote=""
    )
