"""What passes over the wire of the OpenAI protocol: which requests are right, and the bodies that answer.

Chat completions, plain and as server-sent events, embeddings, errors; as data, without
sockets. The keys are those that the API documents; what it does not know, and what a poorer
server lacks, is a complaint with the status, code and parameter that such servers send.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]

CHAT, EMBEDDINGS = "/chat/completions", "/embeddings"
LACKS = frozenset(
    {
        "stream_options",
        "system",
        "max_completion_tokens",
        "temperature",
        "reasoning_effort",
        "usage",
        "streaming",
    }
)
_REFUSED_WHEN_LACKING = ("stream_options", "max_completion_tokens", "temperature", "reasoning_effort")
_DOCUMENTED = """
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
    messages metadata modalities model moderation n parallel_tool_calls prediction presence_penalty
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format
    safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
    top_logprobs top_p user verbosity web_search_options
"""
_CHAT_KEYS = frozenset(_DOCUMENTED.split())
_EMBEDDING_KEYS = frozenset({"dimensions", "encoding_format", "input", "model", "user"})
_MESSAGE_KEYS = frozenset({"role", "content", "name"})
_ROLES = frozenset({"system", "developer", "user", "assistant"})
_MAX_INPUTS = 2048
_MAX_TEMPERATURE = 2
_CREATED = 1_767_225_600  # always the same second, so that equal requests get equal bytes


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as the API sends it: status, and what stands under "error" in the body."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None

    @property
    def body(self) -> dict[str, object]:
        """The body of the response."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def complaint_about(path: str, body: Body | None) -> Complaint | None:
    """What every server says against the request; None when it is right. body: None when it is no object."""
    if path not in {CHAT, EMBEDDINGS}:
        return Complaint(404, f"Nothing is served at {path!r}.")
    if body is None:
        return Complaint(400, "The body is no JSON object.")
    if not (isinstance(body.get("model"), str) and body["model"]):
        return _invalid("model", "expected the name of a model")
    if path == EMBEDDINGS:
        return _unknown(body, _EMBEDDING_KEYS) or _wrong_embedding(body)
    return _unknown(body, _CHAT_KEYS) or _wrong_messages(body.get("messages")) or _wrong_options(body)


def complaint_of_lack(path: str, body: Body, lacks: Collection[str]) -> Complaint | None:
    """What a server that lacks these says against a request that is otherwise right."""
    for key in _REFUSED_WHEN_LACKING:
        if key in lacks and body.get(key) is not None:
            return unsupported(key)
    roles = {message["role"] for message in body["messages"]} if path == CHAT else set()
    if "system" in lacks and roles & {"system", "developer"}:
        return Complaint(400, "System role not supported", "BadRequestError")
    return None


def _unknown(body: Body, known: frozenset[str]) -> Complaint | None:
    for key in sorted(body.keys() - known):
        return Complaint(400, f"Unknown parameter: {key!r}.", code="unknown_parameter", param=key)
    return None


def _invalid(param: str, message: str) -> Complaint:
    return Complaint(400, f"Invalid value for {param!r}: {message}.", code="invalid_value", param=param)


def _wrong_messages(messages: object) -> Complaint | None:
    if not isinstance(messages, list) or not messages:
        return _invalid("messages", "expected a list with one message or more")
    for at, message in enumerate(messages):
        if wrong := _wrong_message(message):
            return _invalid(f"messages[{at}]", wrong)
    return None


def _wrong_options(body: Body) -> Complaint | None:
    limits = [key for key in ("max_tokens", "max_completion_tokens") if body.get(key) is not None]
    temperature = body.get("temperature") or 0
    if body.get("stream_options") is not None and not body.get("stream"):
        return _invalid("stream_options", "it is only allowed when 'stream' is true")
    if len(limits) > 1:
        return _invalid("max_tokens", "'max_completion_tokens' is set, too")
    if limits and not _is_count(body[limits[0]]):
        return _invalid(limits[0], "expected an integer above 0")
    if not isinstance(temperature, int | float) or not 0 <= temperature <= _MAX_TEMPERATURE:
        return _invalid("temperature", f"expected a number between 0 and {_MAX_TEMPERATURE}")
    return None if body.get("n") in {None, 1} else _invalid("n", "this server gives one choice")


