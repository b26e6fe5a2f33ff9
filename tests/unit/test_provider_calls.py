"""Deadline, retries, breaker and limit of calls to a provider, with a clock that nobody waits for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from contextvars import ContextVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.provider_calls import (
    CONNECT_SECONDS,
    FAULTS_UNTIL_PAUSE,
    LEAST_SECONDS,
    MAX_ATTEMPTS,
    MOST_AT_ONCE,
    PAUSE_SECONDS,
    Attempt,
    Ending,
    Fault,
    ProviderCalls,
    current_attempt,
    in_seconds,
)
from assistant.domain.errors import (
    PromptTooLong,
    ProviderBusy,
    ProviderError,
    ProviderPaused,
    ProviderTimedOut,
    ProviderUnauthorized,
    ProviderUnreachable,
    QuotaExhausted,
)

Outcome = str | Exception


class Time:
    """A clock that moves only when somebody sleeps; slept: for how long, each time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Provider:
    """Gives one outcome after the other to each attempt; made: how many there were."""

    def __init__(self, *outcomes: Outcome, default: Outcome | Callable[[], Outcome] | None = None) -> None:
        self._outcomes = list(outcomes)
        self._default = default
        self.made = 0

    def __call__(self, attempt: Attempt) -> str:
        attempt.connected()
        self.made += 1
        outcome = self._outcomes.pop(0) if self._outcomes else self._default
        outcome = outcome() if callable(outcome) else outcome
        assert outcome is not None, "an attempt that was not foreseen"
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def broken(retries: int = 2, retry_after: float | None = None) -> Fault:
    return Fault(ProviderUnreachable("500"), retries=retries, retry_after=retry_after)


def busy() -> Fault:
    return Fault(ProviderBusy("429"), retries=2, slow_down=True)


def quota() -> Fault:
    return Fault(QuotaExhausted("nothing left"))


def calls(time: Time, jitter: float = 1.0) -> ProviderCalls:
    """Calls on that clock, by default with the longest delays that the jitter allows."""
    return ProviderCalls("api.example", clock=time.clock, sleep=time.sleep, random=lambda: jitter)


def fails(calls: ProviderCalls, *outcomes: Outcome, seconds: float = 30) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        calls.call(Provider(*outcomes), seconds=seconds)
    return raised.value


def require_no_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "provider-call":
            thread.join(1)
            assert not thread.is_alive(), "an attempt is still running"


# Items and retries


def test_items_come_in_order_and_a_call_returns_its_value() -> None:
    provider = calls(Time())
    assert list(provider.stream(lambda attempt: iter("abc"), seconds=30)) == ["a", "b", "c"]
    assert provider.call(lambda attempt: 42, seconds=30) == 42


@pytest.mark.parametrize(
    ("outcomes", "slept"),
    [
        ([broken(), "fine"], [0.5]),
        ([broken(), broken(), "fine"], [0.5, 1.0]),
        ([busy(), busy(), "fine"], [0.5, 1.0]),
        ([broken(retries=1), "fine"], [0.5]),
        ([broken(retry_after=3), "fine"], [3.3]),
        ([broken(retry_after=0), "fine"], [0.5]),
    ],
)
def test_what_passes_by_itself_is_tried_again(outcomes: Sequence[Outcome], slept: list[float]) -> None:
    time = Time()
    assert calls(time).call(Provider(*outcomes), seconds=30) == "fine"
    assert time.slept == pytest.approx(slept)


@pytest.mark.parametrize(
    "outcomes",
    [
        [broken(), broken(), broken()],
        [broken(retries=1), broken(retries=1)],
        [quota()],
        [Fault(ProviderUnauthorized("401"))],
        [broken(retry_after=130)],
        [broken(), broken(retry_after=29.8)],
    ],
)
def test_it_gives_up_when_more_attempts_make_no_sense_or_there_is_no_time(
    outcomes: Sequence[Exception],
) -> None:
    time = Time()
    provider = Provider(*outcomes)
    with pytest.raises(ProviderError) as raised:
        calls(time).call(provider, seconds=30)
    last = outcomes[-1]
    assert isinstance(last, Fault)
    assert raised.value is last.error
    assert provider.made == len(outcomes)
    assert len(time.slept) == len(outcomes) - 1


