"""What an ingest adds, changes, leaves alone, removes and rejects, and when it publishes."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.cached_embedder import CachedEmbedder
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.sqlite_vectors import SqliteVectors
from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.errors import (
    ArticleRejected,
    EmbedderMismatch,
    LibraryBusy,
    ProviderUnreachable,
    VectorsUnusable,
)
from assistant.domain.passages import PASSAGE_RULES, Span
from assistant.ingest import In, IngestReport, Out, Preparation, Rejection, ingest, prepare
from assistant.ports import Embedder, Segmenter
from assistant.testing import (
    FullStopSegmenter,
    LineSegmenter,
    ListSource,
    MemoryGenerations,
    ScriptedEmbedder,
    sample_article,
    sample_articles,
)

if TYPE_CHECKING:
    from assistant.ports import Vectors

BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
BROKEN = ArticleRejected("broken.md", "no text")


def corpus(*, embedder: str = "hashing/256", segmenter: str = "full-stop/1") -> MemoryGenerations:
    return MemoryGenerations(embedder=embedder, segmenter=f"{segmenter}/passages-{PASSAGE_RULES}")


def put(
    generations: MemoryGenerations,
    *items: Article | ArticleRejected,
    segmenter: Segmenter | None = None,
    embedder: Embedder | None = None,
    roots: Collection[str] | None = None,
    **options: Any,
) -> IngestReport:
    return ingest(
        ListSource(items, roots=roots),
        generations,
        segmenter=segmenter or FullStopSegmenter(),
        embedder=embedder or HashingEmbedder(),
        **options,
    )


def stored(generations: MemoryGenerations) -> list[str]:
    with generations.current() as current:
        assert current is not None
        return sorted(info.id for info in current.library.articles())


def again(article: Article, text: str) -> Article:
    return Article(article.info, text)


def test_new_articles_are_added_and_published() -> None:
    generations = corpus()
    assert put(generations, BRIDGE, NOTICE) == IngestReport(added=("bridge", "notice"))
    assert stored(generations) == ["bridge", "notice"]


def test_a_second_ingest_tells_added_changed_and_unchanged_apart() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE)
    report = put(generations, again(BRIDGE, "It was reopened."), NOTICE, UPDATE, BROKEN)
    assert report == IngestReport(
        added=("bridge-update",),
        changed=("bridge",),
        unchanged=("notice",),
        rejected=(Rejection("broken.md", "no text"),),
    )
    assert report.accepted == 3
    assert generations.writes[-1] == (("put", "bridge"), ("put", "bridge-update"))


def test_a_changed_article_is_replaced_whole() -> None:
    generations = corpus()
    put(generations, BRIDGE)
    put(generations, again(BRIDGE, "It was reopened."))
    with generations.current() as current:
        assert current is not None
        assert [one.text for one in current.library.sentences("bridge")] == ["It was reopened."]
        assert current.lexical.search("ferries", 5) == []


def test_a_changed_title_is_a_change() -> None:
    generations = corpus()
    put(generations, sample_article("a", "Same text.", title="One"))
    assert put(generations, sample_article("a", "Same text.", title="Two")).changed == ("a",)


def test_an_article_that_is_not_mentioned_stays() -> None:
    generations = corpus()
    put(generations, BRIDGE)
    assert put(generations, NOTICE).removed == ()
    assert stored(generations) == ["bridge", "notice"]


def test_nothing_is_published_when_nothing_changed() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE)
    assert put(generations, NOTICE, BROKEN).accepted == 1
    assert len(generations.published) == 1


def test_nothing_is_published_when_nothing_was_readable() -> None:
    generations = corpus()
    assert put(generations, BROKEN) == IngestReport(rejected=(Rejection("broken.md", "no text"),))
    assert generations.published == []


def test_an_unchanged_article_costs_no_segmenting_and_no_embedding() -> None:
    generations = corpus(embedder="scripted/1")
    embedder = ScriptedEmbedder({"It rained.": [1, 0], "It snowed.": [0, 1]})
    segmenter = FullStopSegmenter()
    put(generations, sample_article("a", "It rained."), segmenter=segmenter, embedder=embedder)
    put(
        generations,
        sample_article("a", "It rained."),
        sample_article("b", "It snowed."),
        segmenter=segmenter,
        embedder=embedder,
    )
    embedder.assert_complete()
    assert embedder.calls == [("It rained.",), ("It snowed.",)]
    assert segmenter.calls == ["It rained.", "It snowed."]


def test_an_id_that_comes_twice_is_rejected_the_second_time() -> None:
    generations = corpus()
    first, second = sample_article("same", "The first."), sample_article("same", "The second.")
    report = put(generations, first, second)
    assert report == IngestReport(
        added=("same",),
        rejected=(
            Rejection(
                "samples/same.md",
                "the id 'same' is that of samples/same.md, another article; give one of them another id",
            ),
        ),
    )
    with generations.current() as current:
        assert current is not None
        assert current.library.article("same") == first


def test_the_same_source_with_an_id_twice_changes_nothing_the_second_time() -> None:
    generations = corpus()
    items = [sample_article("same", "The first."), sample_article("same", "The second.")]
    put(generations, *items)
    assert put(generations, *items).unchanged == ("same",)
    assert len(generations.published) == 1


def test_a_mirror_removes_what_vanished_from_its_source() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE, mirror="monday")
    assert put(generations, BRIDGE, UPDATE, mirror="tuesday") == IngestReport(
        added=("bridge-update",), unchanged=("bridge",), removed=("notice",)
    )
    assert stored(generations) == ["bridge", "bridge-update"]
    assert generations.published[-1].manifest.source == "tuesday"


def test_a_mirror_of_a_source_that_gave_nothing_keeps_what_it_had() -> None:
    generations = corpus()
    put(generations, BRIDGE, mirror="monday")
    assert put(generations, BROKEN, mirror="tuesday").removed == ()
    assert stored(generations) == ["bridge"]


def test_a_mirror_notes_a_new_state_also_when_no_article_changed() -> None:
    generations = corpus()
    for state in ("monday", "tuesday", "tuesday"):
        put(generations, BRIDGE, mirror=state)
    assert [one.manifest.source for one in generations.published] == ["monday", "tuesday"]


def test_rebuild_prepares_and_embeds_everything_again_with_the_new_embedder() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE)
    rebuilt = corpus(embedder="hashing/64")
    rebuilt.published = generations.published
    segmenter = FullStopSegmenter()
    report = put(rebuilt, UPDATE, rebuild=True, embedder=HashingEmbedder(64), segmenter=segmenter)
    assert report == IngestReport(added=("bridge-update",))
    assert segmenter.calls == [BRIDGE.text, NOTICE.text, UPDATE.text]
    with rebuilt.current() as current:
        assert current is not None
        assert current.manifest.embedder == "hashing/64"
        hits = current.vectors.search(HashingEmbedder(64).embed(["bridge"])[0], 9, exact=True)
        assert len(hits) == 3


def test_rebuild_of_an_empty_corpus_is_a_plain_ingest() -> None:
    assert put(corpus(), BRIDGE, rebuild=True) == IngestReport(added=("bridge",))


def test_another_embedder_is_refused_and_nothing_is_written() -> None:
    generations = corpus()
    put(generations, BRIDGE)
    with pytest.raises(EmbedderMismatch, match="'hashing/256', not with 'hashing/64'") as caught:
        put(generations, NOTICE, embedder=HashingEmbedder(64))
    assert "--rebuild" in caught.value.help
    assert (len(generations.published), generations.writes[-1]) == (1, ())


def test_another_segmenter_prepares_every_stored_article_again() -> None:
    generations = corpus()
    put(generations, NOTICE, BRIDGE)
    segmenter = LineSegmenter()
    report = put(generations, NOTICE, segmenter=segmenter)
    assert report == IngestReport(unchanged=("notice",))
    assert segmenter.calls == [BRIDGE.text, NOTICE.text]
    with generations.current() as current:
        assert current is not None
        assert current.number == 2
        assert [one.text for one in current.library.sentences("bridge")] == [BRIDGE.text]


def test_an_article_without_sentences_is_stored_and_never_found() -> None:
    generations = corpus()
    assert put(generations, sample_article("signs", "* * *")).added == ("signs",)
    with generations.current() as current:
        assert current is not None
        assert (current.manifest.articles, current.manifest.passages) == (1, 0)


@pytest.mark.parametrize("count", [63, 64, 65, 128, 130])
def test_every_article_of_a_long_source_gets_its_own_vectors(count: int) -> None:
    generations = corpus()
    articles = [sample_article(f"a{at:03}", f"Number {at} stands here.") for at in range(count)]
    turns = [2 * math.pi * at / count for at in range(count)]
    embedder = ScriptedEmbedder(
        {one.text: [math.cos(turn), math.sin(turn)] for one, turn in zip(articles, turns, strict=True)}
    )
    assert len(put(generations, *articles, embedder=embedder).added) == count
    with generations.current() as current:
        assert current is not None
        for at, article in enumerate(articles):
            (question,) = embedder.embed([article.text])
            (nearest,) = current.vectors.search(question, 1)
            assert current.library.owners([nearest.passage_id])[nearest.passage_id].id == f"a{at:03}"


# Pruning


def at(article_id: str, path: str, root: str = "news", text: str | None = None) -> Article:
    """An article from a file below a root."""
    return Article(ArticleInfo(id=article_id, origin=Origin(root, path)), text or f"This is {article_id}.")


def unreadable(path: str, root: str = "news") -> ArticleRejected:
    return ArticleRejected(f"{root}/{path}", "has no text", Origin(root, path))


def test_pruning_removes_what_vanished_from_the_roots_that_were_read_and_nothing_else() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md"), at("c", "c.md", root="sport"))
    assert put(generations, at("a", "a.md"), prune=True) == IngestReport(unchanged=("a",), removed=("b",))
    assert stored(generations) == ["a", "c"]


def test_without_pruning_nothing_is_removed() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md"))
    assert put(generations, at("a", "a.md")) == IngestReport(unchanged=("a",))
    assert stored(generations) == ["a", "b"]


def test_pruning_asks_the_source_what_it_covers() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md", root="sport"), at("c", "c.md", root="weather"))
    report = put(generations, at("a", "a.md"), roots=["sport", "news"], prune=True)
    assert (report.removed, stored(generations)) == (("b",), ["a", "c"])


@pytest.mark.parametrize("items", [[], [unreadable("a.md")]], ids=["an empty source", "nothing readable"])
@pytest.mark.parametrize("options", [{"prune": True}, {"mirror": "tuesday"}], ids=["pruned", "mirrored"])
def test_where_nothing_was_read_everything_is_spared_and_that_is_said(
    items: list[Article | ArticleRejected], options: dict[str, Any]
) -> None:
    generations = corpus()
    put(generations, at("b", "b.md"), at("c", "c.md"))
    report = put(generations, *items, roots=["news"], **options)
    assert (report.spared, report.removed, report.changes) == (("b", "c"), (), 0)
    assert stored(generations) == ["b", "c"]


UNREAD: dict[str, tuple[str, tuple[str, ...]]] = {
    "its own file": ("deep/b.jsonl", ("c", "d")),
    "a record of its file": ("deep/b.jsonl#2", ("c", "d")),
    "the folder that it is in": ("deep", ("d",)),
    "the whole root": ("", ()),
    "another file whose name begins alike": ("deep/b.json", ("b", "c", "d")),
    "a folder whose name begins alike": ("dee", ("b", "c", "d")),
}


@pytest.mark.parametrize("unread", UNREAD)
def test_what_could_not_be_read_is_not_pruned(unread: str) -> None:
    path, removed = UNREAD[unread]
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "deep/b.jsonl#1"), at("c", "deep/c.md"), at("d", "d.md"))
    report = put(generations, at("a", "a.md"), unreadable(path), prune=True)
    assert report.removed == removed


def test_the_same_file_below_another_root_is_no_reason_to_keep_an_article() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md"))
    report = put(generations, at("a", "a.md"), unreadable("b.md", root="sport"), prune=True)
    assert report.removed == ("b",)


def test_an_article_that_was_moved_is_not_pruned() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md"))
    report = put(generations, at("a", "a.md"), at("b", "new/b.md"), prune=True)
    assert (report.changed, report.removed) == (("b",), ())


def test_an_article_whose_id_another_story_wants_is_not_pruned() -> None:
    generations = corpus()
    put(generations, at("a", "a.md"), at("b", "b.md"))
    report = put(generations, at("a", "a.md"), at("b", "other.md", text="Another story."), prune=True)
    assert (len(report.rejected), report.removed) == (1, ())
    assert stored(generations) == ["a", "b"]


# Dry runs


def prepared_corpus() -> MemoryGenerations:
    """A corpus of three roots, with an article that was withdrawn."""
    generations = corpus()
    items = [
        at("a", "a.md"),
        at("b", "b.md"),
        at("c", "c.jsonl#1"),
        at("d", "d.md", "sport"),
        at("e", "e.md"),
    ]
    put(generations, *items)
    with generations.writer() as writer:
        writer.library.remove("e")
        writer.library.withdraw("e", "2031-04-01")
        writer.publish()
    return generations


CALLS: dict[str, tuple[list[Article | ArticleRejected], dict[str, Any]]] = {
    "all at once": (
        [
            at("a", "a.md"),
            at("b", "b.md", text="Changed."),
            at("e", "e.md"),
            at("f", "f.md"),
            at("f", "g.md", text="The same id."),
            at("d", "h.md", "other", text="Another story."),
            unreadable("i.md"),
        ],
        {"prune": True},
    ),
    "nothing new": ([at("a", "a.md")], {}),
    "an empty source": ([], {"prune": True, "roots": ["news"]}),
    "a mirror": ([at("a", "a.md"), at("f", "f.md")], {"mirror": "monday"}),
    "a mirror of nothing": ([], {"mirror": "monday"}),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_dry_run_reports_what_the_real_one_does_and_changes_nothing(call: str) -> None:
    items, options = CALLS[call]
    generations = prepared_corpus()
    before = (len(generations.published), len(generations.writes))
    dry = put(generations, *items, dry_run=True, **options)
    assert (len(generations.published), len(generations.writes)) == before
    assert dry.dry_run
    assert replace(dry, dry_run=False) == put(generations, *items, **options)


ITEMS = st.lists(
    st.one_of(
        st.builds(
            at,
            st.sampled_from("abcdef"),
            st.sampled_from(["a.md", "b.md", "b.md#2", "x/c.md"]),
            st.sampled_from(["news", "sport"]),
            st.sampled_from([None, "Changed.", "Again."]),
        ),
        st.builds(unreadable, st.sampled_from(["a.md", "b.md", "x", ""]), st.sampled_from(["news", "sport"])),
    ),
    max_size=6,
)


@given(ITEMS, ITEMS, st.booleans())
def test_whatever_is_read_a_dry_run_reports_what_the_real_one_does(
    first: list[Article | ArticleRejected], second: list[Article | ArticleRejected], prune: bool
) -> None:
    generations = prepared_corpus()
    put(generations, *first)
    dry = put(generations, *second, prune=prune, dry_run=True)
    assert replace(dry, dry_run=False) == put(generations, *second, prune=prune)
    assert put(generations, *second).changes <= len(second)


def test_a_dry_run_of_a_first_ingest_reports_what_would_be_added() -> None:
    generations = corpus()
    assert put(generations, BRIDGE, BROKEN, dry_run=True) == IngestReport(
        added=("bridge",), rejected=(Rejection("broken.md", "no text"),), dry_run=True
    )
    assert (generations.published, generations.writes) == ([], [])


def test_a_dry_run_prepares_and_embeds_nothing_and_waits_for_nobody() -> None:
    generations = corpus(embedder="scripted/1")
    segmenter, embedder = FullStopSegmenter(), ScriptedEmbedder({"never": [1, 0]})
    with generations.writer():
        report = put(generations, BRIDGE, dry_run=True, segmenter=segmenter, embedder=embedder)
    assert (report.added, segmenter.calls, embedder.calls) == (("bridge",), [], [])


# Withdrawn articles and near copies


def test_a_withdrawn_article_is_rejected_with_the_day_and_the_way_back() -> None:
    generations = prepared_corpus()
    report = put(generations, at("e", "e.md"), at("f", "f.md"))
    assert report == IngestReport(
        added=("f",),
        rejected=(
            Rejection(
                "news/e.md",
                "'e' was withdrawn on 2031-04-01; `assistant articles readmit` lets it in again",
            ),
        ),
    )
    assert "e" not in stored(generations)


def test_a_withdrawn_article_stays_out_of_a_rebuild_and_a_mirror() -> None:
    generations = prepared_corpus()
    put(generations, at("e", "e.md"), at("a", "a.md"), mirror="monday", rebuild=True)
    assert stored(generations) == ["a"]
    assert generations.published[-1].library.withdrawn() == {"e": "2031-04-01"}


def test_a_readmitted_article_is_added_again() -> None:
    generations = prepared_corpus()
    with generations.writer() as writer:
        writer.library.readmit("e")
        writer.publish()
    assert put(generations, at("e", "e.md")).added == ("e",)


def copies(generations: MemoryGenerations, article_id: str) -> list[str]:
    return [info.id for info in generations.published[-1].library.copies(article_id)]


def test_near_copies_are_linked_and_unlinked_as_the_corpus_changes() -> None:
    generations = corpus()
    wire = " ".join(f"Sentence {number} of a long story from the harbour." for number in range(60))
    put(generations, at("a", "a.md", text=wire), BRIDGE)
    assert copies(generations, "a") == []
    put(generations, at("b", "b.md", text=f"{wire} More to follow."))
    assert (copies(generations, "a"), copies(generations, "b")) == (["b"], ["a"])
    put(generations, at("b", "b.md", text="Another story altogether, of other things and other people."))
    assert copies(generations, "a") == []


# Workers


def test_workers_get_batches_in_order_and_their_results_are_stored_in_order() -> None:
    batches: list[list[str]] = []

    def workers(job: Callable[[In], Out], given: Iterable[In], /) -> Iterator[Out]:
        for batch in given:
            batches.append([article.id for article in cast("list[Article]", batch)])
            yield job(batch)

    generations = corpus()
    articles = [sample_article(f"a{number:03}", f"Number {number}.") for number in range(130)]
    put(generations, *articles, workers=workers)
    ids = [article.id for article in articles]
    assert batches == [ids[:64], ids[64:128], ids[128:]]
    assert [article_id for _, article_id in generations.writes[-1]] == ids


def test_an_error_of_a_worker_ends_the_ingest_and_publishes_nothing() -> None:
    def workers(job: Callable[[In], Out], given: Iterable[In], /) -> Iterator[Out]:
        yield from map(job, given)
        raise MemoryError

    generations = corpus()
    with pytest.raises(MemoryError):
        put(generations, BRIDGE, workers=workers)
    assert generations.published == []


def test_what_is_done_to_a_batch_travels_between_processes() -> None:
    job = Preparation(FullStopSegmenter(), HashingEmbedder())
    received: Preparation = pickle.loads(pickle.dumps(job))  # noqa: S301 -- our own bytes
    ((one, vectors),), ((other, same),) = job([BRIDGE]), received([BRIDGE])
    assert one == other
    assert vectors.tolist() == same.tolist()


# An embedder behind an API


class Picky:
    """Embeds as hashing does, but gives no usable vector for some texts, and fails at others.

    calls: the texts of each call.
    """

    fingerprint = HashingEmbedder().fingerprint

    def __init__(self, *, unusable: Collection[str] = (), fails_at: str = "") -> None:
        self._unusable = unusable
        self.fails_at = fails_at
        self.calls: list[tuple[str, ...]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.fails_at in texts:
            raise ProviderUnreachable("the server at example.org failed")
        self.calls.append(tuple(texts))
        if bad := tuple(at for at, text in enumerate(texts) if text in self._unusable):
            raise VectorsUnusable(bad)
        return HashingEmbedder().embed(texts)


class Cutters:
    """Workers that take note of what they did to the batches."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def __call__(self, job: Callable[[In], Out], batches: Iterable[In], /) -> Iterator[Out]:
        for batch in batches:
            result = pickle.loads(pickle.dumps(job))(batch)  # noqa: S301 -- our own bytes
            self.results.append(result)
            yield result


