"""Where the content folders are: ``corpus/`` and ``prompts/``, evals beside them later.

A folder that a setting names wins; then the working directory, but only when it has
an ``assistant.toml`` (a foreign folder that happens to hold ``corpus/`` changes
nothing); then what came with the package.
"""

from __future__ import annotations

from pathlib import Path

from assistant.domain.errors import ConfigurationError

_PACKAGE = Path(__file__).parent


def content_folder(name: str, *, named: Path | None, working: Path, marker: str) -> Path:
    """The content folder of this name; raises ConfigurationError when the named one lacks it.

    marker: the file whose presence makes the working directory's content count.
    """
    if named is not None:
        if not (named / name).is_dir():
            raise ConfigurationError(f"the content folder {str(named)!r} holds no folder {name!r}")
        return named / name
    if (working / marker).is_file() and (working / name).is_dir():
        return working / name
    packaged = _PACKAGE / "content" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name  # the latter in a source checkout
