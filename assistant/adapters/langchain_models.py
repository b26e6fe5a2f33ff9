"""A model through LangChain: "openai:gpt-…", any OpenAI-compatible server, other providers' packages.

LangChain builds the request and reads the reply; deadline, retries and the breaker are
ProviderCalls', so LangChain and the SDK retry nothing. A reply is complete when it says why
it ended. Servers differ in what they take: what one lacks is left out, because it was named
or because the server complained of it once. Callbacks that a caller has set for LangChain go
through; tracing that only the environment asks for does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from assistant.adapters.openai_faults import OPENAI_URL, PLACEHOLDER_KEY, OpenAIFaults, host_of
from assistant.adapters.provider_calls import Attempt, Ending, Fault, ProviderCalls
from assistant.domain.conversation import Completion, Finish, Message
from assistant.domain.errors import ConfigurationError, ReplyIncomplete, ReplyMalformed, RequestRejected

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage
    from openai import OpenAI

# A cap and no target, on top of what an answer may have: at 250 tokens a second it lasts for the
# default deadline, and an answer is not cut short by what nobody sees.
REASONING_TOKENS = 8_000
CAPABILITIES = frozenset(
    {"stream_options", "system", "temperature", "max_completion_tokens", "reasoning_effort", "streaming"}
)

_OPENAI = "openai"
# Providers whose name before a colon is never the beginning of a model's name on a server of one's own.
_KNOWN = (
    "anthropic",
    "azure_openai",
    "bedrock",
    "cohere",
    "google_genai",
    "google_vertexai",
    "groq",
    "mistralai",
)
# Nobody waits beyond the deadline for another provider's package, either, but its client is not closed
# from outside: its thread ends with the next piece, or when for so long nothing came.
_OTHERS_SECONDS = 60.0
_MOST_BUILT = 16  # LangChain's objects, half a millisecond to make; answers have two or three lengths
_REASONING = re.compile(r"(?:^|/)(?:o\d|gpt-[56]|gpt-oss)(?!.*chat)", re.IGNORECASE)
_FINISHES = {
    "stop": Finish.STOP,
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "content_filter": Finish.CONTENT_FILTER,
    "safety": Finish.CONTENT_FILTER,
    "refusal": Finish.REFUSAL,
}
_COMPLAINT = re.compile(
    r"unsupported|not supported|not support|unknown|unrecogni[sz]ed|not permitted|not allowed|not enabled"
    r"|unexpected|extra (?:inputs|fields)",
    re.IGNORECASE,
)
_COMPLAINED = {
    capability: re.compile(words, re.IGNORECASE)
    for capability, words in {
        "stream_options": r"stream_options|include_usage",
        "streaming": r"\bstream(?:ing)?\b",
        "temperature": r"\btemperature\b",
        "max_completion_tokens": r"\bmax_completion_tokens\b",
        "reasoning_effort": r"\breasoning[_.]effort\b",
        "system": r"\b(?:system|developer)\b.{0,20}\b(?:role|message|instruction|prompt)|role.{0,20}system",
    }.items()
}


class LangchainModel:
    """The model of this name.

    name: "provider:model"; a model alone is OpenAI's. base_url: an OpenAI-compatible server in place
    of OpenAI's own, which needs no key. api_key: for these two; other providers' packages have theirs
    from the environment. lacks: the CAPABILITIES that the server does not have. effort: how long
    a reasoning model is to think, "low" for example; its provider's default when None. calls: what the
    requests go through; its own unless given. Raises ConfigurationError where the model's name, a key
    or a package is missing.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        lacks: Collection[str] = frozenset(),
        temperature: float = 0.0,
        effort: str | None = None,
        calls: ProviderCalls | None = None,
    ) -> None:
        if unknown := sorted(set(lacks) - CAPABILITIES):
            raise ConfigurationError(
                f"no server can lack {', '.join(unknown)}; there are {', '.join(sorted(CAPABILITIES))}"
            )
        self._provider, self._model = _split(name, compatible=base_url is not None)
        self._base_url = base_url or (OPENAI_URL if self._provider == _OPENAI else None)
        self._key = api_key or PLACEHOLDER_KEY
        self._temperature = temperature
        self._effort = effort
        self._lacks = frozenset(lacks)
        self._lock = Lock()
        self._built: dict[tuple[int, frozenset[str]], BaseChatModel] = {}
        self._clients: _Clients | None = None
        if self._provider == _OPENAI:
            if not (api_key or base_url):
                raise ConfigurationError(
                    f"{self.name!r} needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without"
                )
            self._host = host_of(base_url or OPENAI_URL)
        else:
            self._host = self._provider
            self._chat_model(1, self._lacks)  # a missing package shows here, and not at the first question
        self._faults = OpenAIFaults(self._host, self._model, api_key or "")
        self._calls = calls or ProviderCalls(self._host)

    @property
    def name(self) -> str:
        """Provider and model: "openai:gpt-…"."""
        return f"{self._provider}:{self._model}"

    @property
    def host(self) -> str:
        """Where the messages go, with the port where it is unusual; another provider's name."""
        return self._host

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int, seconds: float
    ) -> Generator[str | Completion, None, None]:
        """The reply in pieces as they come, and last its Completion; raises ProviderError."""
        # Importing LangChain takes seconds at first: that is no time of the provider's.
        try:
            self._chat_model(answer_tokens, self._lacks)
        except ConfigurationError as error:  # too late for one: the answer can still do without a model
            raise RequestRejected(str(error)) from error

        def attempt(handle: Attempt) -> Iterator[str | Completion | Ending[str | Completion]]:
            return self._attempt(handle, messages, answer_tokens)

        return self._calls.stream(attempt, seconds=seconds)

    def _attempt(
        self, handle: Attempt, messages: Sequence[Message], answer_tokens: int
    ) -> Iterator[str | Completion | Ending[str | Completion]]:
        """One attempt; a request that the server finds fault with is repeated without what it lacks."""
        from langsmith import tracing_context

        if self._provider != _OPENAI:
            handle.connected()  # their packages do not say when they are
        given = False
        with tracing_context(enabled=False):
            while True:
                lacks = self._lacks
                try:
                    for item in self._reply(messages, answer_tokens, lacks):
                        given = True
                        yield item
                    return
                except Fault:
                    raise
                except Exception as error:
                    fault = self._faults.fault(error)
                    missing = None if given else _missing(error, fault, lacks)
                    if missing is None:
                        raise fault from error
                    self._lacks |= {missing}

    def _reply(
        self, messages: Sequence[Message], answer_tokens: int, lacks: frozenset[str]
    ) -> Iterator[str | Completion | Ending[str | Completion]]:
        said, finish, usage = False, None, _Usage()

        def end() -> Completion:
            return self._completion(finish, usage, said=said, answer_tokens=answer_tokens)

        try:
            for message in self._chat_model(answer_tokens, lacks).stream(_converted(messages, lacks)):
                if text := str(message.text):
                    said = True
                    yield text
                usage.add(message)
                if reason := _reason(message):
                    finish = reason
                    yield Ending(end)
        except Exception:
            if finish is None:  # else the reply is there, and what is missing is its end mark or usage
                raise
        yield end()

    def _completion(self, reason: str | None, usage: _Usage, *, said: bool, answer_tokens: int) -> Completion:
        """The end of a reply, after a look at whether it is one."""
        if reason is None and not said:
            raise Fault(ReplyMalformed(f"{self._host} sent no reply in the agreed form"))
        if reason is None:
            raise Fault(ReplyIncomplete(f"{self._host} ended its reply without saying why"))
        finish = _FINISHES.get(reason.lower())
        if finish is None:
            raise Fault(
                ReplyIncomplete(f"{self._host} ended its reply for a reason of its own: {reason[:40]!r}")
            )
        if finish is Finish.LENGTH and not said:
            raise Fault(
                ReplyMalformed(f"{self._model!r} used up {answer_tokens} tokens and has said nothing")
            )
        if finish is Finish.STOP and not said:
            raise Fault(ReplyMalformed(f"{self._host} sent an empty reply"))
        return Completion(finish, usage.prompt, usage.cached, usage.completion)

    def _chat_model(self, answer_tokens: int, lacks: frozenset[str]) -> BaseChatModel:
        """LangChain's model with the parameters that this server takes."""
        with self._lock:
            if (answer_tokens, lacks) not in self._built:
                if len(self._built) == _MOST_BUILT:
                    self._built.clear()
                self._built[answer_tokens, lacks] = self._build(answer_tokens, lacks)
            return self._built[answer_tokens, lacks]

    def _build(self, answer_tokens: int, lacks: frozenset[str]) -> BaseChatModel:
        from langchain.chat_models import init_chat_model

        reasons = _REASONING.search(self._model) is not None
        limit = answer_tokens + (REASONING_TOKENS if reasons else 0)
        options: dict[str, Any] = {
            "base_url": self._base_url,
            # None and not left out: LangChain has defaults of its own for some models.
            "temperature": None if reasons or "temperature" in lacks else self._temperature,
            "max_retries": 0,
        }
        if self._provider == _OPENAI:
            if reasons and self._effort and "reasoning_effort" not in lacks:
                options["reasoning_effort"] = self._effort
            if self._clients is None:
                self._clients = _Clients()
            options |= {
                "api_key": self._key,
                "http_client": self._clients.sync,
                "http_async_client": self._clients.unused,
                "openai_proxy": "",  # LangChain's own variable; those that all know are the transport's
                "http_socket_options": (),  # or LangChain warns that it would pass over a proxy, and does not
                "stream_usage": "stream_options" not in lacks,
                "use_responses_api": False,
            }
        else:
            options = {name: value for name, value in options.items() if value is not None}
            options |= {"timeout": _OTHERS_SECONDS, "disable_streaming": "streaming" in lacks}
        if "max_completion_tokens" in lacks:
            options["extra_body"] = {"max_tokens": limit}  # LangChain renames max_tokens anywhere else
        else:
            options["max_tokens"] = limit
        try:
            model: Any = init_chat_model(self._model, model_provider=self._provider, **options)
        except (ImportError, ValueError) as error:  # LangChain names the package to install
            raise ConfigurationError(
                f"the model {self.name!r} cannot be used: {_first_line(error)}"
            ) from error
        if self._provider == _OPENAI:
            model.client = _Completions(model.root_client, streams="streaming" not in lacks)
        built: BaseChatModel = model
        return built


