"""The forms of a verb or noun: "deny", "denies", "denied", "denying". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assistant.grounding.words import lexicon


def forms_of(words: Iterable[str]) -> frozenset[str]:
    """The words with all their forms.

    Unlike a stem, a form belongs to no other word: "come" is no form of "comment".

    >>> sorted(forms_of(["deny"]))
    ['denied', 'denies', 'deny', 'denying']
    """
    wanted = frozenset(words)
    irregular = {form for form, head in lexicon().heads.items() if head in wanted}
    known = {lexicon().heads.get(form, form) for form in irregular}
    return wanted | irregular | {form for word in wanted for form in _regular(word, past=word not in known)}


def _regular(word: str, *, past: bool) -> Iterator[str]:
    vowel = word[-2:-1] in "aeiou"
    if word[-1] == "y" and not vowel:
        yield from (word[:-1] + "ies", word[:-1] + "ied", word + "ing")
        return
    yield word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")
    stems = [word.removesuffix("e")]
    single = word[-3:-2] not in "aeiou" or word[-4:-2] == "qu"
    if vowel and single and word[-1] not in "aeiouwxy":
        stems.append(word + word[-1])  # "drop", "dropped"
    for stem in stems:
        yield stem + "ing"
        if past:
            yield stem + "ed"
