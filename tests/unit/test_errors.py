"""The error tree: drawn in its module as it is, and each error with what to do about it."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

import pytest

from assistant.domain import errors
from assistant.domain.errors import ArticleRejected, AssistantError


def tree(root: type[AssistantError], depth: int = 0) -> Iterator[tuple[int, type[AssistantError]]]:
    """The classes below the root, each with its depth, in the order of definition."""
    yield depth, root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child, depth + 1)


CLASSES = [each for _, each in tree(AssistantError)]
LEAVES = [each for each in CLASSES if not each.__subclasses__()]


def name_of(each: type[AssistantError]) -> str:
    return each.__name__


def test_the_module_draws_the_tree_as_it_is() -> None:
    lines = re.findall(r"^( *)([A-Z][A-Za-z]+)(?:  +|$)", errors.__doc__ or "", re.MULTILINE)
    drawn = [(len(indent) // 2, name) for indent, name in lines]
    assert drawn == [(depth, each.__name__) for depth, each in tree(AssistantError)]


@pytest.mark.parametrize("each", CLASSES, ids=name_of)
def test_every_error_says_what_it_is_in_a_sentence(each: type[AssistantError]) -> None:
    assert each.__doc__ is not None
    assert re.match(r"[A-Z].*[.;]", each.__doc__)
    assert each is AssistantError or each.__doc__ != AssistantError.__doc__


@pytest.mark.parametrize("each", LEAVES, ids=name_of)
def test_every_error_that_is_raised_says_what_to_do(each: type[AssistantError]) -> None:
    assert re.match(r"[A-Z`'].*[.\")]$", each.help)


@pytest.mark.parametrize("each", LEAVES, ids=name_of)
def test_no_two_errors_give_the_same_advice(each: type[AssistantError]) -> None:
    assert [other.__name__ for other in LEAVES if other.help == each.help] == [each.__name__]


def test_only_what_may_work_later_without_a_change_is_retryable() -> None:
    assert [each.__name__ for each in CLASSES if each.retryable] == [
        "WorkerLost",
        "LibraryBusy",
        "HistoryBusy",
        "ProviderUnreachable",
        "ProviderBusy",
        "ProviderTimedOut",
        "ProviderPaused",
        "ReplyMalformed",
        "ReplyIncomplete",
    ]


def test_a_rejected_article_says_where_and_why() -> None:
    error = ArticleRejected("news/a.jsonl:3", "no text")
    assert (str(error), error.where, error.reason) == ("news/a.jsonl:3: no text", "news/a.jsonl:3", "no text")


def test_a_rejected_article_travels_between_processes() -> None:
    sent = pickle.loads(pickle.dumps(ArticleRejected("a.md", "no text")))  # noqa: S301 -- our own bytes
    assert (sent.where, sent.reason) == ("a.md", "no text")