def test_workers_only_prepare_where_the_embedder_is_called_here() -> None:
    workers, embedder, generations = Cutters(), Picky(), corpus()
    put(generations, BRIDGE, NOTICE, embedder=embedder, embed_here=True, workers=workers)
    assert workers.results == [prepare([BRIDGE, NOTICE], FullStopSegmenter())]
    assert embedder.calls == [(BRIDGE.text, NOTICE.text)]
    others = corpus()
    put(others, BRIDGE, NOTICE)
    found, expected = (each.published[-1].vectors for each in (generations, others))
    vector = HashingEmbedder().embed(["bridge"])[0]
    assert found.search(vector, 9) == expected.search(vector, 9)


def test_an_article_that_cannot_be_embedded_is_rejected_and_the_rest_of_its_batch_stored() -> None:
    generations = corpus()
    embedder = Picky(unusable=[BRIDGE.text, LIGHTHOUSE.text])
    report = put(generations, *sample_articles(), embedder=embedder, embed_here=True)
    reason = "the embedder gave no usable vector for 1 text of the article"
    assert report == IngestReport(
        added=("bridge-update", "notice"),
        rejected=(
            Rejection(BRIDGE.info.file, f"{reason} 'bridge'"),
            Rejection(LIGHTHOUSE.info.file, f"{reason} 'lighthouse'"),
        ),
    )
    assert stored(generations) == ["bridge-update", "notice"]


