from dataclasses import replace
from datetime import date, timedelta

import pytest

from assistant.domain.conversation import Completion, Finish
from assistant.domain.errors import ConfigurationError
from assistant.pricing import MAX_AGE, Price, PriceTable, load_prices, override

READ = date(2026, 11, 1)
SMALL = Price(input=0.25, cached=0.025, output=2.0)
TABLE = PriceTable(
    READ, "a page", {"gpt-5": Price(9.0, 9.0, 9.0), "gpt-5-mini": SMALL}, prompt_tokens_at_most=272_000
)
REPLY = Completion(Finish.STOP, prompt_tokens=10_000, cached_tokens=4_000, completion_tokens=500)
COST = (6_000 * 0.25 + 4_000 * 0.025 + 500 * 2.0) / 1_000_000


def test_cached_tokens_cost_less_and_are_among_the_prompt_tokens() -> None:
    assert TABLE.cost("gpt-5-mini", REPLY, READ) == pytest.approx(COST)


@pytest.mark.parametrize(
    ("cached", "dollars"),
    [(None, 0.0025), (0, 0.0025), (10_000, 0.00025), (12_000, 0.00025)],
)
def test_what_is_not_said_to_be_cached_costs_the_full_price(cached: int | None, dollars: float) -> None:
    reply = Completion(Finish.STOP, prompt_tokens=10_000, cached_tokens=cached, completion_tokens=0)
    assert TABLE.cost("gpt-5-mini", reply, READ) == pytest.approx(dollars)


@pytest.mark.parametrize("name", ["gpt-5-mini", "gpt-5-mini-2025-08-07", "openai:gpt-5-mini"])
def test_a_dated_snapshot_costs_what_its_model_costs(name: str) -> None:
    assert TABLE.cost(name, REPLY, READ) == pytest.approx(COST)


@pytest.mark.parametrize(
    "name", ["gpt-5-nano", "gpt-5-mini-pro", "gpt-5-mini-2025-08-07-x", "gpt-5-mini-2025", "llama3.3:70b", ""]
)
def test_no_other_name_is_taken_for_one_in_the_table(name: str) -> None:
    assert TABLE.cost(name, REPLY, READ) is None


def test_a_table_is_trusted_for_180_days() -> None:
    last = READ + MAX_AGE
    assert timedelta(days=180) == MAX_AGE
    assert TABLE.cost("gpt-5-mini", REPLY, last) == pytest.approx(COST)
    assert TABLE.cost("gpt-5-mini", REPLY, last + timedelta(days=1)) is None


@pytest.mark.parametrize(
    "reply", [replace(REPLY, prompt_tokens=None), replace(REPLY, completion_tokens=None)]
)
def test_without_counts_the_cost_is_not_known(reply: Completion) -> None:
    assert TABLE.cost("gpt-5-mini", reply, READ) is None
    assert replace(TABLE, own=SMALL).cost("gpt-5-mini", reply, READ) is None


def test_a_prompt_beyond_the_table_has_no_price() -> None:
    assert TABLE.cost("gpt-5-mini", replace(REPLY, prompt_tokens=272_000), READ) is not None
    assert TABLE.cost("gpt-5-mini", replace(REPLY, prompt_tokens=272_001), READ) is None


def test_another_host_has_its_own_prices() -> None:
    assert TABLE.cost("gpt-5-mini", REPLY, READ, host="localhost:8080") is None


def test_the_users_own_price_holds_for_every_model_host_and_day() -> None:
    own = replace(TABLE, own=override("1, 0.5, 4"))
    dollars = (6_000 * 1 + 4_000 * 0.5 + 500 * 4) / 1_000_000
    assert own.cost("mine", REPLY, date(2031, 1, 1), host="localhost:8080") == pytest.approx(dollars)


def test_an_own_price_is_three_numbers() -> None:
    assert override("0.25,0.025,2.00") == SMALL


@pytest.mark.parametrize(
    "text", ["", "1", "1,2", "1,2,3,4", "a,b,c", "1;2;3", "1,,3", "-1,0,0", "nan,0,0", "inf,0,0"]
)
def test_an_unusable_own_price_says_what_to_write(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"like '0\.10,0\.01,0\.50'") as raised:
        override(text)
    assert repr(text) in str(raised.value)


def test_the_table_of_the_package_is_sound() -> None:
    table = load_prices()
    assert table.source
    for price in table.prices.values():
        assert 0 < price.cached <= price.input < price.output


def test_the_default_model_has_a_price() -> None:
    table = load_prices()
    assert table.cost("gpt-6-luna", REPLY, table.read) == pytest.approx(
        (6_000 * 0.10 + 4_000 * 0.01 + 500 * 0.50) / 1_000_000
    )