def _wrong_message(message: object) -> str:
    if not isinstance(message, dict):
        return "expected an object"
    if unknown := sorted(message.keys() - _MESSAGE_KEYS):
        return f"unknown parameter {unknown[0]!r}"
    if message.get("role") not in _ROLES:
        return f"unknown role {message.get('role')!r}"
    if not isinstance(message.get("content"), str) or not message["content"]:
        return "expected a string with text as content"
    return ""


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def unsupported(param: str) -> Complaint:
    """The complaint of a model that cannot be given this parameter."""
    message = f"Unsupported parameter: {param!r} is not supported with this model."
    return Complaint(400, message, code="unsupported_parameter", param=param)


def _wrong_embedding(body: Body) -> Complaint | None:
    items = inputs(body)
    if not items or len(items) > _MAX_INPUTS or not all(items):
        return _invalid("input", f"expected 1 to {_MAX_INPUTS} texts, none of them empty")
    if body.get("encoding_format") not in {None, "float", "base64"}:
        return _invalid("encoding_format", "expected 'float' or 'base64'")
    if not _is_count(body.get("dimensions")):
        return _invalid("dimensions", "expected an integer above 0")
    return None


def inputs(body: Body) -> list[str]:
    """The texts to be embedded; an input of token numbers becomes their list as text."""
    given = body.get("input")
    if isinstance(given, str) or (isinstance(given, list) and given and isinstance(given[0], int)):
        given = [given]
    if not isinstance(given, list):
        return []
    return [item if isinstance(item, str) else json.dumps(item) if item else "" for item in given]


# Chat completions


def completion(
    number: int,
    body: Body,
    text: str | None,
    *,
    finish: str | None,
    refusal: str | None,
    usage: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The body of a plain chat completion."""
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": refusal, "annotations": []}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    whole = {**_head(number, body, "chat.completion"), "choices": [choice]}
    return whole if usage is None else {**whole, "usage": usage}


def chunks(
    number: int,
    body: Body,
    pieces: Sequence[str],
    *,
    finish: str | None,
    refusal: bool,
    usage: Mapping[str, Any] | None,
) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed one: the role, the pieces, why it ended, and last what it took.

    refusal: the pieces are those of a refusal. finish None: no chunk says why it ended.
    usage: sent when the request asks for it.
    """
    head = _head(number, body, "chat.completion.chunk")
    asked = usage is not None and bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: Mapping[str, Any], why: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": why, "logprobs": None}
        return {**head, "choices": [choice], **({"usage": None} if asked else {})}

    yield chunk({"role": "assistant", "content": None if refusal or not pieces else "", "refusal": None})
    for piece in pieces:
        yield chunk({"refusal" if refusal else "content": piece})
    if finish is not None:
        yield chunk({}, finish)
    if asked:
        yield {**head, "choices": [], "usage": usage}


def encoded(payload: object) -> bytes:
    """A body on the wire."""
    return json.dumps(payload).encode()


def event(data: Mapping[str, Any] | str) -> bytes:
    """A server-sent event."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def counted(body: Body, text: str) -> dict[str, Any]:
    """A usage block in which four characters are a token, as a rule of thumb has it."""
    asked = sum(math.ceil(len(message["content"]) / 4) for message in body["messages"])
    told = math.ceil(len(text) / 4)
    return {
        "prompt_tokens": asked,
        "completion_tokens": told,
        "total_tokens": asked + told,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _head(number: int, body: Body, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}",
        "object": kind,
        "created": _CREATED,
        "model": body["model"],
        "system_fingerprint": "fp_loopback",
    }


# Embeddings


def unit_vector(text: str, dimension: int) -> list[float]:
    """A vector of length 1 that depends on the text alone, in single precision."""
    digest = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * dimension)
    values = [value + 0.5 for value in struct.unpack(f"<{dimension}i", digest)]  # never 0
    length = math.hypot(*values)
    return [float(value) for value in struct.unpack(f"<{dimension}f", _packed(v / length for v in values))]


def embeddings(body: Body, vectors: Sequence[tuple[int, Sequence[float]]]) -> dict[str, Any]:
    """The body of an embeddings response, with the vectors in this order and with these indexes."""
    packed = body.get("encoding_format") == "base64"
    tokens = sum(math.ceil(len(text) / 4) for text in inputs(body))
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(_packed(vector)).decode() if packed else list(vector),
            }
            for index, vector in vectors
        ],
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(values: Iterable[float]) -> bytes:
    listed = list(values)
    return struct.pack(f"<{len(listed)}f", *listed)
