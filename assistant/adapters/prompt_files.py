"""Prompts from Markdown files: front matter, then ``# Instructions`` and ``# Request``.

What cannot work is refused when the file is read, not when a question is asked with
it: a misspelt key or placeholder, a missing section, words that other code looks for.
The hash is over the text and not over the bytes, so that a checkout with other line
ends does not count as another prompt.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from assistant.domain.errors import PromptInvalid
from assistant.domain.prompts import PLACEHOLDER, Prompt

_SECTIONS = ["Instructions", "Request"]
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
_HEADING = re.compile(r"^#[ \t]+(.*?)[ \t]*$", re.MULTILINE)

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class PromptFiles:
    """The prompts of one folder, ``<id>.md`` each, read and checked at every call.

    required: for each id the placeholders that the code fills.
    phrases: for each id what its text must hold, in the request when a placeholder is in it,
        else in the instructions.
    examples_above: the highest number that a request may give out; those in the instructions must
        never be among them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        required: Mapping[str, Collection[str]],
        phrases: Mapping[str, Collection[str]],
        examples_above: int = 0,
    ) -> None:
        self._folder = folder
        self._required = required
        self._phrases = phrases
        self._examples_above = examples_above

    def prompt(self, prompt_id: str) -> Prompt:
        """The prompt; raises PromptInvalid when it is missing or lacks what it needs."""
        file = self._folder / f"{prompt_id}.md"
        try:
            text = _read(file)
            front, body = _split(text)
            facts = _facts(front)
            instructions, request = _sections(body)
            if facts.id != prompt_id:
                _refuse(f"id: {facts.id!r} is not the name of the file; write {prompt_id!r}")
            _check_placeholders(facts.placeholders, self._required[prompt_id], instructions, request)
            _check_phrases(self._phrases[prompt_id], instructions, request)
            _check_examples(self._examples_above, instructions)
        except _Refused as refused:
            raise PromptInvalid(f"{str(file)!r}: {refused}") from None
        return Prompt(prompt_id, instructions, request, hashlib.sha256(text.encode()).hexdigest()[:12])


class _Refused(ValueError):
    """Why the file is no prompt, and what to write instead."""


class _Facts(BaseModel):
    """The front matter. purpose is for the people who edit the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str
    purpose: _Text
    placeholders: list[str]


def _refuse(why: str) -> NoReturn:
    raise _Refused(why)


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")  # its line ends are read as \n, whatever they are
    except FileNotFoundError:
        _refuse("there is no such file")
    except UnicodeDecodeError:
        _refuse("is not UTF-8; save it in that encoding")
    except OSError as error:
        _refuse(f"cannot be read: {error.strerror}")
    return text


def _split(text: str) -> tuple[str, str]:
    found = _FRONT_MATTER.match(text)
    if not found:
        _refuse("has no front matter; begin it with a line ---, the keys, and a line ---")
    return found[1], text[found.end() :]


def _facts(front: str) -> _Facts:
    try:
        return _Facts.model_validate(yaml.safe_load(front))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "front matter"
        _refuse(f"{key}: {first['msg']}; the keys are {', '.join(_Facts.model_fields)}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(f"front matter cannot be read: {' '.join(str(error).split())}")


def _sections(body: str) -> tuple[str, str]:
    before, *parts = _HEADING.split(body)
    headings, texts = parts[::2], [part.strip() for part in parts[1::2]]
    if headings != _SECTIONS:
        there = ", ".join(f"'# {heading}'" for heading in headings) or "none"
        _refuse(
            f"needs the headings '# Instructions' and '# Request', in this order and no other; has {there}"
        )
    if before.strip():
        _refuse("has text before '# Instructions', which nobody would see; move it below")
    for heading, text in zip(headings, texts, strict=True):
        if not text:
            _refuse(f"has nothing below '# {heading}'")
    return texts[0], texts[1]


def _check_placeholders(
    declared: Collection[str], needed: Collection[str], instructions: str, request: str
) -> None:
    if "${" in instructions:
        _refuse("the instructions are the same for every question; move what holds ${…} to '# Request'")
    used = PLACEHOLDER.findall(request)
    if request.count("${") != len(used):
        _refuse(
            "'# Request' holds a '${' that is no placeholder; write one as ${name}, in lower-case letters"
        )
    for name in sorted({*declared, *used, *needed}):
        if name not in needed:
            _refuse(f"nothing is known as {name!r}; the placeholders are {', '.join(sorted(needed))}")
        if name not in used:
            _refuse(f"'# Request' does not use ${{{name}}}, which it needs")
        if name not in declared:
            _refuse(f"placeholders: does not list {name!r}, which '# Request' uses")
    if len(set(declared)) != len(declared):
        _refuse("placeholders: lists a name twice")


def _check_phrases(phrases: Collection[str], instructions: str, request: str) -> None:
    for phrase in phrases:
        heading, text = ("Request", request) if PLACEHOLDER.search(phrase) else ("Instructions", instructions)
        if phrase not in text:
            _refuse(f"'# {heading}' must hold {phrase!r}, as it is: other code relies on it")


def _check_examples(above: int, instructions: str) -> None:
    """An example that looks like a number of this request would be taken for a citation."""
    for number in re.findall(r"\[(\d+)\]", instructions):
        if int(number) <= above:
            _refuse(f"the example [{number}] may be a sentence's own number; write one above {above}")
