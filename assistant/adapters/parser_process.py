"""A process of its own for parsers that foreign files can hurt.

Parsers of HTML, PDF and feeds are large, partly in C, and meet files that need hours, all
memory, or a crash. Here each file has a deadline and a share of memory, and what goes
wrong ends the process and not the ingest. The process has no network and gives back only
JSON, so nothing in a file can make it do more than state facts and a text. It starts with the
first file that needs it, in a quarter to half a second; each further file costs 1 to 5 ms.

A request is a line with kind and size, then the bytes. A reply is one line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import assistant
from assistant.adapters.article_formats import Found, Unusable

SECONDS = 20.0  # for a file; the longest live blog takes eight, a PDF of 300 pages three
MAX_MEMORY = 1_000_000_000  # bytes of addresses; the parsers take 60 MB to begin with, 300 for the worst page
MAX_REPLY = 100_000_000  # characters; no text is longer than its file, but escapes are


class ParserProcess:
    """Reads files in another process, which lives as long as the ``with`` block at most.

    seconds: how long a file may take, counted from when it is handed over.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ParserProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, kind: str, data: bytes) -> list[Found]:
        """What the reader of this kind finds in the bytes; raises Unusable, also beyond the deadline."""
        child = self._child = self._child or _started()
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            reply = _exchange(child, kind, data)
        finally:
            timer.cancel()
        if late.is_set():
            self._end()
            raise Unusable(f"takes longer than {self._seconds:g} seconds to read")
        if not reply.endswith(b"\n"):
            self._end()
            raise Unusable("cannot be read: its parser broke off, perhaps for want of memory")
        return _answer(json.loads(reply))

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream:
                with suppress(OSError):  # what was not yet written cannot be any more
                    stream.close()


def _started() -> subprocess.Popen[bytes]:
    home = str(Path(assistant.__file__).parents[1])
    places = [home, *(place for place in sys.path if place)]  # never the working directory by chance
    command = [sys.executable, "-P", "-m", __name__]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(  # noqa: S603 - this interpreter and this module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )


def _exchange(child: subprocess.Popen[bytes], kind: str, data: bytes) -> bytes:
    """The reply; empty or without line end when the process has ended before it was complete."""
    requests, replies = child.stdin, child.stdout
    if requests is None or replies is None:
        return b""
    with suppress(OSError):
        requests.write(json.dumps([kind, len(data)]).encode() + b"\n" + data)
        requests.flush()
        return replies.readline(MAX_REPLY)
    return b""


def _answer(reply: Any) -> list[Found]:
    if isinstance(reply, str):
        raise Unusable(reply)
    return [Found(stated, text) for stated, text in reply]


def main() -> None:
    """Answer requests from stdin on stdout until there are no more."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a vendor that prints must not speak for us
    _restrict()
    requests = sys.stdin.buffer
    while line := requests.readline():
        kind, size = json.loads(line)
        _set_alarm(2 * SECONDS)
        replies.write(_reply(kind, requests.read(size)))
        replies.flush()
        _set_alarm(0)


def _reply(kind: str, data: bytes) -> bytes:
    answer: object
    try:
        answer = [[dict(found.stated), found.text] for found in _reader(kind)(data)]
    except Unusable as error:
        answer = str(error)
    except MemoryError:
        answer = "needs too much memory to read"
    except RecursionError:
        answer = "is nested too deeply"
    return json.dumps(answer).encode() + b"\n"


def _reader(kind: str) -> Callable[[bytes], list[Found]]:
    if kind == "html":
        from assistant.adapters.html_articles import read_html

        return read_html
    if kind == "pdf":
        from assistant.adapters.pdf_articles import read_pdf

        return read_pdf
    from assistant.adapters.feed_articles import read_feed

    return read_feed


def _restrict() -> None:
    """No network, no other program, and no more memory than its share where the system can say so."""
    sys.addaudithook(_refuse)
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits, macOS does not keep them
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


_REFUSED = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "urllib.Request")


def _refuse(event: str, _: object) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(f"{event} is not for parsers")


def _set_alarm(seconds: float) -> None:
    """End this process then, should the parent have died in the middle of a file that never ends."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds))


if __name__ == "__main__":
    main()
