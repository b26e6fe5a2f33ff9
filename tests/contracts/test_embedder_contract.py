"""What every embedder promises, the real ones and the fake."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.static_embedder import StaticEmbedder
from assistant.ports import Embedder
from assistant.testing import ScriptedEmbedder, UnexpectedCall

TEXTS = [
    "The Quill Bridge was closed on Monday.",
    "The lighthouse on Gull Rock will be painted blue.",
    "word " * 400,
    "a",
    "Übermut im naïven Café, 東京",
]
WITHOUT_WORDS = ["🙂", "...", "\u200b"]
SCRIPT = {text: [1.0, at, -at * at] for at, text in enumerate([*TEXTS, *WITHOUT_WORDS])}
STATIC = StaticEmbedder()  # loads its model at the first text, once for all tests


@pytest.fixture(
    params=[STATIC, HashingEmbedder(), ScriptedEmbedder(SCRIPT)], ids=lambda it: type(it).__name__
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    chosen: Embedder = request.param
    return chosen


def test_it_gives_one_row_of_float32_for_each_text(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert (len(vectors), vectors.ndim, str(vectors.dtype)) == (len(TEXTS), 2, "float32")


def test_every_text_with_words_has_length_one(embedder: Embedder) -> None:
    assert np.linalg.norm(embedder.embed(TEXTS), axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000"])
def test_a_blank_text_is_all_zero(embedder: Embedder, blank: str) -> None:
    assert not embedder.embed([blank]).any()


def test_a_blank_text_among_others_leaves_them_as_they_are(embedder: Embedder) -> None:
    alone = embedder.embed(TEXTS[:2])
    assert np.array_equal(embedder.embed([TEXTS[0], "", TEXTS[1]])[[0, 2]], alone)


@pytest.mark.parametrize("text", WITHOUT_WORDS)
def test_a_text_of_signs_has_length_one_or_zero_and_no_nan(embedder: Embedder, text: str) -> None:
    assert round(float(np.linalg.norm(embedder.embed([text]))), 5) in (0.0, 1.0)


def test_no_texts_are_no_rows_of_the_same_width(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.embed(TEXTS[:1]).shape[1])


def test_the_same_text_has_the_same_vector_each_time(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch(embedder: Embedder) -> None:
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.array_equal(embedder.embed(TEXTS), alone)
    assert np.array_equal(embedder.embed(TEXTS[::-1]), alone[::-1])


def test_different_texts_have_different_vectors(embedder: Embedder) -> None:
    assert len({row.tobytes() for row in embedder.embed(TEXTS)}) == len(TEXTS)


def test_the_caller_may_change_what_it_got(embedder: Embedder) -> None:
    before = embedder.embed(TEXTS[:1]).copy()
    embedder.embed(TEXTS[:1])[:] = 0
    assert np.array_equal(embedder.embed(TEXTS[:1]), before)


def test_fingerprints_tell_embedders_apart() -> None:
    prints = [
        STATIC.fingerprint,
        HashingEmbedder().fingerprint,
        HashingEmbedder(64).fingerprint,
        ScriptedEmbedder(SCRIPT).fingerprint,
    ]
    assert len({*prints}) == len(prints)


@pytest.mark.parametrize("embedder", [STATIC, HashingEmbedder()], ids=lambda it: type(it).__name__)
def test_texts_that_share_words_are_nearer_than_others(embedder: Embedder) -> None:
    bridge, cracks, lighthouse = embedder.embed(
        ["The bridge was closed.", "The bridge has cracks.", "Otto Brand paints Gull Rock blue."]
    )
    assert bridge @ cracks > bridge @ lighthouse


class TestScriptedEmbedder:
    def test_it_keeps_its_calls(self) -> None:
        embedder = ScriptedEmbedder({"a": [1, 0], "b": [0, 2]})
        embedder.embed(["a", "b"])
        embedder.embed(["", "a"])
        assert embedder.calls == [("a", "b"), ("", "a")]

    def test_a_text_that_is_not_scripted_is_refused(self) -> None:
        with pytest.raises(UnexpectedCall, match="no vector is scripted for 'c'"):
            ScriptedEmbedder({"a": [1, 0]}).embed(["a", "c"])

    def test_a_script_that_was_not_used_up_is_told(self) -> None:
        embedder = ScriptedEmbedder({"a": [1, 0], "b": [0, 1]})
        embedder.embed(["b"])
        with pytest.raises(UnexpectedCall, match=r"never embedded: \['a'\]"):
            embedder.assert_complete()
        embedder.embed(["a"])
        embedder.assert_complete()

    def test_vectors_of_two_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="one length"):
            ScriptedEmbedder({"a": [1, 0], "b": [1]})
