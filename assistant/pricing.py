"""What a model's reply cost, from a dated table of public prices.

Prices change, so the table (``model_prices.json``) says when and where they were read, and
is not trusted for longer than half a year: "unknown" is better than a wrong amount. Only
OpenAI's own API has these prices; for another host, or against another contract, the user
gives them. Standard rates; writing into the provider's prompt cache, which newer models
charge a quarter of the input price for on top, is not told apart in what they report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from math import isfinite

from assistant.domain.conversation import Completion
from assistant.domain.errors import ConfigurationError

PRICES_FILE = "model_prices.json"
PRICED_HOST = "api.openai.com"
MAX_AGE = timedelta(days=180)
_PER = 1_000_000  # tokens
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}")
_HOW = "write dollars for a million tokens of input, cached input and output, like '0.10,0.01,0.50'"


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens."""

    input: float
    cached: float
    output: float

    def of(self, completion: Completion) -> float | None:
        """Dollars for the reply; None when the server did not count its tokens.

        Without a number of cached tokens none are taken to be cached.
        """
        prompt, written = completion.prompt_tokens, completion.completion_tokens
        if prompt is None or written is None:
            return None
        cached = min(completion.cached_tokens or 0, prompt)
        return ((prompt - cached) * self.input + cached * self.cached + written * self.output) / _PER


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by model name, and the day on which they were read.

    prompt_tokens_at_most: a longer prompt has other prices, which are not in the table.
    own: the user's own price, for whatever model and host; with it the table does not matter.
    """

    read: date
    source: str
    prices: Mapping[str, Price]
    prompt_tokens_at_most: int
    own: Price | None = None

    def cost(
        self, model_name: str, completion: Completion, today: date, *, host: str = PRICED_HOST
    ) -> float | None:
        """Dollars for the reply; None when that is not known."""
        if self.own is not None:
            return self.own.of(completion)
        price = self._price(model_name)
        outdated = today - self.read > MAX_AGE
        too_long = (completion.prompt_tokens or 0) > self.prompt_tokens_at_most
        return None if price is None or outdated or too_long or host != PRICED_HOST else price.of(completion)

    def _price(self, model_name: str) -> Price | None:
        """The model's price, also under a dated name: "gpt-5.5-2026-04-23" is "gpt-5.5"."""
        name = model_name.removeprefix("openai:")
        dated = _SNAPSHOT.search(name)
        base = name[: dated.start()] if dated and dated.end() == len(name) else name
        return self.prices.get(base)


@cache
def load_prices() -> PriceTable:
    """The table that comes with the package."""
    found = json.loads(files("assistant").joinpath(PRICES_FILE).read_text(encoding="utf-8"))
    return PriceTable(
        read=date.fromisoformat(found["date"]),
        source=found["source"],
        prices={name: Price(**price) for name, price in found["models"].items()},
        prompt_tokens_at_most=found["prompt_tokens_at_most"],
    )


def override(text: str) -> Price:
    """The user's own price, from "input,cached,output"; raises ConfigurationError for anything else."""
    parts = text.split(",")
    try:
        amounts = [float(part) for part in parts]
    except ValueError as error:
        raise ConfigurationError(f"the price {text!r} is not made of numbers: {_HOW}") from error
    if len(amounts) != 3:  # noqa: PLR2004 -- input, cached, output
        raise ConfigurationError(f"the price {text!r} has {len(amounts)} numbers: {_HOW}")
    if not all(isfinite(amount) and amount >= 0 for amount in amounts):
        raise ConfigurationError(f"the price {text!r} has a number that is no price: {_HOW}")
    return Price(*amounts)
