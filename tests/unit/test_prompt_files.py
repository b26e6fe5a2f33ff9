import re
from pathlib import Path

import pytest

from assistant.adapters.prompt_files import PromptFiles
from assistant.domain.errors import PromptInvalid
from assistant.domain.prompts import Prompt
from assistant.prompting import ABSTAIN, PHRASES, REQUIRED

PROMPTS = Path(__file__).parents[2] / "prompts"
GREET = """---
id: greet
purpose: Says hello.
placeholders: [name, day]
---

# Instructions

Be brief, say `HELLO`.

## How

Not a section of its own.

# Request

Today: ${day}
Greet ${name}, ${name}!
"""


def prompts(folder: Path, text: str | bytes = GREET) -> PromptFiles:
    data = text.encode() if isinstance(text, str) else text
    (folder / "greet.md").write_bytes(data)
    return PromptFiles(
        folder,
        required={"greet": {"name", "day"}},
        phrases={"greet": ("`HELLO`", "Today: ${day}\n")},
        examples_above=899,
    )


def test_a_prompt_has_instructions_and_a_request(tmp_path: Path) -> None:
    assert prompts(tmp_path).prompt("greet") == Prompt(
        id="greet",
        instructions="Be brief, say `HELLO`.\n\n## How\n\nNot a section of its own.",
        request="Today: ${day}\nGreet ${name}, ${name}!",
        hash="5740862e3d69",
    )


@pytest.mark.parametrize("other", [GREET.replace("\n", "\r\n"), GREET.replace("\n", "\r"), f"\ufeff{GREET}"])
def test_line_ends_and_a_byte_order_mark_make_no_other_prompt(other: str, tmp_path: Path) -> None:
    assert prompts(tmp_path, other).prompt("greet") == prompts(tmp_path).prompt("greet")


def test_every_other_change_does(tmp_path: Path) -> None:
    before = prompts(tmp_path).prompt("greet").hash
    assert prompts(tmp_path, GREET.replace("hello", "good day")).prompt("greet").hash != before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "Be brief",
            "Be brief [899]",
            "the example [899] may be a sentence's own number; write one above 899",
        ),
        ("---\nid", "id", "has no front matter; begin it with a line ---"),
        ("---\n\n# Ins", "\n# Ins", "has no front matter; begin it with a line ---"),
        ("id: greet", "id: great", "id: 'great' is not the name of the file; write 'greet'"),
        ("id: greet", "id: 7", "id: Input should be a valid string; the keys are id, purpose, placeholders"),
        ("purpose: Says hello.\n", "", "purpose: Field required"),
        ("Says hello.", "", "purpose: Input should be a valid string"),
        ("Says hello.", "'  '", "purpose: String should have at least 1 character"),
        ("purpose", "porpoise", "purpose: Field required"),
        ("purpose:", "model: gpt\npurpose:", "model: Extra inputs are not permitted"),
        ("[name, day]", "name, day", "placeholders: Input should be a valid list"),
        ("[name, day]", "[name, 3]", "placeholders.1: Input should be a valid string"),
        ("[name, day]", "[name, day", "front matter cannot be read: while parsing a flow sequence"),
        ("[name, day]", "[" * 500, "front matter cannot be read: "),
        ("Says hello.", "2024-99-99", "front matter cannot be read: month must be in 1..12"),
        ("Says hello.", "!!python/name:os.system", "front matter cannot be read: could not determine"),
        ("id: greet\npurpose: Says hello.\nplaceholders: [name, day]\n", "- greet\n", "front matter: Input"),
        ("# Instructions", "# Instruction", "needs the headings '# Instructions' and '# Request', in this"),
        ("# Request", "## Request", "in this order and no other; has '# Instructions'"),
        ("## How", "# How", "has '# Instructions', '# How', '# Request'"),
        ("# Instructions", "Hello.\n\n# Instructions", "has text before '# Instructions'"),
        ("Greet ${name}, ${name}!", "Greet!", "'# Request' does not use ${name}, which it needs"),
        ("Greet", "${greeting}", "nothing is known as 'greeting'; the placeholders are day, name"),
        ("[name, day]", "[name, day, time]", "nothing is known as 'time'"),
        ("[name, day]", "[name]", "placeholders: does not list 'day', which '# Request' uses"),
        ("[name, day]", "[name, day, day]", "placeholders: lists a name twice"),
        ("Greet", "${Greeting}", "'# Request' holds a '${' that is no placeholder"),
        ("Be brief", "Be brief, ${name}", "the instructions are the same for every question"),
        ("`HELLO`", "HELLO", "'# Instructions' must hold '`HELLO`', as it is: other code relies on it"),
        ("Today: ${day}", "On ${day}", "'# Request' must hold 'Today: ${day}\\n'"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(old: str, new: str, reason: str, tmp_path: Path) -> None:
    assert old in GREET
    with pytest.raises(PromptInvalid, match=re.escape(reason)) as refused:
        prompts(tmp_path, GREET.replace(old, new, 1)).prompt("greet")
    assert str(refused.value).startswith(f"{str(tmp_path / 'greet.md')!r}: ")
    assert "\n" not in str(refused.value)


def test_sections_have_an_order_and_a_text(tmp_path: Path) -> None:
    front, instructions, request = re.split(r"^(?=# )", GREET, flags=re.MULTILINE)
    with pytest.raises(PromptInvalid, match="has '# Request', '# Instructions'"):
        prompts(tmp_path, f"{front}{request}{instructions}").prompt("greet")
    with pytest.raises(PromptInvalid, match="has nothing below '# Request'"):
        prompts(tmp_path, f"{front}{instructions}# Request\n \n").prompt("greet")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptInvalid, match="is not UTF-8; save it in that encoding"):
        prompts(tmp_path, GREET.replace("hello", "olá").encode("latin-1")).prompt("greet")
    source = prompts(tmp_path)
    (tmp_path / "greet.md").unlink()
    with pytest.raises(PromptInvalid, match=r"greet\.md': there is no such file"):
        source.prompt("greet")
    (tmp_path / "greet.md").mkdir()
    with pytest.raises(PromptInvalid, match="cannot be read: Is a directory"):
        source.prompt("greet")


def test_an_edit_counts_from_the_next_prompt_on(tmp_path: Path) -> None:
    source = prompts(tmp_path)
    before = source.prompt("greet")
    (tmp_path / "greet.md").write_text(GREET.replace("brief", "kind"))
    assert source.prompt("greet").instructions == before.instructions.replace("brief", "kind")


@pytest.mark.parametrize("prompt_id", sorted(REQUIRED))
def test_our_own_prompts_can_be_used(prompt_id: str) -> None:
    prompt = PromptFiles(PROMPTS, required=REQUIRED, phrases=PHRASES).prompt(prompt_id)
    assert prompt.placeholders == REQUIRED[prompt_id]


def test_there_is_no_prompt_that_nothing_uses() -> None:
    assert {file.stem for file in PROMPTS.glob("*.md")} - {"README"} == set(REQUIRED) == set(PHRASES)


def test_the_answer_prompt_names_the_token_and_examples_that_cannot_exist() -> None:
    instructions = PromptFiles(PROMPTS, required=REQUIRED, phrases=PHRASES).prompt("answer").instructions
    assert f"`{ABSTAIN}`" in instructions
    assert set(re.findall(r"\[(\d+)\]", instructions)) == {"901", "902"}


def test_an_example_above_every_number_is_fine(tmp_path: Path) -> None:
    assert (
        "[901]" in prompts(tmp_path, GREET.replace("Be brief", "Be brief [901]")).prompt("greet").instructions
    )
