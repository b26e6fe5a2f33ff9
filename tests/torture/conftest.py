"""Processes to torture: forked ones that do single acts, and the program itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
TIME = 100  # seconds that anything may take; it takes a few at most


def until(look: Callable[[], Any]) -> Any:
    """Look until something is true, and return it; it takes milliseconds."""
    deadline = time.monotonic() + TIME
    while not (found := look()):
        assert time.monotonic() < deadline, "this never became true"
        time.sleep(0.002)
    return found


@dataclass(frozen=True)
class Outcome:
    """How a forked child ended: its exit code (negative: a signal), what it returned or raised."""

    code: int
    value: Any = None
    error: str = ""
    text: str = ""


class Child:
    """A forked child that performs an act; id is its process id."""

    def __init__(self, server: Server, pid: int, outcome: Path) -> None:
        self._server = server
        self._outcome = outcome
        self.id = pid

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended does not mind."""
        os.kill(self.id, number)

    def wait(self) -> Outcome:
        """How it ended, once it has."""
        code = self._server.reply(self.id)
        written = json.loads(self._outcome.read_text()) if self._outcome.exists() else {}
        return Outcome(code, **written)

    def value(self) -> Any:
        """What it returned; it must have done so."""
        outcome = self.wait()
        assert outcome.code == 0, outcome.text or outcome
        return outcome.value


class Server:
    """A process that has imported everything and forks; see ``fork_server``."""

    until = staticmethod(until)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name("fork_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )

    def start(self, act: str, *, terminable: bool = False, **arguments: Any) -> Child:
        """Begin an act of ``acts`` in a child; terminable: SIGTERM ends it as it ends the program."""
        outcome = self._folder / str(next(self._numbers))
        given = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        request = {"act": act, "arguments": given, "outcome": str(outcome), "terminable": terminable}
        return Child(self, self.reply(request), outcome)

    def do(self, act: str, **arguments: Any) -> Any:
        """What the act returns."""
        return self.start(act, **arguments).value()

    def attempt(self, act: str, **arguments: Any) -> Outcome:
        """How the act ends, whichever way."""
        return self.start(act, **arguments).wait()

    def reply(self, request: object) -> int:
        """The server's answer to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(TIME)


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Forks children that perform acts."""
    server = Server(tmp_path_factory.mktemp("outcomes"))
    yield server
    server.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def prepared(forks: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A home in which these batches of articles were ingested one after the other; made once. Copy it."""
    made: dict[str, Path] = {}

    def prepared(*batches: list[list[int]], sentences: int = 12) -> Path:
        key = json.dumps([batches, sentences])
        if key not in made:
            home = tmp_path_factory.mktemp("prepared") / "home"
            for batch in batches:
                forks.do("ingest", home=home, stories=batch, sentences=sentences)
            made[key] = home
        return made[key]

    return prepared


@pytest.fixture
def begun(prepared: Callable[..., Path], home: Path) -> Callable[..., Path]:
    """The home, begun anew as a copy of one that was prepared so."""

    def begun(*batches: list[list[int]], sentences: int = 12) -> Path:
        shutil.rmtree(home, ignore_errors=True)
        return Path(shutil.copytree(prepared(*batches, sentences=sentences), home))

    return begun


class Program:
    """Starts the program on a home, each time in a process group of its own."""

    until = staticmethod(until)

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | Path, home: Path | None = None) -> subprocess.Popen[str]:
        """Begin a run; home: another one."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores Ctrl-C
        ours = {"ASSISTANT_HOME": str(home or self.home), "ASSISTANT_EMBEDDER": "hashing"}
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "assistant", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**environment(), **ours},
                start_new_session=True,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.started.append(child)
        return child

    def run(self, *arguments: str | Path, home: Path | None = None) -> tuple[int, str, str]:
        """Exit code and what was written on stdout and stderr."""
        return ended(self.start(*arguments, home=home))


def ended(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code of a run and what it wrote on stdout and stderr, once it has ended."""
    out, err = child.communicate(timeout=TIME)
    return child.returncode, out, err.strip()


@pytest.fixture
def program(home: Path) -> Iterator[Program]:
    """The program; what is left over of it is ended."""
    program = Program(home)
    yield program
    for child in program.started:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def environment() -> dict[str, str]:
    """This environment with the checkout in it, and without what would slow down or colour."""
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1", "NO_COLOR": "1"}
