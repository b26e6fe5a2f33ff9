"""Changes below files and folders, by watchfiles: the system's own notifications, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from watchfiles import Change, watch

QUIET = 1_600  # milliseconds in which more changes join a batch: an editor or a copy writes several files
PAUSE = 500  # milliseconds without a change after which a pause is told, and first that watching has begun


class FileWatcher:
    """Watches files and folders; what is hidden, and what lies in ``ignored``, does not count.

    A pattern is watched through the folder that it begins with. Raises FileNotFoundError
    for one that is not there.
    """

    def __init__(self, paths: Sequence[Path], *, ignored: Path) -> None:
        self._paths = [path.resolve() for path in paths]
        self._ignored = ignored.resolve()

    def changes(self) -> Iterator[bool]:
        """True for each batch of changes, false for each pause, until somebody interrupts the process."""
        batches = watch(
            *self._paths,
            watch_filter=self._counts,
            debounce=QUIET,
            rust_timeout=PAUSE,
            yield_on_timeout=True,
        )
        while True:
            try:
                batch = next(batches)
            except KeyboardInterrupt:  # what it makes of every signal that has a handler
                return
            yield bool(batch)

    def _counts(self, change: Change, name: str) -> bool:
        path = Path(name)
        if path.is_relative_to(self._ignored):
            return False
        above = next((each for each in self._paths if path.is_relative_to(each)), path.parent)
        return not any(part.startswith(".") for part in path.relative_to(above).parts)
