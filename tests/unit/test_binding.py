import pytest

from assistant.grounding.binding import binding_findings
from assistant.grounding.evidence import Cited, read_claim, read_evidence
from assistant.grounding.people import reports_in, titles_in
from assistant.grounding.words import read, stem


def against(claim: str, sentence: str) -> set[tuple[str, bool]]:
    found = binding_findings(read_claim(claim, None), read_evidence([Cited(sentence)]))
    return {(finding.test, finding.drops) for finding in found}


ELECTION = (
    "Carla Montes of the Civic Union won 112 seats and Ricardo Sosa of the Green Bloc won 47 seats on Monday."
)
COURT = (
    "Judge Miriam Adler refused to release Conor Walsh after prosecutor Dana Reyes "
    "presented 22 fake passports."
)
RAID = (
    "Police in Garrow arrested 14 people and seized 230 kilograms of cocaine in "
    "raids that involved 600 officers."
)
DRONES = (
    "Ukraine's air force said it had shot down 27 drones, but Governor Maksym Sirko "
    "said two people died in Lymansk."
)
FINAL = "Hartwell beat Lindqvist in the final and was congratulated by Queen Sofia."


@pytest.mark.parametrize(
    ("claim", "sentence", "test"),
    [
        ("Ricardo Sosa of the Civic Union won 112 seats.", ELECTION, "swap"),
        ("Ricardo Sosa of the Civic Union won 112 seats and Carla Montes 47.", ELECTION, "swap"),
        ("Prosecutor Conor Walsh presented 22 fake passports.", COURT, "title"),
        ("Dana Reyes, the judge, refused to release Conor Walsh.", COURT, "title"),
        ("Police in Garrow arrested 600 people.", RAID, "swap"),
        ("The raids involved 14 officers.", RAID, "swap"),
        ("230 officers took part in the raids.", RAID, "unit"),
        ("Governor Maksym Sirko said his forces had shot down 27 drones.", DRONES, "speaker"),
        ("Ukraine's air force said two people died in Lymansk.", DRONES, "speaker"),
        ("Lindqvist beat Hartwell in the final.", FINAL, "role"),
    ],
)
def test_a_fact_of_something_else_is_found(claim: str, sentence: str, test: str) -> None:
    assert test in {found for found, _ in against(claim, sentence)}


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("Carla Montes won 112 seats.", ELECTION),
        ("47 seats were won by Ricardo Sosa.", ELECTION),
        ("Dana Reyes, a prosecutor, presented 22 fake passports.", COURT),
        ("Conor Walsh was refused release by Judge Miriam Adler.", COURT),
        ("In raids in Garrow, 14 people were arrested.", RAID),
        ("More than 600 officers took part in the raids.", RAID),
        ("Two people died in Lymansk, according to Governor Maksym Sirko.", DRONES),
        ("Lindqvist was beaten by Hartwell in the final.", FINAL),
        ("Queen Sofia congratulated Hartwell.", FINAL),
    ],
)
def test_what_is_said_otherwise_is_no_exchange(claim: str, sentence: str) -> None:
    assert against(claim, sentence) == set()


def test_a_title_or_a_speech_given_away_drops_and_a_swapped_name_marks() -> None:
    assert ("title", True) in against("Prosecutor Conor Walsh presented 22 fake passports.", COURT)
    assert ("speaker", True) in against("Ukraine's air force said two people died in Lymansk.", DRONES)
    assert against("Ricardo Sosa of the Civic Union won 112 seats.", ELECTION) >= {("swap", False)}


def test_a_counterpart_holds_a_like_office() -> None:
    hosts = (
        "Defense Secretary Lloyd Austin met Foreign Minister Yoko Kamikawa and Defense "
        "Minister Minoru Kihara."
    )
    assert ("title", True) in against("Austin met his counterpart Kamikawa.", hosts)
    assert against("Austin met his counterpart Kihara.", hosts) == set()


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Gov. Ann Lee resigned.", [("ann lee", {"governor"})]),
        ("Ann Lee, the governor of Ohio, resigned.", [("ann lee", {"governor", "ohio"})]),
        ("The clinic's director, Stefan Oakes, resigned.", [("stefan oakes", {"director"})]),
        ("Kihara is the Japanese defense minister.", [("kihara", {"japanese", "defense", "minister"})]),
        ("PM Tomas Berg spoke.", [("tomas berg", {"prime", "minister"})]),
        (
            "Secretary of State Antony Blinken and Secretary of Defense Lloyd Austin spoke.",
            [("antony blinken", {"secretary", "state"}), ("lloyd austin", {"secretary", "defense"})],
        ),
        (
            "President Ann Lee, Vice President Bo Kim and others came.",
            [
                ("ann lee", {"president"}),
                ("bo kim", {"vice", "president"}),
            ],
        ),
        ("Austin met Kihara in Tokyo.", []),
    ],
)
def test_titles_are_read_where_they_stand(text: str, titles: list[tuple[str, set[str]]]) -> None:
    assert [(" ".join(one.name.words), set(one.words)) for one in titles_in(read(text))] == titles


@pytest.mark.parametrize(
    ("text", "speaker", "told"),
    [
        ("Ann Lee said the bridge would close.", "lee", "the bridge would close"),
        ("The bridge would close, Ann Lee said on Monday.", "lee", "The bridge would close,"),
        ("The bridge would close, said Ann Lee, the mayor.", "lee", "The bridge would close,"),
        ("According to Ann Lee, the bridge would close.", "lee", ", the bridge would close"),
        ("The bridge would close, according to Ann Lee.", "lee", "The bridge would close,"),
        ("Ann Lee, the mayor, told reporters that it rained.", "lee", "reporters that it rained"),
    ],
)
def test_speech_is_read_with_its_speaker(text: str, speaker: str, told: str) -> None:
    parsed = read(text)
    reports = reports_in(parsed)
    assert [parsed.slice(one.first, one.last) for one in reports] == [told]
    assert stem(speaker) in reports[0].speaker


def test_a_thing_of_which_nobody_speaks_reports_nothing() -> None:
    assert reports_in(read("Rescuers found 12 bodies. The painting was found in a cellar.")) == ()
