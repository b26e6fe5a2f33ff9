"""What the loopback server does with one request after another: the steps of a script.

A reply, a fault, vectors, or a model that reads or repeats the prompt. In a file a
step is a JSON object, and the file a list of them or one on each line:

    {"fault": "rate_limit", "retry_after": "1"}
    {"reply": "The harbour closes on Monday. [1]", "pieces": 5}
    {"read": true, "repeat": true}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from itertools import pairwise
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from assistant.testing.openai_protocol import Complaint, unsupported
from assistant.testing.openai_reader import Echo, Reader

_TEXT = "The harbour closes on Monday. [1] The pier stays open. [2]"


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat completion, streamed when the request asks for that.

    text: None for a message without content.
    pieces: how many, or the pieces themselves; by default one for each word.
    delay_s: the pause between two pieces.
    finish: why it ended; None: that is not said.
    usage: True for one that is counted from the texts, False for none, or the block itself.
    refusal: what the model says instead of an answer; it comes in its own field.
    """

    text: str | None
    pieces: int | Sequence[str] | None = None
    delay_s: float = 0.0
    finish: str | None = "stop"
    usage: bool | Mapping[str, Any] = True
    refusal: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.pieces, int):
            _require(self.pieces > 0, "a reply has 1 piece or more")
        elif self.pieces is not None:
            _require("".join(self.pieces) == self.spoken, "the pieces joined are not the text")
        _require(self.delay_s >= 0, "a delay is not negative")

    @property
    def spoken(self) -> str:
        """The text, or the refusal in its place."""
        return self.text or "" if self.refusal is None else self.refusal

    def in_pieces(self) -> list[str]:
        """The spoken text as it is streamed."""
        text = self.spoken
        if self.pieces is None:
            words = text.split(" ")
            return [piece for piece in (words[0], *(f" {word}" for word in words[1:])) if piece]
        if not isinstance(self.pieces, int):
            return list(self.pieces)
        cuts = [len(text) * at // self.pieces for at in range(self.pieces + 1)]
        return [text[start:end] for start, end in pairwise(cuts) if start < end]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings: for each text a vector of length 1 that depends on the text alone.

    dimension: of the vectors, unless the request names one.
    fault: one of ``VECTOR_FAULTS``, or none. "ragged" (one component too many), "nan", "inf"
    and "zero" fall on the texts that contain ``among``, by default on the last one alone.
    """

    dimension: int = 64
    _: KW_ONLY
    fault: str | None = None
    among: str | None = None

    def __post_init__(self) -> None:
        _require(self.dimension > 0, "a vector has 1 dimension or more")
        known = self.fault is None or self.fault in VECTOR_FAULTS
        _require(known, f"no fault of vectors is called {self.fault!r}; there are {_listed(VECTOR_FAULTS)}")
        _require(self.among is None or self.fault in _OF_ONE, f"only {_listed(_OF_ONE)} fall on some texts")


_OF_ONE = frozenset({"ragged", "nan", "inf", "zero"})
VECTOR_FAULTS = _OF_ONE | {"wrong_dimension", "fewer", "more", "out_of_order", "duplicate_index"}

REJECTIONS: Mapping[str, Complaint] = {
    "rate_limit": Complaint(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    "insufficient_quota": Complaint(
        429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"
    ),
    "slow_down": Complaint(429, "Slow down: your rate rose too fast.", "requests", "slow_down"),
    "server_error": Complaint(500, "The server had an error.", "server_error"),
    "overloaded": Complaint(503, "The server is overloaded.", "server_error", "server_is_overloaded"),
    "gateway_timeout": Complaint(504, "The upstream timed out.", "server_error"),
    "invalid_api_key": Complaint(401, "Incorrect API key provided: sk-loop****back.", code="invalid_api_key"),
    "region": Complaint(
        403,
        "Country, region, or territory not supported",
        "request_forbidden",
        "unsupported_country_region_territory",
    ),
    "model_not_found": Complaint(404, "The model does not exist.", code="model_not_found"),
    "context_length": Complaint(
        400,
        "This model's maximum context length is 8192 tokens.",
        code="context_length_exceeded",
        param="messages",
    ),
    "content_policy": Complaint(
        400, "The prompt was rejected by the safety system.", code="content_policy_violation"
    ),
    "too_large": Complaint(413, "Request too large.", code="request_too_large"),
    "unprocessable": Complaint(422, "Unprocessable entity."),
    "unsupported_parameter": unsupported("temperature"),
}

_REJECTED = frozenset({"message", "code", "param", "retry_after", "retry_after_ms"})
_STREAMED = frozenset({"text", "after"})
FAULTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(REJECTIONS, _REJECTED),
    "bad_gateway_html": frozenset({"retry_after"}),  # 502 with a page
    "html": frozenset(),  # 200 with a page
    "truncated_json": frozenset({"text"}),  # a body, or the first event, cut in the middle
    "empty_object": frozenset(),
    "no_choices": frozenset(),
    "null_content": frozenset(),
    "refusal": frozenset({"text"}),
    "length": frozenset({"text"}),
    "content_filter": frozenset({"text"}),
    "big_body": frozenset({"size"}),
    "hang": frozenset(),  # the request is read, and nothing comes
    "stall": _STREAMED,  # headers and pieces come, then nothing
    "drip": _STREAMED | {"seconds"},  # then one byte each interval
    "ping": _STREAMED | {"seconds"},  # then comments without end; blanks in a plain body
    "cut": _STREAMED,  # then the connection is reset; in a plain body half way
    "unfinished": frozenset({"text"}),  # the whole text, no finish_reason, no [DONE]
    "error_event": _STREAMED | {"message", "code"},  # then an event with an error; a body with it
    "garbage_line": _STREAMED | {"line"},  # then this line, and the rest
}
CHAT_ONLY = frozenset({"no_choices", "null_content", "refusal", "length", "content_filter", "unfinished"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong; ``FAULTS`` has the kinds with the options of each.

    message, code, param: what the error says; by default what the API says.
    retry_after, retry_after_ms: the headers, exactly as they are sent.
    text: what is told as far as it gets. after: the pieces (words) of it that come before the fault.
    seconds: the interval of a drip or ping. size: bytes. line: the garbage.
    """

    kind: str
    _: KW_ONLY
    message: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: str | None = None
    retry_after_ms: str | None = None
    text: str = _TEXT
    after: int = 0
    seconds: float = 1.0
    size: int = 10_000_000
    line: str = "data: }{ no JSON"

    def __post_init__(self) -> None:
        _require(self.kind in FAULTS, f"no fault is called {self.kind!r}; there are {_listed(FAULTS)}")
        changed = {each.name for each in fields(self) if getattr(self, each.name) != each.default}
        unused = changed - FAULTS[self.kind] - {"kind"}
        _require(not unused, f"a {self.kind!r} has no {_listed(unused)}")
        _require(self.after >= 0 and self.seconds > 0 and self.size > 0, "counts and times are positive")

    @property
    def complaint(self) -> Complaint:
        """The error that is sent."""
        base = REJECTIONS.get(self.kind, REJECTIONS["server_error"])
        if self.kind == "unsupported_parameter" and self.param:
            base = unsupported(self.param)
        return Complaint(
            base.status,
            self.message or base.message,
            base.type,
            self.code or base.code,
            self.param or base.param,
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say when to ask again."""
        told = {"Retry-After": self.retry_after, "Retry-After-Ms": self.retry_after_ms}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def reply(self) -> Reply:
        """The completion that is sent, as far as it gets."""
        match self.kind:
            case "null_content":
                return Reply(None)
            case "refusal":
                return Reply(None, refusal=self.text)
            case "length" | "content_filter":
                return Reply(self.text, finish=self.kind)
            case "unfinished":
                return Reply(self.text, finish=None, usage=False)
            case "big_body":
                return Reply("x" * self.size, pieces=self.size // 65_536 + 1)
            case _:
                return Reply(self.text)


Step = Reply | Fault | Vectors | Reader | Echo


class ScriptInvalid(ValueError):
    """A file of steps is not as agreed; the message says which step and why."""


class Script(NamedTuple):
    """The steps in order, and the one that is repeated when they have run out."""

    steps: tuple[Step, ...]
    default: Step | None


def read_script(text: str) -> Script:
    """The script that a file's text holds; raises ScriptInvalid."""
    items = _items(text)
    repeated = [at for at, item in enumerate(items) if item.get("repeat", False) is not False]
    steps = []
    for number, item in enumerate(items, 1):
        try:
            steps.append(_step({key: value for key, value in item.items() if key != "repeat"}))
        except (TypeError, ValueError) as error:
            raise ScriptInvalid(f"step {number}: {error}") from error
    if not repeated:
        return Script(tuple(steps), None)
    if repeated != [len(items) - 1] or items[-1]["repeat"] is not True:
        raise ScriptInvalid(f'step {repeated[0] + 1}: only the last step may have "repeat": true')
    return Script(tuple(steps[:-1]), steps[-1])


def _items(text: str) -> list[dict[str, Any]]:
    try:
        if text.lstrip().startswith("["):
            items = json.loads(text)
        else:
            items = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise ScriptInvalid(f"no JSON: {error}") from error
    if not items:
        raise ScriptInvalid("no steps")
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise ScriptInvalid(f"step {number}: {item!r} is no object")
    return list(items)


_FORMS: Mapping[str, type[Step]] = {
    "reply": Reply,
    "fault": Fault,
    "echo": Echo,
    "read": Reader,
    "vectors": Vectors,
}


def _step(item: Mapping[str, Any]) -> Step:
    forms = [key for key in _FORMS if key in item]
    _require(len(forms) == 1, f"one of {_listed(_FORMS)} says what it is")
    (form,) = forms
    options = {key: value for key, value in item.items() if key != form}
    subject = item[form]
    if form == "vectors":
        _require(isinstance(subject, dict) and not options, '"vectors" is an object with all options')
        return _made(Vectors, subject)
    if form == "read":
        _require(subject is True, '"read" is true')
        return _made(Reader, options)
    (first, *_) = fields(_FORMS[form])
    return _made(_FORMS[form], {first.name: subject, **options})


def _made(form: type[Step], options: Mapping[str, Any]) -> Step:
    """The step, after a look at the types, which JSON does not promise."""
    hints = get_type_hints(form)
    for name, value in options.items():
        _require(name in hints, f"unknown key {name!r}")
        _require(_fits(value, hints[name]), f"{name!r} cannot be {value!r}")
    return form(**options)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value out of JSON is of the type."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is UnionType:
        return any(_fits(value, part) for part in parts)
    if kind is Literal:
        return value in parts
    if kind is Sequence:
        return isinstance(value, list) and all(_fits(each, parts[0]) for each in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float if hint is float else kind or hint)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
