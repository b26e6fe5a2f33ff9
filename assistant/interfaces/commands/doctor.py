"""``assistant doctor``: what is set, what is stored, and what happens when the model is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assistant.interfaces.console import (
    ANSWERED,
    CONFIGURATION,
    INTERNAL,
    reranker_flag,
    settings_flags,
    settings_of,
    show,
)

if TYPE_CHECKING:
    from assistant.examining import Check
    from assistant.settings import SettingInForce, Settings

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}
_STATE, _NAME = 7, 13  # columns: "problem" and "live embedder" are the longest


@click.command()
@click.option("--live", is_flag=True, help="Call the model once, and an embedder behind an API.")
@click.option(
    "--fetch-tokenizer", is_flag=True, help="Download the file with which the model's tokens are counted."
)
@click.option(
    "--model", metavar="NAME", help="Model that writes the answer.  [one of OpenAI's once a key is set]"
)
@click.option("--no-model", is_flag=True, default=None, help="Answer by extracts, whatever else is set.")
@reranker_flag
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_flags
def doctor(live: bool, fetch_tokenizer: bool, as_json: bool, **flags: Any) -> int:
    """Say what is in force and what is wrong, a line each.

    Nothing touches the network, unless --live or --fetch-tokenizer is given; a key is never shown.
    Exit code 0: no problem; 3: something has to be set otherwise; 1: another problem. When a call
    fails 4: the key is refused; 5: the server is out of reach or sends no usable reply; 6: it
    takes no more requests; 7: time is up.
    """
    from assistant.domain.errors import ConfigurationError
    from assistant.examining import Check, examine_program
    from assistant.interfaces import json_output
    from assistant.settings import settings_in_force

    checks: list[Check] = []
    try:
        settings = settings_of(flags)
        in_force = settings_in_force(settings, flags)
        coming = _checks(settings, live=live, fetch=fetch_tokenizer)
    except ConfigurationError as error:
        in_force, coming = (), iter([examine_program(), Check.failed("settings", error)])
    if not as_json:
        for setting in in_force:
            if setting.origin != "default":
                show(_setting_line(setting))
    for check in coming:
        checks.append(check)
        if not as_json:
            show(_check_line(check))  # as it comes, since a call may take its time
    code = _exit_code(checks)
    if as_json:
        show(json_output.dumps(_report(checks, in_force, ok=code == ANSWERED)))
    return code


def _checks(settings: Settings, *, live: bool, fetch: bool) -> Iterator[Check]:
    from assistant.examining import examine, examine_fetched, examine_live

    if fetch:  # first, so that it counts from now on
        yield examine_fetched(settings)
    yield from examine(settings)
    if live:
        yield from examine_live(settings)


def _exit_code(checks: Sequence[Check]) -> int:
    """That of a failed call, which was asked for; else 3 where a setting is to blame."""
    from assistant.domain.errors import ProviderError
    from assistant.interfaces.cli import exit_code  # which imports this module

    problems = [check for check in checks if check.state == "problem"]
    for check in problems:
        if isinstance(check.error, ProviderError):
            return exit_code(check.error)
    codes = {exit_code(check.error) if check.error else INTERNAL for check in problems}
    return CONFIGURATION if CONFIGURATION in codes else INTERNAL if codes else ANSWERED


def _check_line(check: Check) -> str:
    stop = "." if check.help and not check.text.endswith(".") else ""
    return _line(check.state, check.name, f"{check.text}{stop} {check.help}")


def _setting_line(setting: SettingInForce) -> str:
    value = ", ".join(setting.value) if isinstance(setting.value, list) else setting.value
    return _line("ok", "setting", f"{setting.name} = {value} ({setting.origin})")


def _line(state: str, name: str, text: str) -> str:
    """The columns of a line; escape codes have no width."""
    from assistant.domain.text import clean

    return f"{click.style(f'{state:{_STATE}}', fg=_COLOURS[state])}  {name:{_NAME}}  {clean(text)}"


def _report(checks: Sequence[Check], settings: Sequence[SettingInForce], *, ok: bool) -> dict[str, Any]:
    """The object of ``assistant.doctor/1``."""
    return {
        "schema": "assistant.doctor/1",
        "ok": ok,
        "checks": [
            {"name": check.name, "state": check.state, "text": check.text, "help": check.help or None}
            for check in checks
        ],
        "settings": [asdict(setting) for setting in settings],
    }