def test_a_changed_article_that_cannot_be_embedded_stays_as_it_was_and_is_not_pruned() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE)
    embedder = Picky(unusable=["It was reopened."])
    items = (again(BRIDGE, "It was reopened."), NOTICE, UPDATE)
    report = put(generations, *items, embedder=embedder, embed_here=True, prune=True)
    assert (report.added, report.changed, report.removed) == (("bridge-update",), (), ())
    assert [rejection.where for rejection in report.rejected] == [BRIDGE.info.file]
    with generations.current() as current:
        assert current is not None
        assert current.library.article("bridge") == BRIDGE


def test_nothing_is_published_where_no_article_can_be_embedded() -> None:
    generations = corpus()
    report = put(generations, BRIDGE, embedder=Picky(unusable=[BRIDGE.text]), embed_here=True)
    assert (report.accepted, len(report.rejected), generations.published) == (0, 1, [])


def test_a_rebuild_leaves_out_no_stored_article_that_can_no_longer_be_embedded() -> None:
    generations = corpus()
    put(generations, BRIDGE, NOTICE)
    with pytest.raises(VectorsUnusable, match=r"for 1 text of the article 'notice'\Z") as caught:
        put(generations, embedder=Picky(unusable=[NOTICE.text]), embed_here=True, rebuild=True)
    assert caught.value.at == (0,)
    assert stored(generations) == ["bridge", "notice"]
    assert len(generations.published) == 1