def test_a_backoff_that_would_reach_the_deadline_is_not_waited_for() -> None:
    time = Time()
    assert str(fails(calls(time), broken(), seconds=0.4)) == "500"
    assert time.slept == []


def test_the_delays_are_spread() -> None:
    slept = []
    for jitter in (0.0, 0.5, 1.0):
        time = Time()
        calls(time, jitter).call(Provider(broken(), broken(retry_after=10), "fine"), seconds=30)
        slept.append(time.slept)
    assert slept == [pytest.approx(each) for each in ([0.25, 10.0], [0.375, 10.5], [0.5, 11.0])]


def test_there_is_no_other_attempt_once_an_item_was_passed_on() -> None:
    made = []

    def attempt(handle: Attempt) -> Iterator[str]:
        made.append(handle)
        yield "The harbour "
        raise broken()

    pieces = calls(Time()).stream(attempt, seconds=30)
    assert next(pieces) == "The harbour "
    with pytest.raises(ProviderUnreachable):
        next(pieces)
    assert len(made) == 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.floats(0, 40))), min_size=4, max_size=4),
    st.floats(0.1, 60),
    st.floats(0, 1),
)
def test_three_attempts_at_most_and_no_waiting_beyond_the_deadline(
    faults: list[tuple[int, float | None]], seconds: float, jitter: float
) -> None:
    time = Time()
    provider = Provider(*(Fault(ProviderBusy("429"), retries=n, retry_after=wait) for n, wait in faults))
    with pytest.raises(ProviderBusy):
        calls(time, jitter).call(provider, seconds=seconds)
    assert provider.made == len(time.slept) + 1 <= MAX_ATTEMPTS
    assert sum(time.slept) <= seconds + 1e-9


