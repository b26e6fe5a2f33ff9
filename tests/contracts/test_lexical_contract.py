"""What every lexical index promises, tantivy and the fake; then what only tantivy knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from assistant.adapters.tantivy_index import TantivyIndex
from assistant.domain.errors import LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import IndexRow, LexicalIndex
from assistant.testing import MemoryLexicalIndex

Build = Callable[[Sequence[IndexRow]], LexicalIndex]
FLEET = [
    ("01", "", "The fleet left the harbour at dawn."),
    ("02", "", "The fleet left the harbour at dawn."),
    ("03", "", "A painter chose blue for the lighthouse."),
    ("04", "Fleet to return", "It will be back in May."),
    ("05", "", "Rain fell on the hills all day, on the roads, and on the empty market square."),
]
RAW_QUESTIONS = [
    'Who said "the fleet left"?',
    "What's the harbour's name?",
    "fleet AND (harbour OR -dawn)",
    "title:fleet^2 body:[a TO z] ~1 *",
    "fleet\\",
    "the fleet — when? 🚢🚢",
    "+fleet -harbour !dawn && ||",
    "/fleet.*/",
    "“fleet”…",
    "\x00fleet\u200b",
]


def rows(texts: Sequence[tuple[str, str, str]]) -> list[IndexRow]:
    return [IndexRow(passage_id, title, body) for passage_id, title, body in texts]


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage_id for hit in hits]


@pytest.fixture(params=["tantivy", "memory"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    return MemoryLexicalIndex if request.param == "memory" else tantivy_in(tmp_path)


def tantivy_in(folder: Path) -> Callable[[Sequence[IndexRow]], TantivyIndex]:
    def build(listed: Sequence[IndexRow]) -> TantivyIndex:
        TantivyIndex.build(folder / "lexical", listed)
        return TantivyIndex(folder / "lexical")

    return build


def bodies(build: Build, *texts: str) -> LexicalIndex:
    return build(rows([(f"{at:02}", "", text) for at, text in enumerate(texts)]))


def test_passages_that_share_a_word_are_found_and_no_others(build: Build) -> None:
    assert sorted(ids(build(rows(FLEET)).search("Where is the fleet?", 10))) == ["01", "02", "04"]


def test_equal_scores_come_in_the_order_of_ids(build: Build) -> None:
    hits = bodies(build, *["The ferry sank."] * 30).search("ferry", 30)
    assert len({hit.score for hit in hits}) == 1
    assert ids(hits) == [f"{at:02}" for at in range(30)]


def test_a_limit_cuts_ties_in_the_order_of_ids(build: Build) -> None:
    assert ids(bodies(build, *["The ferry sank."] * 30).search("ferry", 3)) == ["00", "01", "02"]


def test_scores_fall_and_are_above_zero(build: Build) -> None:
    scores = [hit.score for hit in build(rows(FLEET)).search("fleet harbour lighthouse rain May", 10)]
    assert len(scores) == len(FLEET)
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_a_rare_word_outweighs_a_common_one(build: Build) -> None:
    index = bodies(build, "ferry one", "ferry two", "ferry three", "lighthouse four")
    assert ids(index.search("ferry lighthouse", 1)) == ["03"]


def test_more_of_the_words_is_better(build: Build) -> None:
    index = bodies(build, "ferry left here", "ferry left harbour", "harbour stayed here")
    assert ids(index.search("ferry harbour", 1)) == ["01"]


def test_a_word_of_the_title_is_found(build: Build) -> None:
    index = build(rows([("01", "Ferries resume", "Boats sail again."), ("02", "", "Nothing else.")]))
    assert ids(index.search("resume", 10)) == ["01"]


@pytest.mark.parametrize("question", RAW_QUESTIONS)
def test_a_question_is_searched_as_it_is_typed(build: Build, question: str) -> None:
    assert "01" in ids(build(rows(FLEET)).search(question, 10))


@pytest.mark.parametrize("text", ["", "  \n", "???", "🙂", "the of and", '""'])
def test_a_text_without_terms_finds_nothing(build: Build, text: str) -> None:
    index = build(rows(FLEET))
    assert (index.terms(text), index.search(text, 10)) == ([], [])


@pytest.mark.parametrize("limit", [0, -1])
def test_no_room_is_no_hits(build: Build, limit: int) -> None:
    assert build(rows(FLEET)).search("fleet", limit) == []


def test_a_limit_above_the_number_of_passages_is_fine(build: Build) -> None:
    assert len(build(rows(FLEET)).search("fleet", 100_000)) == 3


def test_an_unknown_word_finds_nothing(build: Build) -> None:
    assert build(rows(FLEET)).search("submarine", 10) == []


def test_an_empty_index_answers(build: Build) -> None:
    index = build([])
    assert index.search("fleet", 10) == []
    assert index.idf(["fleet"])["fleet"] > 0


def test_terms_keep_order_and_repetitions_and_drop_case_and_stop_words(build: Build) -> None:
    assert build(rows(FLEET)).terms("The BOAT and the Dock, boat") == ["boat", "dock", "boat"]


def test_idf_falls_with_the_number_of_passages_and_stays_above_zero(build: Build) -> None:
    idf = bodies(build, "boat dock", "boat pier", "boat dock rope").idf(["boat", "dock", "rope", "sail"])
    assert idf["sail"] >= idf["rope"] > idf["dock"] > idf["boat"] > 0


def test_idf_of_no_terms_is_empty(build: Build) -> None:
    assert build(rows(FLEET)).idf([]) == {}


def test_two_indexes_of_the_same_passages_score_alike(build: Build) -> None:
    hits = build(rows(FLEET)).search("fleet harbour", 10)
    assert hits == build_again(build, rows(FLEET)).search("fleet harbour", 10)


def build_again(build: Build, listed: Sequence[IndexRow]) -> LexicalIndex:
    """Another index of the same rows; tantivy's goes into a folder below the first one's."""
    if build is MemoryLexicalIndex:
        return build(listed)
    folder = Path("again")
    folder.mkdir()
    return tantivy_in(folder)(listed)


FOUND_BY_ANOTHER_FORM = [
    ("Japan hosts 54,000 troops.", "54000"),
    ("Japan hosts 54000 troops.", "54,000"),
    ("It costs $1,234,567 now.", "1234567"),
    ("The U.S. command moved.", "US"),
    ("The US command moved.", "U.S."),
    ("U.S.-Japan talks opened.", "US"),
    ("The U.S.'s plan is old.", "us"),
    ("They met at 9 a.m. sharp.", "am"),
    ("Japan's minister spoke.", "Japan"),
    ("Japan’s minister spoke.", "japan"),
    ("The ministers spoke.", "minister"),
    ("They occupied the island.", "occupying"),
    ("The café in Zürich reopened.", "cafe zurich"),
    ("A cafe reopened.", "Café"),
    ("Command-and-control centre", "control"),
]


@pytest.mark.parametrize(("body", "question"), FOUND_BY_ANOTHER_FORM)
def test_tantivy_finds_a_word_in_another_form(tmp_path: Path, body: str, question: str) -> None:
    assert ids(bodies(tantivy_in(tmp_path), "Nothing of the kind.", body).search(question, 10)) == ["01"]


@pytest.mark.parametrize("text", ["Japan's", "Japan’s", "JAPAN"])
def test_a_possessive_leaves_no_letter_of_its_own(tmp_path: Path, text: str) -> None:
    assert bodies(tantivy_in(tmp_path), "Nothing.").terms(text) == ["japan"]


KEPT_APART = [("1,5 litres", "15"), ("The bus left.", "US"), ("in 2024, 300 left", "2024300")]


@pytest.mark.parametrize(("body", "question"), KEPT_APART)
def test_tantivy_keeps_apart_what_is_not_the_same(tmp_path: Path, body: str, question: str) -> None:
    assert bodies(tantivy_in(tmp_path), body).search(question, 10) == []


def test_a_headline_weighs_less_than_the_sentence_itself(tmp_path: Path) -> None:
    titled, bodied = ("01", "Ferry", "Boats sail."), ("02", "Boats", "Ferry sails.")
    assert ids(tantivy_in(tmp_path)(rows([titled, bodied])).search("ferry", 10)) == ["02", "01"]


@pytest.mark.parametrize("damage", ["garbage", "gone", "half a term file", "a file too few"])
def test_a_damaged_index_is_told(tmp_path: Path, damage: str) -> None:
    tantivy_in(tmp_path)(rows(FLEET))
    folder = tmp_path / "lexical"
    if damage == "garbage":
        (folder / "meta.json").write_text("{")
    elif damage == "gone":
        (folder / "meta.json").unlink()
    elif damage == "half a term file":
        terms = next(folder.glob("*.term"))
        start = terms.read_bytes()[:20]
        terms.unlink()  # a file that a reader still has mapped must not shrink under it
        terms.write_bytes(start)
    else:
        next(folder.glob("*.pos")).unlink()
    with pytest.raises(LibraryDamaged, match="lexical"):
        TantivyIndex(folder).search("fleet", 10)


# Extending


def extended(folder: Path, *parts: Sequence[IndexRow]) -> TantivyIndex:
    """An index of the first part, to which each other one was added by a publish of its own."""
    before = folder / "0"
    TantivyIndex.build(before, parts[0])
    for at, part in enumerate(parts[1:], 1):
        TantivyIndex.extend(folder / str(at), before, part)
        before = folder / str(at)
    return TantivyIndex(before)


LONG = rows(
    [
        (f"{at:04}", f"Fleet {at % 7}", f"The ferry {'left ' * (at % 5)} the harbour at dawn {at % 3}.")
        for at in range(400)
    ]
)
EXTENSIONS = {
    "by one segment": (LONG[:300], LONG[300:]),
    "by passages before the first": (LONG[100:], LONG[:100]),
    "by passages between the others": (LONG[::2], LONG[1::2]),
    "by nothing": (LONG, []),
    "from nothing": ([], LONG),
    "so often that segments are merged": tuple(LONG[at::10] for at in range(10)),
}
QUESTIONS = ["ferry", "fleet harbour", "dawn 2", "left the harbour", "Fleet 3"]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_extended_index_finds_and_scores_what_a_new_one_does_also_where_ties_are_cut(
    tmp_path: Path, extension: str
) -> None:
    index, new = extended(tmp_path, *EXTENSIONS[extension]), tantivy_in(tmp_path)(LONG)
    assert index.passages == len(LONG)
    for question in QUESTIONS:
        for limit in (1, 5, 50, 399, 1_000):
            assert index.search(question, limit) == new.search(question, limit)
    words = ["ferri", "harbour", "left", "3", "submarin"]
    assert index.idf(words) == new.idf(words)


def test_an_index_is_extended_in_a_copy(tmp_path: Path) -> None:
    extended(tmp_path, rows(FLEET[:3]))
    before = {path.name: path.read_bytes() for path in (tmp_path / "0").iterdir()}
    TantivyIndex.extend(tmp_path / "1", tmp_path / "0", rows(FLEET[3:]))
    assert {path.name: path.read_bytes() for path in (tmp_path / "0").iterdir()} == before
    assert ids(TantivyIndex(tmp_path / "0").search("back", 5)) == []
    assert ids(TantivyIndex(tmp_path / "1").search("back", 5)) == ["04"]


def test_a_damaged_index_is_not_extended(tmp_path: Path) -> None:
    extended(tmp_path, rows(FLEET[:3]))
    (tmp_path / "0" / "meta.json").write_text("{")
    with pytest.raises(LibraryDamaged, match="cannot be opened"):
        TantivyIndex.extend(tmp_path / "1", tmp_path / "0", rows(FLEET[3:]))


# Examining


def test_a_sound_index_has_no_problems(tmp_path: Path) -> None:
    assert list(tantivy_in(tmp_path)(rows(FLEET)).problems(passage_id for passage_id, _, _ in FLEET)) == []


def test_passages_that_an_index_lacks_are_found(tmp_path: Path) -> None:
    index = tantivy_in(tmp_path)(rows(FLEET[1:]))
    assert list(index.problems(["01", "02", "06"])) == ["the lexical index lacks 2 passages, the first '01'"]


def test_a_passage_that_an_index_holds_twice_is_found(tmp_path: Path) -> None:
    index = tantivy_in(tmp_path)(rows([FLEET[0], FLEET[0], FLEET[1]]))
    assert len(list(index.problems(["01", "02"]))) == 1


@pytest.mark.parametrize("question", RAW_QUESTIONS)
def test_the_fake_keeps_what_was_searched(question: str) -> None:
    index = MemoryLexicalIndex(rows(FLEET))
    index.search(question, 1)
    assert index.calls == [question]
