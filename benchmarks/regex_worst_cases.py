"""How long the regular expressions of the claim check and its neighbours take on 100 KB of the worst.

    python -m benchmarks.regex_worst_cases [--rows N]

Every pattern that a module holds is searched through texts made of what it knows: its own letters,
words and signs again and again, near matches that never end. A pattern that is only ever tried
at one place of a text (``match``) is tried at its beginning. CPU time; the limit is 50 ms.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from heapq import nlargest
from types import ModuleType
from typing import NamedTuple

import assistant.grounding
from assistant import conflicts, instructions, questions
from assistant.grounding import evidence

LIMIT = 0.05  # seconds
CHARACTERS = 100_000
NEIGHBOURS = ("conflicts", "judging", "abstaining", "condensing", "questions", "instructions", "generating")
# What texts are made of beside the words of a pattern: one of each kind, and what often goes together.
_SIGNS = (
    *("a", "A", "7", " ", "\n", ".", ",", "-", "–", "'", "’", '"', "“", "(", "[", "<", "/", ":", "_", "@"),
    *("a ", "A ", "Aa ", "7 ", "7,", "7.", "A. ", "a-", "a.", "a'", "“a", "[7", "[7,", "(a", "<a", "//a"),
    *("$", "a/", "a@", "of the ", "Mr. ", "a, ", "7 a ", "and 7 ", "\\", "* ", "`", "&#", " \n", "a:", "é"),
)  # fmt: skip
# Of a text of any length these see so many characters: the callers cut it before.
CAPPED: Mapping[str, int] = {
    "assistant.grounding.statements._BETWEEN_MARKERS": 12,
    "assistant.grounding.derived.": evidence.MAX_CHARACTERS,
    "assistant.instructions.": instructions.LONGEST,
    "assistant.questions._lexicon().offers": questions.LONGEST,
    "assistant.conflicts.": conflicts.LONGEST,
}
_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "scanner")
_TRIED = 2  # texts, of those that are slowest when short
_WORDS = 12  # of a pattern's own words, so many from its beginning and from its end


class Slowest(NamedTuple):
    """A pattern by where it is, what the text is made of, and the seconds that it takes on so much of it."""

    seconds: float
    name: str
    pump: str
    characters: int


def modules() -> list[ModuleType]:
    """The modules whose patterns are looked at."""
    inside = pkgutil.iter_modules(assistant.grounding.__path__, "assistant.grounding.")
    names = ["assistant.grounding", *(found.name for found in inside)]
    return [importlib.import_module(name) for name in (*names, *(f"assistant.{one}" for one in NEIGHBOURS))]


def patterns(module: ModuleType) -> dict[str, re.Pattern[str]]:
    """The patterns that a module holds, by where they are: in constants, word lists, and calls of ``re``."""
    found: dict[str, re.Pattern[str]] = {}
    for name, value in vars(module).items():
        if is_word_list(value) and value.__module__ == module.__name__:
            found.update(_inside(f"{name}()", value()))
        else:
            found.update(_inside(name, value))
    for call in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args:
            of_re = isinstance(call.func.value, ast.Name) and call.func.value.id == "re"
            first = call.args[0]
            if of_re and isinstance(first, ast.Constant) and call.func.attr not in ("compile", "escape"):
                found[f"line {call.lineno}"] = re.compile(str(first.value))
    return found


def is_word_list(value: object) -> bool:
    """Whether it is a function that reads a file of words once."""
    return hasattr(value, "cache_info") and not inspect.signature(value).parameters  # type: ignore[arg-type]


def _inside(name: str, value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _inside(f"{name}[{key}]", one)
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            yield from _inside(f"{name}[{at}]", one)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _inside(f"{name}.{each.name}", getattr(value, each.name))


def pumps(pattern: str) -> list[str]:
    """What the texts for a pattern are made of."""
    words = list(dict.fromkeys(re.findall(r"(?<!\\)[^\W\d_]{2,}", pattern)))
    own = [*words[:_WORDS], *words[-_WORDS:]]
    signs = dict.fromkeys(character for character in pattern if not character.isalnum())
    return list(
        dict.fromkeys([*_SIGNS, *(f"{word} " for word in own), *own, *signs, *(f"7 {one} " for one in own)])
    )


def anchored(module: ModuleType) -> frozenset[str]:
    """The names of patterns that the module never searches for, but only tries at one place of a text."""
    used: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute) and node.attr in _METHODS:
            called = node.value
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            used.setdefault(name, set()).add(node.attr)
    return frozenset(name for name, methods in used.items() if methods <= {"match", "fullmatch"})


def slowest(name: str, pattern: re.Pattern[str], *, at_start: bool = False) -> Slowest:
    """The text on which the pattern is slowest, and how slow that is.

    at_start: whether it is only tried at the beginning of a text. What takes too long on a part of
    the text is not tried on all of it.
    """
    most = next((cap for prefix, cap in CAPPED.items() if name.startswith(prefix)), CHARACTERS)
    few = most // 100 + 10
    tried = (
        Slowest(_seconds(pattern, pump, few, at_start=at_start), name, pump, few)
        for pump in pumps(pattern.pattern)
    )
    worst = nlargest(_TRIED, tried)
    for characters in (most // 10 + 10, most):
        worst = [
            Slowest(_seconds(pattern, one.pump, characters, at_start=at_start), name, one.pump, characters)
            for one in worst
        ]
        if max(one.seconds for one in worst) > LIMIT:
            break
    return max(worst)


def _seconds(pattern: re.Pattern[str], pump: str, characters: int, *, at_start: bool) -> float:
    text = (pump * (characters // len(pump) + 1))[:characters] + "\x00"
    began = time.process_time()
    if at_start:
        pattern.match(text)
        pattern.fullmatch(text)
    else:
        deque(pattern.finditer(text), maxlen=0)
    return time.process_time() - began


def measured() -> list[Slowest]:
    """All patterns, the slowest first."""
    found = []
    for module in modules():
        tried_once = anchored(module)
        for name, pattern in patterns(module).items():
            last = re.split(r"[.\[(]", name.partition("().")[2] or name)[0]
            found.append(slowest(f"{module.__name__}.{name}", pattern, at_start=last in tried_once))
    return sorted(found, reverse=True)


def main() -> None:
    """Print the slowest patterns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=15)
    found = measured()
    slow = sum(1 for one in found if one.seconds > LIMIT)
    print(f"{len(found)} patterns, {CHARACTERS:,} characters; {slow} over {1000 * LIMIT:.0f} ms")
    for one in found[: parser.parse_args().rows]:
        print(f"{1000 * one.seconds:9.1f} ms on {one.characters:>7,} of {one.pump!r:14} {one.name}")


if __name__ == "__main__":
    main()
