"""Print the one command of a marked block of README.md, so that CI runs what a newcomer runs.

A block is marked by the comment ``<!-- ci: NAME -->`` on the line before its fence::

    <!-- ci: tests -->
    ```console
    pip install '.[test]' && pytest
    ```
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


class NotOneLine(Exception):
    """README.md does not hold exactly one command under this mark; the message says what it holds."""


def readme_line(text: str, name: str) -> str:
    """The command in the block that is marked with this name."""
    mark = f"<!-- ci: {name} -->"
    blocks: list[str] = re.findall(
        rf"^{re.escape(mark)}\n```(?:console|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    if len(blocks) != 1:
        raise NotOneLine(f"{mark} stands directly before {len(blocks)} console or sh fences instead of one")
    lines = [line.strip().removeprefix("$ ") for line in blocks[0].splitlines() if line.strip()]
    if len(lines) != 1:
        raise NotOneLine(f"the block under {mark} holds {len(lines)} lines instead of one")
    return lines[0]


def main(arguments: list[str]) -> int:
    """Print the command; 1 and a reason on stderr when there is none."""
    try:
        print(readme_line(README.read_text(encoding="utf-8"), " ".join(arguments)))
    except (OSError, NotOneLine) as error:
        print(f"README.md: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
