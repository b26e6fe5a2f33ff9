"""Calls to a provider: one deadline over all attempts, retries, a breaker, a limit on calls at once.

Nothing here knows a vendor. An attempt runs in a thread of its own and hands its items
over through a queue, so whatever holds it (a name that does not resolve, bytes that drip
in, comments without end) cannot hold the caller beyond the deadline; what it has open is
then closed from here. Retries follow the SDKs' habit, half a second doubling; the breaker
is Nygard's ("Release It!", 2007); the limit rises slowly and is halved as TCP's window is
(Chiu and Jain 1989).
"""

from __future__ import annotations

import random as system_random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from typing import Generic, Literal, TypeVar

from assistant.domain.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderPaused,
    ProviderTimedOut,
    ProviderUnreachable,
    QuotaExhausted,
    RequestRejected,
)

T = TypeVar("T")

MAX_ATTEMPTS = 3  # as the SDKs have it; at a fault in every second attempt that is 1.75 a call
CONNECT_SECONDS = 5.0  # name, connection and TLS together; a handshake round the earth takes under one
END_SECONDS = 2.0  # what comes after a whole reply, its end mark say, comes with it or not at all
LEAST_SECONDS = 0.1  # nothing is asked of a provider with less time than that: it could only fail
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 8.0  # seconds, the SDKs' own
FAULTS_UNTIL_PAUSE = 5  # calls that failed one after another
PAUSE_SECONDS = 30.0
MOST_AT_ONCE = 32  # calls in flight until the provider asks to slow down


