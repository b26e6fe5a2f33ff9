"""What the fakes raise."""

from __future__ import annotations


class UnexpectedCall(AssertionError):
    """A fake was used in a way that the test did not prepare, or was not used as it did."""
