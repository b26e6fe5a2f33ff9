"""The program as people start it: in a child process, in this process, and on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from assistant.interfaces import cli

CHECKOUT = Path(__file__).parents[2]
TIME = 60  # seconds that a child may take; it takes one
Environment = Mapping[str, str | None]

# What a terminal obeys or hides: C0 but for line feeds and tabs, DEL and C1, bidirectional
# controls, tag characters.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended, and what it wrote."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one line of JSON on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    def lines(self) -> list[Any]:
        """The lines of JSON on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    def complaint(self) -> str:
        """The one line on standard error, of a run that wrote nothing else."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line

    def obeyed(self) -> list[str]:
        """The characters in the output that a terminal would obey or hide."""
        return _OBEYED.findall(self.out + self.err)


class Run(Protocol):
    """Runs the program in a child process; env changes its environment, None takes a name out."""

    def __call__(self, *args: str, stdin: str | bytes | None = None, env: Environment = {}) -> Ran: ...  # noqa: B006


Call = Callable[..., Ran]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run(demo_home: Path) -> Run:
    def run(*args: str, stdin: str | bytes | None = None, env: Environment = {}) -> Ran:  # noqa: B006
        done = subprocess.run(
            [sys.executable, "-m", "assistant", *args],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=child_environment(demo_home, env),
            timeout=TIME,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def run_code(demo_home: Path) -> Callable[..., Ran]:
    """Runs Python code in a child process that can import the program."""

    def run_code(code: str, env: Environment = {}) -> Ran:  # noqa: B006
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=child_environment(demo_home, env),
            timeout=TIME,
            check=False,
            encoding="utf-8",
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run_code


@pytest.fixture
def start(demo_home: Path) -> Iterator[Start]:
    """Starts the program with pipes to talk to; a child that is left over is ended."""
    children: list[subprocess.Popen[str]] = []

    def start(*args: str) -> subprocess.Popen[str]:
        with _interruptible():
            child = subprocess.Popen(
                [sys.executable, "-m", "assistant", *args],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child_environment(demo_home, {}),
                encoding="utf-8",
            )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


@pytest.fixture
def on_terminal(demo_home: Path) -> Callable[..., tuple[int, str]]:
    """Runs the program on a pseudo-terminal: its exit code and all that the terminal saw."""

    def on_terminal(
        *args: str,
        columns: int = 80,
        env: Environment = {},  # noqa: B006
        typed: str = "",
    ) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        os.write(ours, typed.encode())
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=child_environment(demo_home, {"TERM": "xterm", "COLUMNS": None, "LINES": None, **env}),
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # how Linux says that the other end is closed
            while piece := os.read(ours, 65_536):
                seen += piece
        os.close(ours)
        return child.wait(TIME), seen.decode().replace("\r\n", "\n")

    return on_terminal


@pytest.fixture
def call(demo_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the program in this process, which is faster."""
    monkeypatch.setenv("ASSISTANT_HOME", str(demo_home))

    def call(*args: str | Path) -> Ran:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in args])
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return call


def child_environment(home: Path, changes: Environment) -> dict[str, str]:
    """This environment with the home, the checkout and the changes."""
    ours = {"ASSISTANT_HOME": str(home), "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"}
    merged: dict[str, str | None] = {**os.environ, **ours, **changes}
    return {name: value for name, value in merged.items() if value is not None}


@contextmanager
def _interruptible() -> Iterator[None]:
    """Children get Ctrl-C even where these tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
