"""What holds for every test: no network, a clean environment, a folder of its own.

A test that needs a loopback server says so with pytest-socket's ``enable_socket`` mark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import configuration, settings
from pytest_socket import disable_socket

from assistant.bootstrap import build_assistant
from assistant.settings import Settings
from assistant.testing import FixedClock

# Helpers are imported as tests.…; last, so that the package under test stays the installed one.
sys.path.append(str(Path(__file__).parents[1]))

OURS = ("ASSISTANT_", "OPENAI_", "NO_COLOR", "TIKTOKEN_CACHE_DIR")

# The same examples on every machine and in every run; no example database in the checkout.
settings.register_profile("house", database=None, deadline=None, derandomize=True)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Let Hypothesis keep its own notes beside pytest's, wherever a test stands."""
    configuration.set_hypothesis_home_dir(config.rootpath / ".pytest_cache" / "hypothesis")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Forbid sockets before any fixture runs; Unix sockets are how event loops wake themselves."""
    disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_ours(monkeypatch)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A working directory that goes away, so that nothing is written into the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the demo corpus is indexed. Shared: ask it, never ingest into it."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_ours(monkeypatch)
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        build_assistant(Settings(home=home), clock=FixedClock(date(2031, 1, 1)))
        yield home


def _without_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