def test_an_api_that_fails_ends_the_ingest_and_the_next_one_pays_only_for_the_rest(tmp_path: Path) -> None:
    articles = [sample_article(f"a{number:03}", f"Number {number}.") for number in range(150)]
    generations, embedder = corpus(), Picky(fails_at="Number 140.")
    cached = CachedEmbedder(embedder, SqliteVectors(tmp_path / "cache.db"))
    with pytest.raises(ProviderUnreachable):
        put(generations, *articles, embedder=cached, embed_here=True)
    assert generations.published == []
    embedder.fails_at = ""
    put(generations, *articles, embedder=cached, embed_here=True)
    assert [len(texts) for texts in embedder.calls] == [64, 64, 22]
    assert len(stored(generations)) == 150


def test_progress_tells_what_is_read_and_when_indexing_begins() -> None:
    seen: list[tuple[str, int]] = []
    ingest(
        ListSource([BRIDGE, BROKEN, NOTICE]),
        corpus(),
        segmenter=FullStopSegmenter(),
        embedder=HashingEmbedder(),
        progress=lambda stage, articles: seen.append((stage, articles)),
    )
    assert seen == [("read", 1), ("read", 2), ("read", 3), ("index", 2)]


def test_a_second_ingest_at_the_same_time_is_told_that_the_corpus_is_busy() -> None:
    generations = corpus()
    with generations.writer(), pytest.raises(LibraryBusy):
        put(generations, BRIDGE)


