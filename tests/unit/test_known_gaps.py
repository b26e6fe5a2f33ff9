"""Claims that the check still takes for supported although their sentences do not bear them out.

A reader found them; each is expected to fail, and a rule that catches one takes it off this list.
"""

from datetime import date

import pytest

from assistant.domain.answers import Support
from assistant.grounding.verdicts import Cited, check_claim

FOUR_STAR = (
    "Austin said, however, that Washington would not rule out giving the post to a four-star officer at "
    "some later date, as it has done in South Korea."
)
COUNTERPARTS = (
    "Secretary of State Antony Blinken and Defense Secretary Lloyd Austin met their Japanese counterparts, "
    "Yoko Kamikawa and Minoru Kihara, in Tokyo."
)


@pytest.mark.xfail(strict=True, reason="no rule catches it yet")
@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        # an offer, an attempt, a denial, an accusation, an order told as done
        ("Initech acquired Globex for $3 billion.", "Initech offered to acquire Globex for $3 billion."),
        ("Initech bought Globex.", "Initech tried to buy Globex."),
        ("The minister took money.", "The minister denied taking money."),
        ("The minister took money.", "The minister was accused of taking money."),
        ("The staff left the building.", "The staff were ordered to leave the building."),
        # what was not reached, and what is not sure
        ("The bridge collapsed.", "The bridge nearly collapsed."),
        ("The plant will close.", "The plant may close."),
        # a limit that is left out
        ("Ten ships sank.", "At least ten ships sank."),
        ("Revenue was $12 million.", "Revenue grew by $12 million."),
        # whose it is, where a clause leaves out its noun, or nobody's
        ("Canada has 12 mines.", "Peru has 12 mines and Canada has nine."),
        ("Paris has 2 million people.", "Lyon has 2 million people and Paris 5 million."),
        ("The command is headed by a four-star officer, Austin said.", FOUR_STAR),
        (
            "Secretary of State Antony Blinken met his Japanese counterpart, Minoru Kihara, in Tokyo.",
            COUNTERPARTS,
        ),
        # other words for the opposite
        ("The ferry returned to service.", "The ferry was stopped because smoke came from its engine room."),
    ],
)
def test_a_claim_that_its_sentence_does_not_bear_out_is_not_supported(claim: str, sentence: str) -> None:
    assert check_claim(claim, [Cited(sentence)]).support is not Support.SUPPORTED


@pytest.mark.xfail(strict=True, reason="a title's value counts whatever it is of")
def test_a_number_of_the_headline_bears_out_nothing_else() -> None:
    cited = Cited(
        "The storm killed people in Peru on Monday.", title="Top 12 photos", published=date(2024, 7, 30)
    )
    assert check_claim("The storm killed 12 people in Peru.", [cited]).support is not Support.SUPPORTED
