"""The reranker: what a cross-encoder reads, what is made of its output, and what is refused in one line.

The model here counts how often a word of the question meets the same word in the passage, so that
each test can say what must come out. It is written anew for each test and run by onnxruntime.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.onnx_reranker import OnnxReranker
from assistant.bootstrap import build_reranker
from assistant.domain.errors import ConfigurationError
from assistant.examining import State, examine
from assistant.ports import Reranker
from assistant.settings import Settings
from assistant.testing.reranker import ScriptedReranker
from assistant.testing.strict import UnexpectedCall
from tests.toy_models import INPUTS, INT32, PAD, write_cross_encoder

WORDS = ["who", "closed", "the", "bridge", "lighthouse", "is", "blue", "on", "monday"]
QUESTION = "who closed the bridge"
BLUE, BOTH, ONE = "lighthouse is blue", "the bridge closed on monday", "lighthouse on the monday"
LONG = " ".join(["blue"] * 600)  # longer than a pair may be where no file says how long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a cross-encoder lies."""
    return write_cross_encoder(tmp_path / "toy", WORDS)


def scores(
    folder: Path, passages: Iterable[str], *, question: str = QUESTION, batch: int = 16
) -> list[float]:
    """What the reranker in the folder makes of the passages."""
    return [float(each) for each in OnnxReranker(folder, batch=batch).score(question, list(passages))]


def refused(folder: Path) -> ConfigurationError:
    """The error of a folder that cannot be used, at once or at the first passage."""
    with pytest.raises(ConfigurationError) as caught:
        scores(folder, [BOTH, "Brücke"])
    assert str(caught.value).isprintable()
    assert "--reranker" in caught.value.help
    return caught.value


def test_a_passage_scores_by_what_it_has_to_do_with_the_question(folder: Path) -> None:
    reranker: Reranker = OnnxReranker(folder)
    found = reranker.score(QUESTION, [BLUE, BOTH, ONE])
    assert (reranker.name, str(found.dtype), found.tolist()) == ("onnx:toy", "float32", [0.0, 3.0, 1.0])
    assert scores(folder, [BLUE, BOTH, ONE], question="lighthouse blue") == [2.0, 0.0, 1.0]


def test_a_name_does_not_depend_on_how_the_folder_was_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert OnnxReranker(Path()).name == "onnx:toy"


def test_without_passages_there_is_nothing_to_score_and_nothing_to_load(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no model")
    assert scores(folder, []) == []


def test_what_is_no_word_is_read_all_the_same(folder: Path) -> None:
    assert scores(folder, ["", " ", "bridge \ud800", "Brücke"]) == [0.0, 0.0, 1.0, 0.0]
    assert scores(folder, [BOTH], question="") == [0.0]


@pytest.mark.parametrize("batch", [1, 2, 3, 16])
def test_scores_stand_in_the_order_of_their_passages_however_they_are_batched(
    folder: Path, batch: int
) -> None:
    passages = [" ".join(["blue"] * (at * 7 % 11) + ["bridge"] * (at % 5)) for at in range(23)]
    assert scores(folder, passages, batch=batch) == [float(at % 5) for at in range(23)]


def test_threads_share_one_reranker(folder: Path) -> None:
    reranker = OnnxReranker(folder)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: reranker.score(QUESTION, [BOTH, BLUE]).tolist(), range(16)))
    assert found == [[3.0, 0.0]] * 16


@pytest.mark.parametrize("model", ["model.onnx", "onnx/model.onnx"])
def test_the_model_lies_where_hugging_face_has_it(tmp_path: Path, model: str) -> None:
    assert scores(write_cross_encoder(tmp_path, WORDS, model=model), [BLUE, BOTH]) == [0.0, 3.0]


def test_a_model_without_token_types_is_given_none(tmp_path: Path) -> None:
    write_cross_encoder(tmp_path, WORDS, inputs=INPUTS[:2])
    assert scores(tmp_path, ["bridge", "monday"], question="bridge") == [5.0, 3.0]


def test_padding_is_masked(tmp_path: Path) -> None:
    """In the toy, padding that is not masked meets padding, and counts."""
    write_cross_encoder(tmp_path, WORDS, inputs=INPUTS[:2])
    alone, beside = scores(tmp_path, ["bridge"]), scores(tmp_path, ["bridge", LONG])
    assert alone == beside[:1]