def test_a_source_is_read_once() -> None:
    source = ListSource([BRIDGE])
    ingest(source, corpus(), segmenter=FullStopSegmenter(), embedder=HashingEmbedder())
    assert source.reads == 1


def test_prepare_cuts_each_article_in_order() -> None:
    notice, bridge = prepare([NOTICE, BRIDGE], FullStopSegmenter())
    assert (notice.article, bridge.article) == (NOTICE, BRIDGE)
    assert [one.span for one in notice.sentences] == [Span(0, 31), Span(32, 56)]
    assert [(one.span, one.text, one.cleaned) for one in notice.passages] == [
        (Span(0, 56), NOTICE.text, NOTICE.text)
    ]


def test_prepare_hands_the_language_to_the_segmenter() -> None:
    class Asked:
        fingerprint = "asked/1"

        def segment(self, text: str, language: str = "en") -> list[Span]:
            languages.append(language)
            return []

    languages: list[str] = []
    prepare([BRIDGE], Asked())
    assert languages == ["en"]


def test_prepare_is_pure_and_travels_between_processes() -> None:
    segmenter = FullStopSegmenter()
    first = prepare(sample_articles(), segmenter)
    sent, received = pickle.dumps((prepare, first)), prepare(sample_articles(), segmenter)
    assert pickle.loads(sent) == (prepare, received)  # noqa: S301 -- our own bytes


