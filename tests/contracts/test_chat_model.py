"""What LangchainModel sends, and what it makes of the reply, over real HTTP to the loopback server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.langchain_models import CAPABILITIES, REASONING_TOKENS, LangchainModel
from assistant.adapters.provider_calls import ProviderCalls
from assistant.domain.conversation import Completion, Finish, Message
from assistant.domain.errors import (
    ConfigurationError,
    ProviderBusy,
    ReplyIncomplete,
    ReplyMalformed,
    RequestRejected,
)
from assistant.ports import ChatModel
from assistant.testing.openai_server import Fault, OpenAIServer, Reply

pytestmark = pytest.mark.enable_socket

MESSAGES = [Message("system", "Answer from the sources."), Message("user", "When does it close?")]
TEXT = "It closes on Monday. [1]"
SYSTEM = {"role": "system", "content": "Answer from the sources."}
USER = {"role": "user", "content": "When does it close?"}
BODY = {
    "model": "gpt-4o",
    "messages": [SYSTEM, USER],
    "temperature": 0.0,
    "max_completion_tokens": 50,
    "stream": True,
    "stream_options": {"include_usage": True},
}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def model(
    server: OpenAIServer,
    name: str = "openai:gpt-4o",
    *,
    lacks: Collection[str] = frozenset(),
    effort: str | None = None,
) -> LangchainModel:
    calls = ProviderCalls("the provider", sleep=lambda seconds: None)
    return LangchainModel(
        name, base_url=server.base_url, api_key="sk-test", lacks=lacks, effort=effort, calls=calls
    )


def left_out(body: Mapping[str, Any]) -> set[str]:
    """What a request to a model that does not reason leaves out of all that it may have."""
    roles = {message["role"] for message in body["messages"]}
    named = {"stream_options", "temperature", "max_completion_tokens"} - body.keys()
    return named | ({"system"} - roles) | (set() if body.get("stream") else {"streaming"})


def ask(chat: ChatModel, messages: Sequence[Message] = MESSAGES) -> list[str | Completion]:
    return list(chat.stream(messages, answer_tokens=50, seconds=10))


# The reply


@pytest.mark.parametrize("pieces", [1, 5, 24])
def test_the_text_comes_in_pieces_and_then_how_it_ended_and_what_it_took(pieces: int) -> None:
    used = {
        "prompt_tokens": 1200,
        "completion_tokens": 40,
        "total_tokens": 1240,
        "prompt_tokens_details": {"cached_tokens": 1024},
    }
    with OpenAIServer([Reply(TEXT, pieces=pieces, usage=used)]) as server:
        *said, end = ask(model(server))
        server.assert_complete()
    assert len(said) == pieces
    assert "".join(map(str, said)) == TEXT
    assert {type(piece) for piece in said} == {str}
    assert end == Completion(Finish.STOP, prompt_tokens=1200, cached_tokens=1024, completion_tokens=40)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("reply", "finish"),
    [
        (Reply(TEXT), Finish.STOP),
        (Reply(TEXT, finish="eos_token"), Finish.STOP),
        (Reply(TEXT, finish="length"), Finish.LENGTH),
        (Reply(TEXT, finish="content_filter"), Finish.CONTENT_FILTER),
        (Reply(None, finish="content_filter"), Finish.CONTENT_FILTER),
        (Reply(None, refusal="I cannot help with that."), Finish.REFUSAL),
    ],
)
def test_how_a_reply_ended(reply: Reply, finish: Finish, streaming: bool) -> None:
    with OpenAIServer([reply]) as server:
        *said, end = ask(model(server, lacks=frozenset() if streaming else {"streaming"}))
    assert isinstance(end, Completion)
    assert end.finish is finish
    assert "".join(map(str, said)) == (reply.text or "")


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Reply(None, finish="length"), ReplyMalformed),
        (Reply(None), ReplyMalformed),
        (Reply(TEXT, finish="tool_calls"), ReplyIncomplete),
        (Reply(TEXT, finish=None), ReplyIncomplete),
        (Fault("empty_object"), ReplyMalformed),
        (Fault("no_choices"), ReplyMalformed),
        (Fault("html"), ReplyMalformed),
        (Fault("big_body"), ReplyMalformed),
    ],
)
def test_what_is_no_whole_reply_is_an_error(
    step: Reply | Fault, error: type[Exception], streaming: bool
) -> None:
    with OpenAIServer([step]) as server, pytest.raises(error):
        ask(model(server, lacks=frozenset() if streaming else {"streaming"}))


def test_an_error_in_a_plain_body_means_what_it_says() -> None:
    with OpenAIServer(default=Fault("error_event", code="rate_limit_exceeded")) as server:
        with pytest.raises(ProviderBusy):
            ask(model(server, lacks={"streaming"}))
        assert len(server.requests) == 3


def test_a_server_that_ignores_the_wish_for_a_stream_is_understood() -> None:
    with OpenAIServer([Reply(TEXT)], lacks={"streaming"}) as server:
        said, end = ask(model(server))
        assert server.requests[0].body["stream"] is True
    assert said == TEXT
    assert isinstance(end, Completion)
    assert end.finish is Finish.STOP
    assert end.completion_tokens == 6


def test_a_server_that_does_not_count_leaves_the_counts_open() -> None:
    with OpenAIServer([Reply(TEXT)], lacks={"usage"}) as server:
        assert ask(model(server))[-1] == Completion(Finish.STOP)


def test_closing_the_iterator_ends_the_call() -> None:
    with OpenAIServer([Fault("stall", after=2)]) as server:
        pieces = model(server).stream(MESSAGES, answer_tokens=50, seconds=30)
        assert next(pieces) == "The"
        pieces.close()
        for thread in threading.enumerate():
            if thread.name == "provider-call":
                thread.join(1)
                assert not thread.is_alive()


# The request


@pytest.mark.parametrize(
    ("lacks", "changes"),
    [
        ((), {}),
        (("stream_options",), {"stream_options": None}),
        (("temperature",), {"temperature": None}),
        (("max_completion_tokens",), {"max_completion_tokens": None, "max_tokens": 50}),
        (("streaming",), {"stream": None, "stream_options": None}),
        (
            ("system",),
            {"messages": [{"role": "user", "content": "Answer from the sources.\n\nWhen does it close?"}]},
        ),
        (
            sorted(CAPABILITIES),
            {
                "stream_options": None,
                "temperature": None,
                "max_completion_tokens": None,
                "max_tokens": 50,
                "stream": None,
                "messages": [{"role": "user", "content": "Answer from the sources.\n\nWhen does it close?"}],
            },
        ),
    ],
)
def test_what_a_server_lacks_is_not_sent(lacks: Sequence[str], changes: dict[str, object]) -> None:
    with OpenAIServer([Reply(TEXT)], lacks=lacks) as server:
        ask(model(server, lacks=lacks))
        server.assert_complete()
        (request,) = server.requests
    expected = {key: value for key, value in {**BODY, **changes}.items() if value is not None}
    assert {"stream": False, **request.body} == {"stream": False, **expected}
    assert request.path == "/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-test"


@pytest.mark.parametrize("lacks", ["stream_options", "temperature", "max_completion_tokens", "system"])
def test_what_a_server_complains_of_is_learnt_once(lacks: str) -> None:
    with OpenAIServer(default=Reply(TEXT), lacks={lacks}) as server:
        chat = model(server)
        for _ in range(2):
            *said, _ = ask(chat)
            assert "".join(map(str, said)) == TEXT
        assert [left_out(request.body) for request in server.requests] == [set(), {lacks}, {lacks}]


def test_a_server_that_lacks_everything_is_learnt_within_one_call() -> None:
    lacks = {"stream_options", "temperature", "max_completion_tokens", "system"}
    with OpenAIServer([Reply(TEXT)], lacks=lacks) as server:
        ask(model(server))
        assert [len(left_out(request.body)) for request in server.requests] == [0, 1, 2, 3, 4]
        assert left_out(server.requests[-1].body) == lacks
        server.assert_complete()


@pytest.mark.parametrize(
    ("message", "param", "learnt"),
    [
        (
            "Unsupported value: 'temperature' does not support 0.0 with this model.",
            "temperature",
            {"temperature"},
        ),
        ("Unknown parameter: 'stream_options'.", None, {"stream_options"}),
        ("Extra inputs are not permitted: max_completion_tokens", None, {"max_completion_tokens"}),
        ("Streaming is not supported for this model", "stream", {"streaming", "stream_options"}),
        ("Developer instruction is not enabled for this model", None, {"system"}),
        (
            "max_completion_tokens is too large: 9000. At most 4096 are supported.",
            "max_completion_tokens",
            set(),
        ),
        ("The temperature of the question is too high.", None, set()),
        ("Unsupported language", None, set()),
    ],
)
def test_only_a_complaint_of_a_lack_is_taken_for_one(
    message: str, param: str | None, learnt: set[str]
) -> None:
    with OpenAIServer([Fault("unprocessable", message=message, param=param)], Reply(TEXT)) as server:
        chat = model(server)
        if learnt:
            ask(chat)
        else:
            with pytest.raises(RequestRejected):
                ask(chat)
        assert [left_out(request.body) for request in server.requests[1:]] == ([learnt] if learnt else [])


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("gpt-4o", False),
        ("gpt-5-chat-latest", False),
        ("solo1-chat", False),
        ("openai:o1", True),
        ("o3-mini", True),
        ("gpt-5.2", True),
        ("gpt-5-pro", True),
        ("gpt-6", True),
        ("openai:openai/gpt-oss-20b", True),
        ("gpt-oss:20b", True),
    ],
)
def test_a_reasoning_model_gets_no_temperature_an_effort_and_room_for_what_nobody_sees(
    name: str, reasons: bool
) -> None:
    with OpenAIServer([Reply(TEXT)]) as server:
        ask(model(server, name, effort="low"))
        server.assert_complete()
        body = server.requests[0].body
    assert body.get("reasoning_effort") == ("low" if reasons else None)
    assert ("temperature" in body) is not reasons
    assert body["max_completion_tokens"] == 50 + (REASONING_TOKENS if reasons else 0)
    assert body["model"] == name.removeprefix("openai:")


def test_a_server_that_knows_no_effort_is_asked_without() -> None:
    with OpenAIServer(default=Reply(TEXT), lacks={"reasoning_effort"}) as server:
        chat = model(server, "gpt-oss-20b", effort="low")
        ask(chat)
        ask(chat)
        assert ["reasoning_effort" in request.body for request in server.requests] == [True, False, False]


def test_each_length_of_answers_is_a_limit_of_its_own() -> None:
    limits = [50, 200, *range(100, 120), 50]
    with OpenAIServer(default=Reply(TEXT)) as server:
        chat = model(server)
        for tokens in limits:
            list(chat.stream(MESSAGES, answer_tokens=tokens, seconds=10))
        assert [request.body["max_completion_tokens"] for request in server.requests] == limits


# Names, hosts, keys


@pytest.mark.parametrize(
    ("name", "url", "full", "host"),
    [
        ("gpt-4o", None, "openai:gpt-4o", "api.openai.com"),
        ("openai:gpt-4o", "https://llm.example/v1", "openai:gpt-4o", "llm.example"),
        ("llama3.1:8b", "http://localhost:11434/v1", "openai:llama3.1:8b", "localhost:11434"),
        ("gpt-4o", "http://[::1]:8000/v1", "openai:gpt-4o", "[::1]:8000"),
        ("ft:gpt-4o:org::id", None, "openai:ft:gpt-4o:org::id", "api.openai.com"),
        ("gpt-4o", "https://me:secret@llm.example:8443/v1", "openai:gpt-4o", "llm.example:8443"),
        ("gpt-4o", "https://llm.example:443/v1", "openai:gpt-4o", "llm.example"),
        ("gpt-4o", "http://llm.example:443/v1", "openai:gpt-4o", "llm.example:443"),
    ],
)
def test_names_and_hosts(name: str, url: str | None, full: str, host: str) -> None:
    chat = LangchainModel(name, base_url=url, api_key="sk-test")
    assert (chat.name, chat.host) == (full, host)


def test_a_server_of_ones_own_needs_no_key() -> None:
    with OpenAIServer([Reply(TEXT)]) as server:
        chat = LangchainModel("llama3.1:8b", base_url=server.base_url)
        assert isinstance(ask(chat)[-1], Completion)
        assert server.requests[0].headers["authorization"] == "Bearer none"


def test_the_environment_neither_redirects_nor_adds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_PROXY", "http://127.0.0.1:9")
    with OpenAIServer([Reply(TEXT)]) as server:
        ask(LangchainModel("gpt-4o", base_url=server.base_url))
        assert server.requests[0].headers["authorization"] == "Bearer none"
    with pytest.raises(ConfigurationError):
        LangchainModel("gpt-4o")


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("gpt-4o", {}, "'openai:gpt-4o' needs a key: set OPENAI_API_KEY"),
        ("gpt-4o", {"base_url": "localhost:11434/v1"}, "OPENAI_BASE_URL is no http:// or https:// address"),
        ("gpt-4o", {"base_url": "http://host:port/v1"}, "no http:// or https:// address"),
        ("gpt-4o", {"base_url": ""}, "needs a key"),
        ("gpt-4o", {"api_key": "k", "lacks": {"soul"}}, "no server can lack soul; there are"),
        ("anthropic:claude-x", {"api_key": "k"}, "pip install langchain-anthropic"),
        ("anthropic:claude-x", {"base_url": "http://localhost/v1"}, "pip install langchain-anthropic"),
        ("llama3.1:8b", {"api_key": "k"}, "Unsupported provider='llama3.1'"),
        ("openai:", {"api_key": "k"}, "'openai:' names no model: write PROVIDER:MODEL, like openai:gpt-4o"),
        ("", {"api_key": "k"}, "'' names no model"),
        (" ", {"base_url": "http://localhost:11434/v1"}, "' ' names no model"),
        (":", {"base_url": "http://localhost:11434/v1"}, "':' names no model"),
        (":gpt-4o", {"api_key": "k"}, "':gpt-4o' names no model"),
    ],
)
def test_what_cannot_work_is_said_before_the_first_question(
    name: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        LangchainModel(name, **options)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_importing_and_building_import_neither_langchain_nor_openai() -> None:
    script = (
        "import sys; from assistant.adapters.langchain_models import LangchainModel;"
        " LangchainModel('gpt-4o', api_key='k');"
        " print(sorted({'langchain', 'langchain_core', 'openai', 'httpx2'} & sys.modules.keys()))"
    )
    root = Path(__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"


# LangChain's callbacks and tracing


def test_callbacks_that_a_caller_passes_see_the_call() -> None:
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.runnables import RunnableLambda

    events: list[tuple[str, Any]] = []

    class Handler(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            events.append(("start", [message.text for message in messages[0]]))

        def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
            events.append(("token", token))

        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            events.append(("end", response.generations[0][0].text))

    with OpenAIServer([Reply(TEXT, pieces=["It closes ", "on Monday. [1]"])]) as server:
        chat = model(server)
        chain: RunnableLambda[str, Any] = RunnableLambda(
            lambda asked: ask(chat, [MESSAGES[0], Message("user", asked)])
        )
        *said, _ = chain.invoke("When?", config={"callbacks": [Handler()]})
    assert said == ["It closes ", "on Monday. [1]"]
    assert events[0] == ("start", ["Answer from the sources.", "When?"])
    assert [token for kind, token in events[1:-1] if token] == said
    assert events[-1] == ("end", TEXT)


HANDLERS: ContextVar[Any] = ContextVar("handlers", default=None)


def test_a_variable_of_the_environment_does_not_send_the_sources_to_a_tracer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.tracers.context import register_configure_hook
    from langsmith.utils import get_env_var, tracing_is_enabled

    seen = []

    class Handler(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            seen.append(tracing_is_enabled())

    register_configure_hook(HANDLERS, inheritable=True)
    token = HANDLERS.set(Handler())
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    forget: Any = get_env_var  # it remembers what it has read
    forget.cache_clear()
    try:
        assert tracing_is_enabled()
        with OpenAIServer([Reply(TEXT)]) as server:
            ask(model(server))
    finally:
        HANDLERS.reset(token)
        monkeypatch.undo()
        forget.cache_clear()
    assert seen == [False]
