"""One request to the loopback server, and what a step of the script makes of it on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assistant.testing.openai_protocol import (
    CHAT,
    EMBEDDINGS,
    chunks,
    completion,
    counted,
    embeddings,
    encoded,
    event,
    inputs,
    unit_vector,
)
from assistant.testing.openai_reader import Echo, Reader
from assistant.testing.openai_script import REJECTIONS, Fault, Reply, Step, Vectors
from assistant.testing.openai_wire import EVENTS, HTML, JSON, Wire

_PAGE = b"<!doctype html><html><head><title>Gateway</title></head><body>Bad Gateway</body></html>"


class Exchange:
    """One request and what the step makes of it."""

    def __init__(
        self, wire: Wire, path: str, body: Mapping[str, Any], number: int, lacks: frozenset[str]
    ) -> None:
        self._wire = wire
        self._path = path
        self._body = body
        self._number = number
        self._usage = "usage" not in lacks
        self._streams = path == CHAT and bool(body.get("stream")) and "streaming" not in lacks

    def play(self, step: Step) -> None:
        """Send what the step says."""
        match step:
            case Fault():
                self._fail(step)
            case Vectors():
                self._plain(self._embeddings(step))
            case Reader() if self._path == EMBEDDINGS:
                self._plain(self._embeddings(Vectors()))
            case Reader() | Echo():
                text = step.answer(self._body["messages"])
                self._tell(Reply(text, step.pieces, step.delay_s))
            case Reply():
                self._tell(step)

    def _tell(self, reply: Reply) -> None:
        """A whole reply."""
        if not self._streams:
            self._plain(self._completion(reply))
            return
        self._wire.begin(EVENTS)
        for at, each in enumerate(self._events(reply)):
            if at > 1:  # the role comes at once, and so does the first piece
                self._wire.pause(reply.delay_s)
            self._wire.send(each)
        self._wire.end()

    def _plain(self, payload: object) -> None:
        self._wire.answer(200, encoded(payload))

    def _fail(self, fault: Fault) -> None:  # noqa: PLR0912 -- a table of what each kind does
        wire = self._wire
        match fault.kind:
            case kind if kind in REJECTIONS:
                complaint = fault.complaint
                wire.answer(complaint.status, encoded(complaint.body), headers=fault.headers)
            case "bad_gateway_html":
                wire.answer(502, _PAGE, HTML, fault.headers)
            case "html":
                wire.answer(200, _PAGE, HTML)
            case "empty_object":
                self._bare({})
            case "no_choices":
                one = next(self._chunks(fault.reply)) if self._streams else self._completion(fault.reply)
                self._bare({**one, "choices": []})
            case "truncated_json":
                self._truncate(fault)
            case "hang":
                wire.pause(None)
            case "drip":
                self._drip(fault)
            case "big_body" if self._path == EMBEDDINGS:
                wire.answer(200, b" " * fault.size + self._whole(fault))
            case "stall" | "ping" | "cut" | "error_event" | "garbage_line":
                if self._streams:
                    self._break_stream(fault)
                else:
                    self._break_body(fault)
            case "unfinished" if self._streams:
                wire.begin(EVENTS)
                for each in [*self._events(fault.reply)][:-1]:
                    wire.send(each)
                wire.end()
            case _:
                self._tell(fault.reply)

    def _bare(self, payload: Mapping[str, Any]) -> None:
        """A body, or a stream of this one event."""
        if self._streams:
            self._wire.answer(200, event(payload) + event("[DONE]"), EVENTS)
        else:
            self._plain(payload)

    def _truncate(self, fault: Fault) -> None:
        whole = encoded(next(self._chunks(fault.reply))) if self._streams else self._whole(fault)
        half = whole[: len(whole) // 2]
        if self._streams:
            self._wire.answer(200, event(half.decode()), EVENTS)
        else:
            self._wire.answer(200, half)

    def _drip(self, fault: Fault) -> None:
        if self._streams:
            told = list(self._events(fault.reply))
            at_once, rest = told[: _events_of(fault)], b"".join(told[_events_of(fault) :])
            self._wire.begin(EVENTS)
            for each in at_once:
                self._wire.send(each)
        else:
            rest = self._whole(fault)
            self._wire.begin(JSON)
        for byte in rest:
            self._wire.pause(fault.seconds)
            self._wire.send(bytes([byte]))
        self._wire.end()

    def _break_stream(self, fault: Fault) -> None:
        """The pieces before the fault, and the fault."""
        told = list(self._events(fault.reply))
        self._wire.begin(EVENTS)
        for each in told[: _events_of(fault)]:
            self._wire.send(each)
        match fault.kind:
            case "stall":
                self._wire.pause(None)
            case "ping":
                self._ping(b": ping\n\n", fault.seconds)
            case "cut":
                self._wire.reset()
            case "error_event":
                self._wire.send(event(fault.complaint.body))
                self._wire.end()
            case "garbage_line":
                self._wire.send(f"{fault.line}\n\n".encode())
                for each in told[_events_of(fault) :]:
                    self._wire.send(each)
                self._wire.end()

    def _break_body(self, fault: Fault) -> None:
        """The same in a plain body."""
        body = self._whole(fault)
        match fault.kind:
            case "stall":
                self._wire.begin(JSON, length=len(body))
                self._wire.pause(None)
            case "ping":
                self._wire.begin(JSON)
                self._ping(b" ", fault.seconds)
            case "cut":
                self._wire.begin(JSON, length=len(body))
                self._wire.send(body[: len(body) // 2])
                self._wire.reset()
            case "error_event":
                self._plain(fault.complaint.body)
            case "garbage_line":
                self._wire.answer(200, fault.line.encode())

    def _ping(self, comment: bytes, seconds: float) -> None:
        while True:
            self._wire.send(comment)
            self._wire.pause(seconds)

    def _whole(self, fault: Fault) -> bytes:
        """The plain body that there would be without the fault."""
        if self._path == EMBEDDINGS:
            return encoded(self._embeddings(Vectors()))
        return encoded(self._completion(fault.reply))

    def _completion(self, reply: Reply) -> dict[str, Any]:
        return completion(
            self._number,
            self._body,
            reply.text,
            finish=reply.finish,
            refusal=reply.refusal,
            usage=self._usage_of(reply),
        )

    def _chunks(self, reply: Reply) -> Iterator[dict[str, Any]]:
        return chunks(
            self._number,
            self._body,
            reply.in_pieces(),
            finish=reply.finish,
            refusal=reply.refusal is not None,
            usage=self._usage_of(reply),
        )

    def _events(self, reply: Reply) -> Iterator[bytes]:
        """The events of the streamed reply; the first is the role, the last [DONE]."""
        yield from map(event, self._chunks(reply))
        yield event("[DONE]")

    def _usage_of(self, reply: Reply) -> Mapping[str, Any] | None:
        if not self._usage or reply.usage is False:
            return None
        return counted(self._body, reply.spoken) if reply.usage is True else reply.usage

    def _embeddings(self, step: Vectors) -> dict[str, Any]:
        texts = inputs(self._body)
        dimension = self._body.get("dimensions") or step.dimension
        dimension += step.fault == "wrong_dimension"
        vectors = [
            (
                index,
                _spoilt(step.fault, unit_vector(text, dimension)) if chosen else unit_vector(text, dimension),
            )
            for index, (text, chosen) in enumerate(zip(texts, _chosen(step, texts), strict=True))
        ]
        return embeddings(self._body, _arranged(step.fault, vectors))


def _events_of(fault: Fault) -> int:
    """How many events come before the fault: none, or the role and the pieces."""
    return fault.after and fault.after + 1


def _chosen(step: Vectors, texts: Sequence[str]) -> list[bool]:
    """On which texts a fault of single vectors falls."""
    if step.among is not None:
        return [step.among in text for text in texts]
    return [at == len(texts) - 1 for at in range(len(texts))]


def _spoilt(fault: str | None, vector: list[float]) -> list[float]:
    match fault:
        case "nan" | "inf":
            return [float(fault), *vector[1:]]
        case "zero":
            return [0.0] * len(vector)
        case "ragged":
            return [*vector, 0.0]
        case _:
            return vector


def _arranged(fault: str | None, vectors: list[tuple[int, list[float]]]) -> list[tuple[int, list[float]]]:
    """The vectors with their indexes as they are sent."""
    match fault:
        case "fewer":
            return vectors[:-1]
        case "more":
            return [*vectors, (len(vectors), vectors[-1][1])]
        case "out_of_order":
            return vectors[::-1]
        case "duplicate_index":
            return [*vectors[:-1], (0, vectors[-1][1])]
        case _:
            return vectors