def test_an_exception_that_is_no_fault_is_passed_on_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        calls(Time()).call(lambda attempt: 1 // 0, seconds=30)


def test_the_cause_of_a_fault_is_the_cause_of_its_error() -> None:
    cause = ValueError("from the vendor")
    fault = broken(retries=0)
    fault.__cause__ = cause
    assert fails(calls(Time()), fault).__cause__ is cause


VARIABLE: ContextVar[str] = ContextVar("variable")


def test_an_attempt_sees_what_its_caller_has_set_and_knows_itself() -> None:
    VARIABLE.set("callbacks")
    seen = calls(Time()).call(lambda handle: (VARIABLE.get(), current_attempt() is handle), seconds=30)
    assert seen == ("callbacks", True)
    with pytest.raises(LookupError):
        current_attempt()


# The deadline


def hanging(ended: threading.Event) -> Callable[[Attempt], str]:
    """An attempt that has its connection and ends only when it is closed."""

    def attempt(handle: Attempt) -> str:
        handle.on_cancel(ended.set)
        handle.connected()
        ended.wait(5)
        return "too late"

    return attempt


def test_an_attempt_that_hangs_is_given_up_at_the_deadline_and_closed() -> None:
    ended = threading.Event()
    begun = time.monotonic()
    with pytest.raises(ProviderTimedOut, match=r"api\.example had not finished after 0\.2 seconds"):
        ProviderCalls("api.example").call(hanging(ended), seconds=0.2)
    assert 0.2 <= time.monotonic() - begun < 0.7
    assert ended.is_set()
    require_no_threads()


def test_items_that_drip_in_do_not_extend_the_deadline() -> None:
    def attempt(handle: Attempt) -> Iterator[str]:
        handle.connected()
        while handle.remaining():
            time.sleep(0.005)
            yield "x"
        time.sleep(0.005)
        yield from "never read"

    begun = time.monotonic()
    given: list[str] = []
    with pytest.raises(ProviderTimedOut):
        given.extend(ProviderCalls("api.example").stream(attempt, seconds=0.2))
    assert time.monotonic() - begun < 0.7
    require_no_threads()


def test_without_a_connection_it_gives_up_before_the_deadline() -> None:
    ended = threading.Event()

    def attempt(handle: Attempt) -> None:
        handle.on_cancel(ended.set)
        ended.wait(5)

    begun = time.monotonic()
    with pytest.raises(ProviderUnreachable, match=r"no connection to api\.example within 0\.05 seconds"):
        ProviderCalls("api.example", connect_seconds=0.05).call(attempt, seconds=5)
    assert time.monotonic() - begun < 0.6
    require_no_threads()


def test_with_a_connection_only_the_deadline_counts() -> None:
    def attempt(handle: Attempt) -> str:
        handle.connected()
        time.sleep(0.1)
        return "slow"

    assert ProviderCalls("api.example", connect_seconds=0.05).call(attempt, seconds=5) == "slow"


def test_all_attempts_to_connect_share_the_time_for_it() -> None:
    moments = Time()
    made = []

    def refused(attempt: Attempt) -> None:
        made.append(attempt)
        moments.seconds += 3  # say, a name that resolves to nothing
        raise Fault(ProviderUnreachable("refused"), retries=2)

    with pytest.raises(ProviderUnreachable, match="refused"):
        calls(moments).call(refused, seconds=30)
    assert (len(made), moments.slept) == (2, [0.5])


def test_an_attempt_to_connect_has_what_the_one_before_has_left() -> None:
    moments = Time()
    provider = ProviderCalls(
        "api.example", clock=lambda: time.monotonic() + moments.seconds, sleep=moments.sleep
    )
    ended = threading.Event()

    def attempt(handle: Attempt) -> None:
        if not moments.slept:
            moments.seconds += CONNECT_SECONDS - 0.1
            raise broken()
        handle.on_cancel(ended.set)
        ended.wait(5)

    begun = time.monotonic()
    with pytest.raises(ProviderUnreachable, match=r"no connection to api\.example within 5 seconds"):
        provider.call(attempt, seconds=30)
    assert time.monotonic() - begun < 0.6
    require_no_threads()


@pytest.mark.parametrize("connected", [True, False])
def test_waiting_between_attempts_takes_nothing_from_the_time_to_connect(connected: bool) -> None:
    moments = Time()

    def attempt(handle: Attempt) -> str:
        if connected:
            handle.connected()
        if not moments.slept:
            raise broken(retry_after=2 * CONNECT_SECONDS)
        time.sleep(0.01)  # as long as a connection takes
        handle.connected()
        return "fine"

    assert calls(moments).call(attempt, seconds=30) == "fine"
    assert moments.slept == pytest.approx([11.0])


def test_a_connection_that_broke_leaves_time_to_connect_again() -> None:
    moments = Time()
    made = []

    def attempt(handle: Attempt) -> str:
        made.append(handle)
        if len(made) == 1:
            handle.connected()
            moments.seconds += 10
        if len(made) < MAX_ATTEMPTS:
            raise broken()
        return "fine"

    assert calls(moments).call(attempt, seconds=30) == "fine"


@pytest.mark.parametrize("end", [KeyboardInterrupt, GeneratorExit])
def test_an_attempt_whose_caller_leaves_is_closed(end: type[BaseException]) -> None:
    ended = threading.Event()

    def attempt(handle: Attempt) -> Iterator[str]:
        handle.on_cancel(ended.set)
        yield "one"
        ended.wait(5)

    stream = ProviderCalls("api.example").stream(attempt, seconds=5)
    assert next(stream) == "one"
    assert isinstance(stream, Iterator)
    with pytest.raises(end):
        stream.throw(end)
    assert ended.is_set()
    require_no_threads()


def test_what_is_registered_after_the_end_is_closed_at_once() -> None:
    attempt = Attempt(0.0, lambda: 1.0)
    attempt.cancel()
    closed: list[str] = []
    attempt.on_cancel(lambda: closed.append("socket"))
    assert (closed, attempt.cancelled, attempt.remaining()) == (["socket"], True, 0.0)


def test_what_cannot_be_closed_does_not_keep_the_rest_open() -> None:
    attempt = Attempt(0.0, lambda: 1.0)
    closed: list[str] = []
    attempt.on_cancel(lambda: 1 // 0)  # type: ignore[arg-type] # it returns nothing, as it raises
    attempt.on_cancel(lambda: closed.append("socket"))
    attempt.cancel()
    assert closed == ["socket"]


def test_a_provider_is_not_asked_with_no_time_left_which_is_no_fault_of_its() -> None:
    provider = calls(Time())
    for _ in range(FAULTS_UNTIL_PAUSE):
        with pytest.raises(ProviderTimedOut, match=r"^no time was left to ask api\.example$"):
            provider.call(Provider(), seconds=LEAST_SECONDS / 2)
    assert provider.call(Provider("fine"), seconds=30) == "fine"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (5.6234, "5.6 seconds"),
        (1.0, "1 second"),
        (30.0, "30 seconds"),
        (0.05, "0.05 seconds"),
        (2.4e9, "2400000000 seconds"),
    ],
)
def test_times_are_told_in_few_digits(seconds: float, shown: str) -> None:
    assert in_seconds(seconds) == shown


