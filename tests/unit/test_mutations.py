from datetime import date

import pytest

from assistant.grounding import overlap
from assistant.grounding.verdicts import Cited
from benchmarks.claims import rewritten
from benchmarks.mutations import KINDS, Background, Pair, mutate

CORPUS = [
    "The mayor of Selm praised Ilse Brandt after the vote on the harbour.",
    "After the storm, the council asked Viktor Hanse to lead the search in Orsova.",
    "She said that the company has moved its office to Karlsund, where prices were lower.",
    "The critics were waiting and several members of the club had visited the new theatre.",
    "He suddenly announced a change, signed the contract and opened a workshop near the station.",
]
BACKGROUND = Background.of(CORPUS)
TITLE = "Selm votes on its harbour"


def pair(
    claim: str, source: str = "", *, before: tuple[str, ...] = (), elsewhere: tuple[str, ...] = ()
) -> Pair:
    cited = Cited(source or claim, before, TITLE, "Selm Courier", date(2026, 3, 3))
    return Pair(claim, (cited,), "test", None, tuple(Cited(text, (), TITLE) for text in elsewhere))


def false_claim(kind: str, claim: str, source: str = "", seed: int = 1) -> str | None:
    mutated = mutate(kind, pair(claim, source), BACKGROUND, seed)
    return mutated.claim if mutated else None


@pytest.mark.parametrize(
    ("kind", "claim", "false"),
    [
        (
            "value of something else",
            "Nine people live on the island, while 40 work in the harbour.",
            "40 people live on the island, while Nine work in the harbour.",
        ),
        (
            "name exchanged",
            "Brandt accused the council of waste, and the vote was lost by Hanse.",
            "Hanse accused the council of waste, and the vote was lost by Brandt.",
        ),
        (
            "title given away",
            "President Ilse Brandt wrote to Governor Viktor Hanse.",
            "Governor Ilse Brandt wrote to President Viktor Hanse.",
        ),
        (
            "title given away",
            "Ilse Brandt, the director of the museum in Selm, was thanked for that, Viktor Hanse said.",
            "Viktor Hanse, the director of the museum in Selm, was thanked for that, Ilse Brandt said.",
        ),
        (
            "speaker exchanged",
            "Brandt said the harbour would be closed before the winter if Hanse had his way.",
            "Hanse said the harbour would be closed before the winter if Brandt had his way.",
        ),
        (
            "subject and object",
            "The council sued the harbour company in May.",
            "The harbour company sued the council in May.",
        ),
        ("negation added", "The bridge was closed on Monday.", "The bridge was not closed on Monday."),
        ("negation removed", "The bridge was not closed on Monday.", "The bridge was closed on Monday."),
        ("negation removed", "The ferry won’t sail on Monday.", "The ferry will sail on Monday."),
        ("plan told as done", "The council will open a school.", "The council has opened a school."),
        ("plan told as done", "Both sides plan to sign a treaty.", "Both sides have signed a treaty."),
        ("at least added", "The fire killed 12 people.", "The fire killed at least 12 people."),
        ("only added", "The fire killed 12 people.", "The fire killed only 12 people."),
        ("all added", "It was clear that several schools closed.", "It was clear that all schools closed."),
        (
            "first added",
            "The council approved the plan.",
            "The council approved the plan for the first time.",
        ),
        (
            "attribution dropped",
            "The bridge was closed for a week, officials said.",
            "The bridge was closed for a week.",
        ),
        (
            "attribution dropped",
            "Brandt said on Monday that the bridge had been closed for a week.",
            "The bridge had been closed for a week.",
        ),
        (
            "attribution dropped",
            "According to Brandt, the bridge had been closed for a week.",
            "The bridge had been closed for a week.",
        ),
    ],
)
def test_what_a_true_claim_becomes(kind: str, claim: str, false: str) -> None:
    assert false_claim(kind, claim) == false


@pytest.mark.parametrize(
    ("kind", "claim", "part"),
    [
        ("digit", "The fire killed 12 people in Selm.", "12"),
        ("digit", "The fire killed twelve people in Selm.", "twelve"),
        ("unit", "The march took 12 days.", "days"),
        ("unit", "The repair cost $12.", "$"),
        ("scale", "The repair cost 12 million crowns.", "million"),
        ("scale", "The town has 12,000 inhabitants.", "12,000 "),
        ("date", "The bridge was closed on Monday.", "Monday"),
        ("date", "The bridge was closed in April.", "April"),
        ("date", "The bridge was closed in 1998.", "1998"),
        ("date", "The bridge was closed on May 30.", "30"),
        ("name", "The vote was lost by Petra Holm.", "Petra Holm"),
        ("quote", "Hanse called it “a very lovely day” there.", "lovely"),
    ],
)
def test_what_is_in_no_source_takes_the_place_of_one_part(kind: str, claim: str, part: str) -> None:
    mutated = false_claim(kind, claim)
    assert mutated is not None
    head, tail = claim.split(part)
    assert mutated.startswith(head)
    assert mutated.endswith(tail)
    new = mutated[len(head) : len(mutated) - len(tail)]
    assert new
    assert new.strip() not in claim.split()


