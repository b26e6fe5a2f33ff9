"""Hostile files: none stops the ingest, leaves the folder, hangs or spoils its neighbours.

The files of the manifest lie beside the repository (``../shared``) and are skipped where
they are not; what must be made on the spot is made here.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from assistant.adapters.article_files import ArticleFiles
from assistant.domain.articles import Article
from assistant.domain.errors import ArticleRejected

DATA = Path(__file__).parents[3] / "shared" / "data" / "security" / "own"
MANIFEST = DATA / "malformed_manifest.json"
READ_IN_FOLDERS = (".md", ".txt", ".json", ".jsonl", ".html", ".pdf")
# Expectations that are not told by their first word.
ACCEPTED_AND_REJECTED = {
    "mixed.jsonl": (2, [":2: "]),
    "crlf_mixed.jsonl": (1, [":3: "]),
    "frontmatter.md": (0, [": "]),
}
SECONDS = 5

here = pytest.mark.skipif(not MANIFEST.exists(), reason=f"{MANIFEST} is not there")


class Outcome(NamedTuple):
    articles: list[Article]
    rejected: list[str]


def read(*paths: Path) -> Outcome:
    began = time.perf_counter()
    found = list(ArticleFiles(paths).read())
    assert time.perf_counter() - began < SECONDS
    rejected = [str(entry) for entry in found if isinstance(entry, ArticleRejected)]
    assert all(line.isprintable() for line in rejected)
    articles = [entry for entry in found if isinstance(entry, Article)]
    for article in articles:
        assert f"{article.text}{article.info}".encode()
        assert "\0" not in article.text
    return Outcome(articles, rejected)


def read_beside_a_good_one(folder: Path) -> Outcome:
    """What the folder gives beside one good article, which must be read."""
    (folder / "good neighbour.md").write_text("---\nid: good\n---\nThe dam opened on Monday.")
    outcome = read(folder)
    others = [article for article in outcome.articles if article.id != "good"]
    assert len(others) == len(outcome.articles) - 1
    return Outcome(others, outcome.rejected)


def manifest() -> list[tuple[str, str]]:
    rows = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []
    return [(row["file"], row["expect"]) for row in rows if row["class"] != "create-at-test-time"]


def expected_counts(name: str, expect: str) -> list[tuple[int, int]]:
    """The numbers of articles and rejections that fit the expectation."""
    if name in ACCEPTED_AND_REJECTED:
        accepted, rejected = ACCEPTED_AND_REJECTED[name]
        return [(accepted, len(rejected))]
    if " or " in expect or not expect.startswith(("accept", "reject")):
        return [(1, 0), (0, 1)]
    return [(1, 0)] if expect.startswith("accept") else [(0, 1)]


@here
@pytest.mark.parametrize(("name", "expect"), manifest(), ids=ascii)
def test_each_malformed_file_gets_its_verdict_beside_a_good_neighbour(
    tmp_path: Path, name: str, expect: str
) -> None:
    shutil.copyfile(DATA / "malformed" / name, tmp_path / name)
    outcome = read_beside_a_good_one(tmp_path)
    counts = len(outcome.articles), len(outcome.rejected)
    if name == "rss_script.xml":  # a feed, whose only entry has no text
        assert counts == (0, 1)
    elif name.startswith(".") or not name.endswith(READ_IN_FOLDERS):  # the other XML is no feed
        assert counts == (0, 0)
    else:
        assert counts in expected_counts(name, expect)
    for line, part in zip(outcome.rejected, ACCEPTED_AND_REJECTED.get(name, (0, []))[1], strict=False):
        assert part in line


@here
@pytest.mark.parametrize(("name", "expect"), manifest(), ids=ascii)
def test_each_malformed_file_can_be_named_itself(name: str, expect: str) -> None:
    outcome = read(DATA / "malformed" / name)
    assert outcome.articles or outcome.rejected
    if name.endswith((".pdf", ".xml", ".zip", ".gz", ".tar")) or name == "png_as_html.html":
        assert len(outcome.rejected) == 1


@here
def test_the_malformed_files_all_together(tmp_path: Path) -> None:
    for name, _ in manifest():
        shutil.copyfile(DATA / "malformed" / name, tmp_path / name)
    outcome = read_beside_a_good_one(tmp_path)
    wanted = [name for name, _ in manifest() if name.endswith(READ_IN_FOLDERS) and name != ".hidden.txt"]
    # mixed.jsonl has three verdicts and crlf_mixed.jsonl two, the others one each; one XML file is a feed
    assert len(outcome.articles) + len(outcome.rejected) == len(wanted) + 4


def test_a_link_to_the_outside_is_not_followed(tmp_path: Path) -> None:
    corpus, outside = tmp_path / "corpus", tmp_path / "corpus2"
    corpus.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text("Secret words.")
    (corpus / "passwd.txt").symlink_to("/etc/passwd")
    (corpus / "file.md").symlink_to("../corpus2/secret.md")
    (corpus / "folder").symlink_to(outside)
    (corpus / "zero.txt").symlink_to("/dev/zero")
    names = ["file.md", "folder", "passwd.txt", "zero.txt"]
    expected = [f"{corpus}/{name}: is a link that points outside {corpus}" for name in names]
    assert read_beside_a_good_one(corpus) == Outcome([], expected)


def test_a_link_to_the_inside_is_followed_even_to_a_hidden_folder(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.md").write_text("Words.")
    (tmp_path / "a.md").symlink_to("..data/a.md")
    (tmp_path / "again").symlink_to("..data")
    outcome = read_beside_a_good_one(tmp_path)
    assert [article.info.origin.path for article in outcome.articles] == ["a.md"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to("..")
    (tmp_path / "sub" / "self").symlink_to(".")
    (tmp_path / "a.md").symlink_to("b.md")
    (tmp_path / "b.md").symlink_to("a.md")
    (tmp_path / "gone.md").symlink_to("nowhere.md")
    outcome = read_beside_a_good_one(tmp_path)
    assert outcome.articles == []
    assert [line.split(": ")[1] for line in outcome.rejected] == ["is a link that cannot be followed"] * 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK])
def test_pipes_and_sockets_are_not_opened(tmp_path: Path, kind: int) -> None:
    special = tmp_path / "special.txt"
    os.mknod(special, 0o600 | kind)
    assert read_beside_a_good_one(tmp_path) == Outcome([], [f"{special}: is no regular file"])
    assert read(special) == Outcome([], [f"{special}: is no regular file"])


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="the system has no such device")
def test_a_device_is_not_opened(tmp_path: Path) -> None:
    assert read(Path("/dev/zero")) == Outcome([], ["/dev/zero: is no regular file"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "locked.md").write_text("Words.")
    (tmp_path / "locked.md").chmod(0)
    (tmp_path / "locked").mkdir(mode=0)
    outcome = read_beside_a_good_one(tmp_path)
    (tmp_path / "locked").chmod(0o700)
    assert outcome == Outcome(
        [],
        [
            f"{tmp_path}/locked.md: cannot be read: permission denied",
            f"{tmp_path}/locked: cannot be listed: permission denied",
        ],
    )


def test_a_folder_named_like_a_text_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    assert read_beside_a_good_one(tmp_path) == Outcome([], [])


@pytest.mark.parametrize(
    ("name", "limit"), [("big.txt", "20 MB"), ("big.md", "20 MB"), ("big.jsonl", "2000 MB")]
)
def test_a_sparse_giant_is_rejected_by_its_size(tmp_path: Path, name: str, limit: str) -> None:
    with (tmp_path / name).open("wb") as giant:
        giant.truncate(10_000_000_000)
    assert read_beside_a_good_one(tmp_path) == Outcome([], [f"{tmp_path}/{name}: is larger than {limit}"])


def test_a_name_that_is_no_utf8_can_be_stored(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xff.txt")).write_text("Words.")
        (tmp_path / os.fsdecode(b"bad\xfe.txt")).write_text("")
    except OSError:
        pytest.skip("the file system takes no such name")
    outcome = read_beside_a_good_one(tmp_path)
    assert [article.info.origin.path for article in outcome.articles] == [r"caf\udcff.txt"]
    assert outcome.rejected == [rf"{tmp_path}/bad\udcfe.txt: has no text"]


def test_files_may_change_between_listing_and_opening(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "sub").mkdir(parents=True)
    (tmp_path / "b.md").write_text("Secret words.")
    for name in ("a.md", "b.md", "c.md", "sub/b.md"):
        (corpus / name).write_text("Words.")
    found = ArticleFiles([corpus]).read()
    assert isinstance(next(found), Article)
    (corpus / "b.md").unlink()
    (corpus / "b.md").symlink_to(tmp_path / "b.md")
    (corpus / "c.md").unlink()
    shutil.rmtree(corpus / "sub")
    (corpus / "sub").symlink_to(tmp_path)
    assert [str(entry) for entry in found] == [
        f"{corpus}/b.md: is no regular file",
        f"{corpus}/c.md: cannot be read: no such file or directory",
        f"{corpus}/sub/b.md: cannot be read: not a directory",
    ]


def test_the_same_text_under_two_names_is_two_articles(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The same words.")
    (tmp_path / "b.txt").write_text("The same words.")
    assert len(read_beside_a_good_one(tmp_path).articles) == 2
