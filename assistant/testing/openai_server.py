"""A server on the loopback interface that speaks OpenAI's protocol and follows a script.

Real HTTP for the real clients: chat completions, plain and streamed, and embeddings.
Each request takes the next step of the script. It is strict: what the API does not know gets
a 400, a request without a step a 500, and ``assert_complete`` tells of both and of steps
that were never taken. It needs nothing but the standard library.

    with OpenAIServer([Fault("rate_limit", retry_after="1"), Reply("It closes on Monday. [1]")]) as server:
        client = OpenAI(base_url=server.base_url, api_key="any")

    python -m assistant.testing.openai_server --script steps.jsonl
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assistant.testing.openai_exchange import Exchange
from assistant.testing.openai_protocol import (
    CHAT,
    EMBEDDINGS,
    LACKS,
    Complaint,
    complaint_about,
    complaint_of_lack,
    encoded,
    inputs,
)
from assistant.testing.openai_reader import Echo, Reader
from assistant.testing.openai_script import (
    CHAT_ONLY,
    FAULTS,
    VECTOR_FAULTS,
    Fault,
    Reply,
    Script,
    ScriptInvalid,
    Step,
    Vectors,
    read_script,
)
from assistant.testing.openai_wire import Listener, Wire, expired_certificate
from assistant.testing.strict import UnexpectedCall

__all__ = [
    "FAULTS",
    "LACKS",
    "VECTOR_FAULTS",
    "Echo",
    "Fault",
    "OpenAIServer",
    "Reader",
    "Reply",
    "Request",
    "Script",
    "ScriptInvalid",
    "Step",
    "Vectors",
    "expired_certificate",
    "main",
    "read_script",
]

_PREFIX = "/v1"
_PAGE = b"<!doctype html><html><head><title>Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: the path below the base URL, the JSON body, the headers by lower-case name."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]


class OpenAIServer:
    """The server; it listens from the beginning of the ``with`` block to its end.

    steps: one for each request, in the order in which requests come.
    default: the step of every request after these; without one such a request gets a 500.
    lacks: what a poorer server does not have, out of ``LACKS``. It answers 400 to a request with
    "stream_options", "max_completion_tokens", "temperature" or a "system" role; without "usage" it
    never says what a reply took; without "streaming" it answers with one plain body. A request that
    is refused takes no step.
    certificate: a PEM file with key and certificate; then it speaks TLS.
    requests: all that came, in order.
    """

    def __init__(
        self,
        steps: Sequence[Step] = (),
        default: Step | None = None,
        *,
        lacks: Collection[str] = frozenset(),
        certificate: Path | None = None,
        port: int = 0,
    ) -> None:
        if unknown := sorted(set(lacks) - LACKS):
            raise ValueError(f"a server cannot lack {unknown[0]!r}; there are {', '.join(sorted(LACKS))}")
        self.requests: list[Request] = []
        self._steps = list(steps)
        self._default = default
        self._lacks = frozenset(lacks)
        self._unexpected: list[str] = []
        self._lock = threading.Lock()
        self._listener = Listener(port, self._respond, self._unexpected.append, certificate)
        self._scheme = "https" if certificate else "http"

    @property
    def base_url(self) -> str:
        """Where the API begins: "http://127.0.0.1:PORT/v1"."""
        return f"{self._scheme}://127.0.0.1:{self._listener.server_port}{_PREFIX}"

    def assert_complete(self) -> None:
        """Raises UnexpectedCall when steps are left over, or a request was wrong or had no step."""
        with self._lock:
            problems = list(self._unexpected)
            if self._steps:
                problems.append(f"{len(self._steps)} steps were not taken, the next is {self._steps[0]!r}")
        if problems:
            raise UnexpectedCall("; ".join(problems))

    def close(self) -> None:
        """Ends all connections, also those that hang, and stops listening."""
        self._listener.stop()

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _respond(self, wire: Wire, path: str, sent: object) -> None:
        """Answer one request."""
        path = path.removeprefix(_PREFIX)
        body = sent if isinstance(sent, dict) else None
        headers = {name.lower(): value for name, value in wire.headers.items()}
        with self._lock:
            self.requests.append(Request(path, body or {}, headers))
            number = len(self.requests)
            taken = self._taken(path, body)
        if isinstance(taken, Complaint):
            wire.answer(taken.status, encoded(taken.body))
        else:
            Exchange(wire, path, body or {}, number, self._lacks).play(taken)

    def _taken(self, path: str, body: dict[str, Any] | None) -> Step | Complaint:
        """The step for the request, or what is wrong with it."""
        if wrong := complaint_about(path, body):
            return self._unforeseen(wrong)
        if lacking := complaint_of_lack(path, body or {}, self._lacks):
            return lacking
        step = self._steps.pop(0) if self._steps else self._default
        if step is None:
            return self._unforeseen(Complaint(500, f"No step is left for {path!r}.", "script_error"))
        if not _serves(step, path, body or {}):
            return self._unforeseen(Complaint(500, f"{step!r} does not answer {path!r}.", "script_error"))
        return step

    def _unforeseen(self, complaint: Complaint) -> Complaint:
        self._unexpected.append(f"request {len(self.requests)}: {complaint.message}")
        return complaint


def _serves(step: Step, path: str, body: Mapping[str, Any]) -> bool:
    """Whether the step does to the request what it says."""
    match step:
        case Reader():
            return True
        case Fault():
            return path == CHAT or step.kind not in CHAT_ONLY
        case Vectors():
            several = step.fault not in {"out_of_order", "duplicate_index"} or len(inputs(body)) > 1
            return path == EMBEDDINGS and several
        case _:
            return path == CHAT


# The command


_STEPS = f"""one step for each request, in order; the last may be for all that follow:
  {{"reply": "Text with a marker. [1]", "pieces": 5, "delay_s": 0.1}}
  {{"fault": "rate_limit", "retry_after": "1"}}
  {{"read": true, "repeat": true}}          reads the prompt and does what it says
  {{"echo": "sources"}}                     repeats what it was shown
  {{"vectors": {{"dimension": 64}}}}          for embeddings

faults:
{textwrap.fill(", ".join(sorted(FAULTS)), 88, initial_indent="  ", subsequent_indent="  ")}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a script, or a Reader for ever, until interrupted; prints the base URL."""
    parser = argparse.ArgumentParser(
        prog="python -m assistant.testing.openai_server",
        description="Speaks OpenAI's protocol on the loopback; by default it reads and obeys the prompt.",
        epilog=_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--script", type=Path, help="steps, as a JSON list or one on each line")
    parser.add_argument("--port", type=int, default=0, help="by default a free one")
    parser.add_argument(
        "--lacks",
        action="append",
        default=[],
        choices=sorted(LACKS),
        help="what a poorer server does not have",
    )
    options = parser.parse_args(arguments)
    try:
        script = Script((), Reader())
        if options.script is not None:
            script = read_script(options.script.read_text(encoding="utf-8"))
        server = OpenAIServer(script.steps, script.default, lacks=options.lacks, port=options.port)
    except (OSError, OverflowError, ValueError) as error:
        sys.stderr.write(f"{options.script or 'error'}: {error}\n")
        return 2
    with suppress(KeyboardInterrupt), server:  # from the first moment on: who reads the address may interrupt
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