# The end


@pytest.mark.parametrize(("seconds", "end_seconds"), [(5, 0.1), (0.3, 5)])
def test_what_does_not_end_after_all_that_counts_ends_in_a_moment(seconds: float, end_seconds: float) -> None:
    ended = threading.Event()
    counted: list[str] = []

    def attempt(handle: Attempt) -> Iterator[str | Ending[str]]:
        handle.on_cancel(ended.set)
        handle.connected()
        yield "text"
        yield Ending(lambda: f"the end, of {counted}")
        counted.append("usage")
        yield "more"
        ended.wait(5)

    begun = time.monotonic()
    provider = ProviderCalls("api.example", end_seconds=end_seconds)
    assert list(provider.stream(attempt, seconds=seconds)) == ["text", "more", "the end, of ['usage']"]
    assert time.monotonic() - begun < 1
    require_no_threads()


def test_an_attempt_that_ends_in_time_has_the_last_word() -> None:
    def attempt(handle: Attempt) -> Iterator[str | Ending[str]]:
        yield Ending(lambda: "not asked for")
        yield "the end"

    assert list(calls(Time()).stream(attempt, seconds=30)) == ["the end"]


def test_what_is_missing_at_the_end_is_a_fault_like_others() -> None:
    ended = threading.Event()

    def attempt(handle: Attempt) -> Iterator[str | Ending[str]]:
        handle.on_cancel(ended.set)
        handle.connected()
        yield Ending(empty)
        ended.wait(5)

    def empty() -> str:
        raise broken(retries=0)

    provider = ProviderCalls("api.example", end_seconds=0.05)
    with pytest.raises(ProviderUnreachable, match="500"):
        list(provider.stream(attempt, seconds=5))


# The breaker


def test_after_five_failed_calls_the_provider_is_not_asked() -> None:
    moments = Time()
    provider = calls(moments)
    *_, last = [fails(provider, broken(retries=0)) for _ in range(FAULTS_UNTIL_PAUSE)]
    moments.seconds += 12
    paused = fails(provider)
    assert type(paused) is ProviderPaused
    assert str(paused) == "api.example was not asked: it failed 5 times in a row, last 12 seconds ago (500)"
    assert paused.__cause__ is last


def test_one_success_in_between_and_it_is_still_asked() -> None:
    provider = calls(Time())
    for _ in range(3):
        for _ in range(FAULTS_UNTIL_PAUSE - 1):
            fails(provider, broken(retries=0))
        assert provider.call(Provider("fine"), seconds=30) == "fine"


def test_a_request_that_was_rejected_is_no_fault_of_the_provider() -> None:
    provider = calls(Time())
    for _ in range(2 * FAULTS_UNTIL_PAUSE):
        assert type(fails(provider, Fault(PromptTooLong("too long")))) is PromptTooLong


