import pytest

from assistant.grounding.evidence import Cited, read_claim, read_evidence
from assistant.grounding.forms import forms_of
from assistant.grounding.modality import modality_findings


def against(claim: str, sentence: str) -> set[tuple[str, bool]]:
    found = modality_findings(read_claim(claim, None), read_evidence([Cited(sentence)]))
    return {(finding.test, finding.drops) for finding in found}


PLANT = "The company plans to build a battery plant near Dunmore that would employ 3,200 people."
BAIL = "Judge Miriam Adler refused to release Conor Walsh, who had not paid his fine."
TAX = "The government will not extend the tax cut beyond June."
CLINIC = "Operations had been postponed and records were lost, director Stefan Oakes said."
SHARES = "Shares of Nordhaven fell 7.5% on Monday."
DAM = "The minister said that the dam would be finished by June and that no village would be flooded."


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


# Attribution


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("In the minister's view the dam will be finished by June.", DAM),
        ("In the words of the minister, the dam will be finished by June.", DAM),
        ("The minister's account has the dam finished by June.", DAM),
        ("By the minister's own reckoning the dam will be finished by June.", DAM),
        ("The minister believes that the dam will be finished by June.", DAM),
        ("The minister promised on Monday that the dam would be finished by June.", DAM),
        ("The dam would be finished by June, the minister promised.", DAM),
        ("The minister is confident that the dam will be finished by June.", DAM),
        ("The minister made it known that the dam would be finished by June.", DAM),
        ("The dam will be finished by June, per the minister.", DAM),
        ("As the minister has it, the dam will be finished by June.", DAM),
        ("The dam is said to be on course to be finished by June.", DAM),
        ("Reportedly, the dam will be finished by June.", DAM),
        ("The ministry's figures show 4,000 new jobs.", "There are 4,000 new jobs, the ministry said."),
        ("The port puts the cost at 30 million.", "The cost is 30 million, the port said."),
        ("A study found that bees sleep less in cities.", "Bees sleep less in cities, a study said."),
        ("Police suspect that the fire was set.", "The fire was probably set, police said."),
        ("Prosecutors allege that Mead took the money.", "Mead took the money, prosecutors said."),
        ("A poll gave the Greens 30 percent.", "The Greens have 30 percent, the institute said."),
        ("The court ruled that the fee was unlawful.", "The fee was unlawful, the court said."),
        ("Lind described the crane as unsafe.", "The crane is unsafe, said Lind."),
        ("Critics fear the crane will fall.", "The crane will fall, critics say."),
    ],
)
def test_an_attribution_may_be_kept_in_many_ways(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The dam would be finished by June.", DAM),
        ("Critics fear the crane.", "Officials said that critics fear the crane."),
        ("An estimated 90 people were hurt.", "An estimated 90 people were hurt, the clinic said."),
        ("The crane came down in the harbour.", "The crane came down in the harbour, police said."),
        ("A van forced Lind off the road.", "The court heard that a van had forced Lind off the road."),
        ("The day comes once in a century.", "“The day comes once in a century,” said geologist Ann Osk."),
    ],
)
def test_words_that_the_sentence_reports_are_no_attribution_of_the_claim(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == {("attribution", False)}


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("A pact was signed by the chiefs.", "The chiefs of the United States signed a pact on Sunday."),
        ("The paper made two errors.", "Our report of Sunday contained two errors."),
    ],
)
def test_a_name_or_a_noun_reports_nothing(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


# Negation


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Osk did not survive the crash.", "Osk died in the crash."),
        ("The jury found Osk not guilty.", "The jury acquitted Osk."),
        ("The guests were told not to leave.", "The guests were told to stay."),
        ("The ministry did not release the list.", "The ministry refused to release the list."),
        ("The ministry ruled out a release of the list.", "The ministry will not release the list."),
        ("Nobody was hurt in the fire.", "The fire left everyone unhurt."),
        ("The council has yet to vote on the plan.", "The council has not voted on the plan."),
        ("The team was without its captain.", "The team lacked its captain."),
        ("The ships no longer call at Velden.", "The ships have stopped calling at Velden."),
        ("The mine is free of gas.", "The mine has no gas."),
        ("Lind stopped short of blaming the crew.", "Lind did not blame the crew."),
        ("No bridge in the country is longer.", "It is the longest bridge in the country."),
        ("The bridge will not open before May.", "The bridge will open in May at the earliest."),
        ("It was the first strike at the mine.", "There had never been a strike at the mine before."),
        ("Only the captain did not sign.", "Everybody but the captain signed."),
    ],
)
def test_a_negation_may_be_put_otherwise(one: str, other: str) -> None:
    assert against(one, other) == set()
    assert against(other, one) == set()


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("Osk could not do without the car.", "Osk needed the car."),
        ("No fewer than 30 ships sank.", "At least 30 ships sank."),
        ("The vote was not only late but also close.", "The vote was late and close."),
        ("Whether or not the tax is cut, the shop will close.", "The shop will close, tax cut or none."),
        ("Not every farmer was against the dam.", "Some farmers were for the dam."),
        ("Half of the patients have not turned ten.", "Half of the patients are under the age of ten."),
        ("No village other than Dunmore was hit.", "Dunmore was the only village that was hit."),
        ("No Man's Land is a film by Osk.", "Osk made the film No Man's Land."),
        ("The club has 12 unlicensed drafts.", "Drafts that were not licensed number 12."),
    ],
)
def test_what_only_looks_like_a_negation_passes(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The ministry released the list.", "The ministry refused to release the list."),
        ("Lind blamed the crew.", "Lind stopped short of blaming the crew."),
        ("The council voted on the plan.", "The council has yet to vote on the plan."),
        ("The team failed to win the cup.", "The team won the cup in May."),
        ("The gas does harm people.", "The gas is harmless to people."),
        ("The team played with its captain.", "The team played without its captain."),
        ("The bridge is not just old.", "The bridge is just old."),
        ("The bridge is just old.", "The bridge is not just old."),
        ("Nobody was hurt.", "Two people were hurt."),
        ("Miriam Osk was found.", "Miriam Osk has never been traced."),
        ("The port has not scrapped the contract.", "The port has cancelled the contract."),
    ],
)
def test_a_negation_in_other_words_is_found(claim: str, sentence: str) -> None:
    assert "negation" in {test for test, _ in against(claim, sentence)}