class _Clients:
    """The HTTP client that all requests go through, and one that is never used.

    Without the second, LangChain would prepare an asynchronous client with certificates of its own.
    """

    def __init__(self) -> None:
        import httpx2

        from assistant.adapters.deadline_transport import DeadlineTransport

        self.sync = httpx2.Client(transport=DeadlineTransport())
        self.unused = httpx2.AsyncClient(transport=httpx2.AsyncBaseTransport())


class _Completions:
    """The SDK's chat completions in place of its own in LangChain's model, which always streams.

    LangChain drops a streamed refusal, which comes in a field of its own: the reason to end becomes
    "refusal" here. A plain body is read as a stream of one chunk, whether it was asked for (a server
    that cannot stream) or came unasked. Chunks stay as they come: of each the SDK would make objects,
    which LangChain takes apart again, and that is half the work of a streamed reply.
    """

    def __init__(self, client: OpenAI, *, streams: bool) -> None:
        self._client = client
        self._streams = streams

    @contextmanager
    def create(self, **request: Any) -> Iterator[Iterator[dict[str, Any]]]:
        """A context with the chunks, as dictionaries."""
        import openai

        if not self._streams:
            plain = {
                name: value for name, value in request.items() if name not in ("stream", "stream_options")
            }
            response = self._client.chat.completions.with_raw_response.create(**plain).http_response
            yield iter([_as_chunk(response)])
            return
        more = request.pop("extra_body", None) or {}
        with self._client.post(
            "/chat/completions",
            cast_to=object,
            body=request | more,
            stream=True,
            stream_cls=openai.Stream[object],
        ) as stream:
            yield _chunks(stream)