def test_after_half_a_minute_one_call_tries_and_its_success_ends_the_pause() -> None:
    moments = Time()
    provider = calls(moments)
    fails(provider, quota())
    moments.seconds += PAUSE_SECONDS - 0.1
    assert type(fails(provider)) is ProviderPaused
    moments.seconds += 0.1
    assert provider.call(Provider("fine"), seconds=30) == "fine"
    assert provider.call(Provider("fine"), seconds=30) == "fine"


def test_a_call_that_tries_has_one_attempt_and_its_failure_prolongs_the_pause() -> None:
    moments = Time()
    provider = calls(moments)
    fails(provider, quota())
    moments.seconds += PAUSE_SECONDS
    assert str(fails(provider, broken())) == "500"
    moments.seconds += PAUSE_SECONDS - 0.1
    assert type(fails(provider)) is ProviderPaused


def test_while_one_call_tries_the_others_are_not_asked() -> None:
    moments = Time()
    provider = calls(moments)
    fails(provider, quota())
    moments.seconds += PAUSE_SECONDS
    trial = provider.stream(lambda attempt: iter(["fi", "ne"]), seconds=30)
    assert next(trial) == "fi"
    assert type(fails(provider)) is ProviderPaused
    assert list(trial) == ["ne"]
    assert provider.call(Provider("fine"), seconds=30) == "fine"


def test_a_call_begun_before_the_pause_neither_ends_nor_prolongs_it() -> None:
    moments = Time()
    provider = calls(moments)
    early = [provider.stream(lambda attempt: iter(["one", "two"]), seconds=99)]
    early.append(provider.stream(_one_and_a_fault, seconds=99))
    for stream in early:
        next(stream)
    fails(provider, quota())
    moments.seconds += 20
    assert list(early[0]) == ["two"]
    with pytest.raises(QuotaExhausted):
        next(early[1])
    assert type(fails(provider)) is ProviderPaused
    moments.seconds += 10
    assert provider.call(Provider("fine"), seconds=30) == "fine"


def _one_and_a_fault(attempt: Attempt) -> Iterator[str]:
    yield "one"
    raise quota()


def test_a_trial_that_is_abandoned_leaves_room_for_the_next() -> None:
    moments = Time()
    provider = calls(moments)
    fails(provider, quota())
    moments.seconds += PAUSE_SECONDS
    with pytest.raises(KeyboardInterrupt):
        provider.call(Provider(default=_interrupt), seconds=30)
    assert provider.call(Provider("fine"), seconds=30) == "fine"


def _interrupt() -> Outcome:
    raise KeyboardInterrupt


def test_a_hundred_questions_without_quota_are_one_call_in_thirty_seconds() -> None:
    moments = Time()
    provider = calls(moments)
    account = Provider(default=quota)
    errors = []
    for _ in range(100):
        with pytest.raises((QuotaExhausted, ProviderPaused)) as raised:
            provider.call(account, seconds=30)
        errors.append(type(raised.value))
        moments.seconds += 3.0
    assert account.made == 10  # at 0, 30, … 270 of 300 seconds
    assert errors.count(QuotaExhausted) == 10


def test_a_provider_that_fails_every_second_time_costs_less_than_two_calls_a_question() -> None:
    chance = random.Random(20)  # noqa: S311 -- no secret
    outcomes: tuple[Callable[[], Outcome], ...] = (lambda: "fine", lambda: "fine", broken, busy)
    moments = Time()
    provider = ProviderCalls("api.example", clock=moments.clock, sleep=moments.sleep, random=chance.random)
    server = Provider(default=lambda: chance.choice(outcomes)())  # noqa: PLW0108 -- the choice is made anew each time
    answered = 0
    for _ in range(1000):
        with suppress(ProviderError):
            answered += provider.call(server, seconds=30) == "fine"
        moments.seconds += 1.0
    assert server.made <= 2.0 * 1000
    assert answered >= 800  # of three attempts one works for 875 in 1,000


# The limit