def test_an_output_may_have_another_name_where_it_is_the_only_one(tmp_path: Path) -> None:
    assert scores(write_cross_encoder(tmp_path, WORDS, output="score"), [BLUE, BOTH]) == [0.0, 3.0]


@pytest.mark.parametrize(
    ("columns", "dimensions", "expected"),
    [
        ((1.0,), 1, [0.0, 3.0]),
        ((-1.0,), 2, [0.0, -3.0]),
        ((-1.0, 1.0), 2, [0.0, 6.0]),  # not relevant, relevant
        ((2.0, -1.0), 2, [0.0, -9.0]),
    ],
)
def test_an_output_is_one_column_or_the_last_of_two_less_the_first(
    tmp_path: Path, columns: tuple[float, ...], dimensions: int, expected: list[float]
) -> None:
    write_cross_encoder(tmp_path, WORDS, columns=columns, dimensions=dimensions)
    assert scores(tmp_path, [BLUE, BOTH]) == expected


# How long a pair may be. The question and its passage stand between three special tokens.


def fitting(folder: Path) -> int:
    """How many tokens a pair keeps, told by a word that meets the question once for each time it is kept."""
    (kept,) = scores(folder, [" ".join(["bridge"] * 3000)], question="bridge")
    return int(kept) + len(["[CLS]", "bridge", "[SEP]", "[SEP]"])


@pytest.mark.parametrize(
    ("tokenizer", "model", "length"),
    [
        (None, None, 512),
        ({"model_max_length": 1024}, None, 1024),
        ({"model_max_length": 10**30}, None, 512),
        ({"model_max_length": 0}, None, 512),
        ({"model_max_length": "long"}, {"max_position_embeddings": None}, 512),
        (None, {"max_position_embeddings": 64}, 64),
        ({"model_max_length": 512}, {"max_position_embeddings": 64}, 64),
        ({"model_max_length": 32}, {"max_position_embeddings": 64}, 32),
        (None, {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        (None, {"model_type": "bert", "max_position_embeddings": 514, "pad_token_id": 1}, 514),
    ],
)
def test_a_pair_is_as_long_as_the_files_allow(
    folder: Path, tokenizer: dict[str, Any] | None, model: dict[str, Any] | None, length: int
) -> None:
    for name, described in (("tokenizer_config.json", tokenizer), ("config.json", model)):
        if described is not None:
            (folder / name).write_text(json.dumps(described))
    assert fitting(folder) == length


def test_of_a_pair_that_is_too_long_the_longer_text_loses_its_end(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 16}')
    assert scores(folder, [f"bridge {LONG}", f"{LONG} bridge"]) == [1.0, 0.0]
    question = f"bridge {LONG}"
    assert scores(folder, ["bridge closed", "closed closed"], question=question) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("config", "told", "padding"),
    [
        ({"pad_token_id": 12}, PAD, 12),
        ({"pad_token_id": 0}, PAD, 0),
        ({"pad_token_id": None}, 12, 12),
        ({}, 12, 12),
        ({}, None, PAD),
    ],
)
def test_padding_is_the_token_that_the_model_takes_for_it(
    tmp_path: Path, config: dict[str, Any], told: int | None, padding: int
) -> None:
    """As in RoBERTa, this model knows padding by its number; any other would meet itself and count."""
    write_cross_encoder(tmp_path, WORDS, inputs=INPUTS[:1], padding=padding, told=told)
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = len([*QUESTION.split(), *BLUE.split()])
    expected = words if padding == 0 else words + 1  # [CLS] is number 0
    assert scores(tmp_path, [BLUE, LONG])[0] == scores(tmp_path, [BLUE])[0] == expected


# What cannot be used.


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


def with_a_folder_for_a_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()


def forgetting_the_unknown(folder: Path) -> None:
    """Give the tokenizer no token for words that it does not know."""
    described = json.loads((folder / "tokenizer.json").read_text())
    described["model"]["unk_token"] = "none"  # noqa: S105 -- of words, not of access
    (folder / "tokenizer.json").write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without("model.onnx"), "the reranker's folder {folder!r} has no model.onnx or onnx/model.onnx"),
        (without("tokenizer.json"), "the reranker's folder {folder!r} has no tokenizer.json"),
        (
            with_a_folder_for_a_model,
            "the reranker's folder {folder!r} has no model.onnx or onnx/model.onnx",
        ),
        (holding("model.onnx", ""), "cannot be loaded: Load model from "),
        (holding("model.onnx", "<html>"), "Protobuf parsing failed."),
        (holding("tokenizer.json", "{}"), "tokenizer.json' is no usable tokenizer: Model missing."),
        (holding("tokenizer.json", "\0\n"), "tokenizer.json' is no usable tokenizer: "),
        (forgetting_the_unknown, "is no usable tokenizer: WordLevel error: Missing [UNK] token"),
        (holding("config.json", "{"), "config.json' cannot be read: "),
        (holding("config.json", "[]"), "config.json' holds no settings"),
        (holding("tokenizer_config.json", "{"), "tokenizer_config.json' cannot be read: "),
    ],
)
def test_a_file_that_is_missing_or_broken_is_named(
    folder: Path, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder)
    assert said.format(folder=str(folder)) in str(refused(folder))
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        wanted = f"the reranker's folder {str(tmp_path / name)!r} does not exist or is no folder"
        assert str(refused(tmp_path / name)) == wanted


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            {"inputs": (*INPUTS, "position_ids")},
            "is no cross-encoder: its inputs are input_ids, attention_mask, token_type_ids, position_ids",
        ),
        ({"input_type": INT32}, "is no cross-encoder: an input is tensor(int32), not tensor(int64)"),
        (
            {"columns": (1.0, 1.0, 1.0)},
            "is no cross-encoder: for 2 passages its output 'logits' has the shape (2, 3), not (2, 1)",
        ),
        (
            {"dimensions": 3},
            "is no cross-encoder: for 2 passages its output 'logits' has the shape (2, 1, 1), not (2, 1)",
        ),
        ({"columns": (float("nan"),)}, "gave a score that is no number"),
        ({"table": 6}, "cannot score: Non-zero status code returned while running Gather node."),
    ],
)
def test_a_model_of_another_kind_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], made: dict[str, Any], said: str
) -> None:
    error = refused(write_cross_encoder(tmp_path, WORDS, **made))
    assert str(error).startswith(f"the reranker {str(tmp_path / 'model.onnx')!r} {said}")
    assert capfd.readouterr() == ("", "")


