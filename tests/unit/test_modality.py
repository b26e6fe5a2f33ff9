import pytest

from assistant.grounding.evidence import Cited, read_claim, read_evidence
from assistant.grounding.modality import limit_of, modality_findings, rounds
from assistant.grounding.values import values_in


def against(claim: str, sentence: str) -> set[tuple[str, bool]]:
    found = modality_findings(read_claim(claim, None), read_evidence([Cited(sentence)]))
    return {(finding.test, finding.drops) for finding in found}


PLANT = "The company plans to build a battery plant near Dunmore that would employ 3,200 people."
BAIL = "Judge Miriam Adler refused to release Conor Walsh, who had not paid his fine."
TAX = "The government will not extend the tax cut beyond June."
CLINIC = "Operations had been postponed and records were lost, director Stefan Oakes said."
SHARES = "Shares of Nordhaven fell 7.5% on Monday."


@pytest.mark.parametrize(
    ("claim", "sentence", "found"),
    [
        ("The government will extend the tax cut beyond June.", TAX, ("negation", True)),
        ("Conor Walsh had paid his fine.", BAIL, ("negation", True)),
        ("Shares of Nordhaven did not fall on Monday.", SHARES, ("negation", True)),
        ("Shares of Nordhaven rose 7.5% on Monday.", SHARES, ("opposite", True)),
        ("The company has built a battery plant near Dunmore.", PLANT, ("plan", False)),
        ("The company built a battery plant near Dunmore.", PLANT, ("plan", False)),
        ("Only shares of Nordhaven fell on Monday.", SHARES, ("quantifier", False)),
        ("All shares fell on Monday.", SHARES, ("quantifier", False)),
        ("Shares of Nordhaven fell for the first time on Monday.", SHARES, ("quantifier", False)),
        ("Operations had been postponed and records were lost.", CLINIC, ("attribution", False)),
    ],
)
def test_what_is_surer_or_other_than_the_sentence_is_found(
    claim: str, sentence: str, found: tuple[str, bool]
) -> None:
    assert found in against(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The tax cut will not be extended beyond June.", TAX),
        ("Conor Walsh had not paid his fine.", BAIL),
        ("The judge did not release Conor Walsh.", BAIL),
        ("Nordhaven's shares dropped 7.5% on Monday.", SHARES),
        ("The company intends to build a battery plant.", PLANT),
        ("A battery plant will be built near Dunmore.", PLANT),
        ("Records were lost, according to Stefan Oakes.", CLINIC),
    ],
)
def test_what_keeps_the_modality_passes(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


def test_an_aside_is_the_writers_own_statement() -> None:
    sentence = "Emma Stroud, who was born in Velden, said on Sunday that she would retire."
    assert against("Emma Stroud was born in Velden.", sentence) == set()
    assert against("She would retire on Sunday.", sentence) == {("attribution", False)}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("More than 30 ships", "at least"),
        ("30 or more ships", "at least"),
        ("as many as 30 ships", "at most"),
        ("nearly 30 ships", "at most"),
        ("about 30 ships", "about"),
        ("only 30 ships", "only"),
        ("all of the 30 ships", "all"),
        ("30 ships", ""),
    ],
)
def test_a_limit_stands_by_its_number(text: str, limit: str) -> None:
    parsed = read_claim(text, None)
    assert limit_of(parsed.text, parsed.values[0]) == limit


@pytest.mark.parametrize(
    ("claim", "limit", "source", "expected"),
    [
        ("54,000", "about", "54,217", True),
        ("50,000", "at least", "54,217", True),
        ("55,000", "at most", "54,217", True),
        ("55,000", "at least", "54,217", False),
        ("54,218", "about", "54,217", False),
        ("40,000", "at least", "54,217", False),
        ("54,000", "", "54,217", False),
        ("$54,000", "about", "€54,217", False),
    ],
)
def test_a_rounding_is_near_and_rounder(claim: str, limit: str, source: str, expected: bool) -> None:
    assert rounds(values_in(claim)[0], limit, values_in(source)[0]) is expected
