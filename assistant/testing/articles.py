"""Articles to test with. The place, its people and its papers are invented."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.errors import ArticleRejected


class ListSource:
    """Reads out the items that it was given; reads counts how often.

    roots: the source roots that it stands for when articles are pruned; those of its items when None.
    """

    def __init__(
        self, items: Iterable[Article | ArticleRejected], *, roots: Collection[str] | None = None
    ) -> None:
        self._items = tuple(items)
        self._roots = roots
        self.reads = 0

    def read(self) -> Iterator[Article | ArticleRejected]:
        """Every item, in the order given."""
        self.reads += 1
        yield from self._items

    def covers(self, origin: Origin) -> bool:
        """Whether the article is from one of the roots."""
        if self._roots is not None:
            return origin.root in self._roots
        return origin.root in {item.info.origin.root for item in self._items if isinstance(item, Article)}


def sample_article(
    article_id: str,
    text: str,
    *,
    title: str | None = None,
    published: str | None = None,
    outlet: str | None = None,
) -> Article:
    """An invented article of your own: ``sample_article("a", "It rained.", published="2031-03-04")``."""
    info = ArticleInfo(
        id=article_id,
        origin=Origin("samples", f"{article_id}.md"),
        title=title,
        outlet=outlet,
        published=Timestamp.parse(published) if published else None,
        fiction=True,
    )
    return Article(info, text)


def sample_articles() -> list[Article]:
    """Four short articles: a story, a later figure for it, another story, an undated notice."""
    return [
        sample_article(
            "bridge",
            "The Quill Bridge was closed on Monday. Engineers had found 14 cracks in its northern pier. "
            "Harbour master Ines Varga said that ferries would run every half hour.",
            title="Quill Bridge closed",
            published="2031-03-04",
            outlet="Quillport Gazette",
        ),
        sample_article(
            "bridge-update",
            "The number of cracks in the Quill Bridge has risen to 19. The bridge stays closed until May.",
            title="More cracks found in bridge",
            published="2031-03-11T08:30:00",
            outlet="Quillport Gazette",
        ),
        sample_article(
            "lighthouse",
            "The lighthouse on Gull Rock will be painted blue. Its keeper, Otto Brand, chose the colour.",
            title="Blue for Gull Rock",
            published="2031-02-20",
            outlet="Coast Herald",
        ),
        sample_article("notice", "The town library opens at nine. It is closed on Sundays."),
    ]
