"""A cross-encoder of a few words, written into a folder as real ones lie there.

Its score is the number of times that a word of the question meets the same word in the
passage. The file is written byte by byte in Protocol Buffers' encoding, with the field
numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: no package is needed. Other toy
models are written with the same `field` and `described`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

SPECIAL = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
PAD = SPECIAL.index("[PAD]")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FLOAT, INT32, INT64 = 1, 6, 7  # TensorProto.DataType


def write_cross_encoder(
    folder: Path,
    words: Sequence[str],
    *,
    model: str = "model.onnx",
    inputs: Sequence[str] = INPUTS,
    input_type: int = INT64,
    columns: Sequence[float] = (1.0,),
    dimensions: int = 2,
    output: str = "logits",
    table: int | None = None,
    padding: int = PAD,
    told: int | None = PAD,
) -> Path:
    """The folder, with a model and a tokenizer that know these words.

    inputs: what the model asks for. Without token_type_ids every token meets every other, itself, too;
        without attention_mask it takes all tokens of the number `padding` for padding.
    columns: what the number of meetings is multiplied with, for each column of the output.
    dimensions: how many the output has. output: its name; before "logits" there is another one.
    table: how many tokens the model knows; all when None.
    told: the number that tokenizer.json gives for padding, if it gives one.
    """
    path = folder / model
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = len(SPECIAL) + len(words) if table is None else table
    path.write_bytes(
        _model(
            rows,
            inputs,
            input_type=input_type,
            columns=columns,
            dimensions=dimensions,
            output=output,
            padding=padding,
        )
    )
    vocabulary = {token: at for at, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 -- of words, not of access
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    # As many folders have it: these lines must not decide how pairs are cut and filled up.
    tokenizer.enable_truncation(4)
    if told is not None:
        tokenizer.enable_padding(length=64, pad_id=told)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _model(
    rows: int,
    inputs: Sequence[str],
    *,
    input_type: int,
    columns: Sequence[float],
    dimensions: int,
    output: str,
    padding: int,
) -> bytes:
    """Sums of unit vectors, one for each word, of the question and of the passage, and their product."""
    table = np.eye(rows, dtype=np.float32)
    table[2 : len(SPECIAL)] = 0.0  # these meet nothing, but padding does, unless it is masked
    nodes = [_node("Gather", ["table", "input_ids"], "vectors")]
    if "attention_mask" in inputs:
        nodes.append(_node("Cast", ["attention_mask"], "text", to=FLOAT))
    else:
        nodes += [
            _node("Equal", ["input_ids", "padding"], "is_padding"),
            _node("Not", ["is_padding"], "is_text"),
            _node("Cast", ["is_text"], "text", to=FLOAT),
        ]
    asked = passage = "text"
    if "token_type_ids" in inputs:
        asked, passage = "asked", "passage"
        nodes += [
            _node("Cast", ["token_type_ids"], "second", to=FLOAT),
            _node("Mul", ["text", "second"], "passage"),
            _node("Sub", ["text", "passage"], "asked"),
        ]
    nodes += [
        _node("Unsqueeze", [asked], "asked_row", axes=[1]),
        _node("Unsqueeze", [passage], "passage_row", axes=[1]),
        _node("MatMul", ["asked_row", "vectors"], "asked_sum"),
        _node("MatMul", ["passage_row", "vectors"], "passage_sum"),
        _node("Mul", ["asked_sum", "passage_sum"], "meetings"),
        _node("ReduceSum", ["meetings"], "count", axes=[2], keepdims=0),
        _node("MatMul", ["count", "columns"], output if dimensions == 2 else "scored"),
    ]
    if dimensions == 1:
        nodes.append(_node("Squeeze", ["scored"], output, axes=[1]))
    elif dimensions == 3:
        nodes.append(_node("Unsqueeze", ["scored"], output, axes=[1]))
    axes = ("batch", "column", "other")[:dimensions]
    graph = (
        b"".join(field(1, node) for node in nodes)
        + field(2, "toy")
        + field(5, _tensor("table", table))
        + field(5, _tensor("columns", np.array([columns], dtype=np.float32)))
        + field(5, _tensor("padding", np.array([padding], dtype=np.int64)))
        + b"".join(field(11, described(name, input_type, ("batch", "tokens"))) for name in inputs)
        + (field(12, described("count", FLOAT, ("batch", "column"))) if output == "logits" else b"")
        + field(12, described(output, FLOAT, axes))
    )
    return field(1, 7) + field(8, field(1, "") + field(2, 12)) + field(7, graph)


def _node(operator: str, inputs: Iterable[str], output: str, **attributes: int | list[int]) -> bytes:
    node = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator)
    for name, value in attributes.items():
        if isinstance(value, int):
            node += field(5, field(1, name) + field(3, value) + field(20, 2))
        else:
            node += field(5, field(1, name) + b"".join(field(8, each) for each in value) + field(20, 7))
    return node


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    sizes = b"".join(field(1, size) for size in values.shape)
    kind = FLOAT if values.dtype == np.float32 else INT64
    return sizes + field(2, kind) + field(8, name) + field(9, values.tobytes())


def described(name: str, kind: int, axes: Iterable[str]) -> bytes:
    """What a model's input or output is called, of which kind its numbers are, and its axes by name."""
    shape = b"".join(field(1, field(2, axis)) for axis in axes)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def field(number: int, value: int | bytes | str) -> bytes:
    """One field in Protocol Buffers' encoding, which ONNX files have: its number, and a number or bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
