"""What every store of generations promises, folders and the fake."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.generation_folders import GenerationFolders
from assistant.adapters.generation_manifest import FORMAT
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.bootstrap import stores
from assistant.domain.articles import Article
from assistant.domain.errors import LibraryBusy
from assistant.ingest import prepare
from assistant.ports import Generation, Generations, GenerationWriter, Manifest
from assistant.testing import (
    FullStopSegmenter,
    MemoryGenerations,
    UnexpectedCall,
    sample_article,
    sample_articles,
)

STORES = stores()
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()


@pytest.fixture(params=["folders", "memory"])
def generations(request: pytest.FixtureRequest, tmp_path: Path) -> Generations:
    if request.param == "memory":
        return MemoryGenerations(embedder="hashing/256", segmenter="full-stop/1")
    return GenerationFolders(tmp_path / "main", STORES, embedder="hashing/256", segmenter="full-stop/1")


def put(writer: GenerationWriter, *articles: Article) -> None:
    for prepared in prepare(articles, FullStopSegmenter()):
        texts = [passage.cleaned for passage in prepared.passages]
        writer.library.put(prepared, HashingEmbedder().embed(texts))


def publish(generations: Generations, *articles: Article, source: str = "") -> int:
    with generations.writer() as writer:
        put(writer, *articles)
        return writer.publish(source)


def passage_ids(article: Article) -> list[str]:
    (prepared,) = prepare([article], FullStopSegmenter())
    return [passage.id for passage in prepared.passages]


def ids(generation: Generation | None) -> list[str]:
    assert generation is not None
    return sorted(info.id for info in generation.library.articles())


def current_ids(generations: Generations) -> list[str]:
    with generations.current() as current:
        return ids(current)


def test_nothing_is_current_before_the_first_publish(generations: Generations) -> None:
    with generations.current() as current:
        assert current is None


def test_what_is_published_is_current(generations: Generations) -> None:
    assert publish(generations, *sample_articles()) == 1
    with generations.current() as current:
        assert current is not None
        assert current.number == 1
        assert ids(current) == ["bridge", "bridge-update", "lighthouse", "notice"]
        assert current.library.article("bridge") == BRIDGE


def test_all_three_stores_of_a_generation_speak_of_the_same_passages(generations: Generations) -> None:
    publish(generations, *sample_articles())
    with generations.current() as current:
        assert current is not None
        (hit,) = current.lexical.search("painted", 5)
        (passage,) = current.library.passages([hit.passage_id])
        nearest = current.vectors.search(HashingEmbedder().embed([passage.cleaned])[0], 1)
        assert (passage.article_id, nearest[0].passage_id) == ("lighthouse", passage.id)
        assert nearest[0].score == pytest.approx(1)


def test_a_manifest_says_what_a_generation_is_made_of(generations: Generations) -> None:
    publish(generations, BRIDGE, NOTICE, source="the demo")
    with generations.current() as current:
        assert current is not None
        content = current.manifest.content
        expected = Manifest(FORMAT, "hashing/256", "full-stop/1", 2, 2, content, "the demo")
        assert current.manifest == expected
        assert len(content) == 64


def test_numbers_count_up(generations: Generations) -> None:
    assert [publish(generations, article) for article in (BRIDGE, UPDATE, NOTICE)] == [1, 2, 3]


def test_a_corpus_grows_by_what_is_put(generations: Generations) -> None:
    publish(generations, BRIDGE)
    publish(generations, NOTICE)
    assert current_ids(generations) == ["bridge", "notice"]


def test_put_replaces_an_article_whole(generations: Generations) -> None:
    publish(generations, sample_article("bridge", "The old ferry sank. It was blue."), NOTICE)
    publish(generations, sample_article("bridge", "A tram came."))
    with generations.current() as current:
        assert current is not None
        assert ids(current) == ["bridge", "notice"]
        assert current.library.article("bridge").text == "A tram came."
        assert [sentence.text for sentence in current.library.sentences("bridge")] == ["A tram came."]
        assert current.lexical.search("ferry", 5) == []
        assert len(current.lexical.search("tram", 5)) == 1
        assert len(current.vectors.search(HashingEmbedder().embed(["a"])[0], 9, exact=True)) == 2
        assert current.manifest.passages == 2


def test_what_is_removed_is_gone_from_all_stores(generations: Generations) -> None:
    publish(generations, BRIDGE, NOTICE)
    with generations.writer() as writer:
        assert writer.library.remove("bridge") == passage_ids(BRIDGE)
        assert writer.library.remove("never there") == []
        writer.publish()
    with generations.current() as current:
        assert current is not None
        assert ids(current) == ["notice"]
        assert current.lexical.search("Quill", 5) == []
        assert (current.manifest.articles, current.manifest.passages) == (1, 1)


@pytest.mark.parametrize("fresh", [False, True])
def test_the_last_article_can_be_removed(generations: Generations, fresh: bool) -> None:
    publish(generations, BRIDGE)
    with generations.writer() as writer:
        writer.library.remove("bridge")
        writer.publish(fresh=fresh)
    with generations.current() as current:
        assert current is not None
        assert ids(current) == []
        assert current.lexical.search("bridge", 5) == []
        assert current.vectors.search(HashingEmbedder().embed(["bridge"])[0], 5) == []


def test_an_article_without_a_sentence_can_be_published(generations: Generations) -> None:
    publish(generations, sample_article("signs", "* * *"))
    assert current_ids(generations) == ["signs"]


def test_nothing_is_kept_without_publish(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with generations.writer() as writer:
        put(writer, NOTICE)
        writer.library.remove("bridge")
    assert current_ids(generations) == ["bridge"]
    with generations.writer() as writer:
        assert set(writer.library.hashes()) == {"bridge"}


def test_nothing_is_kept_when_the_writer_fails(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with pytest.raises(KeyError), generations.writer() as writer:
        put_and_fail(writer, NOTICE)
    assert current_ids(generations) == ["bridge"]
    assert publish(generations, NOTICE) == 2


def put_and_fail(writer: GenerationWriter, article: Article) -> None:
    put(writer, article)
    raise KeyError("something after the first article")


def test_a_writer_knows_what_was_before(generations: Generations) -> None:
    with generations.writer() as writer:
        assert writer.before is None
        assert (dict(writer.library.hashes()), writer.library.article("bridge")) == ({}, None)
    publish(generations, NOTICE, BRIDGE, source="first")
    with generations.writer() as writer:
        assert writer.before is not None
        assert writer.before.source == "first"
        assert writer.library.hashes() == {one.id: one.content_hash() for one in (BRIDGE, NOTICE)}
        assert [writer.library.article(one) for one in ("bridge", "notice")] == [BRIDGE, NOTICE]
        assert (writer.salvaged, writer.outdated) == ("", False)


def test_the_content_does_not_depend_on_how_it_came_about(generations: Generations) -> None:
    publish(generations, BRIDGE, NOTICE)
    with generations.current() as current:
        assert current is not None
        before = current.manifest.content
    publish(generations, sample_article("bridge", "Other text."))
    with generations.current() as current:
        assert current is not None
        assert current.manifest.content != before
    publish(generations, BRIDGE)
    with generations.current() as current:
        assert current is not None
        assert current.manifest.content == before


def test_scores_do_not_depend_on_how_the_corpus_came_about(generations: Generations) -> None:
    publish(generations, *sample_articles())
    question = "bridge lighthouse library closed"
    vector = HashingEmbedder().embed([question])[0]
    with generations.current() as current:
        assert current is not None
        fresh = (current.lexical.search(question, 9), current.vectors.search(vector, 9))
    publish(generations, sample_article("bridge", "Closed. " * 50), sample_article("extra", "A bridge."))
    with generations.writer() as writer:
        writer.library.remove("extra")
        put(writer, BRIDGE)
        writer.publish()
    with generations.current() as current:
        assert current is not None
        assert (current.lexical.search(question, 9), current.vectors.search(vector, 9)) == fresh


def test_a_publish_without_a_change_is_a_generation_too(generations: Generations) -> None:
    publish(generations, BRIDGE)
    assert publish(generations, source="monday") == 2
    with generations.current() as current:
        assert current is not None
        assert (ids(current), current.manifest.source) == (["bridge"], "monday")
        assert len(current.lexical.search("bridge", 5)) == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_a_fresh_publish_differs_in_nothing_that_can_be_asked(generations: Generations, fresh: bool) -> None:
    publish(generations, *sample_articles())
    with generations.writer() as writer:
        writer.library.remove("bridge")
        writer.publish(fresh=fresh)
    with generations.current() as current:
        assert current is not None
        assert current.damage == ""
        assert ids(current) == ["bridge-update", "lighthouse", "notice"]
        hits = current.lexical.search("bridge lighthouse library", 9)
        assert [hit.passage_id for hit in hits if hit.passage_id in passage_ids(BRIDGE)] == []
        assert len(hits) == 3


# Renewing


def test_renewing_gives_every_article_by_id_and_empties_the_library(generations: Generations) -> None:
    publish(generations, NOTICE, BRIDGE)
    with generations.writer() as writer:
        assert list(writer.renew()) == [BRIDGE, NOTICE]
        assert (writer.library.hashes(), writer.library.article("bridge")) == ({}, None)
        put(writer, LIGHTHOUSE)
        writer.publish()
    with generations.current() as current:
        assert current is not None
        assert ids(current) == ["lighthouse"]
        assert current.lexical.search("bridge", 5) == []
        assert len(current.vectors.search(HashingEmbedder().embed(["bridge"])[0], 9, exact=True)) == 1


def test_articles_that_are_put_again_while_renewing_are_there_again(generations: Generations) -> None:
    publish(generations, NOTICE, BRIDGE)
    with generations.writer() as writer:
        for article in writer.renew():
            put(writer, article)
        writer.publish()
    assert current_ids(generations) == ["bridge", "notice"]


def test_renewing_without_publishing_changes_nothing(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with generations.writer() as writer:
        list(writer.renew())
    assert current_ids(generations) == ["bridge"]


def test_renewing_nothing_gives_nothing(generations: Generations) -> None:
    with generations.writer() as writer:
        assert list(writer.renew()) == []


def test_withdrawals_outlast_renewing(generations: Generations) -> None:
    with generations.writer() as writer:
        writer.library.withdraw("old", "2031-04-01")
        writer.publish()
    with generations.writer() as writer:
        list(writer.renew())
        assert writer.library.withdrawn() == {"old": "2031-04-01"}
        writer.publish()
    with generations.current() as current:
        assert current is not None
        assert current.library.withdrawn() == {"old": "2031-04-01"}


@pytest.mark.parametrize("renewed", [False, True])
def test_a_manifest_names_what_the_passages_were_made_with_until_they_are_renewed(
    generations: Generations, renewed: bool
) -> None:
    publish(generations, BRIDGE)
    later = reopened(generations, embedder="other/1", segmenter="line/1")
    with later.writer() as writer:
        if renewed:
            put(writer, *writer.renew())
        put(writer, NOTICE)
        writer.publish()
    with later.current() as current:
        assert current is not None
        expected = ("other/1", "line/1") if renewed else ("hashing/256", "full-stop/1")
        assert (current.manifest.embedder, current.manifest.segmenter) == expected


def reopened(generations: Generations, *, embedder: str, segmenter: str) -> Generations:
    """The same corpus, as a later version of the program or of the settings opens it."""
    if isinstance(generations, MemoryGenerations):
        later = MemoryGenerations(embedder=embedder, segmenter=segmenter)
        later.published = generations.published
        return later
    return GenerationFolders(Path("main").absolute(), STORES, embedder=embedder, segmenter=segmenter)


# Withdrawing, linking, forgetting


def test_a_withdrawal_is_known_until_the_article_is_readmitted(generations: Generations) -> None:
    publish(generations, BRIDGE, NOTICE)
    with generations.writer() as writer:
        writer.library.remove("bridge")
        writer.library.withdraw("bridge", "2031-04-01")
        writer.publish(fresh=True)
    publish(generations, LIGHTHOUSE)
    with generations.current() as current:
        assert current is not None
        assert (current.library.withdrawn(), ids(current)) == (
            {"bridge": "2031-04-01"},
            ["lighthouse", "notice"],
        )
    with generations.writer() as writer:
        assert writer.library.withdrawn() == {"bridge": "2031-04-01"}
        writer.library.readmit("bridge")
        writer.publish()
    with generations.current() as current:
        assert current is not None
        assert current.library.withdrawn() == {}


def test_links_between_near_copies_are_published(generations: Generations) -> None:
    publish(generations, BRIDGE, UPDATE, NOTICE)
    with generations.writer() as writer:
        writer.library.link({"bridge": "bridge", "notice": "bridge"})
        writer.publish()
    publish(generations, LIGHTHOUSE)
    with generations.current() as current:
        assert current is not None
        assert current.library.copies("notice") == [BRIDGE.info]
        assert current.library.copies("bridge-update") == []


def test_forgetting_leaves_the_current_generation_alone(generations: Generations) -> None:
    for article in (BRIDGE, NOTICE):
        publish(generations, article)
    assert generations.forget(patience=0) == []
    assert current_ids(generations) == ["bridge", "notice"]
    assert publish(generations, LIGHTHOUSE) == 3


def test_forgetting_before_the_first_publish_is_no_trouble(generations: Generations) -> None:
    assert generations.forget(patience=0) == []
    with generations.current() as current:
        assert current is None


def test_a_discarded_corpus_has_no_generation_and_counts_from_one_again(generations: Generations) -> None:
    publish(generations, BRIDGE)
    generations.discard()
    with generations.current() as current:
        assert current is None
    assert publish(generations, NOTICE) == 1
    assert current_ids(generations) == ["notice"]


def test_a_writer_that_may_salvage_starts_from_a_sound_generation_as_any_does(
    generations: Generations,
) -> None:
    publish(generations, BRIDGE)
    with generations.writer(salvage=True) as writer:
        assert (set(writer.library.hashes()), writer.salvaged) == ({"bridge"}, "")


# Readers and writers side by side


def test_a_reader_keeps_its_generation_and_the_next_one_sees_the_new(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with generations.current() as first:
        publish(generations, NOTICE)
        with generations.current() as second:
            assert (ids(first), ids(second)) == (["bridge"], ["bridge", "notice"])
        publish(generations, LIGHTHOUSE)
        assert ids(first) == ["bridge"]
        assert first is not None
        assert len(first.lexical.search("bridge", 5)) == 1
        assert len(first.vectors.search(HashingEmbedder().embed(["bridge"])[0], 5)) == 1
    assert current_ids(generations) == ["bridge", "lighthouse", "notice"]


def test_readers_of_one_generation_share_it(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with ExitStack() as stack:
        first, second = (stack.enter_context(generations.current()) for _ in range(2))
        assert first is second
    assert current_ids(generations) == ["bridge"]


def test_there_is_one_writer_at_a_time(generations: Generations) -> None:
    with generations.writer():
        with pytest.raises(LibraryBusy) as caught, generations.writer():
            pass
        assert caught.value.retryable
    with generations.writer():
        pass


def test_readers_do_not_wait_for_a_writer(generations: Generations) -> None:
    publish(generations, BRIDGE)
    with generations.writer() as writer:
        put(writer, NOTICE)
        assert current_ids(generations) == ["bridge"]
        writer.publish()
        assert current_ids(generations) == ["bridge", "notice"]


class TestMemoryGenerations:
    @pytest.fixture
    def memory(self) -> MemoryGenerations:
        return MemoryGenerations(embedder="hashing/256", segmenter="full-stop/1")

    def test_it_keeps_what_was_published_and_written(self, memory: MemoryGenerations) -> None:
        publish(memory, BRIDGE)
        with memory.writer() as writer:
            writer.library.remove("bridge")
        assert [ids(generation) for generation in memory.published] == [["bridge"]]
        assert memory.writes == [(("put", "bridge"),), (("remove", "bridge"),)]

    def test_a_writer_is_of_no_use_once_it_is_published(self, memory: MemoryGenerations) -> None:
        with memory.writer() as writer:
            writer.publish()
            with pytest.raises(UnexpectedCall, match="after it was published"):
                writer.publish()
            with pytest.raises(UnexpectedCall, match="after it was published"):
                put(writer, BRIDGE)

    def test_a_writer_is_of_no_use_once_it_is_left(self, memory: MemoryGenerations) -> None:
        with memory.writer() as writer:
            pass
        with pytest.raises(UnexpectedCall, match="after it was left"):
            writer.library.remove("bridge")

    def test_vectors_that_the_caller_changes_later_stay_as_they_were(self, memory: MemoryGenerations) -> None:
        (prepared,) = prepare([BRIDGE], FullStopSegmenter())
        vectors = np.array([[1.0, 0.0]], dtype=np.float32)
        with memory.writer() as writer:
            writer.library.put(prepared, vectors)
            vectors[:] = 0
            writer.publish()
        with memory.current() as current:
            assert current is not None
            assert current.vectors.search(np.array([1, 0], dtype=np.float32), 1)[0].score == 1
