"""Which articles are near-copies of each other, and what a cluster is."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.duplicates import OPENING, SHORT, clusters, signature

NEWS = Path(__file__).parents[3] / "shared/data/realtimeqa/articles-2023.jsonl.gz"
WORDS = """
    harbour council bridge ferry storm library mayor budget school garden market tide pilot engine lantern
    orchard railway tunnel winter summer painter clerk doctor captain teacher bakery quarry river opened
    closed repaired delayed promised counted measured refused welcomed painted carried sold quietly slowly
    yesterday again early late near behind under beside seven twelve forty sixty old new wooden narrow
    northern southern expensive careful public private heavy broken
"""


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- texts, not a secret


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS.split(), k=14)).capitalize() + "."


def story(seed: int, sentences: int = 40) -> str:
    """A text of its own: 14 words a sentence, about 85 letters."""
    rng = dice(seed)
    return " ".join(sentence(rng) for _ in range(sentences))


def cut(text: str, share: float) -> str:
    sentences = text.split(". ")
    return ". ".join(sentences[: round(share * len(sentences))])


def found(**texts: str) -> dict[str, str]:
    return clusters({one: signature(text) for one, text in texts.items()})


ORIGINAL = story(1)
LOST_WORDS = " ".join(word for at, word in enumerate(ORIGINAL.split()) if at % 60 != 7)
REPRINTS = {
    "the same": ORIGINAL,
    "another headline": f"Mayor Cuts the Ribbon at Last\n\nBy A. Reporter\n\n{ORIGINAL}",
    "another dateline": f"QUILLPORT, March 4 (Coast Wire) — {ORIGINAL}\n\n(Reporting by Coast Wire)",
    "other type": ORIGINAL.upper().replace(". ", ".\n\n“ ").replace(" ", "\u00a0"),
    "without its accents' composition": ORIGINAL.replace("e", "e\u200b"),
    "a word in sixty lost": LOST_WORDS,
    "70 % of it": cut(ORIGINAL, 0.7),
    "30 % of it": cut(ORIGINAL, 0.3),
    "30 % of it, reworked": f"A Headline\n\nCOAST, May 2 (Wire) — {cut(LOST_WORDS, 0.3)}\n\n(Wire)",
    "with a new first paragraph": f"{story(2, 4)}\n\n{ORIGINAL}",
    "continued": f"{ORIGINAL} {story(3, 40)}",
}


@pytest.mark.parametrize("reprint", REPRINTS.values(), ids=REPRINTS)
def test_a_reprint_stands_in_one_cluster_with_its_original(reprint: str) -> None:
    assert found(original=ORIGINAL, reprint=reprint, other=story(4)) == {
        "original": "original",
        "reprint": "original",
    }


BOILERPLATE = story(5, 30)
STRANGERS = {
    "another story in the same words": story(6),
    "the same gallery below another story": f"{story(7, 15)} {BOILERPLATE}",
    "the same two sentences in front": f"{story(8, 2)} {story(9)}",
    "a twentieth of it": cut(ORIGINAL, 0.05),
    "nothing": "",
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_what_is_no_reprint_is_not_joined(stranger: str) -> None:
    page = f"{story(10, 15)} {BOILERPLATE}"
    assert found(original=ORIGINAL, page=page, started=f"{story(8, 2)} {story(11)}", stranger=stranger) == {}


def test_without_articles_there_are_no_clusters() -> None:
    assert clusters({}) == {}


@pytest.mark.parametrize("text", ["", " \n", "… — !", "\u200b"])
def test_texts_without_letters_are_copies_of_nothing(text: str) -> None:
    assert found(a=text, b=text) == {}


@pytest.mark.parametrize(
    "text", ["Ja.", "The library is closed.", "港は閉鎖された。", story(12, 1), ORIGINAL]
)
def test_two_equal_texts_are_copies_however_short(text: str) -> None:
    assert found(b=text, a=text) == {"a": "a", "b": "a"}


def test_short_notices_that_differ_in_a_word_are_different_news() -> None:
    notices = {
        day: f"The harbour office is closed on {day} because of the storm; the ferry sails as usual."
        for day in ("Monday", "Tuesday", "Friday")
    }
    assert found(**notices) == {}


def test_a_short_notice_does_not_join_the_long_article_that_opens_with_it() -> None:
    notice = story(13, 1)
    assert found(notice=notice, long=f"{notice} {story(14, 2)}") == {}


def test_a_text_a_little_longer_than_short_is_found_again_under_another_headline() -> None:
    text = story(15, 3)
    assert len(text) > SHORT * 1.5
    assert set(found(a=text, b=f"Ferry Late\n\n{text}")) == {"a", "b"}


def test_a_language_without_blanks_has_reprints_too() -> None:
    rng = dice(16)
    text = "。".join("".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(30)) for _ in range(20))
    assert set(found(a=text, b=f"見出し\n{text[:400]}", c=text[::-1])) == {"a", "b"}


def test_a_round_up_joins_only_the_story_that_it_opens_with() -> None:
    first, second = story(17, 12), story(18, 12)
    assert found(a=first, b=second, both=f"{first} {second}") == {"a": "a", "both": "a"}


def test_versions_that_drift_are_not_chained_from_the_first_to_the_last() -> None:
    """Each takes over 70 % of the one before: neighbours are near, the ends share nothing."""
    sentences = [sentence(dice(seed)) for seed in range(40)]
    versions = {f"v{at}": signature(" ".join(sentences[3 * at : 3 * at + 10])) for at in range(10)}
    joined = clusters(versions)
    assert clusters({one: versions[one] for one in ("v4", "v5")}) == {"v4": "v4", "v5": "v4"}
    assert max(list(joined.values()).count(name) for name in joined.values()) <= 3


def test_every_copy_of_a_much_printed_story_is_found() -> None:
    texts = {f"copy-{at:02}": f"Headline {at} {story(100 + at, 1)}\n\n{ORIGINAL}" for at in range(60)}
    texts |= {f"cut-{at:02}": cut(texts[f"copy-{at:02}"], 0.3 + at / 100) for at in range(60)}
    assert found(**texts) == dict.fromkeys(texts, "copy-00")


POOL: Mapping[str, bytes] = {
    f"{name}-{seed}": signature(text)
    for seed in range(3)
    for name, text in {
        "whole": story(seed),
        "cut": cut(story(seed), 0.5),
        "headed": f"{story(50 + seed, 1)} {story(seed)}",
        "drifted": f"{' '.join(story(seed).split()[100:])} {story(60 + seed)}",
        "notice": "Closed.",
    }.items()
}


@given(st.permutations(sorted(POOL)), st.integers(0, len(POOL)))
def test_only_the_set_matters_not_its_order(order: list[str], taken: int) -> None:
    some = order[:taken]
    joined = clusters({one: POOL[one] for one in some})
    assert list(joined.items()) == list(clusters({one: POOL[one] for one in sorted(some)}).items())
    for name in joined.values():
        members = [one for one, other in joined.items() if other == name]
        assert name == min(members)
        assert len(members) > 1


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_has_a_signature_of_one_size(text: str) -> None:
    assert len(signature(text)) == 900
    assert signature(text) == signature(f"\n“{text}” ")


def test_signatures_are_the_same_in_every_process() -> None:
    code = (
        "import sys; from assistant.duplicates import signature;"
        " sys.stdout.write(signature(sys.argv[1]).hex())"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, ORIGINAL],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert bytes.fromhex(done.stdout) == signature(ORIGINAL)


def test_signatures_have_not_changed() -> None:
    """They are stored: when this changes, PASSAGE_RULES has to count up."""
    text = "A bridge, a ferry and 7 lanterns. " * 3 + "Ärger über Größe; 港は閉鎖された。"
    assert hashlib.sha256(signature(text)).hexdigest()[:16] == "7b36bb8bf9ca2e35"


def test_only_the_opening_decides_what_a_page_is_about() -> None:
    """A copy whose first two thirds of an opening are new is a new story with an old tail."""
    new = story(20, 30)[: OPENING * 3 // 2]
    assert found(a=ORIGINAL, b=f"{new} {ORIGINAL}") == {}


@pytest.mark.skipif(not NEWS.exists(), reason="shared data is not beside this checkout")
def test_of_real_articles_only_versions_of_one_story_are_joined() -> None:
    with gzip.open(NEWS, "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, islice(lines, 0, None, 2))}
    signatures = {one: signature(text) for one, text in texts.items()}
    cuts = {
        f"copy-{one}": signature(f"A Headline\n\n{texts[one][: len(texts[one]) * 2 // 5]}")
        for one in islice(texts, 0, None, 50)
        if len(texts[one]) > 1_000
    }
    joined = clusters(signatures | cuts)
    assert all(joined[one] == joined[one.removeprefix("copy-")] for one in cuts)
    versions = {(name, texts[one]) for one, name in clusters(signatures).items()}
    more_than_one = [name for name, times in Counter(name for name, _ in versions).items() if times > 1]
    assert len(more_than_one) < len(texts) / 1_000