class Fault(Exception):
    """One attempt failed: the error that a caller would see, and whether another attempt makes sense.

    retries: how many more attempts this kind of fault is worth. retry_after: the seconds that the
    provider asks to wait. slow_down: it asks for fewer calls at once.
    """

    def __init__(
        self,
        error: ProviderError,
        *,
        retries: int = 0,
        retry_after: float | None = None,
        slow_down: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retries = retries
        self.retry_after = retry_after
        self.slow_down = slow_down

    @property
    def is_providers(self) -> bool:
        """Whether the provider is at fault, and not this one request, to which it has answered."""
        return not isinstance(self.error, RequestRejected | ContentRefused)


@dataclass(frozen=True, slots=True)
class Ending(Generic[T]):
    """Stands between an attempt's items: all that counts is there, and what comes yet has END_SECONDS.

    give: makes the last item where the attempt has not ended by then, or by the deadline; may raise a Fault.
    """

    give: Callable[[], T]


class Attempt:
    """One attempt, as the code that makes it sees it: how much time is left, and whether to stop."""

    def __init__(self, deadline: float, clock: Callable[[], float]) -> None:
        self.deadline = deadline
        self._clock = clock
        self._lock = threading.Lock()
        self._closers: list[Callable[[], None]] = []
        self._cancelled = False
        self._connected = False

    def remaining(self) -> float:
        """Seconds until the deadline, 0 when it has passed."""
        return max(0.0, self.deadline - self._clock())

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for this attempt any more."""
        return self._cancelled

    @property
    def is_connected(self) -> bool:
        """Whether the request is on its way."""
        return self._connected

    def connected(self) -> None:
        """Says that there is a connection: from now on only the deadline counts."""
        self._connected = True

    def on_cancel(self, close: Callable[[], None]) -> None:
        """What to close once nobody waits, from another thread; at once when that is so already."""
        with self._lock:
            if not self._cancelled:
                self._closers.append(close)
                return
        _close(close)

    def cancel(self) -> None:
        """Nobody waits any more: close what was registered."""
        with self._lock:
            self._cancelled = True
            closers, self._closers = self._closers, []
        for close in closers:
            _close(close)


_CURRENT: ContextVar[Attempt] = ContextVar("attempt")


def current_attempt() -> Attempt:
    """The attempt that the calling code is part of; raises LookupError outside of one."""
    return _CURRENT.get()


class ProviderCalls:
    """Calls to one provider; safe to use from several threads, which then share a breaker and a limit.

    host: its name in messages. clock, sleep, random: seconds that only count up, how to wait, and a
    number from 0 to 1 for the jitter. connect_seconds: how long a connection may take to stand, in all
    attempts together until one stood. end_seconds: how long an attempt may go on after an Ending.
    """

    def __init__(
        self,
        host: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = system_random.random,
        connect_seconds: float = CONNECT_SECONDS,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self.host = host
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._connect_seconds = connect_seconds
        self._end_seconds = end_seconds
        self._breaker = _Breaker(host, clock)
        self._limiter = _Limiter(host)

    def call(self, attempt: Callable[[Attempt], T], *, seconds: float) -> T:
        """What the attempt returns, within the seconds; raises ProviderError."""

        def once(handle: Attempt) -> Iterator[T]:
            yield attempt(handle)

        [result] = self.stream(once, seconds=seconds)
        return result

    def stream(
        self, attempt: Callable[[Attempt], Iterator[T | Ending[T]]], *, seconds: float
    ) -> Generator[T, None, None]:
        """The attempt's items as they come, all within the seconds; raises ProviderError.

        Another attempt is made only while no item has been passed on. Closing the iterator
        cancels the attempt. An attempt says what failed with a Fault; any other exception of
        its own is passed on as it is.
        """
        deadline = self._clock() + seconds
        probe = self._breaker.enter()
        outcome: ProviderError | Literal[True] | None = None  # True: it answers; None: nothing was learned
        try:
            connect_left = self._connect_seconds  # only attempts take from it, and no waiting between them
            for tried in range(1, MAX_ATTEMPTS + 1):
                handle = Attempt(deadline, self._clock)
                try:
                    with self._limiter.place(handle):
                        if handle.remaining() < LEAST_SECONDS:
                            raise ProviderTimedOut(f"no time was left to ask {self.host}")
                        begun = self._clock()
                        try:
                            for item in self._items(attempt, handle, begun + connect_left, seconds):
                                outcome = True
                                yield item
                        finally:
                            connect_left -= self._clock() - begun
                    outcome = True
                    return
                except Fault as fault:
                    if handle.is_connected:
                        connect_left = self._connect_seconds
                    delay = self._delay(fault, tried, deadline) if connect_left > 0 else None
                    if outcome or probe or delay is None:
                        outcome = fault.error if fault.is_providers else True
                        raise fault.error from fault.__cause__
                self._sleep(delay)
        finally:
            self._breaker.leave(outcome, probe=probe)

    def _items(
        self,
        attempt: Callable[[Attempt], Iterator[T | Ending[T]]],
        handle: Attempt,
        connect_by: float,
        seconds: float,
    ) -> Generator[T]:
        """The items of one attempt, which is cancelled when this ends before it does."""
        # Without a bound, so that the attempt never waits for a slow reader; what an attempt may
        # read is bounded by its transport.
        queue: SimpleQueue[_Item[T] | Ending[T] | _End] = SimpleQueue()
        context = copy_context()  # callbacks that the caller set for LangChain travel in it
        context.run(_CURRENT.set, handle)
        worker = threading.Thread(
            target=context.run, args=(_work, attempt, handle, queue), name="provider-call", daemon=True
        )
        worker.start()
        try:
            ending, end_by = None, inf
            while not isinstance(message := self._next(queue, handle, connect_by, end_by, seconds), _End):
                if isinstance(message, _Item):
                    yield message.value
                elif message is not None:
                    ending, end_by = message, min(handle.deadline, self._clock() + self._end_seconds)
                elif ending is not None:
                    yield ending.give()
                    return
            if message.error is not None:
                raise message.error
        finally:
            handle.cancel()

    def _next(
        self,
        queue: SimpleQueue[_Item[T] | Ending[T] | _End],
        handle: Attempt,
        connect_by: float,
        end_by: float,
        seconds: float,
    ) -> _Item[T] | Ending[T] | _End | None:
        """What the attempt hands over next; None when it hands over nothing until end_by."""
        while True:
            until = min(handle.deadline, end_by, inf if handle.is_connected else connect_by)
            with suppress(Empty):
                return queue.get(timeout=max(0.0, until - self._clock()))
            if self._clock() >= end_by:
                return None
            if not handle.remaining():
                raise Fault(ProviderTimedOut(f"{self.host} had not finished after {in_seconds(seconds)}"))
            if not handle.is_connected and self._clock() >= connect_by:
                raise Fault(
                    ProviderUnreachable(
                        f"no connection to {self.host} within {in_seconds(self._connect_seconds)}"
                    )
                )

    def _delay(self, fault: Fault, tried: int, deadline: float) -> float | None:
        """How long to wait before the next attempt; None when there is to be none, or no time for it."""
        if tried > min(fault.retries, MAX_ATTEMPTS - 1):
            return None
        delay = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (tried - 1)) * (1 + self._random()) / 2
        if (
            fault.retry_after is not None
        ):  # a tenth of jitter, so that not all who were told so return at once
            delay = max(delay, fault.retry_after * (1 + self._random() / 10))
        # Twice the least: waiting takes a little longer than it was meant to.
        return delay if delay < deadline - self._clock() - 2 * LEAST_SECONDS else None


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


def _work(
    attempt: Callable[[Attempt], Iterator[T | Ending[T]]],
    handle: Attempt,
    queue: SimpleQueue[_Item[T] | Ending[T] | _End],
) -> None:
    try:
        for item in attempt(handle):
            if handle.cancelled:
                return
            queue.put(item if isinstance(item, Ending) else _Item(item))
    except BaseException as error:  # the caller's thread is where it counts
        queue.put(_End(error))
    else:
        queue.put(_End())


def in_seconds(seconds: float) -> str:
    """A time as messages have it: "30 seconds", "5.6 seconds", "0.05 seconds"."""
    number = f"{seconds:.{1 if seconds >= 1 else 2}f}".rstrip("0").rstrip(".")
    return f"{number} second" if number == "1" else f"{number} seconds"


def _close(close: Callable[[], None]) -> None:
    with suppress(Exception):  # what is being given up may be half open or closed already
        close()


class _Breaker:
    """Lets no call through for a while once the provider fails every time, then one to try it."""

    def __init__(self, host: str, clock: Callable[[], float]) -> None:
        self._host = host
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._last: ProviderError | None = None
        self._paused_at: float | None = None
        self._probing = False

    def enter(self) -> bool:
        """Whether this call tries out a paused provider; raises ProviderPaused for all others."""
        with self._lock:
            if self._paused_at is None:
                return False
            since = self._clock() - self._paused_at
            if self._probing or since < PAUSE_SECONDS:
                times = f" {self._failures} times in a row" if self._failures > 1 else ""
                when = f"last {since:.0f} seconds ago ({self._last})"
                raise ProviderPaused(f"{self._host} was not asked: it failed{times}, {when}") from self._last
            self._probing = True
            return True

    def leave(self, outcome: ProviderError | Literal[True] | None, *, probe: bool) -> None:
        """How the call ended: with which error; True when the provider answers; None when it is not known."""
        with self._lock:
            if probe:
                self._probing = False
            elif self._paused_at is not None:
                return  # begun before the pause; only a probe ends or prolongs it
            if outcome is True:
                self._failures, self._last, self._paused_at = 0, None, None
            elif outcome is not None:
                self._failures += 1
                self._last = outcome
                if probe or self._failures >= FAULTS_UNTIL_PAUSE or isinstance(outcome, QuotaExhausted):
                    self._paused_at = self._clock()


class _Limiter:
    """How many calls are in flight at once: halved when the provider asks for it, raised slowly after."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._free = threading.Condition()
        self._limit = float(MOST_AT_ONCE)
        self._in_flight = 0
        self._halvings = 0

    @contextmanager
    def place(self, handle: Attempt) -> Iterator[None]:
        """One of the places, waited for until the attempt's deadline; raises ProviderBusy."""
        with self._free:
            if not self._free.wait_for(lambda: self._in_flight < int(self._limit), handle.remaining()):
                raise ProviderBusy(f"{self._in_flight} other calls to {self._host} did not end in time")
            self._in_flight += 1
            halvings = self._halvings
        try:
            yield
        except Fault as fault:
            with self._free:
                # Calls that were in flight together say the same thing: it counts once.
                if fault.slow_down and halvings == self._halvings:
                    self._limit = max(1.0, self._limit / 2)
                    self._halvings += 1
            raise
        else:
            with self._free:
                self._limit = min(float(MOST_AT_ONCE), self._limit + 1 / self._limit)
        finally:
            with self._free:
                self._in_flight -= 1
                self._free.notify_all()
