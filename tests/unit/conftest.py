from pathlib import Path

import pytest

from assistant.adapters.tantivy_index import TantivyIndex
from assistant.ports import IndexRow, LexicalIndex


@pytest.fixture(scope="session")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    """The real index's way with words, over next to nothing."""
    folder: Path = tmp_path_factory.mktemp("index") / "lexical"
    TantivyIndex.build(folder, [IndexRow("p1", "", "some words")])
    return TantivyIndex(folder)