def test_another_story_under_a_used_id_is_rejected_and_loses_nothing() -> None:
    generations = corpus()
    put(generations, filed("news.jsonl#1", "Harvest", "The harvest was good."))
    report = put(generations, filed("sport.jsonl#1", "Regatta", "The boats were late."))
    assert [rejection.reason for rejection in report.rejected] == [
        "the id '1' is that of samples/news.jsonl#1, another article; give one of them another id"
    ]
    assert texts(generations) == ["The harvest was good."]


@pytest.mark.parametrize(
    ("path", "title", "text"),
    [
        ("news.jsonl#7", "Corrected", "The harvest was poor."),
        ("moved.jsonl#1", "Harvest", "The harvest was poor."),
        ("moved.jsonl#1", "Corrected", "The harvest was good."),
    ],
)
def test_a_story_that_was_moved_or_edited_keeps_its_id(path: str, title: str, text: str) -> None:
    generations = corpus()
    put(generations, filed("news.jsonl#1", "Harvest", "The harvest was good."))
    report = put(generations, filed(path, title, text))
    assert (report.changed, report.rejected) == (("1",), ())
    assert texts(generations) == [text]


def test_a_story_at_the_same_address_is_the_same_whatever_became_of_it() -> None:
    """As an entry of a feed that is fetched each day into another file."""
    generations = corpus()
    put(generations, filed("monday.xml#1", "Harvest", "The harvest is good.", url="https://news.example/1"))
    report = put(generations, filed("friday.xml#4", "Gale", "A gale came.", url="https://news.example/1"))
    assert (report.changed, report.rejected) == (("1",), ())
    assert texts(generations) == ["A gale came."]


def test_a_story_that_has_only_moved_is_not_prepared_again() -> None:
    generations = corpus()
    put(generations, filed("news.jsonl#1", "Harvest", "The harvest was good."))
    assert put(generations, filed("old.jsonl#9", "Harvest", "The harvest was good.")).changed == ("1",)
    assert generations.writes[-1] == (("relocate", "1"),)
    with generations.current() as current:
        assert current is not None
        assert current.library.article("1").info.origin == Origin("samples", "old.jsonl#9")


def test_a_record_that_moves_up_within_its_file_is_unchanged() -> None:
    generations = corpus()
    put(generations, filed("news.jsonl#2", "Harvest", "The harvest was good."))
    assert put(generations, filed("news.jsonl#1", "Harvest", "The harvest was good.")).unchanged == ("1",)
    assert len(generations.published) == 1


def filed(path: str, title: str, text: str, url: str | None = None) -> Article:
    return Article(ArticleInfo(id="1", origin=Origin("samples", path), title=title, url=url), text)


def texts(generations: MemoryGenerations) -> list[str]:
    with generations.current() as current:
        assert current is not None
        return [current.library.article(info.id).text for info in current.library.articles()]
