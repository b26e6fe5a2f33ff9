"""Vectors over real HTTP from a server on the loopback: right ones, and every way to get them wrong."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.adapters.cached_embedder import CachedEmbedder
from assistant.adapters.openai_embedder import (
    MAX_BYTES,
    MAX_REQUEST_BYTES,
    MAX_REQUEST_TEXTS,
    OpenAIEmbedder,
)
from assistant.adapters.provider_calls import ProviderCalls
from assistant.adapters.sqlite_vectors import SqliteVectors
from assistant.domain.errors import (
    ConfigurationError,
    EmbedderMismatch,
    ModelUnknown,
    ProviderBusy,
    ProviderError,
    ProviderPaused,
    ProviderTimedOut,
    ProviderUnauthorized,
    ProviderUnreachable,
    QuotaExhausted,
    ReplyIncomplete,
    ReplyMalformed,
    VectorsUnusable,
)
from assistant.domain.passages import PASSAGE_RULES, Scope
from assistant.ingest import IngestReport, ingest
from assistant.ports import Embedder
from assistant.retrieval import retrieve
from assistant.testing import FullStopSegmenter, ListSource, MemoryGenerations, sample_articles
from assistant.testing.openai_script import Fault
from assistant.testing.openai_script import Vectors as Sent
from assistant.testing.openai_server import OpenAIServer

if TYPE_CHECKING:
    from assistant.ports import Vectors

pytestmark = pytest.mark.enable_socket

TEXTS = ["The bridge was closed.", "The bridge has cracks.", "Otto Brand paints Gull Rock blue."]
TODAY = date(2031, 12, 31)


def at(server: OpenAIServer, *, dimensions: int | None = None, seconds: float = 10) -> OpenAIEmbedder:
    """The embedder that asks the server, and never waits between two attempts."""
    calls = ProviderCalls("127.0.0.1", sleep=lambda seconds: None)
    return OpenAIEmbedder(
        "small", base_url=server.base_url, dimensions=dimensions, calls=calls, seconds=seconds
    )


def test_each_text_gets_the_unit_vector_that_belongs_to_it() -> None:
    with OpenAIServer(default=Sent(16)) as server:
        embedder = at(server)
        vectors = embedder.embed(TEXTS)
        assert (vectors.shape, str(vectors.dtype)) == ((3, 16), "float32")
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
        assert [embedder.embed([text])[0].tolist() for text in TEXTS] == vectors.tolist()
    first = server.requests[0]
    assert (first.path, first.body) == (
        "/embeddings",
        {"input": TEXTS, "model": "small", "encoding_format": "float"},
    )


def test_a_server_of_ones_own_gets_a_placeholder_and_openai_the_key() -> None:
    with OpenAIServer(default=Sent(4)) as server:
        at(server).embed(["a"])
        OpenAIEmbedder("small", base_url=server.base_url, api_key="sk-own").embed(["a"])
    keys = [request.headers["authorization"] for request in server.requests]
    assert keys == ["Bearer none", "Bearer sk-own"]


def test_dimensions_are_asked_for_where_they_are_chosen() -> None:
    with OpenAIServer(default=Sent(64)) as server:
        assert at(server, dimensions=8).embed(["a"]).shape == (1, 8)
    assert server.requests[0].body["dimensions"] == 8


def test_blank_texts_are_zero_and_never_sent() -> None:
    with OpenAIServer(default=Sent(4)) as server:
        vectors = at(server).embed(["", "a", " \n", "b", "\u3000"])
    assert [bool(row.any()) for row in vectors] == [False, True, False, True, False]
    assert [request.body["input"] for request in server.requests] == [["a", "b"]]


def test_blank_texts_alone_have_the_models_size() -> None:
    with OpenAIServer(default=Sent(4)) as server:
        embedder = at(server)
        assert embedder.embed(["", " "]).tolist() == [[0.0] * 4] * 2
        assert embedder.embed([""]).shape == (1, 4)
    assert len(server.requests) == 1


def test_no_texts_ask_for_nothing() -> None:
    with OpenAIServer() as server:
        assert len(at(server).embed([])) == 0
    assert server.requests == []


def test_many_texts_go_in_requests_of_bounded_size() -> None:
    short = [f"number {each}" for each in range(MAX_REQUEST_TEXTS + 1)]
    long = ["x" * MAX_BYTES for _ in range(MAX_REQUEST_BYTES // MAX_BYTES + 1)]
    with OpenAIServer(default=Sent(4)) as server:
        vectors = at(server).embed([*short, *long])
    sizes = [len(request.body["input"]) for request in server.requests]
    assert sizes == [64, 32, 2]
    assert sum(sizes) == len(vectors) == len(short) + len(long)
    assert sum(map(len, server.requests[1].body["input"])) <= MAX_REQUEST_BYTES


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("x" * (MAX_BYTES + 1), "x" * MAX_BYTES),
        ("語" * MAX_BYTES, "語" * (MAX_BYTES // 3)),
        ("half \ud83d a character", "half ? a character"),
    ],
    ids=["long", "long in bytes", "a half character"],
)
def test_a_text_is_sent_as_far_as_a_model_takes_it(text: str, sent: str) -> None:
    with OpenAIServer(default=Sent(4)) as server:
        at(server).embed([text])
    assert server.requests[0].body["input"] == [sent]


# Replies that are wrong


def test_vectors_out_of_order_are_brought_into_order() -> None:
    with OpenAIServer([Sent(8), Sent(8, fault="out_of_order")]) as server:
        embedder = at(server)
        assert embedder.embed(TEXTS).tolist() == embedder.embed(TEXTS).tolist()
        server.assert_complete()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("fewer", "sent 2 vectors for 3 texts"),
        ("more", "sent 4 vectors for 3 texts"),
        ("ragged", "sent vectors of 8, 9 numbers where 8 were expected"),
        ("duplicate_index", "sent vectors whose index says not which texts they are of"),
        ("wrong_dimension", "numbers where 8 were expected"),
    ],
)
def test_a_batch_with_another_number_or_size_of_vectors_is_refused(fault: str, message: str) -> None:
    with OpenAIServer([Sent(8), Sent(8, fault=fault), Sent(8)]) as server:
        embedder = at(server)
        embedder.embed(["first"])
        with pytest.raises(ReplyMalformed, match=message):
            embedder.embed(TEXTS)
        assert len(embedder.embed(TEXTS)) == 3
        server.assert_complete()


@pytest.mark.parametrize("fault", ["nan", "inf", "zero"])
def test_texts_without_a_usable_vector_are_named(fault: str) -> None:
    with OpenAIServer([Sent(8, fault=fault, among="bridge")]) as server:
        with pytest.raises(VectorsUnusable, match="no usable vector for 2 texts") as caught:
            at(server).embed([TEXTS[2], "", *TEXTS[:2]])
        server.assert_complete()
    assert caught.value.at == (2, 3)
    assert not caught.value.retryable


def test_what_is_unusable_is_told_of_all_requests_together() -> None:
    texts = [f"text {each}" for each in range(2 * MAX_REQUEST_TEXTS)]
    unusable = Sent(4, fault="nan", among="7")
    with OpenAIServer(default=unusable) as server, pytest.raises(VectorsUnusable) as caught:
        at(server).embed(texts)
    assert caught.value.at == tuple(each for each, text in enumerate(texts) if "7" in text)
    assert len(server.requests) == 2


def test_an_error_that_names_texts_travels_between_processes() -> None:
    sent = pickle.loads(pickle.dumps(VectorsUnusable((2, 3), "bridge")))  # noqa: S301 -- our own bytes
    assert (sent.at, str(sent)) == (
        (2, 3),
        "the embedder gave no usable vector for 2 texts of the article 'bridge'",
    )


# A server that fails

FAULTS: list[tuple[Fault, type[ProviderError], int]] = [
    (Fault("rate_limit"), ProviderBusy, 3),
    (Fault("slow_down"), ProviderBusy, 3),
    (Fault("rate_limit", retry_after="130"), ProviderBusy, 1),
    (Fault("insufficient_quota"), QuotaExhausted, 1),
    (Fault("server_error"), ProviderUnreachable, 3),
    (Fault("overloaded"), ProviderUnreachable, 3),
    (Fault("bad_gateway_html"), ProviderUnreachable, 3),
    (Fault("invalid_api_key"), ProviderUnauthorized, 1),
    (Fault("region"), ProviderUnauthorized, 1),
    (Fault("model_not_found"), ModelUnknown, 1),
    (Fault("html"), ReplyMalformed, 1),
    (Fault("truncated_json"), ReplyMalformed, 2),
    (Fault("empty_object"), ReplyMalformed, 1),
    (Fault("big_body", size=20_000_000), ReplyMalformed, 1),
    (Fault("cut"), ReplyIncomplete, 3),
]


@pytest.mark.parametrize(("fault", "expected", "attempts"), FAULTS, ids=lambda it: getattr(it, "kind", None))
def test_a_fault_of_the_server_is_one_of_our_errors(
    fault: Fault, expected: type[ProviderError], attempts: int
) -> None:
    with OpenAIServer(default=fault) as server:
        with pytest.raises(ProviderError) as caught:
            at(server).embed(TEXTS)
        assert type(caught.value) is expected
        assert len(server.requests) == attempts


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("drip", seconds=0.05), Fault("ping", seconds=0.05)])
def test_a_server_that_keeps_one_waiting_is_left_at_the_deadline(fault: Fault) -> None:
    with OpenAIServer(default=fault) as server:
        begun = monotonic()
        with pytest.raises(ProviderTimedOut):
            at(server, seconds=0.3).embed(TEXTS)
        assert monotonic() - begun < 1.5


def test_what_passes_by_itself_is_tried_again() -> None:
    with OpenAIServer([Fault("server_error"), Fault("rate_limit"), Sent(4)]) as server:
        assert len(at(server).embed(TEXTS)) == 3
        server.assert_complete()


def test_a_server_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    with OpenAIServer(default=Fault("invalid_api_key")) as server:
        embedder = at(server)
        for _ in range(5):
            with pytest.raises(ProviderUnauthorized):
                embedder.embed(["a"])
        with pytest.raises(ProviderPaused):
            embedder.embed(["a"])
        assert len(server.requests) == 5


def test_an_unknown_model_is_told_with_the_setting_that_names_it() -> None:
    with OpenAIServer([Fault("model_not_found")]) as server, pytest.raises(ModelUnknown) as caught:
        at(server).embed(["a"])
    assert "no model 'small', which ASSISTANT_EMBEDDER names" in str(caught.value)
    assert "ASSISTANT_EMBEDDER" in caught.value.help
    assert "ASSISTANT_MODEL" in ModelUnknown.help


# What it is called


@pytest.mark.parametrize(
    ("url", "dimensions", "fingerprint"),
    [
        (None, None, "openai:small@/default"),
        ("https://api.openai.com/v1/", 256, "openai:small@/256"),
        ("https://eu.api.openai.com/v1", None, "openai:small@/default"),
        ("https://api.openai.com.example.org/v1", None, "openai:small@api.openai.com.example.org/default"),
        ("https://embed.example:443/v1", None, "openai:small@embed.example/default"),
        ("http://Localhost:8000/v1", None, "openai:small@localhost:8000/default"),
        ("http://[::1]:8000/v1", 8, "openai:small@[::1]:8000/8"),
        ("https://me:secret@host.example/token/v1?key=secret", None, "openai:small@host.example/default"),
    ],
)
def test_the_fingerprint_names_model_server_and_size_and_no_secret(
    url: str | None, dimensions: int | None, fingerprint: str
) -> None:
    made = OpenAIEmbedder("small", base_url=url, api_key="sk-secret", dimensions=dimensions)
    assert made.fingerprint == fingerprint


def test_without_a_key_and_a_server_it_says_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="'openai:small' needs a key: set OPENAI_API_KEY"):
        OpenAIEmbedder("small")
    with pytest.raises(ConfigurationError, match="write openai:MODEL"):
        OpenAIEmbedder("", api_key="sk-1")


@pytest.mark.parametrize(
    "url", ["localhost:8000", "http://", "http://host:port/v1", "http://[::1", "ftp://h"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL"):
        OpenAIEmbedder("small", base_url=url)


def test_neither_the_sdk_nor_its_http_is_imported_before_the_first_text() -> None:
    program = (
        "import sys; from assistant.adapters.openai_embedder import OpenAIEmbedder as E;"
        "E('small', api_key='sk-1').fingerprint; print({'openai', 'httpx2'} & sys.modules.keys())"
    )
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ours
    )
    assert done.stdout == "set()\n"


# Through ingest and retrieval


def corpus(embedder: Embedder) -> MemoryGenerations:
    return MemoryGenerations(embedder=embedder.fingerprint, segmenter=f"full-stop/1/passages-{PASSAGE_RULES}")


def put(generations: MemoryGenerations, embedder: Embedder) -> IngestReport:
    return ingest(
        ListSource(sample_articles()),
        generations,
        segmenter=FullStopSegmenter(),
        embedder=embedder,
        embed_here=True,
    )


@pytest.mark.parametrize("fault", ["wrong_dimension", "fewer"])
def test_a_refused_batch_leaves_the_index_and_the_cache_as_they_were(fault: str, tmp_path: Path) -> None:
    with OpenAIServer([Sent(8), Sent(8, fault=fault)]) as server:
        cache = SqliteVectors(tmp_path / "cache.db")
        embedder = CachedEmbedder(at(server, dimensions=8), cache)
        embedder.embed(["first"])
        generations = corpus(embedder)
        with pytest.raises(ReplyMalformed):
            put(generations, embedder)
        assert generations.published == []
        texts = [article.text for article in sample_articles()]
        assert cache.get(embedder.fingerprint, texts) == {}


def test_an_article_without_a_usable_vector_is_rejected_and_the_others_answer(tmp_path: Path) -> None:
    with OpenAIServer(default=Sent(8, fault="nan", among="lighthouse")) as server:
        embedder = CachedEmbedder(at(server), SqliteVectors(tmp_path / "cache.db"))
        generations = corpus(embedder)
        report = put(generations, embedder)
    assert (report.added, len(report.rejected)) == (("bridge", "bridge-update", "notice"), 1)
    assert report.rejected[0].reason.endswith("1 text of the article 'lighthouse'")


def test_a_question_is_answered_by_words_when_the_server_is_gone() -> None:
    with OpenAIServer(default=Sent(8)) as server:
        embedder = at(server)
        generations = corpus(embedder)
        put(generations, embedder)
    found = retrieve("When does the library open?", generations.published[-1], embedder, Scope(as_of=TODAY))
    assert found.passages[0].article.id == "notice"
    assert found.problem.startswith("the question could not be embedded (no connection to 127.0.0.1")
    assert found.problem.endswith("): found by words alone")


def test_another_model_is_refused_with_the_command_that_makes_the_corpus_anew() -> None:
    with OpenAIServer(default=Sent(8)) as server:
        generations = corpus(at(server))
        put(generations, at(server))
        with pytest.raises(
            EmbedderMismatch, match=r"embedded with 'openai:small@127\.0\.0\.1:\d+/default'"
        ) as it:
            put(generations, OpenAIEmbedder("large", base_url=server.base_url))
    assert "`assistant ingest --rebuild`" in it.value.help


def test_the_same_texts_from_several_threads_have_the_same_vectors() -> None:
    with OpenAIServer(default=Sent(8)) as server:
        embedder = at(server)

        def embedded(texts: Sequence[str]) -> Vectors:
            return embedder.embed(texts)

        with ThreadPoolExecutor(4) as pool:
            rows = [rows.tolist() for rows in pool.map(embedded, [TEXTS] * 8)]
    assert rows == [rows[0]] * 8
