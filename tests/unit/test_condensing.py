import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.condensing import MAX_CARRIED, MAX_CHARACTERS, depends, is_english, standalone
from assistant.domain.conversation import Turn
from assistant.questions import Kind, kind_of

COMMAND = Turn(
    "When does the new U.S. command start in Japan?", "In March, Lloyd Austin said. It has a staff."
)
CANCER = Turn("What is throat cancer?", "A disease.")
FERRY = Turn("Which ferry sails to Hirado?", "The Ashbourne does.")
NOTHING = Turn("What happened?", "Mayor Maren Dathwick opened the pier that Tobin Grell built.")

LEANING = [
    ("Is it treatable?", [CANCER], "Is it treatable? (throat cancer)"),
    ("What are its symptoms?", [CANCER], "What are its symptoms? (throat cancer)"),
    ("What’s its first sign?", [CANCER], "What’s its first sign? (throat cancer)"),
    ("What is that?", [CANCER], "What is that? (throat cancer)"),
    ("Who runs this line?", [FERRY], "Who runs this line? (Hirado, ferry sails)"),
    ("How many people live there?", [FERRY], "How many people live there? (Hirado, ferry sails)"),
    ("Is there a faster one?", [FERRY], "Is there a faster one? (Hirado, ferry sails)"),
    ("Why?", [COMMAND], "Why? (U.S. command, Japan)"),
    ("Since when?", [COMMAND], "Since when? (U.S. command, Japan)"),
    ("And in Korea?", [COMMAND], "And in Korea? (When does the new U.S. command start)"),
    (
        "What about the navy?",
        [COMMAND],
        "What about the navy? (When does the new U.S. command start in Japan)",
    ),
    ("Who was the enemy?", [COMMAND], "Who was the enemy? (U.S. command, Japan)"),
    ("headquarters", [COMMAND], "headquarters (U.S. command, Japan)"),
]


@pytest.mark.parametrize(("question", "turns", "searched"), LEANING)
def test_a_question_that_leans_on_earlier_ones_says_what_it_is_about(
    question: str, turns: list[Turn], searched: str
) -> None:
    assert depends(question, turns)
    assert standalone(question, turns) == searched


@pytest.mark.parametrize(
    "question",
    [
        "How many troops does South Korea host?",
        "Is herpes lethal and how is it transmitted?",
        "How do shipping companies hire their crews?",
        "Did Austin praise his counterpart?",
        "Are there whales near Hirado?",
        "Which treaty says that islands belong to Japan?",
        "And what does the harbour of Hirado charge for a berth?",
        "What makes this rebuilt lighthouse shine green?",
    ],
)
def test_a_question_that_stands_alone_is_searched_as_it_is(question: str) -> None:
    turns = [COMMAND, CANCER]
    assert not depends(question, turns)
    assert standalone(question, turns) == question


@pytest.mark.parametrize(("question", "turns", "searched"), LEANING)
def test_the_first_question_of_a_conversation_never_leans(
    question: str, turns: list[Turn], searched: str
) -> None:
    assert not depends(question, [])
    assert standalone(question, []) == question


def test_the_topic_lasts_until_a_question_stands_alone() -> None:
    turns = [CANCER, Turn("Is it contagious?", "No."), Turn("Who treats it?", "Surgeons.")]
    assert standalone("How long does it last?", turns).endswith("(treats, contagious, throat cancer)")
    turns.append(FERRY)
    assert standalone("How long does it take?", turns) == "How long does it take? (Hirado, ferry sails)"


def test_a_fragment_after_a_fragment_goes_on_the_question_before_both() -> None:
    turns = [COMMAND, Turn("And in Korea?", "In May.")]
    assert standalone("And in Guam?", turns) == "And in Guam? (When does the new U.S. command start, Korea)"


def test_a_fragment_asks_for_the_kind_of_thing_that_the_question_before_it_asked_for() -> None:
    assert kind_of("And in Korea?") is Kind.OTHER
    assert kind_of(standalone("And in Korea?", [COMMAND])) is Kind.DATE


@pytest.mark.parametrize(
    ("turns", "person"),
    [
        ([COMMAND], "Lloyd Austin"),
        ([COMMAND, Turn("What did Minoru Kihara and Yoko Kamikawa sign?", "A treaty.")], "Yoko Kamikawa"),
        ([Turn("Did Minoru Kihara agree?", "He did."), CANCER], "Minoru Kihara"),
        ([FERRY, NOTHING], "Maren Dathwick"),
    ],
)
def test_he_and_she_are_somebody_of_the_questions_or_else_of_the_last_answer(
    turns: list[Turn], person: str
) -> None:
    assert standalone("What did she say?", turns).startswith(f"What did she say? ({person}")


def test_where_the_questions_name_nothing_the_last_answer_does() -> None:
    assert standalone("And why?", [NOTHING]) == "And why? (Maren Dathwick, Tobin Grell)"


def test_where_nobody_names_anything_nothing_is_added() -> None:
    assert depends("And why?", [Turn("Why?", "")])
    assert standalone("And why?", [Turn("Why?", "")]) == "And why?"


def test_what_the_question_says_itself_is_not_said_again() -> None:
    turns = [Turn("Which throat cancer clinics has Hirado?", "Two.")]
    assert standalone("Does it treat cancer?", turns) == "Does it treat cancer? (Hirado, throat clinics)"


def test_a_question_is_never_longer_than_a_typed_one_may_be() -> None:
    question = "Why?" + " " * (MAX_CHARACTERS - 10) + "Why?"
    assert standalone(question, [CANCER]) == question


@given(
    question=st.text(max_size=60),
    earlier=st.lists(st.builds(Turn, st.text(max_size=60), st.text(max_size=60)), max_size=3),
)
def test_whatever_is_typed_is_kept_and_little_is_added(question: str, earlier: list[Turn]) -> None:
    searched = standalone(question, earlier)
    assert searched.startswith(question)
    assert len(searched) <= MAX_CHARACTERS
    if not depends(question, earlier):
        assert searched == question


def test_a_long_first_question_is_carried_in_part() -> None:
    listed = " and ".join(f"berth{number}" for number in range(40))
    searched = standalone("Why?", [Turn(f"Who owns {listed}?", "")])
    assert searched.startswith("Why? (owns berth0, berth1, ")
    assert searched.count("berth") == MAX_CARRIED - 1


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Who heads the new command?", True),
        ("USFJ Tokyo?", True),
        ("Red Hat OpenShift", True),
        ("Did he die in Düsseldorf?", True),
        ("Beyoncé tour dates", True),
        ("", True),
        ("54,000?", True),
        ("Wer leitet das neue Kommando?", False),
        ("In welchem Jahr?", False),
        ("¿Quién dirige el nuevo mando?", False),
        ("Qui dirige le nouveau commandement ?", False),
        ("Chi guida il nuovo comando?", False),
        ("Quem dirige o novo comando?", False),
        ("Wie leidt het nieuwe commando?", False),
        ("Cine conduce noul comandament?", False),
        ("Yeni komutanlığı kim yönetiyor?", False),
        ("Ai chỉ huy bộ tư lệnh mới?", False),
        ("Kto dowodzi nowym dowództwem?", False),
        ("Vem leder det nya kommandot?", False),
        ("谁领导新司令部？", False),
        ("من يقود القيادة الجديدة؟", False),
        ("Кто возглавляет командование USFJ?", False),
    ],
)
def test_english_and_names_alone_are_searched_as_they_are(text: str, english: bool) -> None:
    assert is_english(text) is english