def opened(provider: ProviderCalls, stack: ExitStack, most: int = MOST_AT_ONCE + 1) -> int:
    """How many calls, each held open on the stack, are let through, of so many at most."""
    for number in range(most):
        stream = provider.stream(lambda attempt: iter(["one", "two"]), seconds=0.2)
        stack.enter_context(closing(stream))
        try:
            next(stream)
        except ProviderBusy:
            return number
    return most


def asked_to_slow_down(provider: ProviderCalls) -> None:
    fails(provider, Fault(ProviderBusy("slow_down"), slow_down=True))


def test_calls_in_flight_are_limited_and_the_next_waits_no_longer_than_its_deadline() -> None:
    provider = ProviderCalls("api.example")
    with ExitStack() as stack:
        assert opened(provider, stack, MOST_AT_ONCE) == MOST_AT_ONCE
        begun = time.monotonic()
        refused = [fails(provider, seconds=0.02) for _ in range(FAULTS_UNTIL_PAUSE)]
        assert time.monotonic() - begun < 0.6
    assert {str(each) for each in refused} == {"32 other calls to api.example did not end in time"}
    assert provider.call(Provider("fine"), seconds=1) == "fine"  # that was no fault of the provider


def test_waiting_for_a_place_takes_nothing_from_the_time_to_connect() -> None:
    provider = ProviderCalls("api.example", connect_seconds=0.05)
    got: list[str] = []

    def attempt(handle: Attempt) -> str:
        time.sleep(0.01)  # as long as a connection takes
        handle.connected()
        return "fine"

    with ExitStack() as stack:
        assert opened(provider, stack, MOST_AT_ONCE) == MOST_AT_ONCE
        waiting = threading.Thread(target=lambda: got.append(provider.call(attempt, seconds=5)), daemon=True)
        waiting.start()
        waiting.join(0.15)
        assert not got
    waiting.join(1)
    assert got == ["fine"]


def test_asked_to_slow_down_it_halves_the_calls_in_flight_and_never_below_one() -> None:
    provider = ProviderCalls("api.example")
    asked_to_slow_down(provider)
    with ExitStack() as stack:
        assert opened(provider, stack) == MOST_AT_ONCE // 2
    patient = ProviderCalls("api.example")
    for _ in range(3):
        for _ in range(FAULTS_UNTIL_PAUSE - 1):  # one less than would pause it
            asked_to_slow_down(patient)
        patient.call(Provider("fine"), seconds=1)
    with ExitStack() as stack:
        assert 1 <= opened(patient, stack) <= 2


def test_what_calls_in_flight_together_say_counts_once() -> None:
    provider = ProviderCalls("api.example")

    def told(attempt: Attempt) -> Iterator[str]:
        yield "one"
        raise Fault(ProviderBusy("slow_down"), slow_down=True)

    streams = [provider.stream(told, seconds=1) for _ in range(4)]
    for stream in streams:
        next(stream)
    for stream in streams:
        with pytest.raises(ProviderBusy):
            next(stream)
    with ExitStack() as stack:
        assert opened(provider, stack) == MOST_AT_ONCE // 2


def test_success_raises_the_limit_slowly() -> None:
    provider = ProviderCalls("api.example")
    asked_to_slow_down(provider)
    for _ in range(MOST_AT_ONCE // 2 + 1):
        provider.call(Provider("fine"), seconds=1)
    with ExitStack() as stack:
        assert opened(provider, stack) == MOST_AT_ONCE // 2 + 1


def test_a_call_that_waits_for_its_place_gets_it_when_another_ends() -> None:
    provider = ProviderCalls("api.example")
    with ExitStack() as stack:
        assert opened(provider, stack, MOST_AT_ONCE) == MOST_AT_ONCE
        got: list[str] = []
        waiting = threading.Thread(
            target=lambda: got.append(provider.call(Provider("fine"), seconds=5)), daemon=True
        )
        waiting.start()
        waiting.join(0.02)
        assert not got
    waiting.join(1)
    assert got == ["fine"]
