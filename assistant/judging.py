"""What a second reading by a model does to the verdict of the rules: it may lower it, and never raise it.

A model that obeys what an article says can so take away from an answer, and cannot put
anything into it. A reply that is not the one word that was asked for changes nothing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assistant.domain.answers import Support
from assistant.grounding.verdicts import Finding, Verdict

YES, PARTLY, NO = "YES", "PARTLY", "NO"  # as the instructions of judge_support name them
_WORD = re.compile(rf"\W*({YES}|{PARTLY}|{NO})\W*", re.IGNORECASE)
_LOWERED: Mapping[tuple[Support, str], Support] = {
    (Support.SUPPORTED, PARTLY): Support.PARTIAL,
    (Support.SUPPORTED, NO): Support.PARTIAL,
    (Support.PARTIAL, NO): Support.UNSUPPORTED,
}


def lowered(verdict: Verdict, reply: str, model: str) -> Verdict:
    """The verdict after this reply of the model, which was asked whether the claim is supported.

    >>> lowered(Verdict(Support.SUPPORTED, "the cited sentences bear it out", ()), "No.", "small:1").why
    'a second reading by small:1 doubts it'
    """
    word = _WORD.fullmatch(reply)
    support = _LOWERED.get((verdict.support, word[1].upper())) if word else None
    if support is None:
        return verdict
    doubt = f"a second reading by {model} doubts it"
    why = f"{verdict.why}; {doubt}" if verdict.findings else doubt
    return Verdict(support, why, (*verdict.findings, Finding("judge", False, doubt)))
