import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.grounding.links import without_links

CASES = {
    # Markdown
    "The [minutes](https://a.example/x) say so.": "The minutes say so.",
    'The [minutes]( https://a.example "t") say so.': "The minutes say so.",
    "The [minutes](https://a.example/x_(y)) say so.": "The minutes say so.",
    "The [minutes](javascript:alert(1)) say so.": "The minutes say so.",
    "The [minutes](data:text/html;base64,PHNj) say so.": "The minutes say so.",
    "The [minutes][ref] say so.": "The minutes say so.",
    "[ref]: https://a.example/x\nIt rose.": "It rose.",
    "[Editor's note]: It rose.": "Editor's note: It rose.",
    "It rose. ![x](https://a.example/p.png?q=ANSWER)": "It rose.",
    "It rose. ![x](\nhttps://a.example\n)": "It rose.",
    "It rose. ![x][ref]": "It rose.",
    "It rose [x] (y).": "It rose [x] (y).",
    "It [rose](un(balanced.": "It [rose] (un(balanced.",
    "[[1]](https://a.example)": "[[1]]",
    r"\[x\]\(https://a.example\)": "x",
    "[![x](https://a.example/i)](https://b.example) It rose.": "It rose.",
    r"Photo: Keystone\Getty": "Photo: Keystone Getty",
    # addresses
    "See https://a.example/x, it rose.": "See (link removed), it rose.",
    "It rose (https://a.example/x).": "It rose.",
    "It rose (hTTps://a.example/x_(y)).": "It rose.",
    "See ftp://a.example and custom+x://b": "See (link removed) and (link removed)",
    "See //a.example/x now": "See (link removed) now",
    "See www.a.example.": "See (link removed).",
    "See a.example/x?q=ANSWER now": "See (link removed) now",
    "See a.example?q=ANSWER now": "See (link removed) now",
    "See news.a.example:8080/ now": "See (link removed) now",
    "See 10.0.0.1/x now": "See (link removed) now",
    "Write to mailto:a@b.example or c@d.example.": "Write to (link removed) or (link removed).",
    "See https://news.example@evil.example/": "See (link removed)",
    "See https://a.example/r?u=https://b.example": "See (link removed)",
    "javascript:alert(1) and tel:112": "(link removed) and (link removed)",
    "<https://a.example>": "(link removed)",
    "<mailto:a@b.example> rose": "(link removed) rose",
    # tricks
    "ht\u200btps://a.example": "(link removed)",
    "https：／／a．example": "(link removed)",
    "ｈｔｔｐｓ://a.example": "(link removed)",
    "https:∕∕a.example": "(link removed)",
    "See a․example/x": "See (link removed)",
    "https&#58;//a.example": "(link removed)",
    "https&amp;colon;&sol;/a.example": "(link removed)",
    r"https:\/\/a.example": "(link removed)",
    "htt<b></b>ps://a.example": "(link removed)",
    "［x］（https://a.example）": "x",
    # HTML, and the signs of Slack
    "It <b>rose</b>.<br>Much.": "It rose. Much.",
    '<img src="https://a.example">It rose.': "It rose.",
    "<!-- hidden -->It rose.": "It rose.",
    "&lt;img src=x&gt;It rose.": "It rose.",
    "＜img src=x＞It rose.": "It rose.",
    "<img src=x": "img src=x",
    "<https://a.example|BBC News> said": "BBC News said",
    "<!here> <@U123> <#C1|general> rose": "rose",
}


@pytest.mark.parametrize(("text", "words"), CASES.items())
def test_a_link_is_only_its_words(text: str, words: str) -> None:
    assert without_links(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "The U.S./Japan pact and/or 24/7 cover, s/he said at 9 a.m./9 p.m. on 10/10/2024.",
        "AT&T rose 3.5/5, Amazon.com and Booking.com fell; R&D; is it Amazon.com?",
        "Data: the figures. File: closed. Ratio 3:1 at 12:30.",
        "x < 5 and y > 3; I <3 this; 2 <4> 1.",
        "km² ½ … “ok” １２ 5：3 — 10°",
        "[He] said (so) [x], and “[We] won”.",
        "He said//she said",
    ],
)
def test_what_is_no_link_stays(text: str) -> None:
    assert without_links(text) == text


def test_links_in_links_in_links_leave_nothing() -> None:
    assert without_links("[" * 20 + "x" + "](a)" * 20) == ""


PARTS = st.sampled_from(
    [*"[]()<>!:/\\.&;@|# \nax3", "http", "https://", "www.", "://", "](", "a.example", "/x", "![", "<b>",
     "</b>", "&lt;", "&amp;", "&#58;", "：", "／", "＜", "javascript:", "mailto:", "\u200b",
     "(link removed)", "[a]: "]
)  # fmt: skip


@given(st.lists(PARTS, max_size=16).map("".join))
@example("[a]\n[b]: http://x")
@example("&amp;l<b></b>t;img>")
def test_no_link_survives_and_a_second_look_finds_nothing(text: str) -> None:
    plain = without_links(text)
    assert without_links(plain) == plain
    for form in (plain, unicodedata.normalize("NFKC", plain)):
        assert "://" not in form
        assert not re.search(r"<[a-zA-Z/!?@#][^<>]*>|\bjavascript:\S|\bmailto:\S|\bwww\.\w", form)
    assert "](" not in plain


@pytest.mark.parametrize(
    "unit",
    ["[", "[a](", "![a](", "[a](b", "<a", "<", "a.", "a", "&amp;", "&", "http://", "://", "a@",
     "(link removed) ",
     "[a][b]", "a.b/", "www.", "/", ":", "((http://a ", "．", "\n[a]:", "a.aa", "<a@", "[a](()", "-",
     "a-", "\\", "[a](b)](c)"],
)  # fmt: skip
def test_signs_in_masses_take_no_longer_than_text(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.perf_counter()
    without_links(text)
    assert time.perf_counter() - begin < 3
