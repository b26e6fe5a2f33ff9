"""Every way in which a provider fails, over real HTTP with the real clients: what comes of it, and when.

The rows carry the ids of the shared list of faults. Those of embeddings alone are the embedder's.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from assistant.adapters.langchain_models import LangchainModel
from assistant.adapters.openai_embedder import OpenAIEmbedder
from assistant.adapters.openai_faults import OpenAIFaults, retry_after, scrubbed, table
from assistant.adapters.provider_calls import ProviderCalls
from assistant.domain.conversation import Completion, Finish, Message
from assistant.domain.errors import (
    ContentRefused,
    ModelUnknown,
    PromptTooLong,
    ProviderBusy,
    ProviderError,
    ProviderPaused,
    ProviderTimedOut,
    ProviderUnauthorized,
    ProviderUnreachable,
    QuotaExhausted,
    ReplyIncomplete,
    ReplyMalformed,
    RequestRejected,
)
from assistant.testing.openai_server import Fault, OpenAIServer, Reply, Step, expired_certificate

pytestmark = pytest.mark.enable_socket

KEY = "sk-test-4f9a1c"
MESSAGES = [Message("system", "Answer from the sources."), Message("user", "When does it close?")]
TEXT = "It closes on Monday. [1]"
FINE = Reply(TEXT)
HASTE = 0.4  # seconds until the deadline of what never ends
FAR = "Fri, 31 Dec 2100 23:59:59 GMT"
LIST = Path(__file__).parents[2].parent / "shared" / "data" / "security" / "own" / "provider_faults.jsonl"


@dataclass(frozen=True)
class Row:
    """A fault: what the server does, request by request, and what has to come of it.

    comes: the error, or how the reply ends. says: a part of the message. waits: the pauses between
    the requests, with the most jitter. seconds: the deadline.
    """

    id: int
    steps: Sequence[Step]
    comes: type[ProviderError] | Finish
    says: str = ""
    waits: Sequence[float] = ()
    seconds: float = 20.0


BACKOFF = (0.5, 1.0)

ROWS = [
    Row(0, [Fault("rate_limit", retry_after="1"), FINE], Finish.STOP, waits=[1.1]),
    Row(0, [Fault("rate_limit", retry_after_ms="1500"), FINE], Finish.STOP, waits=[1.65]),
    Row(0, [Fault("rate_limit")] * 3, ProviderBusy, "429 rate_limit_exceeded", waits=BACKOFF),
    Row(1, [Fault("insufficient_quota")], QuotaExhausted, "has nothing left (429 insufficient_quota"),
    Row(1, [Fault("insufficient_quota", code="credit_balance_exhausted")], QuotaExhausted),
    Row(1, [Fault("rate_limit", code="project_spend_limit_exceeded")], QuotaExhausted),
    Row(2, [Fault("slow_down"), Fault("slow_down"), FINE], Finish.STOP, waits=BACKOFF),
    Row(3, [Fault("rate_limit", retry_after="130")], ProviderBusy, "asks to wait 130 seconds"),
    Row(3, [Fault("rate_limit", retry_after="130.0482")], ProviderBusy, "asks to wait 130 seconds"),
    *(
        Row(4, [Fault("rate_limit", retry_after=value), FINE], Finish.STOP, waits=[0.5])
        for value in ("soon", "-5", "NaN", "1e999", "Thu, 01 Jan 2015 00:00:00 GMT", "0")
    ),
    Row(4, [Fault("rate_limit", retry_after=FAR)], ProviderBusy, "asks to wait"),
    Row(5, [Fault("server_error")] * 3, ProviderUnreachable, "(500 server_error", waits=BACKOFF),
    Row(5, [Fault("server_error"), FINE], Finish.STOP, waits=[0.5]),
    Row(6, [Fault("bad_gateway_html")] * 3, ProviderUnreachable, "failed (502)", waits=BACKOFF),
    Row(7, [Fault("overloaded")] * 3, ProviderUnreachable, "503 server_is_overloaded", waits=BACKOFF),
    Row(8, [Fault("gateway_timeout")] * 3, ProviderUnreachable, "504", waits=BACKOFF),
    Row(9, [Fault("invalid_api_key")], ProviderUnauthorized, "does not accept the key"),
    Row(9, [Fault("invalid_api_key", message=f"Incorrect API key provided: {KEY}")], ProviderUnauthorized),
    Row(10, [Fault("region")], ProviderUnauthorized, "region (403 unsupported_country_region_territory"),
    Row(11, [Fault("model_not_found")], ModelUnknown, "has no model 'gpt-4o', which ASSISTANT_MODEL names"),
    Row(12, [Fault("context_length")], PromptTooLong, "400 context_length_exceeded"),
    Row(13, [Fault("content_policy")], ContentRefused, "by its content policy"),
    Row(14, [Fault("too_large")], PromptTooLong, "413"),
    Row(15, [Fault("html")], ReplyMalformed, "a web page in place of a reply"),
    Row(16, [Fault("truncated_json"), FINE], Finish.STOP, waits=[0.5]),
    Row(16, [Fault("truncated_json")] * 2, ReplyMalformed, "breaks off", waits=[0.5]),
    Row(17, [Fault("empty_object")], ReplyMalformed, "no reply in the agreed form"),
    Row(18, [Fault("no_choices")], ReplyMalformed, "no reply in the agreed form"),
    Row(19, [Fault("null_content")], ReplyMalformed, "sent an empty reply"),
    Row(20, [Fault("refusal")], Finish.REFUSAL),
    Row(21, [Fault("length")], Finish.LENGTH),
    Row(22, [Fault("content_filter")], Finish.CONTENT_FILTER),
    Row(23, [Fault("big_body")], ReplyMalformed, "more than 2,000,000 bytes"),
    Row(30, [Fault("hang")], ProviderTimedOut, "had not finished after 0.4 seconds", seconds=HASTE),
    Row(30, [Fault("stall", after=2)], ProviderTimedOut, seconds=HASTE),
    Row(31, [Fault("drip", seconds=0.05)], ProviderTimedOut, seconds=HASTE),
    Row(31, [Fault("ping", seconds=0.05)], ProviderTimedOut, seconds=HASTE),
    Row(32, [Fault("cut", after=2)], ReplyIncomplete, "broke off"),
    Row(32, [Fault("cut")] * 3, ReplyIncomplete, "broke off", waits=BACKOFF),
    Row(33, [Fault("unfinished")], ReplyIncomplete, "ended its reply without saying why"),
    Row(34, [Fault("error_event", after=2)], ProviderUnreachable, "server_error"),
    Row(34, [Fault("error_event", after=2, code="rate_limit_exceeded")], ProviderBusy),
    Row(34, [Fault("error_event", after=2, code="insufficient_quota")], QuotaExhausted),
    Row(
        35, [Fault("garbage_line", line="data: }{")] * 2, ReplyMalformed, "breaks off or is none", waits=[0.5]
    ),
    Row(35, [Fault("garbage_line", after=2)], ReplyMalformed),
    Row(35, [Fault("garbage_line", line=": a comment")], Finish.STOP),
    Row(35, [Fault("garbage_line", line="nonsense: 5")], Finish.STOP),
]
OF_CONNECTIONS = {28, 29, 36}  # tests of their own below
OF_EMBEDDINGS = {24, 25, 26, 27}


class Caller:
    """A model at this address whose pauses are written down and not waited for."""

    def __init__(self, base_url: str) -> None:
        self.slept: list[float] = []
        self.calls = ProviderCalls("the provider", sleep=self.slept.append, random=lambda: 1.0)
        self.model = LangchainModel("openai:gpt-4o", base_url=base_url, api_key=KEY, calls=self.calls)

    def ask(self, seconds: float = 20.0) -> Completion:
        """The end of the reply, after a look at the pieces before it."""
        *pieces, end = self.model.stream(MESSAGES, answer_tokens=50, seconds=seconds)
        assert all(isinstance(piece, str) and piece for piece in pieces)
        assert isinstance(end, Completion)
        return end

    def fails(self, seconds: float = 20.0) -> ProviderError:
        """The error of a call that must not succeed, after a look at its message."""
        with pytest.raises(ProviderError) as raised:
            self.ask(seconds)
        message = str(raised.value)
        assert message
        assert "\n" not in message
        assert "Traceback" not in message
        assert KEY not in message
        assert len(message) < 400
        return raised.value


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """LangChain and the SDK, so that no test measures how long that takes."""
    importlib.import_module("langchain_openai")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "provider-call":
            thread.join(1)
            assert not thread.is_alive(), "an attempt is still running"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id:03}")
def test_each_fault_ends_in_a_reply_or_an_error_that_says_what_happened(row: Row) -> None:
    with OpenAIServer(row.steps) as server:
        caller = Caller(server.base_url)
        begun = time.monotonic()
        if isinstance(row.comes, Finish):
            assert caller.ask(row.seconds).finish is row.comes
        else:
            error = caller.fails(row.seconds)
            assert type(error) is row.comes
            assert row.says in str(error)
        took = time.monotonic() - begun
        assert caller.slept == pytest.approx(row.waits)
        assert len(server.requests) == len(row.waits) + 1
        server.assert_complete()
    assert took < (HASTE + 1.0 if row.seconds == HASTE else 2.0)


def test_there_is_a_row_for_every_fault_of_the_shared_list() -> None:
    if not LIST.exists():
        pytest.skip("the shared list is not here")
    ids = {int(json.loads(line)["id"].rpartition("-")[2]) for line in LIST.read_text("utf-8").splitlines()}
    assert {row.id for row in ROWS} | OF_CONNECTIONS | OF_EMBEDDINGS == ids


def test_028_a_refused_connection_is_tried_once_more_and_given_up() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else answers there
        caller = Caller(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        begun = time.monotonic()
        error = caller.fails()
    assert type(error) is ProviderUnreachable
    assert "no connection to 127.0.0.1:" in str(error)
    assert "refused" in str(error)
    assert caller.slept == [0.5]
    assert time.monotonic() - begun < 1.0


def test_029_a_name_that_does_not_resolve_is_given_up_within_five_seconds() -> None:
    caller = Caller("http://no-such-host.invalid/v1")
    begun = time.monotonic()
    error = caller.fails()
    assert type(error) is ProviderUnreachable
    assert time.monotonic() - begun < 5.5


def test_036_an_expired_certificate_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = expired_certificate(tmp_path)
    if certificate is None:
        pytest.skip("there is no openssl to make a certificate with")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with OpenAIServer([], default=FINE, certificate=certificate) as server:
        caller = Caller(server.base_url)
        error = caller.fails()
    assert type(error) is ProviderUnreachable
    assert "the certificate of 127.0.0.1:" in str(error)
    assert "expired" in str(error)
    assert caller.slept == []
    assert server.requests == []


def test_a_hundred_questions_without_quota_ask_the_provider_once() -> None:
    with OpenAIServer([Fault("insufficient_quota")]) as server:
        caller = Caller(server.base_url)
        errors = [type(caller.fails()) for _ in range(100)]
        server.assert_complete()
    assert errors == [QuotaExhausted] + [ProviderPaused] * 99


class Page(BaseHTTPRequestHandler):
    """Answers every request with what the test has set, and notes the path and the headers."""

    answer: ClassVar[tuple[int, dict[str, str], bytes]]
    seen: ClassVar[list[tuple[str, str | None]]]

    def do_POST(self) -> None:
        self.seen.append((self.path, self.headers["Accept-Encoding"]))
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if int(headers.get("Content-Length", 0)) > len(body):  # more is promised, and never comes
            self.rfile.read(1)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def page(status: int, headers: dict[str, str], body: bytes = b"") -> Iterator[tuple[str, type[Page]]]:
    """The address of a server that answers so, and what it has seen."""
    handler = type("Handler", (Page,), {"answer": (status, headers, body), "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def test_a_compressed_body_is_not_asked_for_and_not_read() -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    with page(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, bomb) as (url, server):
        error = Caller(url).fails()
    assert type(error) is ReplyMalformed
    assert "a compressed body" in str(error)
    assert server.seen == [("/chat/completions", "identity")]


def test_what_is_sent_does_not_follow_to_another_address() -> None:
    with page(307, {"Location": "http://127.0.0.1:9/elsewhere"}) as (url, server):
        error = Caller(url).fails()
    assert type(error) is ReplyMalformed
    assert "sends elsewhere (307)" in str(error)
    assert len(server.seen) == 1


def test_the_proxy_of_the_environment_is_used_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with page(401, {}) as (url, server):
        monkeypatch.setenv("HTTP_PROXY", url)
        error = Caller("http://provider.invalid/v1").fails()
    assert str(error) == "provider.invalid does not accept the key"
    assert [path for path, _ in server.seen] == ["http://provider.invalid/v1/chat/completions"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_server_that_thinks_for_long_has_a_connection_all_the_same() -> None:
    with OpenAIServer([Reply("It closes", delay_s=0.2)]) as server:
        calls = ProviderCalls("the provider", connect_seconds=0.1)
        chat = LangchainModel("gpt-4o", base_url=server.base_url, calls=calls)
        *_, end = chat.stream(MESSAGES, answer_tokens=50, seconds=10)
    assert end == Completion(Finish.STOP, prompt_tokens=11, cached_tokens=0, completion_tokens=3)


def test_what_happens_after_the_reply_has_ended_takes_nothing_from_it() -> None:
    whole = {"choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": "stop"}]}
    body = f"data: {json.dumps(whole)}\n\ndata: }}{{\n\n".encode()
    with page(200, {"Content-Type": "text/event-stream"}, body) as (url, _):
        assert Caller(url).ask() == Completion(Finish.STOP)


STOPPED = {"choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": "stop"}]}
EMPTY = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USED = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}}


@pytest.mark.parametrize(
    ("events", "end"),
    [([STOPPED], Completion(Finish.STOP)), ([STOPPED, USED], Completion(Finish.STOP, 12, 0, 6))],
    ids=["without usage", "with usage"],
)
@pytest.mark.parametrize(("seconds", "end_seconds"), [(20, 0.2), (0.5, 20)])
def test_a_reply_that_has_ended_waits_for_its_connection_to_end_only_for_a_moment(
    events: Sequence[object], end: Completion, seconds: float, end_seconds: float
) -> None:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    with page(200, {"Content-Type": "text/event-stream", "Content-Length": "9999"}, body) as (url, _):
        calls = ProviderCalls("the provider", end_seconds=end_seconds)
        chat = LangchainModel("gpt-4o", base_url=url, calls=calls)
        begun = time.monotonic()
        assert list(chat.stream(MESSAGES, answer_tokens=50, seconds=seconds)) == [TEXT, end]
        assert time.monotonic() - begun < 1.5


def test_an_empty_reply_whose_connection_does_not_end_is_told_as_one() -> None:
    body = f"data: {json.dumps(EMPTY)}\n\n".encode()
    with page(200, {"Content-Type": "text/event-stream", "Content-Length": "9999"}, body) as (url, _):
        chat = LangchainModel("gpt-4o", base_url=url, calls=ProviderCalls("the provider", end_seconds=0.1))
        with pytest.raises(ReplyMalformed, match="sent an empty reply"):
            list(chat.stream(MESSAGES, answer_tokens=50, seconds=20))


def test_a_long_retry_after_leaves_time_to_connect_again() -> None:
    """The connection that the second attempt makes is a new one, and so is its time for it."""
    slept: list[float] = []

    def clock() -> float:
        return time.monotonic() + sum(slept)

    with OpenAIServer([Fault("rate_limit", retry_after="6"), FINE]) as server:
        calls = ProviderCalls("the provider", clock=clock, sleep=slept.append, random=lambda: 0.0)
        chat = LangchainModel("gpt-4o", base_url=server.base_url, calls=calls)
        *_, end = chat.stream(MESSAGES, answer_tokens=50, seconds=20)
        server.assert_complete()
    assert isinstance(end, Completion)
    assert slept == [6.0]


# What the environment sets


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HTTP_PROXY", "foo://me:hunter2@proxy", "the proxy named by HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"),
        ("HTTP_PROXY", "http://me:hunter2@proxy:port", "cannot be used: Invalid port: 'port'"),
        ("ALL_PROXY", "socks5://me:hunter2@127.0.0.1:9", "SOCKS needs the package 'socksio'"),
        ("SSL_CERT_FILE", "/no/such.pem", "the certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot"),
        ("SSL_CERT_FILE", __file__, "cannot be used: "),
    ],
)
def test_what_the_environment_sets_wrong_is_told_with_its_variables(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    asks: Sequence[Callable[[], object]] = (
        lambda: Caller("http://127.0.0.1:9/v1").ask(),
        lambda: OpenAIEmbedder("small", base_url="http://127.0.0.1:9/v1").embed(["a"]),
    )
    for ask in asks:
        with pytest.raises(RequestRejected) as raised:
            ask()
        assert says in str(raised.value)
        assert variable in raised.value.help
        assert "hunter2" not in str(raised.value)


def test_what_langchain_cannot_build_is_told_as_a_fault_so_that_an_extract_can_stand_in() -> None:
    chat = LangchainModel(
        "gpt-4o",
        base_url="http://127.0.0.1:9/v1",
        temperature="warm",  # type: ignore[arg-type] # for anything that only LangChain sees
    )
    with pytest.raises(RequestRejected, match="the model 'openai:gpt-4o' cannot be used"):
        chat.stream(MESSAGES, answer_tokens=5, seconds=5)


@pytest.mark.parametrize("key", ["sk-hunter2hunter2\n", "hunter2 with a blank\nX", "hunter2ü"])
def test_a_key_that_no_header_can_hold_is_told_without_any_part_of_it(key: str) -> None:
    with OpenAIServer(default=FINE) as server:
        asks: Sequence[Callable[[], object]] = (
            lambda: ask_once(LangchainModel("gpt-4o", base_url=server.base_url, api_key=key)),
            lambda: OpenAIEmbedder("small", base_url=server.base_url, api_key=key).embed(["a"]),
        )
        for ask in asks:
            with pytest.raises(RequestRejected) as raised:
                ask()
            assert str(raised.value).startswith("the key for 127.0.0.1:")
            assert str(raised.value).endswith(" has a character that cannot be sent")
            assert "OPENAI_API_KEY" in raised.value.help
        assert server.requests == []


def ask_once(chat: LangchainModel) -> list[str | Completion]:
    return list(chat.stream(MESSAGES, answer_tokens=50, seconds=5))


def test_a_text_that_cannot_be_sent_is_not_taken_for_the_key() -> None:
    with OpenAIServer(default=FINE) as server:
        chat = LangchainModel("gpt-4o", base_url=server.base_url, api_key=KEY)
        with pytest.raises(RequestRejected, match=r"^a text has a character that cannot be sent to 127"):
            list(chat.stream([Message("user", "half \ud83d")], answer_tokens=50, seconds=5))


# The table


def test_every_exception_of_the_vendors_is_in_the_table() -> None:
    vendors = ("openai", "langchain_openai.chat_models.base", "langchain_core.exceptions")
    kinds = [
        kind
        for vendor in vendors
        for name, kind in list(vars(importlib.import_module(vendor)).items())
        if name.endswith(("Error", "Exception")) and issubclass(kind, Exception)
    ]
    assert len(kinds) > 40
    mapped = tuple(kind for row, _ in table() for kind in row)
    assert [kind for kind in kinds if not issubclass(kind, mapped)] == []


def test_no_row_of_the_table_is_hidden_by_one_before_it() -> None:
    before: list[type[BaseException]] = []
    for kinds, _ in table():
        assert not [kind for kind in kinds if issubclass(kind, tuple(before))]
        before += kinds


def test_what_nobody_foresaw_is_still_an_error_in_one_line() -> None:
    fault = OpenAIFaults("api.example", "gpt-4o", KEY).fault(RecursionError(f"too\ndeep {KEY}"))
    assert type(fault.error) is ProviderError
    assert str(fault.error) == "api.example: RecursionError: too deep (key)"
    assert fault.retries == 0


class ForeignError(Exception):
    """As the SDK of another provider raises it."""

    status_code = 429


def test_an_exception_of_another_provider_is_judged_by_its_status() -> None:
    fault = OpenAIFaults("anthropic", "claude").fault(ForeignError("too many"))
    assert type(fault.error) is ProviderBusy
    assert (fault.retries, fault.slow_down) == (2, True)


def test_a_long_message_is_read_in_no_time() -> None:
    begun = time.monotonic()
    for part in ("-eyJ", "://a", "sk-", "system ", "context "):
        OpenAIFaults("api.example", "gpt-4o", KEY).fault(ValueError(part * 500_000))
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Incorrect API key provided: sk-abc1****9xyz. You can",
            "Incorrect API key provided: (key). You can",
        ),
        ("key sk-proj-a_b-c4 is wrong", "key (key) is wrong"),
        ("Authorization: Bearer abc.def was", "Authorization: (key) was"),
        ("my own words: very secret", "my own words: (key)"),
        ("at https://me:pass@host/v1\nand so\x1b[31m on", "at https://host/v1 and so[31m on"),
        ("x" * 300, "x" * 200 + "…"),
        ("Illegal header value b'Bearer very\\nsecret'", "Illegal header value"),
        ("a risk-free task-force", "a risk-free task-force"),
    ],
)
def test_messages_hold_no_secret_and_are_one_short_line(text: str, shown: str) -> None:
    assert scrubbed(text, "very secret") == shown


@pytest.mark.parametrize("secret", ["", " ", "e", "refused"])
def test_what_is_too_short_for_a_secret_takes_no_word_from_a_message(secret: str) -> None:
    assert scrubbed("Connection refused", secret) == "Connection refused"


NOW = datetime(2031, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1.0),
        ("0.25", 0.25),
        (" 7 ", 7.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 01 Jan 2031 12:00:30 GMT", 30.0),
        ("Wed, 01 Jan 2031 12:00:30", 30.0),
        ("Wed, 01 Jan 2031 11:00:00 GMT", None),
        ("Wed, 99 Jan 2031 11:00:00 GMT", None),
        ("Wed, 01 Jan 99999999 11:00:00 GMT", None),
    ],
)
def test_retry_after_in_seconds_as_a_date_and_as_garbage(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
