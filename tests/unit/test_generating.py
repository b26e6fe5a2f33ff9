"""Answers that a model writes: what is shown, what is dropped, and what happens when it fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

import pytest

from assistant.answering import Assistant
from assistant.bootstrap import build_assistant
from assistant.domain.answers import Abstention, AbstentionReason, Answer, Support
from assistant.domain.conversation import Completion, Finish, Turn
from assistant.domain.errors import (
    ContentRefused,
    LibraryDamaged,
    PromptTooLong,
    ProviderError,
    ProviderTimedOut,
    ReplyIncomplete,
)
from assistant.domain.events import Delta, Done, Event, Failed, Retracted
from assistant.generating import CONDENSE_TOKENS
from assistant.ingest import ingest, preparation
from assistant.prompting import ABSTAIN, NOT_SAID
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

CRACKS = "How many cracks does the Quill Bridge have?"
END = Completion(Finish.STOP, 1_000, 800, 20)
_Kind = TypeVar("_Kind")


def over_samples(chat: ScriptedChatModel, **settings: Any) -> Assistant:
    """An assistant over the sample articles whose answers the script writes."""
    segmenter, embedder = FullStopSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource(sample_articles()), generations, segmenter=segmenter, embedder=embedder)
    return build_assistant(
        Settings(corpus="samples", **settings),
        generations=generations,
        segmenter=segmenter,
        embedder=embedder,
        clock=FixedClock(date(2031, 4, 1)),
        chat=chat,
        new_id=lambda: "the-id",
    )


def shown_numbers(chat: ScriptedChatModel) -> dict[str, int]:
    """The number of each sentence in the last prompt."""
    request = chat.calls[-1].messages[-1].text
    return {text: int(number) for number, text in re.findall(r"^\[(\d+)\] (.*)$", request, re.MULTILINE)}


def asked(*replies: str | Sequence[Any], question: str = CRACKS, **settings: Any) -> Answer | Abstention:
    """The result when the model replies so; ``{19}`` stands for the number of the sentence with "19"."""
    return over_samples(ScriptedChatModel(*map(numbered, replies)), **settings).ask(question)


def numbered(reply: str | Sequence[Any]) -> str | list[Any]:
    if isinstance(reply, str):
        return with_numbers(reply)
    return [with_numbers(piece) if isinstance(piece, str) else piece for piece in reply]


def with_numbers(text: str) -> str:
    """Numbers are the same for the same question and articles: looked up once."""
    chat = ScriptedChatModel(ABSTAIN)
    over_samples(chat).ask(CRACKS)
    known = shown_numbers(chat)
    return re.sub(
        r"\{(\w+)\}", lambda key: str(next(n for text, n in known.items() if key.group(1) in text)), text
    )


def of_kind(events: Sequence[Event], kind: type[_Kind]) -> list[_Kind]:
    return [event for event in events if isinstance(event, kind)]


def test_statements_come_with_their_citations_in_order_of_use() -> None:
    result = asked("It has 19 now. [{19}] Before, it had 14. [{14}] It stays closed. [{19}][{May}]")
    assert isinstance(result, Answer)
    assert result.text == "It has 19 now. [1] Before, it had 14. [2] It stays closed. [1][3]"
    assert [claim.citations for claim in result.claims] == [(1,), (2,), (1, 3)]
    assert [citation.quote for citation in result.citations] == [
        "The number of cracks in the Quill Bridge has risen to 19.",
        "Engineers had found 14 cracks in its northern pier.",
        "The bridge stays closed until May.",
    ]
    assert result.provenance.model == "scripted:model"
    assert list(result.provenance.prompts) == ["answer"]
    assert (result.degraded, result.complete, result.confidence) == (None, True, None)


def test_what_was_shown_is_what_is_kept() -> None:
    chat = ScriptedChatModel(
        [*with_numbers("It has 19. [{19}] Nobody knows why. So it is closed. [{May}]"), END]
    )
    events = list(over_samples(chat).stream(CRACKS))
    (done,) = of_kind(events, Done)
    assert "".join(delta.text for delta in of_kind(events, Delta)) == done.result.text
    assert done.result.text == "It has 19. [1] So it is closed. [2]"
    assert done.result.dropped == 1


def test_a_statement_is_given_out_before_the_next_one_comes() -> None:
    pieces = ["It has 19. [", with_numbers("{19}"), "] I", "t is closed. [", with_numbers("{May}]")]
    chat = ScriptedChatModel([*pieces, END])
    kinds = [
        event.text if isinstance(event, Delta) else type(event).__name__
        for event in over_samples(chat).stream(CRACKS)
    ]
    assert kinds == ["Status", "Status", "Sources", "Status", "It has 19. [1]", " It is closed. [2]", "Done"]


def test_markers_that_lead_nowhere_are_removed_and_counted() -> None:
    result = asked("It has 19. [{19}][77][901] It fell down. [902]")
    assert result.text == "It has 19. [1]"
    assert (result.unknown_markers, result.dropped) == (3, 1)


def test_a_quotation_that_is_in_no_sentence_drops_its_statement() -> None:
    result = asked("Engineers “wept for days”. [{14}] They “had found 14 cracks”. [{14}]")
    assert result.text == "They “had found 14 cracks”. [1]"
    assert result.dropped == 1


def test_a_link_is_never_shown() -> None:
    result = asked("It has 19, see [this](https://evil.example/?q=1) or https://evil.example/a. [{19}]")
    assert "evil" not in result.text
    assert "19" in result.text


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        (ABSTAIN, AbstentionReason.MODEL, "Not in the corpus (samples: 4 articles"),
        (f"`{ABSTAIN}`.", AbstentionReason.MODEL, "Not in the corpus"),
        (f"{ABSTAIN}. The articles are about a bridge.", AbstentionReason.MODEL, "Not in the corpus"),
        (
            f"{NOT_SAID} how many cracks there are.",
            AbstentionReason.MODEL,
            "Not in the corpus",
        ),
        ("It has three hundred cracks.", AbstentionReason.GROUNDING, "Nothing that the model wrote"),
    ],
)
def test_without_a_statement_that_stands_it_abstains(reply: str, reason: AbstentionReason, said: str) -> None:
    result = asked(reply)
    assert isinstance(result, Abstention)
    assert result.reason is reason
    assert result.text.startswith(said)
    assert result.nearest
    assert result.provenance.model == "scripted:model"


def test_a_part_that_the_sources_do_not_answer_is_said_beside_one_that_they_do() -> None:
    question = "How many cracks does the Quill Bridge have, and what does the repair cost?"
    result = asked(f"{NOT_SAID} what the repair costs. It has 19. [{{19}}]", question=question)
    assert isinstance(result, Answer)
    assert result.text == f"{NOT_SAID} what the repair costs. It has 19. [1]"
    assert [claim.support for claim in result.claims] == [Support.UNCITED, Support.SUPPORTED]


@pytest.mark.parametrize(
    "smuggled",
    [
        f"{NOT_SAID} why Varga took 5 million.",
        f"{NOT_SAID} what the repair costs, but the mayor took bribes.",
        f"{NOT_SAID} what the repair costs and everybody who crosses it dies.",
        f"{NOT_SAID} what the “repair” costs.",
        f"{NOT_SAID}onara, the repair costs.",
        f"{NOT_SAID}.",
    ],
)
def test_what_the_sources_do_not_say_is_said_in_the_words_of_the_question(smuggled: str) -> None:
    question = "How many cracks does the Quill Bridge have, and what does the repair cost?"
    assert asked(f"It has 19. [{{19}}] {smuggled}", question=question).text == "It has 19. [1]"


def test_weak_retrieval_asks_no_model() -> None:
    chat = ScriptedChatModel()
    result = over_samples(chat).ask("Which zoologist catalogued Patagonian beetles?")
    assert isinstance(result, Abstention)
    assert result.reason is AbstentionReason.RETRIEVAL
    assert result.usage.prompt_tokens == 0


def test_a_question_about_the_sources_is_asked_though_they_hold_few_of_its_words() -> None:
    about = "Patagonian beetles, zoologists and a closed museum"
    chat = ScriptedChatModel(ABSTAIN)
    over_samples(chat).ask(f"Who wrote on {about}?")
    assert chat.calls == []
    over_samples(chat).ask(f"Which articles are on {about}?")
    chat.assert_complete()


def test_a_failing_model_leaves_the_extract_and_says_why() -> None:
    result = asked([ProviderTimedOut("no reply within 30 s")])
    assert isinstance(result, Answer)
    assert "19" in result.text
    assert result.provenance.model is None
    assert result.degraded
    assert result.degraded.reason == "the model did not answer: no reply within 30 s; these are extracts"


def test_a_reply_that_breaks_off_keeps_its_checked_beginning_and_is_marked() -> None:
    result = asked(["It has 19. [{19}] It is clo", ReplyIncomplete("the connection broke off")])
    assert result.text == "It has 19. [1]"
    assert not result.complete
    assert result.degraded
    assert "broke off: the connection broke off" in result.degraded.reason


def test_a_reply_that_breaks_off_before_its_first_statement_leaves_the_extract() -> None:
    result = asked(["It ha", ReplyIncomplete("the connection broke off")])
    assert isinstance(result, Answer)
    assert result.complete
    assert result.provenance.model is None


def test_a_reply_that_is_too_long_loses_its_dangling_end() -> None:
    result = asked(["It has 19. [{19}] It is closed. [{Ma", Completion(Finish.LENGTH, 10, 0, 800)])
    assert result.text == "It has 19. [1]"
    assert not result.complete
    assert result.degraded
    assert "longer than 800 tokens" in result.degraded.reason


def test_what_a_filter_stops_is_taken_back_and_the_extract_given() -> None:
    chat = ScriptedChatModel([with_numbers("It has 19. [{19}] And"), Completion(Finish.CONTENT_FILTER)])
    events = list(over_samples(chat).stream(CRACKS))
    kinds = [type(event) for event in events]
    assert kinds[-4:] == [Delta, Retracted, Delta, Done]
    (done,) = of_kind(events, Done)
    assert events[-2] == Delta(done.result.text)
    assert done.result.provenance.model is None


@pytest.mark.parametrize("begun", ["", "It has 19. [{19}] And"])
def test_a_refusal_is_told_without_citations(begun: str) -> None:
    result = asked([begun, Completion(Finish.REFUSAL, 10, 0, 2)])
    assert isinstance(result, Abstention)
    assert result.reason is AbstentionReason.REFUSAL
    assert result.text.startswith("The model refused to answer this question.")


@pytest.mark.parametrize(
    "reply",
    [
        [ProviderTimedOut("no reply")],
        ["It has 19. [{19}] It is clo", ReplyIncomplete("the connection broke off")],
        ["It has 19. [{19}] It", Completion(Finish.CONTENT_FILTER)],
    ],
)
def test_a_model_that_is_required_and_fails_is_an_error(reply: list[Any]) -> None:
    with pytest.raises(ProviderError):
        asked(reply, require_model=True)


def test_a_prompt_that_is_too_long_is_sent_once_more_with_half() -> None:
    chat = ScriptedChatModel([PromptTooLong("too long")], "It has 19. [1]")
    result = over_samples(chat).ask(CRACKS)
    first, second = (call.messages[1].text for call in chat.calls)
    assert len(second) < len(first)
    assert result.provenance.model == "scripted:model"
    twice = asked([PromptTooLong("too long")], [PromptTooLong("too long")])
    assert twice.degraded


def test_the_tokens_are_the_providers_or_an_estimate_that_says_so() -> None:
    told = asked(["It has 19. [{19}]", END]).usage
    assert (told.prompt_tokens, told.cached_tokens, told.completion_tokens, told.exact) == (
        1_000,
        800,
        20,
        True,
    )
    silent = asked(["It has 19. [{19}]", Completion(Finish.STOP)]).usage
    assert not silent.exact
    assert silent.prompt_tokens > 200
    assert 3 < silent.completion_tokens < 20
    assert silent.cost_usd is None


def test_the_price_that_is_set_makes_the_cost() -> None:
    assert asked(["It has 19. [{19}]", END], model_price="1,0.5,10").usage.cost_usd == pytest.approx(
        (200 * 1 + 800 * 0.5 + 20 * 10) / 1e6
    )


def test_the_instructions_are_the_same_bytes_for_every_question() -> None:
    chat = ScriptedChatModel(ABSTAIN, ABSTAIN)
    assistant = over_samples(chat)
    assistant.ask(CRACKS)
    assistant.ask("Who is the keeper of the lighthouse?", as_of=date(2031, 3, 1))
    first, second = (call.messages for call in chat.calls)
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_a_follow_up_is_made_whole_by_the_model() -> None:
    chat = ScriptedChatModel("How many cracks does the Quill Bridge have?\n", ABSTAIN)
    turns = [Turn("What happened to the Quill Bridge?", "It was closed. [1]")]
    result = over_samples(chat).ask("And how many does it have?", conversation=turns)
    assert result.question == "And how many does it have?"
    assert result.provenance.standalone == "How many cracks does the Quill Bridge have?"
    assert sorted(result.provenance.prompts) == ["answer", "condense"]
    assert chat.calls[0].answer_tokens == CONDENSE_TOKENS
    assert "And how many does it have?" in chat.calls[1].messages[1].text
    assert "What happened to the Quill Bridge?" in chat.calls[1].messages[1].text


def test_a_question_in_another_language_is_translated_for_retrieval_and_asked_as_it_is() -> None:
    chat = ScriptedChatModel("How many cracks does the Quill Bridge have?", "Sie hat 19 Risse. [1]")
    result = over_samples(chat).ask("Wie viele Risse hat die Brücke jetzt noch?")
    assert result.provenance.standalone == "How many cracks does the Quill Bridge have?"
    assert "Question: Wie viele Risse" in chat.calls[1].messages[1].text


@pytest.mark.parametrize(
    "reply",
    [
        [ProviderTimedOut("no reply")],
        ["How many", Completion(Finish.LENGTH)],
        [" \n ", Completion(Finish.STOP)],
        ["?!", Completion(Finish.STOP)],
    ],
)
def test_a_follow_up_that_the_model_cannot_make_whole_is_made_whole_by_rules(reply: list[Any]) -> None:
    chat = ScriptedChatModel(reply, ABSTAIN)
    turns = [Turn("What happened to the Quill Bridge?", "It was closed. [1]")]
    result = over_samples(chat).ask("How many cracks does it have?", conversation=turns)
    assert result.provenance.standalone
    assert "Quill Bridge" in result.provenance.standalone


def test_a_first_question_in_english_costs_no_call_more() -> None:
    chat = ScriptedChatModel(ABSTAIN)
    assert over_samples(chat).ask(CRACKS).provenance.standalone is None
    chat.assert_complete()


def test_leaving_the_stream_ends_the_call() -> None:
    chat = ScriptedChatModel([with_numbers("It has 19. [{19}] It"), " is closed.", END])
    events = over_samples(chat).stream(CRACKS)
    next(event for event in events if isinstance(event, Delta))
    events.close()
    assert chat.closed == 1


def test_the_calls_for_one_question_share_its_time() -> None:
    chat = ScriptedChatModel("How many cracks does the Quill Bridge have?", ABSTAIN)
    over_samples(chat, model_seconds=2.0).ask("Wie viele Risse hat die Brücke jetzt noch?")
    condensing, answering = (call.seconds for call in chat.calls)
    assert condensing < 1
    assert 1.9 < answering < 2


def test_no_model_means_no_model() -> None:
    result = over_samples(ScriptedChatModel(), no_model=True).ask(CRACKS)
    assert isinstance(result, Answer)
    assert result.degraded is None


def test_what_the_filter_says_about_the_prompt_leaves_the_extract() -> None:
    result = asked([ContentRefused("the provider's content policy stopped the question")])
    assert isinstance(result, Answer)
    assert result.degraded


def test_an_error_that_is_no_providers_fails_as_ever() -> None:
    (failed,) = over_samples(ScriptedChatModel()).stream("?")
    assert isinstance(failed, Failed)


def test_a_question_that_cannot_be_translated_is_asked_all_the_same_and_that_is_told() -> None:
    chat = ScriptedChatModel([ProviderTimedOut("no reply")], "Sie hat 19 Risse. [1]")
    result = over_samples(chat).ask("Wie viele Risse hat die Quill Bridge, und warum ist sie denn noch zu?")
    chat.assert_complete()
    assert isinstance(result, Answer)
    assert result.degraded
    assert result.degraded.reason == "the question was not put into English by the model: no reply"


def test_a_question_that_cannot_be_translated_is_an_error_where_the_model_is_required() -> None:
    chat = ScriptedChatModel([ProviderTimedOut("no reply")])
    with pytest.raises(ProviderTimedOut):
        over_samples(chat, require_model=True).ask("Wie viele Risse hat die Brücke jetzt noch?")


def test_a_corpus_that_turns_out_damaged_takes_back_what_was_shown() -> None:
    chat = ScriptedChatModel(
        [with_numbers("It has 19. [{19}] It is"), END], with_numbers("It stays closed. [{May}]")
    )
    assistant = over_samples(chat)
    events = assistant.stream(CRACKS)
    next(event for event in events if isinstance(event, Delta))
    (*after, done) = (events.throw(LibraryDamaged("library.db cannot be read")), *events)
    assert after[0] == Retracted("library.db cannot be read")
    assert isinstance(done, Done)
    assert "".join(delta.text for delta in of_kind(after, Delta)) == done.result.text
    assert done.result.text == "It stays closed. [1]"


WRONG = "It has 45 cracks. [{19}]"
REPORTED = "Ferries run every half hour. [{ferries}]"
RIGHT = "It has 19 cracks. [{19}]"


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        ("drop", ["Ferries run every half hour.", "It has 19 cracks."]),
        ("strict", ["It has 19 cracks."]),
        ("mark", ["It has 45 cracks.", "Ferries run every half hour.", "It has 19 cracks.", "It fell."]),
    ],
)
def test_what_the_cited_sentences_do_not_bear_out_is_left_out_or_marked(mode: str, shown: list[str]) -> None:
    result = asked(f"{WRONG} {REPORTED} {RIGHT} It fell.", support=mode)
    assert isinstance(result, Answer)
    assert [claim.text for claim in result.claims] == shown
    assert result.dropped == 4 - len(shown)
    why = {claim.text: (claim.support, claim.why) for claim in result.claims}
    assert why["It has 19 cracks."][0] is Support.SUPPORTED
    if mode != "strict":
        assert why["Ferries run every half hour."][0] is Support.PARTIAL
        assert "reports what somebody says" in why["Ferries run every half hour."][1]
    if mode == "mark":
        assert why["It has 45 cracks."] == (Support.UNSUPPORTED, "45 is not in the cited sentence")
        assert why["It fell."] == (Support.UNCITED, "it cites no sentence that was shown")


def test_words_that_nobody_said_are_shown_without_quotation_marks_where_all_is_shown() -> None:
    result = asked("Engineers “wept for days”. [{14}]", support="mark")
    assert isinstance(result, Answer)
    (claim,) = result.claims
    assert (claim.text, claim.support) == ("Engineers wept for days.", Support.UNSUPPORTED)


def test_who_is_meant_may_stand_in_the_sentence_before() -> None:
    result = asked("The Quill Bridge stays closed until May. [{May}]")
    assert isinstance(result, Answer)
    assert [claim.support for claim in result.claims] == [Support.SUPPORTED]


def test_what_nothing_supports_is_an_abstention_that_says_so() -> None:
    result = asked(WRONG)
    assert isinstance(result, Abstention)
    assert (result.reason, result.dropped) == (AbstentionReason.GROUNDING, 1)


def test_an_answer_about_the_present_has_the_day_of_its_newest_article() -> None:
    now = asked("It has 19. [{19}] It had 14. [{14}]", question=f"{CRACKS[:-1]} now?")
    before = asked("It has 14. [{14}]", question=f"{CRACKS[:-1]} at the moment?")
    assert isinstance(now, Answer)
    assert isinstance(before, Answer)
    assert (now.stands, before.stands) == (date(2031, 3, 11), date(2031, 3, 4))


@pytest.mark.parametrize(
    "reply", ["", " \n", '{"answer": "19", "sources": [1]}', '```json\n{"answer": "19"}\n```']
)
def test_a_reply_without_a_sentence_leaves_the_extract_and_says_why(reply: str) -> None:
    result = asked(reply)
    assert isinstance(result, Answer)
    assert result.provenance.model is None
    assert result.degraded
    assert "the model sent no sentences" in result.degraded.reason
