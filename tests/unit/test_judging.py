"""A second reading by the model: it lowers a verdict by one step, never raises one, and may fail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from assistant.answering import Assistant
from assistant.bootstrap import build_assistant, build_chat
from assistant.domain.answers import Abstention, AbstentionReason, Answer, Support
from assistant.domain.conversation import Completion, Finish
from assistant.domain.errors import ProviderTimedOut
from assistant.domain.events import Delta
from assistant.generating import JUDGE_TOKENS
from assistant.grounding.verdicts import Finding, Verdict
from assistant.ingest import ingest, preparation
from assistant.judging import NO, PARTLY, YES, lowered
from assistant.ports import ChatModel
from assistant.settings import Settings
from assistant.testing import (
    BlindEmbedder,
    FixedClock,
    FullStopSegmenter,
    ListSource,
    MemoryGenerations,
    ScriptedChatModel,
    sample_articles,
)
from assistant.testing.openai_server import OpenAIServer, Reply

CRACKS = "How many cracks does the Quill Bridge have?"
DOUBT = "a second reading by scripted:model doubts it"
# In the prompt for CRACKS, sentence 1 says that it has 19 cracks.
RIGHT, WRONG, REPORTED = "It has 19 cracks. [1]", "It has 45 cracks. [1]", "Ferries run every half hour. [5]"
SUPPORTED = Verdict(Support.SUPPORTED, "the cited sentences bear it out", ())
PARTIAL = Verdict(Support.PARTIAL, "it is a plan", (Finding("plan", False, "it is a plan"),))
UNSUPPORTED = Verdict(Support.UNSUPPORTED, "45 is not there", (Finding("value", True, "45 is not there"),))


def over_samples(chat: ChatModel, **settings: Any) -> Assistant:
    segmenter, embedder = FullStopSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource(sample_articles()), generations, segmenter=segmenter, embedder=embedder)
    return build_assistant(
        Settings(corpus="samples", judge=True, **settings),
        generations=generations,
        segmenter=segmenter,
        embedder=embedder,
        clock=FixedClock(date(2031, 4, 1)),
        chat=chat,
    )


@pytest.mark.parametrize(
    ("verdict", "reply", "support"),
    [
        (SUPPORTED, YES, Support.SUPPORTED),
        (SUPPORTED, PARTLY, Support.PARTIAL),
        (SUPPORTED, NO, Support.PARTIAL),
        (PARTIAL, YES, Support.PARTIAL),
        (PARTIAL, PARTLY, Support.PARTIAL),
        (PARTIAL, NO, Support.UNSUPPORTED),
        *((UNSUPPORTED, word, Support.UNSUPPORTED) for word in (YES, PARTLY, NO)),
    ],
)
@pytest.mark.parametrize("written", ["{}", " `{}`.\n", "**{}**"])
def test_a_verdict_goes_down_one_step_at_most(
    verdict: Verdict, reply: str, support: Support, written: str
) -> None:
    after = lowered(verdict, written.format(reply), "scripted:model")
    assert after.support is support
    assert (after == verdict) is (support is verdict.support)
    assert after.findings[: len(verdict.findings)] == verdict.findings


def test_the_doubt_stands_behind_what_the_rules_say() -> None:
    assert lowered(SUPPORTED, "no", "scripted:model").why == DOUBT
    assert lowered(PARTIAL, "no", "scripted:model").why == f"it is a plan; {DOUBT}"


@pytest.mark.parametrize("reply", ["", "NOT", "YES or NO", "NO, it has 45.", "NONO", "I say NO", "nein"])
def test_what_is_not_the_one_word_changes_nothing(reply: str) -> None:
    assert lowered(SUPPORTED, reply, "scripted:model") == SUPPORTED


@pytest.mark.parametrize(
    ("reply", "support"),
    [
        ("YES", Support.SUPPORTED),
        ("PARTLY", Support.PARTIAL),
        ("NO", Support.PARTIAL),
        ([ProviderTimedOut("no reply")], Support.SUPPORTED),
        (["NO", ProviderTimedOut("no reply")], Support.SUPPORTED),
        (["NO", Completion(Finish.LENGTH)], Support.SUPPORTED),
        (["NO", Completion(Finish.REFUSAL)], Support.SUPPORTED),
    ],
)
def test_a_claim_is_read_again(reply: str | Sequence[Any], support: Support) -> None:
    chat = ScriptedChatModel(RIGHT, reply)
    result = over_samples(chat).ask(CRACKS)
    chat.assert_complete()
    assert isinstance(result, Answer)
    assert [claim.support for claim in result.claims] == [support]
    assert (result.claims[0].why == DOUBT) is (support is Support.PARTIAL)
    assert result.degraded is None
    assert sorted(result.provenance.prompts) == ["answer", "judge_support"]


def test_its_tokens_are_counted_and_it_shares_the_time() -> None:
    chat = ScriptedChatModel(RIGHT, "YES")
    usage = over_samples(chat, model_seconds=2.0).ask(CRACKS).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.exact) == (200, 20, True)
    answering, judging = chat.calls
    assert judging.answer_tokens == JUDGE_TOKENS
    assert judging.seconds <= answering.seconds < 2
    assert "Claim: It has 19 cracks.\n" in f"{judging.messages[1].text}\n"


def test_it_is_read_while_the_answer_is_still_coming() -> None:
    end = Completion(Finish.STOP, 1, 0, 1)
    chat = ScriptedChatModel(["It has 19 cracks. [1] ", "It is closed. [1]", end], "NO", "YES")
    shown = []
    for event in over_samples(chat).stream(CRACKS):
        if isinstance(event, Delta):
            shown.append((event.text, len(chat.calls)))
    assert shown == [("It has 19 cracks. [1]", 2), (" It is closed. [1]", 3)]


@pytest.mark.parametrize(("mode", "calls"), [("drop", 2), ("strict", 1), ("mark", 2)])
def test_only_what_the_rules_let_pass_is_read_again(mode: str, calls: int) -> None:
    chat = ScriptedChatModel(f"{WRONG} {REPORTED} It fell.", *["YES"] * (calls - 1))
    over_samples(chat, support=mode).ask(CRACKS)
    chat.assert_complete()


def test_a_doubtful_claim_that_is_doubted_again_is_dropped() -> None:
    chat = ScriptedChatModel(REPORTED, "NO")
    result = over_samples(chat).ask(CRACKS)
    assert isinstance(result, Abstention)
    assert (result.reason, result.dropped) == (AbstentionReason.GROUNDING, 1)


@pytest.mark.enable_socket
def test_one_model_behind_http_reads_claims_while_its_answer_streams() -> None:
    replies = [Reply(f"{RIGHT} It has more cracks now. [1]", pieces=8), Reply("PARTLY"), Reply("YES")]
    with OpenAIServer(replies) as server:
        settings = Settings(model="test-model", base_url=server.base_url)
        result = over_samples(build_chat(settings, "openai:test-model")).ask(CRACKS)
        server.assert_complete()
    assert isinstance(result, Answer)
    assert result.claims[0].why == "a second reading by openai:test-model doubts it"
    assert result.usage.exact
