"""The machine's clock behind the Clock port."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


class SystemClock:
    """Today by the machine's local calendar, the moment in UTC, and a monotonic counter."""

    def today(self) -> date:
        """The current local date."""
        return date.today()  # local on purpose: "today" is the day that the person lives in

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    def milliseconds(self) -> float:
        """A monotonic reading in milliseconds."""
        return time.perf_counter() * 1000
