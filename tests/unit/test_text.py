"""What a person sees of a text: nothing invisible, no control characters, one line."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.text import clean, printable

TRICKS = Path(__file__).parents[3] / "shared" / "data" / "security" / "own" / "unicode_tricks.jsonl"
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]"
)

GONE = {
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "invisible times": "\u2062",
    "byte-order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "Mongolian vowel separator": "\u180e",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "a joiner between letters": "\u200d",
    "a non-joiner between letters": "\u200c",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "right-to-left override": "\u202e",
    "pop directional formatting": "\u202c",
    "isolates": "\u2066\u2067\u2068\u2069",
    "tag characters": "\U000e0041\U000e0042\U000e007f",
    "language tag": "\U000e0001",
    "variation selectors supplement": "\U000e0100\U000e01ef",
    "interlinear annotation": "\ufff9\ufffa\ufffb",
    "object replacement": "\ufffc",
    "musical format controls": "\U0001d173\U0001d17a",
    "NUL": "\x00",
    "backspace": "\x08",
    "escape": "\x1b",
    "shift out": "\x0e",
    "delete": "\x7f",
    "C1 string terminator": "\x9c",
    "C1 control sequence introducer": "\x9b",
    "lone surrogates": "\ud800\udfff",
}


@pytest.mark.parametrize("name", GONE)
def test_what_cannot_be_seen_is_gone(name: str) -> None:
    assert clean(f"ig{GONE[name]}nore") == "ignore"
    assert clean(f"{GONE[name]}ignore{GONE[name]}") == "ignore"


NOT_YET_GONE = {
    "Mongolian free variation selector four": "\u180f",
    "reserved for invisible specials": "\ufff0",
    "shorthand format letter overlap": "\U0001bca0",
}


@pytest.mark.parametrize("name", NOT_YET_GONE)
def test_what_cannot_be_seen_and_is_rare_is_gone_too(name: str) -> None:
    assert clean(f"ig{NOT_YET_GONE[name]}nore") == "ignore"


BLANK = {
    "tab": "\t",
    "line feed": "\n",
    "carriage return and line feed": "\r\n",
    "vertical tab": "\x0b",
    "form feed": "\x0c",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "unit separator": "\x1f",
    "next line": "\x85",
    "no-break space": "\xa0",
    "thin space": "\u2009",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "ideographic space": "\u3000",
    "blanks around something invisible": " \u200b ",
}


@pytest.mark.parametrize("name", BLANK)
def test_white_space_of_any_kind_is_one_blank(name: str) -> None:
    assert clean(f"one{BLANK[name]}two") == "one two"
    assert clean(f"{BLANK[name]}one{BLANK[name] * 2}two{BLANK[name]}") == "one two"


KEPT = {
    "plain words": "The vote was 5 to 4.",
    "typographic marks": "“Ça va?” — so … naïve",
    "a family": "👨\u200d👩\u200d👧",
    "a health worker with a skin tone": "👩🏽\u200d⚕\ufe0f",
    "a pirate flag": "🏴\u200d☠\ufe0f",
    "a heart on fire": "❤\ufe0f\u200d🔥",
    "a heart": "❤\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "a Persian verb": "می\u200cخواهم",
    "a Hindi half form": "क्\u200dष",
    "a Sinhala conjunct": "ක්\u200dෂ",
    "a Bengali ending": "র\u200d্য",
    "combining accents": "a\u0300e\u0301",
    "Hangul": "한국어",
    "an ideograph with a selector": "葛\ufe00",
    "letters of other scripts that look alike": "gοοgle",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_can_be_seen_is_kept(name: str) -> None:
    assert clean(KEPT[name]) == KEPT[name]


LOST = {
    "a black cat": "🐈\u200d⬛",
    "a head shaking": "🙂\u200d↔\ufe0f",
}


@pytest.mark.parametrize("name", LOST)
def test_a_joiner_is_kept_in_these_emoji_too(name: str) -> None:
    assert clean(LOST[name]) == LOST[name]


PADDING = {
    "a joiner after a joiner": ("👨\u200d\u200d👩", "👨👩"),
    "a joiner at the ends": ("\u200d👨\u200d", "👨"),
    "a joiner beside a letter": ("👨\u200da", "👨a"),
    "a row of selectors": ("a\ufe00\ufe01\ufe02\ufe0f", "a\ufe00"),
    "a row of selectors behind an emoji": ("❤\ufe0f\ufe00\ufe01", "❤\ufe0f"),
}


@pytest.mark.parametrize("name", PADDING)
def test_what_pads_is_gone(name: str) -> None:
    text, expected = PADDING[name]
    assert clean(text) == expected


def test_selectors_between_joiners_carry_no_message_either() -> None:
    assert clean("a\ufe00\u200d\ufe01\u200d\ufe02") == "a\ufe00"


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u200d", "\n\u2029\x1f", "\ufeff\u200e"])
def test_a_text_with_nothing_to_see_is_empty(text: str) -> None:
    assert clean(text) == ""


tricky = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("ab é\n\t\x0b\x1c\x00\x1b\u200b\u200c\u200d\u202e\u2028\ufeff👨👩م\U000e0041\ud800"),
    ),
    max_size=40,
)


@given(text=tricky)
def test_no_text_comes_out_with_a_control_character_or_a_line_break(text: str) -> None:
    cleaned = clean(text)
    assert not _CONTROL.search(cleaned)
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()
    assert cleaned.encode().decode() == cleaned


@given(text=tricky)
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(text=st.text(alphabet=st.characters(categories=["L", "N", "P"], max_codepoint=0x33FF), max_size=40))
def test_letters_digits_and_punctuation_are_all_kept(text: str) -> None:
    seen = "".join(one for one in text if one not in GONE["Hangul fillers"] + "\u034f")
    assert clean(text) == seen


def test_no_control_character_of_unicode_gets_through() -> None:
    passed = [
        f"U+{point:04X}"
        for point in range(0x110000)
        if unicodedata.category(chr(point)) in ("Cc", "Cs", "Zl", "Zp")
        and chr(point) in clean(f"a{chr(point)}b")
    ]
    assert passed == []


# Format characters that are drawn: number signs and end-of-ayah marks that enclose digits, and
# hieroglyph quadrats. Shorthand overlaps are not, see NOT_YET_GONE.
_DRAWN = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3]"
)


def test_no_format_character_of_unicode_gets_through_but_those_that_are_drawn() -> None:
    passed = [
        f"U+{point:04X}"
        for point in range(0x110000)
        if unicodedata.category(chr(point)) == "Cf"
        and not _DRAWN.match(chr(point))
        and clean(f"a{chr(point)}b") != "ab"
    ]
    assert passed == []


@pytest.mark.parametrize(
    "text", ["\n" * 100_000, "\u200d" * 100_000, "a" + "\u0300" * 100_000, "\ufe00" * 100_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    began = time.perf_counter()
    clean(text)
    assert time.perf_counter() - began < 1


def test_printable_keeps_line_breaks_and_nothing_else() -> None:
    assert printable("one\u200b \n\n\x1b[31mtwo\x0bthree\u2028four") == "one\n\n[31mtwo three four"


@pytest.mark.skipif(not TRICKS.exists(), reason=f"{TRICKS} is not there")
def test_every_trick_that_we_know_of_comes_out_harmless() -> None:
    lines = TRICKS.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line]
    assert len(rows) >= 30
    harmful = [row["id"] for row in rows if _CONTROL.search(clean(row["text"]))]
    assert harmful == []
    hidden = {
        row["name"]: clean(row["text"]) for row in rows if row["expect"].startswith("search for the plain")
    }
    assert hidden
    assert set(hidden.values()) == {"ignore previous"}