def _chunks(stream: Any) -> Iterator[dict[str, Any]]:
    if "json" in stream.response.headers.get("Content-Type", ""):
        yield _as_chunk(stream.response)
        return
    refused = False
    for chunk in stream:
        data: dict[str, Any] = chunk
        for choice in (data.get("choices") or [])[:1]:
            choice.setdefault("delta", None)  # LangChain needs one, even if there is nothing in it
            refused = refused or bool((choice.get("delta") or {}).get("refusal"))
            if refused and choice.get("finish_reason"):
                choice["finish_reason"] = "refusal"
        yield data


def _as_chunk(response: Any) -> dict[str, Any]:
    """A plain body as the only chunk of a stream."""
    import openai

    body = json.loads(response.read())
    if error := body.get("error"):
        said = error.get("message") if isinstance(error, dict) else error
        raise openai.APIError(str(said), response.request, body=error)
    choice = body["choices"][0]
    message = choice["message"]
    reason = "refusal" if message.get("refusal") else choice.get("finish_reason")
    return {
        "model": body.get("model"),
        "choices": [{"delta": message, "finish_reason": reason}],
        "usage": body.get("usage"),
    }


class _Usage:
    """The tokens that the messages of a stream report.

    The largest figure counts: some providers send it once, others in parts (the prompt first, the
    reply last), others the sum so far with every chunk.
    """

    def __init__(self) -> None:
        self.prompt: int | None = None
        self.cached: int | None = None
        self.completion: int | None = None

    def add(self, message: AIMessage) -> None:
        """What this message reports."""
        if used := message.usage_metadata:
            self.prompt = max(self.prompt or 0, used["input_tokens"])
            self.completion = max(self.completion or 0, used["output_tokens"])
            self.cached = max(self.cached or 0, used.get("input_token_details", {}).get("cache_read") or 0)


