"""A prompt: instructions that never change, and a request with places for values.

The instructions come first and are the same bytes for every request, so that a
provider's prompt cache applies. Values are put in once and never read as a
template again, whatever braces or dollar signs an article holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\$\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it was loaded.

    instructions: for the system message, as they are. request: for the user message, with
    ``${name}`` for each placeholder. hash: over the file's text, for the provenance.
    """

    id: str
    instructions: str
    request: str
    hash: str

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the values that the request needs."""
        return frozenset(PLACEHOLDER.findall(self.request))

    def fill(self, values: Mapping[str, str]) -> str:
        """The request with the values in their places; raises KeyError for one that is missing."""
        return PLACEHOLDER.sub(lambda place: values[place.group(1)], self.request)
