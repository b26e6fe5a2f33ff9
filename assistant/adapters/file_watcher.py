"""Changes below files and folders, in batches: the system's own notifications, by watchfiles.

Notifications belong to a file or folder and not to its name. So what was named is looked
at in each pause, too: an editor that saves by renaming makes a new file, and a folder
that was away and is there again has to be watched anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from watchfiles import Change, watch

QUIET = 1_600  # milliseconds in which more changes join a batch: an editor or a copy writes several files
PAUSE = 500  # milliseconds without a change after which a pause is told, and first that watching has begun

_Looks = list[tuple[int, ...] | None]


class FileWatcher:
    """Watches files and folders; what is hidden, and what lies in ``ignored``, does not count."""

    def __init__(self, paths: Sequence[Path], *, ignored: Path) -> None:
        self._paths = [path.resolve() for path in paths]
        self._ignored = ignored.resolve()

    def changes(self) -> Iterator[bool]:
        """True for each batch of changes, false for each pause, until somebody interrupts the process."""
        before = self._looks()
        while True:
            for changed in self._notified():
                now = self._looks()
                yield changed or now != before
                if now != before:
                    before = now
                    break
            else:
                return

    def _notified(self) -> Iterator[bool]:
        """True for notifications, false for pauses; ends when somebody interrupts the process."""
        there = [path for path in self._paths if path.exists()]
        batches: Iterator[object] = _pauses()
        if there:
            batches = watch(
                *there, watch_filter=self._counts, debounce=QUIET, rust_timeout=PAUSE, yield_on_timeout=True
            )
        while True:
            try:
                changed = next(batches)
            except KeyboardInterrupt:  # what watchfiles makes of every signal that has a handler
                return
            yield bool(changed)

    def _looks(self) -> _Looks:
        """What tells that a named file was written or replaced, or that a named folder is another one."""
        looks: _Looks = []
        for path in self._paths:
            try:
                status = path.stat()
            except OSError:
                looks.append(None)
                continue
            written = () if path.is_dir() else (status.st_mtime_ns, status.st_size)
            looks.append((status.st_dev, status.st_ino, *written))
        return looks

    def _counts(self, change: Change, name: str) -> bool:
        path = Path(name)
        if path.is_relative_to(self._ignored):
            return False
        above = next((each for each in self._paths if path.is_relative_to(each)), path.parent)
        return not any(part.startswith(".") for part in path.relative_to(above).parts)


def _pauses() -> Iterator[object]:
    """What watching gives where there is nothing to watch."""
    while True:
        time.sleep(PAUSE / 1_000)
        yield None