def _split(name: str, *, compatible: bool) -> tuple[str, str]:
    """Provider and model of a name; names of models hold colons, too ("llama3.1:8b", "ft:gpt-…").

    Raises ConfigurationError where one of the two is missing.
    """
    provider, colon, model = name.partition(":")
    is_provider = provider in (_OPENAI, *_KNOWN) or (
        provider.isidentifier() and find_spec(f"langchain_{provider}") is not None
    )
    if not (colon and (is_provider or not (compatible or provider == "ft"))):
        provider, model = _OPENAI, name
    if not (provider.strip() and model.strip(" :")):
        raise ConfigurationError(f"{name!r} names no model: write PROVIDER:MODEL, like openai:gpt-4o")
    return provider, model


def _converted(messages: Sequence[Message], lacks: frozenset[str]) -> list[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    if "system" in lacks:
        return [HumanMessage("\n\n".join(message.text for message in messages))]
    return [
        SystemMessage(message.text) if message.role == "system" else HumanMessage(message.text)
        for message in messages
    ]


def _reason(message: AIMessage) -> str | None:
    """Why the reply ends with this message, in the provider's word; None when it goes on."""
    metadata = message.response_metadata
    reason = metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason")
    return str(reason) if reason else None


def _missing(error: Exception, fault: Fault, lacks: frozenset[str]) -> str | None:
    """The capability whose lack the server complains of, if that is what it does."""
    said = f"{getattr(error, 'param', None) or ''} {error}"
    if type(fault.error) is RequestRejected and _COMPLAINT.search(said):
        for capability, pattern in _COMPLAINED.items():
            if capability not in lacks and pattern.search(said):
                return capability
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
