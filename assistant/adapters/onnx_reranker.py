"""A cross-encoder from a folder: it reads the question and a passage as one text, and scores the two.

The folder is one of Hugging Face's layout: model.onnx or onnx/model.onnx, tokenizer.json,
and, where they are there, tokenizer_config.json and config.json, which say how long a text
may be. Nothing is downloaded. onnxruntime runs the model on the CPU, tokenizers cuts the
texts into tokens (https://onnxruntime.ai/docs/api/python/, https://huggingface.co/docs/tokenizers/).
Models that rate by writing "yes" or "no" are none of these and are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.domain.errors import ConfigurationError
from assistant.domain.text import clean

if TYPE_CHECKING:
    from assistant.ports import Scores

BATCH = 16  # pairs that the model reads at once
THREADS = 2  # a question is asked on a machine that has other things to do
TOKENS = 512  # how long a pair may be where no file says so: what BERT and its kin were made for
_MODELS = ("model.onnx", "onnx/model.onnx")
_TOKENIZER = "tokenizer.json"
_PLAUSIBLE = range(16, 1_000_000)  # for a length; "no limit" is written as 10^30, and 0 would cut nothing
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_NUMBERS_AFTER_PADDING = ("roberta", "camembert", "mpnet")  # these count positions from the pad's number on


class OnnxReranker:
    """Scores by a cross-encoder, which is loaded with the first passage.

    folder: where it lies. batch: pairs that it reads at once. threads: how many it computes with.

    Raises ConfigurationError at once where the folder or a file that is needed is missing.
    """

    def __init__(self, folder: Path, *, batch: int = BATCH, threads: int = THREADS) -> None:
        self.name = f"onnx:{folder.resolve().name}"
        self._folder = folder
        self._model = _required(folder, *_MODELS)
        self._tokenizer = _required(folder, _TOKENIZER)
        self._batch = batch
        self._threads = threads
        self._loading = Lock()
        self._loaded: _Loaded | None = None

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        """One score for each passage, in their order.

        Of a pair that is too long for the model, the longer text loses its end.
        Raises ConfigurationError where the files cannot be used or are no cross-encoder's.
        """
        scores = np.zeros(len(passages), dtype=np.float32)
        if not passages:
            return scores
        with self._loading:  # two threads' first questions load one model
            self._loaded = loaded = self._loaded or self._load()
        pairs = self._pairs(loaded, question, passages)
        # Pairs of like length stand together, so that little is padded. Which do is decided by the
        # passages and their order alone: in a quantised model a pair's score depends a little on the others.
        order = sorted(range(len(pairs)), key=lambda at: len(pairs[at].ids))
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            scores[rows] = self._logits(loaded, [pairs[at] for at in rows])
        if not np.isfinite(scores).all():
            raise self._unusable("gave a score that is no number")
        return scores

    def _load(self) -> _Loaded:
        config = self._described("config.json")
        tokenizer = self._load_tokenizer()
        padding = _padding(tokenizer, config)
        tokenizer.no_padding()
        tokenizer.enable_truncation(
            _limit(self._described("tokenizer_config.json"), config, padding), strategy="longest_first"
        )
        session = self._load_session()
        inputs = {each.name: each.type for each in session.get_inputs()}
        if inputs.keys() - _INPUTS:
            raise self._unusable(f"is no cross-encoder: its inputs are {', '.join(inputs)}")
        if kinds := sorted({kind for kind in inputs.values() if kind != "tensor(int64)"}):
            raise self._unusable(f"is no cross-encoder: an input is {kinds[0]}, not tensor(int64)")
        outputs = [each.name for each in session.get_outputs()]
        return _Loaded(
            tokenizer, session, tuple(inputs), "logits" if "logits" in outputs else outputs[0], padding
        )

    def _load_tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(self._tokenizer))
        except Exception as error:  # tokenizers raises nothing more precise
            raise self._no_tokenizer(error) from error

    def _load_session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # only what ends the process: everything else is raised
        try:
            return onnxruntime.InferenceSession(
                str(self._model), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have nothing below Exception in common
            raise self._unusable(f"cannot be loaded: {_line(error)}") from error

    def _described(self, name: str) -> Mapping[str, Any]:
        """What the file says; nothing where it is not there."""
        path = self._folder / name
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise _error(f"{str(path)!r} cannot be read: {_line(error)}") from error
        if not isinstance(described, dict):
            raise _error(f"{str(path)!r} holds no settings")
        return described

    def _pairs(self, loaded: _Loaded, question: str, passages: Sequence[str]) -> list[Any]:
        """The question with each passage, as tokens."""
        try:
            return [loaded.tokenizer.encode(_whole(question), _whole(passage)) for passage in passages]
        except Exception as error:  # an unknown word, where the vocabulary has no token for these
            raise self._no_tokenizer(error) from error

    def _logits(self, loaded: _Loaded, pairs: Sequence[Any]) -> Scores:
        """The scores of one batch."""
        size = (len(pairs), max(len(pair.ids) for pair in pairs))
        feed = {name: np.zeros(size, dtype=np.int64) for name in _INPUTS}
        feed["input_ids"][:] = loaded.padding
        for row, pair in enumerate(pairs):
            length = len(pair.ids)
            feed["input_ids"][row, :length] = pair.ids
            feed["attention_mask"][row, :length] = pair.attention_mask
            feed["token_type_ids"][row, :length] = pair.type_ids
        try:
            (logits,) = loaded.session.run([loaded.output], {name: feed[name] for name in loaded.inputs})
        except Exception as error:  # as above
            raise self._unusable(f"cannot score: {_line(error)}") from error
        shape = getattr(logits, "shape", ())
        if shape not in ((len(pairs),), (len(pairs), 1), (len(pairs), 2)):
            raise self._unusable(
                f"is no cross-encoder: for {len(pairs)} passages its output {loaded.output!r} has the shape"
                f" {shape}, not ({len(pairs)}, 1)"
            )
        columns = np.asarray(logits, dtype=np.float32).reshape(len(pairs), -1)
        # Of two columns the second stands for "relevant", and their softmax rises with the difference.
        return columns[:, -1] - columns[:, 0] if columns.shape[1] > 1 else columns[:, 0]

    def _no_tokenizer(self, error: Exception) -> ConfigurationError:
        return _error(f"{str(self._tokenizer)!r} is no usable tokenizer: {_line(error)}")

    def _unusable(self, what: str) -> ConfigurationError:
        return _error(f"the reranker {str(self._model)!r} {what}")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The model at work: what it takes and gives, and the number of its padding token."""

    tokenizer: Any
    session: Any
    inputs: tuple[str, ...]
    output: str
    padding: int


