import pytest

from assistant.questions import (
    Kind,
    asks_identity,
    asks_now,
    content,
    full_names,
    is_role,
    kind_of,
    names_in,
    offers,
    phrases,
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who heads the new command?", Kind.PERSON),
        ("Whom did the mayor appoint?", Kind.PERSON),
        ("How many American troops does Japan host?", Kind.NUMBER),
        ("What share of the oysters died?", Kind.NUMBER),
        ("What is the total cost of the quay?", Kind.NUMBER),
        ("By when does Japan plan its own joint command?", Kind.DATE),
        ("On what day does the council vote?", Kind.DATE),
        ("How long was Korea occupied?", Kind.DURATION),
        ("For how many years was the valley closed?", Kind.DURATION),
        ("Where did the two ministers meet?", Kind.NAME),
        ("Which countries does the memorandum bind?", Kind.NAME),
        ("What company makes the seeker?", Kind.NAME),
        ("Why is the Patriot production plan delayed?", Kind.REASON),
        ("What caused the delay?", Kind.REASON),
        ("What did China's foreign ministry say?", Kind.STATEMENT),
        ("How did the ministry react to the report?", Kind.STATEMENT),
        ("Is the upgrade aimed at China?", Kind.OTHER),
        ("Qui dirige le nouveau commandement ?", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_the_words_of_a_question_tell_what_would_answer_it(question: str, kind: Kind) -> None:
    assert kind_of(question) is kind


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many American troops does Japan host?", "American troops Japan host"),
        ("What did China’s foreign ministry say?", "China's foreign ministry say"),
        ("How many U.S. aircraft are there?", "U.S aircraft"),
        ("Who is it?", "Who is it?"),
    ],
)
def test_content_leaves_out_what_only_makes_it_a_question(question: str, words: str) -> None:
    assert content(question) == words


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Did Austin visit the USFJ in Tokyo?", {"austin", "usfj", "tokyo"}),
        ("Relations improved. Japan’s minister agreed.", set()),
        ("He told Japan’s minister", {"japan"}),
        ("It was Gen. Smith of the U.S. Army.", {"gen", "smith", "us", "army"}),
        ("nothing here", set()),
        ("", set()),
    ],
)
def test_names_are_capitals_that_no_sentence_start_explains(text: str, names: set[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("kind", "sentence", "question", "offered"),
    [
        (Kind.NUMBER, "It hosts 54,000 people.", "How many people?", 1.0),
        (Kind.NUMBER, "It hosts hundreds of aircraft.", "How many aircraft?", 1.0),
        (Kind.NUMBER, "Of the 300 who came, all were people of the town.", "How many boats?", 0.6),
        (Kind.NUMBER, "In 2022 it hosted some.", "How many did it host?", 0.0),
        (Kind.NUMBER, "It hosted 12 some years ago.", "How many of the 12 did it host?", 0.0),
        (Kind.DATE, "It opens by March 2025.", "When does it open?", 1.0),
        (Kind.DATE, "You may enter.", "When does it open?", 0.0),
        (Kind.DURATION, "the 1910-1945 occupation", "How long was it occupied?", 1.0),
        (Kind.DURATION, "for at least a week", "How long?", 1.0),
        (Kind.PERSON, "It is led by its director, Minoru Kihara.", "Who leads it?", 1.0),
        (Kind.PERSON, "It is led by Minoru Kihara.", "Who leads it?", 0.9),
        (Kind.PERSON, "Then Kihara will lead it.", "Who leads it?", 0.7),
        (Kind.PERSON, "It is led by Defense Minister.", "Who leads it?", 0.7),
        (Kind.PERSON, "It will be led by a three-star general.", "Who leads it?", 0.6),
        (Kind.PERSON, "It is not yet known.", "Who leads it?", 0.0),
        (Kind.NAME, "The members of the Quad met.", "Which country left the Quad?", 0.0),
        (Kind.REASON, "It is delayed because of a shortage.", "Why?", 1.0),
        (Kind.STATEMENT, "The ministry did not respond.", "What did it say?", 1.0),
        (Kind.OTHER, "Anything at all in 1999 by Kim.", "Is it so?", 0.0),
    ],
)
def test_a_sentence_offers_what_the_question_does_not_say_itself(
    kind: Kind, sentence: str, question: str, offered: float
) -> None:
    assert offers(kind, sentence, question) == offered


@pytest.mark.parametrize("word", ["Minister", "Mr", "Mr.", "Councillor", "general"])
def test_titles_and_ranks_are_no_first_names(word: str) -> None:
    assert is_role(word)


@pytest.mark.parametrize("word", ["Maren", "Tobin", "Ministry"])
def test_first_names_are_no_titles(word: str) -> None:
    assert not is_role(word)


@pytest.mark.parametrize(
    ("question", "runs"),
    [
        ("Who heads the new command?", ["heads", "new command"]),
        ("Who is Japan's defense minister?", ["Japan's defense minister"]),
        ("Is it so?", []),
    ],
)
def test_phrases_are_content_words_that_stand_side_by_side(question: str, runs: list[str]) -> None:
    assert phrases(question) == runs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("They met Yoko Kamikawa and Minoru Kihara.", ["Yoko Kamikawa", "Minoru Kihara"]),
        ("They met Defense Minister Shin Won-sik.", ["Shin Won-sik"]),
        ("They met the Minister.", []),
        ("They met in May.", []),
        ("They met Secretary of State Antony Blinken.", ["Antony Blinken"]),
        ("They met Secretary of Defense Lloyd Austin.", ["Lloyd Austin"]),
        ("They met Gen. Mark A. Smith.", ["Mark A. Smith"]),
        ("A fall of South Korean exports to North Korea.", []),
    ],
)
def test_full_names_have_two_words_and_no_title(text: str, names: list[str]) -> None:
    assert full_names(text) == names


@pytest.mark.parametrize(
    ("question", "identity"),
    [
        ("Who is Kihara?", True),
        ("who’s the minister?", True),
        ("Who heads it?", False),
        ("Whose is it?", False),
    ],
)
def test_who_is_asks_for_somebody_and_who_does_not(question: str, identity: bool) -> None:
    assert asks_identity(question) is identity


@pytest.mark.parametrize(
    "question",
    [
        "How many cracks does the bridge currently have?",
        "How many cracks does the bridge have now?",
        "What is the latest figure for the cracks?",
        "Is the bridge still closed?",
        "Which ministers are in office today?",
        "Who is the mayor of Quillport?",
        "Who’s the head of the harbour office?",
        "Who leads the harbour office?",
    ],
)
def test_a_question_about_the_present_is_seen(question: str) -> None:
    assert asks_now(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who was the mayor of Quillport?",
        "Who led the harbour office?",
        "Who is the mayor of Quillport since 2019?",
        "How many cracks did the bridge have in March 2031?",
        "How many cracks does the bridge have now, on 4 March?",
        "Who is Ines Varga?",
        "What did the now-closed bridge cost?",
        "How many cracks does the bridge have?",
    ],
)
def test_a_question_about_a_day_or_about_nothing_that_changes_is_not(question: str) -> None:
    assert not asks_now(question)