# How it is chosen, and the fake.


def test_none_is_built_unless_a_folder_is_named(folder: Path) -> None:
    assert build_reranker(Settings()) is None
    reranker = build_reranker(Settings(reranker=folder))
    assert reranker
    assert reranker.name == "onnx:toy"


def test_the_doctor_scores_with_it(folder: Path, tmp_path: Path) -> None:
    def said(reranker: Path | None) -> tuple[State, str]:
        settings = Settings(home=tmp_path / "home", embedder="hashing", reranker=reranker)
        (found,) = (check for check in examine(settings) if check.name == "reranker")
        return found.state, found.text

    assert said(None) == (State.OK, "none: passages are ranked as they were found")
    assert said(folder) == (State.OK, "onnx:toy: scores passages, without a network")
    (folder / "tokenizer.json").write_text("{}")
    state, text = said(folder)
    assert (state, "is no usable tokenizer" in text) == (State.PROBLEM, True)


def test_the_fake_gives_what_was_written_for_it_and_nothing_else() -> None:
    fake: Reranker = (scripted := ScriptedReranker({"a": 1.5, "b": -2.0}))
    assert fake.score("?", ["b", "a", "b"]).tolist() == [-2.0, 1.5, -2.0]
    assert (fake.name, scripted.calls) == ("scripted:reranker", [("?", ("b", "a", "b"))])
    scripted.assert_complete()
    with pytest.raises(UnexpectedCall, match="no score is scripted for 'c'"):
        fake.score("?", ["c"])
    with pytest.raises(UnexpectedCall, match="never scored: \\['a'\\]"):
        ScriptedReranker({"a": 1.0}).assert_complete()
