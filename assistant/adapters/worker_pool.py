"""``map`` over worker processes, results in order.

Workers are spawned, never forked: Chroma may be open in this process, and a fork of it
hangs. They start when there is enough to do, get the job once, hear nothing of Ctrl-C
and SIGTERM, which are this process's to handle, and end with it however it ends.

Each has a pipe whose other end nobody else holds, so that one that is killed, perhaps
for want of memory, is noticed even in the middle of a result. A ``ProcessPoolExecutor``
waits for the rest of that for ever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, cycle, islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from threading import Thread, current_thread, main_thread
from typing import Any, TypeVar

from assistant.domain.errors import WorkerLost

In = TypeVar("In")
Out = TypeVar("Out")

_ENDING = (signal.SIGINT, signal.SIGTERM)
WORTH_IT = 4  # batches; starting workers takes as long as working on two or three


class WorkerPool:
    """Does a job on batches in as many processes; in this one where there is little to do.

    processes: how many; as many as this process may use cores when None. Job and batches
        have to be picklable, and a script that starts workers needs the usual
        ``if __name__ == "__main__"``.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or _cores()

    def __call__(self, job: Callable[[In], Out], batches: Iterable[In], /) -> Iterator[Out]:
        """The job's result for each batch, in order; raises WorkerLost when a process dies."""
        remaining = iter(batches)
        first = list(islice(remaining, WORTH_IT))
        if self._processes < 2 or len(first) < WORTH_IT:  # noqa: PLR2004 -- one process is this one
            yield from map(job, chain(first, remaining))
        else:
            yield from self._spread(job, chain(first, remaining))

    def _spread(self, job: Callable[[In], Out], batches: Iterable[In]) -> Iterator[Out]:
        """Batches go round; a worker gets its next one when its result is there, before that is given out."""
        context = multiprocessing.get_context("spawn")
        with ExitStack() as stack:
            with _uninterrupted():
                workers = [
                    stack.enter_context(closing(_Worker(context, job))) for _ in range(self._processes)
                ]
            busy: deque[_Worker] = deque()
            for batch, worker in zip(batches, cycle(workers), strict=False):
                done = [busy.popleft().result()] if len(busy) == len(workers) else []
                worker.hand(batch)
                busy.append(worker)
                yield from done
            while busy:
                yield busy.popleft().result()


class _Worker:
    """A process that does the job on one batch at a time."""

    def __init__(self, context: SpawnContext, job: Callable[[Any], Any]) -> None:
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, job), daemon=True)
        self._process.start()
        theirs.close()

    def hand(self, batch: object) -> None:
        """Give it a batch; it must have none."""
        with self._alive():
            self._pipe.send(batch)

    def result(self) -> Any:
        """What the job made of the batch, or raised over it."""
        with self._alive():
            good, value = self._pipe.recv()
        if not good:
            raise value
        return value

    def close(self) -> None:
        """End it, whatever it does: there is nothing that it could leave half done."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    @contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            raise WorkerLost("a worker process has ended before its work was done") from error


def _serve(pipe: Connection, job: Callable[[Any], Any]) -> None:
    """Be a worker, until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            batch = pipe.recv()
        except EOFError:
            return
        try:
            done = True, job(batch)
        except Exception as error:  # it is raised again where the result is taken
            done = False, error
        try:
            pipe.send(done)
        except OSError:
            return


def _end_with_parent() -> None:
    """A killed parent closes nothing in time: its workers would finish what they do for nobody."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM reach this process a moment later, and processes that are started meanwhile never.

    A worker that is told to end, or left alone, while it begins says so in twenty lines. Blocking
    is inherited, but another thread may still take the signal and Python handle it here.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # else the first process would start it, which unblocks both
    handled = _ENDING if current_thread() is main_thread() else ()
    came: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: came.append(number)) for each in handled}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in handlers.items():
            signal.signal(each, handler or signal.SIG_DFL)
        for number in came:
            signal.raise_signal(number)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