# Plans and quantifiers


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The tunnel has opened.", "The tunnel is to open in May."),
        ("The tunnel has offered a short way.", "The tunnel will offer a short way."),
        ("The state has cut the tax.", "The state plans to cut the tax."),
        ("Osk has driven home.", "Osk will take a taxi on Monday."),
        ("The lions have been shown in the palace.", "The lions will be shown in the palace."),
    ],
)
def test_a_plan_is_found_whatever_its_verb(claim: str, sentence: str) -> None:
    assert ("plan", False) in against(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("They spoke of extended deterrence.", "They spoke of how to extend deterrence."),
        ("Fines imposed by the office may be high.", "The office can impose high fines."),
        ("They return provided that the rain stopped.", "They might return if the rain stopped."),
        ("The election has been hit by rain.", "The election, planned for May, has been hit by rain."),
        ("River Aske cut into the rock.", "The River Aske has cut into the rock."),
        ("The god was honoured to promote trade.", "In order to promote trade, they honoured the god."),
    ],
)
def test_what_is_no_plan_passes(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("Lind was the sole survivor.", "Lind was the only survivor."),
        ("The only ship afloat was the Petrel.", "The Petrel was the last ship afloat."),
        ("Only one peak is higher than Sarnak.", "Sarnak is the second-highest peak."),
        ("The strike at the mine was the first.", "The strike at the mine is unprecedented."),
        ("Never before had the river risen so high.", "The river rose to a record height."),
        ("None but Lind knew the code.", "Only Lind knew the code."),
        ("All shelters shut at six.", "The shelters shut at six."),
        ("They were not asked at all.", "They were not asked."),
        ("Above all it is an office.", "It is mainly an office."),
        ("At first it was taken for a shell.", "It was taken for a shell."),
        ("The trip is to last 38 minutes.", "The trip is to take 38 minutes."),
        ("Osk won the First Bull Cup.", "Osk won the Bull Cup."),
    ],
)
def test_a_quantifier_may_be_put_otherwise(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("All ships sank.", "Several ships sank."),
        ("All areas were hit.", "The areas of some towns, and most areas there, were hit."),
        ("Only 43 ships sank, the last on Sunday.", "Of the last ships 43 sank on Sunday."),
        ("It was the first strike.", "Miners held a strike."),
        ("It is the last ship.", "It is a ship."),
    ],
)
def test_a_quantifier_that_is_not_there_is_found(claim: str, sentence: str) -> None:
    assert ("quantifier", False) in against(claim, sentence)


def test_forms_are_of_the_word_alone() -> None:
    forms = forms_of(["acquit", "stop", "make", "fail"])
    assert {"acquitted", "stopped", "stopping", "made", "making", "fails", "failed"} <= forms
    assert "maked" not in forms
    assert "comment" not in forms_of(["come"])