def _required(folder: Path, *names: str) -> Path:
    """The first of these files that is there."""
    if not folder.is_dir():
        raise _error(f"the reranker's folder {str(folder)!r} does not exist or is no folder")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise _error(f"the reranker's folder {str(folder)!r} has no {' or '.join(names)}")


def _padding(tokenizer: Any, config: Mapping[str, Any]) -> int:
    """The number of the token that fills up: RoBERTa and its kin know it by that, and not by the mask."""
    named = (config.get("pad_token_id"), (tokenizer.padding or {}).get("pad_id"))
    known = (*named, *(tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>")))
    return next((number for number in known if isinstance(number, int)), 0)


def _limit(described: Mapping[str, Any], config: Mapping[str, Any], padding: int) -> int:
    """How many tokens a pair may have: what both files allow."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and str(config.get("model_type")).endswith(_NUMBERS_AFTER_PADDING):
        positions -= padding + 1
    told = (described.get("model_max_length"), positions)
    return min(
        (length for length in told if isinstance(length, int) and length in _PLAUSIBLE), default=TOKENS
    )


def _whole(text: str) -> str:
    """The text without half characters, which the tokenizer does not take."""
    return text.encode("utf-8", "replace").decode()


def _line(error: Exception) -> str:
    """What a vendor says, in one line, without its codes: "[ONNXRuntimeError] : 7 : FAIL : …"."""
    said = " ".join(clean(str(error)).split())
    return said.split(" : ", 3)[-1] if said.startswith("[ONNXRuntimeError]") else said


def _error(text: str) -> ConfigurationError:
    error = ConfigurationError(text)
    error.help = "Name a cross-encoder's folder with --reranker or ASSISTANT_RERANKER, or leave it out."
    return error
