"""Check requirements.lock: it satisfies pyproject.toml, is hashed, and names no index and no machine.

pip never reads both files at once, so nothing else notices when they part. Known holes
are held off by ``FLOORS`` and ``BANNED``, because an audit tool that cannot reach its
advisory service reports none. ``make lock`` writes the file.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
LOCKED_EXTRAS = ("test",)
# The system that the lock is made for; markers of pyproject.toml are read with it.
LOCKED_FOR = {
    "python_version": "3.11",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
}

# The first version without the hole, and the hole.
FLOORS = {
    "langchain-core": ("1.2.28", "CVE-2026-40087: templates run code"),
    "langchain-openai": ("1.1.14", "CVE-2026-41488: DNS rebinding past the request forgery check"),
    "langchain-text-splitters": ("1.1.2", "CVE-2026-41481: request forgery by redirect"),
    "langchain-community": ("0.3.27", "CVE-2025-6984: XML external entities"),
    "mcp": ("1.23.0", "CVE-2025-66416: DNS rebinding"),
}
BANNED = {
    "langchain-experimental": "it executes what a model writes",
    "litellm": "releases with planted code, and open advisories",
}

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)(?:\s*;[^\\]*?)?(?P<hashes>(?:\s+--hash=\S+)*)"
)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_ADDRESS = re.compile(r"\S*(?:://|\bfile:)\S*")
_PATH = re.compile(r"(?:^|(?<=[\s\"'(=]))(?:~?/|\.{1,2}/|[A-Za-z]:\\)\S+")


@dataclass(frozen=True)
class Pin:
    """One locked package."""

    name: str
    version: Version
    hashes: tuple[str, ...]


def lock_problems(lock: str, requirements: Iterable[Requirement]) -> list[str]:
    """Everything that is wrong with the text of a lock, one line each."""
    pins, problems = read_lock(lock)
    problems += foreign_text(lock)
    problems += doubles(pins)
    problems += unhashed(pins)
    by_name = {pin.name: pin for pin in pins}
    problems += unsatisfied(by_name, requirements)
    problems += vulnerable(by_name)
    return problems


def wanted(pyproject: Mapping[str, Any], extras: Iterable[str] = LOCKED_EXTRAS) -> list[Requirement]:
    """What the lock must satisfy: the runtime dependencies and those of the locked extras."""
    project = pyproject["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def read_lock(lock: str) -> tuple[list[Pin], list[str]]:
    """The pins of a lock, and a problem for each entry that is something else."""
    pins: list[Pin] = []
    problems: list[str] = []
    for number, entry in _entries(lock):
        found = _PIN.fullmatch(entry)
        version = _version(found["version"]) if found else None
        if found is None or version is None:
            problems.append(f"line {number}: {entry!r} is no pin like 'name==1.2 --hash=sha256:…'")
        else:
            hashes = tuple(word.removeprefix("--hash=") for word in found["hashes"].split())
            pins.append(Pin(canonicalize_name(found["name"]), version, hashes))
    return pins, problems


def foreign_text(lock: str) -> Iterator[str]:
    """Addresses and paths, in comments too: they tell where the lock was made and bind it there."""
    for number, line in enumerate(lock.splitlines(), 1):
        found = _ADDRESS.search(line) or _PATH.search(line)
        if found:
            yield f"line {number}: {found[0]!r} is an address or a path"


def doubles(pins: Iterable[Pin]) -> Iterator[str]:
    """Packages that are pinned more than once."""
    seen: set[str] = set()
    for pin in pins:
        if pin.name in seen:
            yield f"{pin.name} is pinned more than once"
        seen.add(pin.name)


def unhashed(pins: Iterable[Pin]) -> Iterator[str]:
    """Pins that pip could not check."""
    for pin in pins:
        if not any(_SHA256.fullmatch(value) for value in pin.hashes):
            yield f"{pin.name}=={pin.version} has no sha256 hash"


def unsatisfied(pins: Mapping[str, Pin], requirements: Iterable[Requirement]) -> Iterator[str]:
    """Requirements that the lock does not meet."""
    for requirement in requirements:
        if requirement.marker is not None and not requirement.marker.evaluate(LOCKED_FOR):
            continue
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"{requirement} is not pinned"
        elif not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{requirement} is not met by {pin.name}=={pin.version}"


def vulnerable(pins: Mapping[str, Pin]) -> Iterator[str]:
    """Pins below a floor, and packages that may not be there at all."""
    for name, (floor, hole) in FLOORS.items():
        if name in pins and pins[name].version < Version(floor):
            yield f"{name}=={pins[name].version} is below {floor} ({hole})"
    for name, reason in BANNED.items():
        if name in pins:
            yield f"{name} is banned: {reason}"


def _entries(lock: str) -> Iterator[tuple[int, str]]:
    """The entries of a lock with their first line's number: comments gone, continued lines joined."""
    entry, start = "", 0
    for number, line in enumerate(lock.splitlines(), 1):
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        start = start if entry else number
        entry = f"{entry} {bare.removesuffix(chr(92)).strip()}".strip()
        if entry and not bare.endswith("\\"):
            yield start, entry
            entry = ""
    if entry:
        yield start, entry


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def main() -> int:
    """Print one line for each problem; 1 when there is one."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    problems = lock_problems((ROOT / "requirements.lock").read_text(encoding="utf-8"), wanted(pyproject))
    for problem in problems:
        print(f"requirements.lock: {problem}")
    if problems:
        print("`make lock` writes it anew.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
