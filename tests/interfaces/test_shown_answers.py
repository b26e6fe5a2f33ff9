"""What the issue that began the product says it must show, on the demo and on the seed article."""

from pathlib import Path

import click
import pytest

from assistant.answering import Assistant
from assistant.bootstrap import build_assistant, ingest_paths
from assistant.domain.answers import Abstention, AbstentionReason, Answer
from assistant.interfaces.rendering import answer_text
from assistant.settings import load_settings

SEED = Path(__file__).parents[3] / "shared" / "000_a59fb84ccf2847e0.txt"


@pytest.fixture(scope="module")
def demo(demo_home: Path) -> Assistant:
    return build_assistant(load_settings({"home": demo_home, "corpus": "demo"}))


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    if not SEED.is_file():
        pytest.skip("the seed article is not beside this checkout")
    settings = load_settings({"home": tmp_path_factory.mktemp("seed")})
    ingest_paths([SEED], settings)
    return build_assistant(settings)


def quotes(assistant: Assistant, question: str) -> list[str]:
    result = assistant.ask(question)
    assert isinstance(result, Answer), result.text
    for citation in result.citations:
        article, _ = assistant.article(citation.article.id)
        assert citation.span.of(article.text) == citation.quote
    return [citation.quote for citation in result.citations]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who heads the new command?", "A three-star general will be at the head of the new command"),
        ("How many American troops does Japan host?", "54,000 American troops"),
        ("By when does Japan plan its own joint command?", "by March 2025"),
        ("Why is the Patriot production plan delayed?", "a critical component that Boeing manufactures"),
        ("How many people live on Little Corrow?", "About 740 people"),
        ("Who makes the PAC-3 MSE missile?", "Lockheed Martin is the main contractor"),
        ("Where did Blinken talk with Wang Yi?", "in Laos on Saturday"),
        ("What is the nuclear umbrella?", "often called the nuclear umbrella"),
        ("Which countries belong to the Quad?", "Australia, India, Japan and the United States"),
        ("How many rooms would the hotel at Saltpan Quay have?", "a hotel of 140 rooms"),
    ],
)
def test_the_demo_answers_with_the_sentence_that_says_it(demo: Assistant, question: str, said: str) -> None:
    assert any(said in quote for quote in quotes(demo, question))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who heads the new command?", "three-star general"),
        ("How many American troops does Japan host?", "54,000"),
        ("By when does Japan plan its own joint command?", "March 2025"),
    ],
)
def test_the_first_sentence_already_answers(demo: Assistant, question: str, said: str) -> None:
    assert said in quotes(demo, question)[0]


@pytest.mark.parametrize(
    "question",
    [
        "Who won the 2022 World Cup?",
        "What is the price of bitcoin?",
        "When was the Eiffel Tower built?",
        "Who directed Titanic?",
        "How do I bake bread?",
        "How many people live in Tokyo?",
        "Who?",
    ],
)
def test_what_is_outside_the_demo_is_not_answered(demo: Assistant, question: str) -> None:
    result = demo.ask(question)
    assert isinstance(result, Abstention)
    assert result.reason is AbstentionReason.RETRIEVAL
    assert result.text.startswith("Not in the corpus (demo: 20 articles, 2024-01-22 to ")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Who heads the new command?", "will be headed by a three-star general"),
        ("How many American troops does Japan host?", "54,000 American troops"),
        ("By when does Japan plan its own joint command?", "by March 2025"),
        ("Why is the Patriot production plan delayed?", "a critical component manufactured by Boeing"),
        ("Who is Japan's defense minister?", "Minoru Kihara"),
        ("Is the upgrade aimed at China?", "not based on any threat from China"),
        ("What did China's foreign ministry say?", "did not immediately respond"),
        ("How many U.S. aircraft are there?", "hundreds of U.S. aircraft"),
        ("How long was Korea occupied?", "1910-1945 occupation of Korea"),
        ("Which countries does the memorandum bind?", "Japan, the United States and South Korea"),
    ],
)
def test_the_seed_article_alone_shows_the_sentence_that_holds_the_answer(
    seed: Assistant, question: str, said: str
) -> None:
    shown = quotes(seed, question)
    assert any(said in quote for quote in shown)
    assert not any("Nuclear umbrella" in quote or "Comments are closed" in quote for quote in shown)


def test_the_seed_article_has_no_date_and_gets_none(seed: Assistant) -> None:
    result = seed.ask("Who heads the new command?")
    assert isinstance(result, Answer)
    assert {citation.article.published for citation in result.citations} == {None}
    assert result.corpus.newest is None


def test_the_seed_article_does_not_answer_what_it_does_not_say(seed: Assistant) -> None:
    assert isinstance(seed.ask("Who won the 2022 World Cup?"), Abstention)


def test_two_commands_in_one_article_are_both_named(seed: Assistant) -> None:
    result = seed.ask("Who heads the new command?")
    assert "“The new U.S. command in Japan”" in result.text
    assert "“Tokyo’s own plans to establish a joint command”" in result.text


def test_readme_shows_what_the_program_says(demo: Assistant) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert click.unstyle(answer_text(demo.ask("Who heads the new command?"))) in readme
