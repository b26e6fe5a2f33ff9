"""Where content comes from: what is named, the marked working directory, the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.content import content_folder
from assistant.domain.errors import ConfigurationError

MARKER = "assistant.toml"


def made(*parts: Path) -> Path:
    folder = Path(*parts)
    folder.mkdir(parents=True)
    return folder


def test_the_packages_own_is_used_in_a_folder_without_any(tmp_path: Path) -> None:
    folder = content_folder("corpus", named=None, working=tmp_path, marker=MARKER)
    assert (folder / "tokyo-command-upgrade.md").is_file()


def test_a_folder_of_that_name_alone_changes_nothing(tmp_path: Path) -> None:
    packaged = content_folder("corpus", named=None, working=tmp_path, marker=MARKER)
    made(tmp_path / "corpus")
    assert content_folder("corpus", named=None, working=tmp_path, marker=MARKER) == packaged


def test_the_marker_alone_changes_nothing(tmp_path: Path) -> None:
    packaged = content_folder("corpus", named=None, working=tmp_path, marker=MARKER)
    (tmp_path / MARKER).touch()
    (tmp_path / "corpus").touch()  # a file is no folder
    assert content_folder("corpus", named=None, working=tmp_path, marker=MARKER) == packaged


def test_a_marker_that_is_a_folder_does_not_count(tmp_path: Path) -> None:
    packaged = content_folder("corpus", named=None, working=tmp_path, marker=MARKER)
    made(tmp_path / MARKER)
    made(tmp_path / "corpus")
    assert content_folder("corpus", named=None, working=tmp_path, marker=MARKER) == packaged


def test_beside_the_marker_it_is_used(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    own = made(tmp_path / "corpus")
    assert content_folder("corpus", named=None, working=tmp_path, marker=MARKER) == own


def test_what_is_named_wins_over_everything(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    made(tmp_path / "corpus")
    named = made(tmp_path / "named" / "corpus")
    assert content_folder("corpus", named=named.parent, working=tmp_path, marker=MARKER) == named


def test_what_is_named_and_holds_none_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "corpus").touch()
    with pytest.raises(ConfigurationError, match="holds no folder 'corpus'"):
        content_folder("corpus", named=tmp_path, working=tmp_path, marker=MARKER)
