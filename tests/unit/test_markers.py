import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.markers import MAX_RANGE, UNKNOWN, marker_at, may_grow, neutral

SHAPES = {
    "[3]": (3,),
    "[ 3 ]": (3,),
    "[03]": (3,),
    "[3, 4]": (3, 4),
    "[3,4,3]": (3, 4),
    "[3;4]": (3, 4),
    "[3 4]": (3, 4),
    "[3 and 4]": (3, 4),
    "[3-5]": (3, 4, 5),
    "[3–5]": (3, 4, 5),
    "[3, 5-7]": (3, 5, 6, 7),
    "[^3]": (3,),
    "[#3]": (3,),
    "[S3]": (3,),
    "[s3, s4]": (3, 4),
    "[Source 3]": (3,),
    "[sources 3 and 4]": (3, 4),
    "[Source: 3]": (3,),
    "[sentence 3]": (3,),
    "【3】": (3,),
    "【3†source】": (3,),
    "【3:0†source】": (3,),
    "【 1 †source】": (1,),
    "［3］": (3,),
    "［３］": (3,),
    "〔3〕": (3,),
    r"\[3\]": (3,),
    "[[3]]": (3,),
    "<sup>3</sup>": (3,),
    "<SUP>3, 4</SUP>": (3, 4),
    "<sup>[3][4]</sup>": (3, 4),
    "[3](http://a.example/x_(y))": (3,),
    '[3](http://a.example "title")': (3,),
    "[3](#ref)": (3,),
    "[[3]](https://a.example)": (3,),
    "[2024]": (2024,),
    "[0]": (0,),
    "[-1]": (UNKNOWN,),
    "[1-900]": (UNKNOWN,),
    "[5-3]": (UNKNOWN,),
    "[999999999999999999999]": (UNKNOWN,),
    "[١]": (UNKNOWN,),
    "[³]": (UNKNOWN,),
    "[①, Ⅶ]": (UNKNOWN,),
    "[7\ufe0f\u20e3]": (UNKNOWN,),
    "[3": (UNKNOWN,),
    "[3, 4": (UNKNOWN,),
    "[": (),
}


@pytest.mark.parametrize(("shape", "numbers"), SHAPES.items())
def test_every_shape_that_models_write_is_read_to_its_end(shape: str, numbers: tuple[int, ...]) -> None:
    marker = marker_at(f"It rose. {shape}", 9)
    assert marker is not None
    assert (marker.numbers, marker.end) == (numbers, 9 + len(shape))


@pytest.mark.parametrize(
    "text",
    ["(3)", "3", "[He] said", "[citation needed]", "[3 people]", "[12:30]", "[3.5]", "[]", "[A7:S12]",
     "[3 said so", "[source: wire-2024-01-01#s3]", "<sup>th</sup>", "<b>3</b>", "†3", "[" + "1," * 60 + "1]"],
)  # fmt: skip
def test_what_only_resembles_a_marker_is_none(text: str) -> None:
    assert marker_at(text, 0) is None
    assert neutral(text) == text


def test_a_range_of_twenty_is_read_and_a_wider_one_is_not() -> None:
    widest, wider = marker_at(f"[1-{MAX_RANGE}]", 0), marker_at(f"[1-{MAX_RANGE + 1}]", 0)
    assert widest is not None
    assert widest.numbers == tuple(range(1, MAX_RANGE + 1))
    assert wider is not None
    assert wider.numbers == (UNKNOWN,)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if len(shape) > 1])
def test_no_part_of_a_marker_is_decided_before_the_whole_is_there(shape: str) -> None:
    whole = marker_at(shape, 0)
    assert whole is not None
    for cut in range(1, len(shape)):
        if not may_grow(shape[:cut], 0):
            # The rest changes nothing: the same marker was found before it came.
            assert marker_at(shape[:cut] + " x", 0) == whole


def test_plain_text_is_not_waited_for() -> None:
    assert not may_grow("[He] said", 0)
    assert not may_grow("[3] said", 0)
    assert not may_grow("<b>", 0)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("The mayor confessed. [2]", "The mayor confessed. (2)"),
        ("［2］ 【2†source】 [[2]](http://a.example)", "(2) (2†source) (2)"),
        ("[2][3, 4]", "(2)(3, 4)"),
        ("“[We] won” (3)", "“[We] won” (3)"),
        ("[We][2] 〔We〕【3】", "[We] (2) 〔We〕 (3)"),
    ],
)
def test_an_articles_own_markers_become_round(text: str, changed: str) -> None:
    assert neutral(text) == changed


PARTS = st.sampled_from([*"[]()【】\\<>3, -†^S\n", "<sup>", "</sup>", "(http://a)", "[3]", "and", "１"])


@given(st.lists(PARTS, max_size=14).map("".join))
def test_neutral_text_holds_no_whole_marker(text: str) -> None:
    plain = neutral(text)
    found = [marker_at(plain, at) for at in range(len(plain))]
    assert not [marker for marker in found if marker and marker.numbers not in ((), (UNKNOWN,))]
    assert neutral(plain) == plain


@pytest.mark.parametrize("unit", ["[", "[[", "[3](", "[1,", "<sup>", "\\[", "[3", "[3](http://a(", "【3†"])
def test_brackets_in_masses_take_no_longer_than_text(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.perf_counter()
    neutral(text)
    for at in range(0, len(text), 100):
        marker_at(text, at)
        may_grow(text, at)
    assert time.perf_counter() - begin < 3