def test_a_swapped_marker_cites_another_sentence_of_the_article() -> None:
    other = "Gulls had nested in the old pier since spring."
    true = pair("The fire killed 12 people in Selm.", elsewhere=("The fire in Selm killed people.", other))
    mutated = mutate("marker", true, BACKGROUND, 1)
    assert mutated == Pair(true.claim, (Cited(other, (), TITLE),), "test", None, true.elsewhere)


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        *((kind, "She was tired.") for kind in KINDS if kind not in ("negation added", "first added")),
        ("digit", "It was called “the 12 days” there."),
        ("value of something else", "The trip takes between 12 and 40 very long summer days."),
        ("value of something else", "Three in 10 live in the town, while four in 10 work in the harbour."),
        ("value of something else", "The count was 12 and 40."),
        ("name exchanged", "Brandt met the council before the vote was lost by Hanse."),
        ("name exchanged", "The vote was lost by Brandt, Hanse and others."),
        ("title given away", "President Ilse Brandt spoke to the General Assembly."),
        ("speaker exchanged", "Hanse and Brandt said the harbour would be closed."),
        ("subject and object", "The council met the harbour company in May."),
        ("subject and object", "He sued the harbour company in May."),
        ("negation added", "Nobody was hurt and the bridge was closed."),
        ("negation removed", "The bridge was not closed but repaired."),
        ("negation removed", "The bridge was not only closed on Monday."),
        ("plan told as done", "If it rains, the council will open a school."),
        ("plan told as done", "The council will remain in Selm."),
        ("plan told as done", "The council has announced plans to open a school."),
        ("at least added", "The fire killed about 12 people."),
        ("at least added", "The ferry sank 12 years ago."),
        ("only added", "The fire killed just 12 people."),
        ("all added", "All were there when several schools closed."),
        ("first added", "The council approved the first plan."),
        ("attribution dropped", "“We closed the bridge for a week,” officials said."),
        ("attribution dropped", "He had closed the bridge for a week, officials said."),
    ],
)
def test_a_claim_that_offers_nothing_of_the_kind_is_left(kind: str, claim: str) -> None:
    assert false_claim(kind, claim) is None


@pytest.mark.parametrize(
    ("kind", "claim", "source"),
    [
        ("at least added", "The fire killed 12 people.", "The fire killed 12 people or more."),
        ("only added", "The fire killed 12 people.", "The fire killed just 12 people."),
        ("negation added", "The bridge was closed.", "The bridge has not been open."),
        ("unit", "The repair cost $12.", "The repair cost $12, which is €11 or £10."),
    ],
)
def test_what_the_evidence_may_bear_out_is_left(kind: str, claim: str, source: str) -> None:
    assert false_claim(kind, claim, source) is None


def test_a_shortened_claim_gets_the_other_value_or_name_of_its_sentence() -> None:
    source = "Some 40 people live on the island that Brandt likes, but 12 work in the harbour built by Hanse."
    assert false_claim("value of something else", "On the island live 40 people.", source) == (
        "On the island live 12 people."
    )
    assert false_claim("name exchanged", "The harbour was built by Hanse.", source) == (
        "The harbour was built by Brandt."
    )


def test_the_same_seed_gives_the_same_mutation_and_seeds_differ() -> None:
    claim = "The fire killed 12 people, hurt 40 and destroyed 345 houses."
    made = [false_claim("digit", claim, seed=seed) for seed in range(20)]
    assert made == [false_claim("digit", claim, seed=seed) for seed in range(20)]
    assert len(set(made)) > 5
    assert claim not in made


@pytest.mark.parametrize(
    ("sentence", "true"),
    [
        ("On Monday, the council has opened a new school.", "The council has opened a new school."),
        (
            "The council, which sat until midnight, has opened a new school.",
            "The council has opened a new school.",
        ),
        ("Ilse Brandt, 45, has opened a new school.", "Ilse Brandt has opened a new school."),
        (
            "The council has opened a new school, but the old one was kept for now.",
            "The council has opened a new school.",
        ),
        (
            "The council has opened a new school, Brandt said.",
            "Brandt said that the council has opened a new school.",
        ),
        (
            "Brandt said that the council has opened a new school.",
            "The council has opened a new school, Brandt said.",
        ),
        ("The new plan was approved by the council.", "The council approved the new plan."),
    ],
)
def test_rules_make_true_claims_of_a_sentence(sentence: str, true: str) -> None:
    assert true in list(rewritten(sentence, BACKGROUND))


def test_overlap_falls_with_every_word_that_the_sentence_does_not_have() -> None:
    cited = [Cited("The council of Selm approved a new harbour for 12 million crowns on Monday.")]
    claims = [
        "The council of Selm approved a new harbour for 12 million crowns.",
        "The council of Selm approved a new theatre for 12 million crowns.",
        "The council of Selm visited a small theatre for 12 million crowns.",
        "The critics of Orsova visited a small theatre in Selm.",
    ]
    shares = [overlap.share(claim, cited) for claim in claims]
    assert shares == sorted(set(shares), reverse=True)
    assert [overlap.below(claim, cited) for claim in claims] == [False, False, False, True]


def test_overlap_counts_all_cited_sentences_but_not_what_stands_around_them() -> None:
    around = Cited("She approved the harbour.", ("Brandt visited the theatre.",), "Selm votes")
    assert overlap.share("Brandt visited the theatre.", [around]) == 0.0
    assert overlap.share("Brandt visited the theatre.", [around, Cited("Brandt visited the theatre.")]) == 1.0


def test_overlap_of_nothing_is_defined() -> None:
    assert overlap.share("", []) == 1.0
    assert overlap.below("The bridge was closed.", [])


def test_a_background_knows_names_and_ordinary_words() -> None:
    assert {"Ilse Brandt", "Viktor Hanse", "Karlsund"} <= set(BACKGROUND.names)
    assert "council" in BACKGROUND.common
    assert set(BACKGROUND.longer) <= BACKGROUND.common <= BACKGROUND.words
