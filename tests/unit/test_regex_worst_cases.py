"""No pattern of the claim check and its neighbours, and no claim, takes long on 100 KB of the worst."""

from __future__ import annotations

import time

import pytest

from assistant import condensing, conflicts
from assistant.domain.answers import Support
from assistant.grounding.verdicts import Cited, check_claim
from benchmarks.regex_worst_cases import CHARACTERS, anchored, measured, modules, patterns

SLACK = 10 * 0.05  # seconds: ten times what the benchmark asks for, since other work may be going on
# What a claim and a sentence are made of, again and again, up to 100 KB.
PUMPS = (
    "a",
    " ",
    "7 ",
    "7,",
    "“a ",
    "Mr. Aa ",
    "not ",
    "Aa said ",
    "1 May 2024 ",
    "at least 7 ",
    "$7 bn ",
    "A. ",
)


def test_no_pattern_takes_long_on_100_kb() -> None:
    slow = {one.name: one for one in measured() if one.seconds > SLACK}
    assert slow == {}


def test_the_patterns_are_found() -> None:
    found = {f"{module.__name__}.{name}" for module in modules() for name in patterns(module)}
    assert {
        "assistant.judging._WORD",
        "assistant.conflicts._SCOPE",
        "assistant.questions._lexicon().offers[duration]",
        "assistant.condensing._lists().openers",
    } <= found
    assert len(found) > 90
    assert "openers" in anchored(condensing)
    assert "_FIGURE" not in anchored(conflicts)


@pytest.mark.parametrize("pump", PUMPS)
def test_a_claim_of_100_kb_is_checked_in_bounded_time(pump: str) -> None:
    text = (pump * CHARACTERS)[:CHARACTERS]
    began = time.process_time()
    verdict = check_claim(f"{text} b", [Cited(text, (text, text), text)])
    assert time.process_time() - began < 4 * SLACK
    assert verdict.support in Support
