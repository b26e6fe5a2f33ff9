"""The checks of `assistant doctor`: what each says of a home, a corpus, a model and an embedder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.bootstrap import build_assistant, ingest_paths, withdraw_articles
from assistant.domain.conversation import Completion, Finish
from assistant.domain.errors import (
    AssistantError,
    ConfigurationError,
    ContentRefused,
    CorpusNotFound,
    EmbedderMismatch,
    FormatUnsupported,
    HistoryDamaged,
    HomeUnusable,
    LibraryDamaged,
    ProviderError,
    ProviderTimedOut,
)
from assistant.examining import (
    LEAST_SPACE,
    Check,
    State,
    call_embedder,
    call_model,
    examine,
    examine_corpus,
    examine_extras,
    examine_home,
    examine_live,
    examine_space,
    examine_tokens,
)
from assistant.ports import TokenCounter
from assistant.settings import Settings
from assistant.testing import ScriptedChatModel, ScriptedEmbedder, UnexpectedCall

KEY = "sk-never-to-be-seen"


def scripted(*pieces: str | Completion | ProviderError) -> ScriptedChatModel:
    """A model that gives these pieces, once."""
    return ScriptedChatModel(pieces, name="scripted:chat", host="models.example")


class Counter:
    """A counter of that name."""

    def __init__(self, name: str, *, exact: bool) -> None:
        self.name, self.exact = name, exact

    def count(self, text: str) -> int:
        raise UnexpectedCall(f"nobody counts {text!r}")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for an empty home, with a demo of one article and a quick embedder."""
    corpus = tmp_path / "content" / "corpus"
    corpus.mkdir(parents=True)
    (corpus / "well.txt").write_text("The Quill well is 31 metres deep.")
    return Settings(home=tmp_path / "home", content=tmp_path / "content", embedder="hashing")


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder with two articles."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "mill.md").write_text(
        "---\nid: mill\ntitle: The mill\npublished: 2024-03-04\n---\nThe Quill mill has 11 sails.\n"
    )
    (folder / "weir.txt").write_text("The Quill weir leaks.")
    return folder


def check(settings: Settings, name: str) -> Check:
    """The check of this name."""
    (found,) = (one for one in examine(settings) if one.name == name)
    return found


def with_(settings: Settings, **changes: object) -> Settings:
    """The settings with these changes, validated."""
    return Settings(**{**settings.model_dump(), **changes})


def ticking(*readings: float) -> Iterator[float]:
    """What a stopwatch reads, one reading after another."""
    return iter(readings)


def garble(path: Path) -> None:
    """Cut the end off a file, and leave copies of it that are linked alone."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-9])


# The home.


def test_a_home_that_is_not_there_yet_is_no_problem_and_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    assert examine_home(home) == Check("home", State.OK, f"{home}, which the first question creates")
    assert not home.parent.exists()


def test_a_private_home_is_fine(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert examine_home(tmp_path) == Check("home", State.OK, str(tmp_path))


def test_a_home_that_others_may_open_is_worth_a_note(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert examine_home(tmp_path) == Check(
        "home",
        State.NOTE,
        f"{tmp_path} is open to others on this machine (mode 0750)",
        f"chmod 700 {tmp_path}",
    )


def test_a_home_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for found in (
        examine_home(tmp_path / "file"),
        examine_home(tmp_path / "file" / "home"),
        examine_home(tmp_path / "home", writable=lambda folder: folder != tmp_path),
        examine_home(tmp_path, writable=lambda folder: False),
    ):
        assert (found.state, type(found.error), found.help) == (
            State.PROBLEM,
            HomeUnusable,
            HomeUnusable.help,
        )


def test_a_home_that_cannot_be_written_still_answers(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    found = examine_home(tmp_path, writable=lambda folder: False)
    assert (found.state, found.text) == (
        State.NOTE,
        f"{tmp_path} cannot be written: it answers, and keeps nothing",
    )


def test_space_is_that_of_the_disk_on_which_the_home_will_be(tmp_path: Path) -> None:
    def free(folder: Path) -> int:
        assert folder == tmp_path
        return 72_530_000_000

    assert examine_space(tmp_path / "deep" / "home", free=free) == Check("space", State.OK, "72.5 GB free")
    assert examine_space(tmp_path).state in State


def test_a_disk_with_too_little_space_is_a_problem(tmp_path: Path) -> None:
    assert examine_space(tmp_path, free=lambda folder: LEAST_SPACE).state is State.OK
    found = examine_space(tmp_path, free=lambda folder: LEAST_SPACE - 1_000_000)
    assert found == Check(
        "space",
        State.PROBLEM,
        "499 MB free on the home's disk, less than the 500 MB that an ingest may take",
        "Free space there, or point --home at another disk.",
    )
    assert found.error is None


def test_space_that_cannot_be_told_is_a_problem(tmp_path: Path) -> None:
    def free(folder: Path) -> int:
        raise OSError(5, "Input/output error", str(folder))

    found = examine_space(tmp_path, free=free)
    assert (found.state, found.text) == (
        State.PROBLEM,
        f"{str(tmp_path)!r} cannot be read: Input/output error",
    )


# The corpus.


def test_without_articles_the_demo_will_answer(settings: Settings) -> None:
    assert list(examine_corpus(settings)) == [
        Check(
            "corpus",
            State.NOTE,
            "no articles yet; the demo is indexed with the first question",
            "`assistant ingest PATH` takes in your own.",
        )
    ]
    assert not settings.home.exists()


def test_the_demo_is_a_corpus_as_any_other_but_needs_no_fallback(settings: Settings) -> None:
    build_assistant(settings)
    assert list(examine_corpus(settings)) == [
        Check("corpus", State.OK, "demo, generation 1: 1 article, 1 passage, all undated"),
        *sound(settings),
    ]


def test_a_corpus_says_what_it_holds(settings: Settings, articles: Path) -> None:
    ingest_paths([articles], settings)
    first = list(examine_corpus(settings))
    assert first == [
        Check("corpus", State.OK, "main, generation 1: 2 articles, 2 passages, newest 2024-03-04"),
        *sound(settings),
        Check(
            "fallback",
            State.NOTE,
            "no older generation could answer if this one were damaged;"
            " the next change to the corpus keeps one",
            "`assistant index export FILE` makes a copy.",
        ),
    ]
    (articles / "weir.txt").write_text("The Quill weir is mended.")
    ingest_paths([articles], settings)
    assert list(examine_corpus(settings)) == [
        Check("corpus", State.OK, "main, generation 2: 2 articles, 2 passages, newest 2024-03-04"),
        *sound(settings),
        Check("fallback", State.OK, "an older generation answers if this one is damaged"),
    ]


def test_after_a_withdrawal_there_is_nothing_to_fall_back_to_until_the_next_publish(
    settings: Settings, articles: Path
) -> None:
    ingest_paths([articles], settings)
    withdraw_articles(["mill"], settings)
    assert [one.state for one in examine_corpus(settings) if one.name == "fallback"] == [State.NOTE]
    (articles / "ford.txt").write_text("The Quill ford is dry.")
    ingest_paths([articles], settings)
    assert [one.state for one in examine_corpus(settings) if one.name == "fallback"] == [State.OK]


def test_another_embedder_than_that_of_the_index_is_a_problem(settings: Settings, articles: Path) -> None:
    ingest_paths([articles], settings)
    (found,) = (one for one in examine_corpus(with_(settings, embedder="static")) if one.name == "index")
    assert (found.state, type(found.error)) == (State.PROBLEM, EmbedderMismatch)
    assert "`assistant ingest --rebuild`" in found.help


def test_for_the_demo_another_embedder_is_none(settings: Settings) -> None:
    build_assistant(settings)
    (found,) = (one for one in examine_corpus(with_(settings, embedder="static")) if one.name == "index")
    assert found.state is State.NOTE
    assert found.text.endswith("; the next question indexes the demo anew")


def test_damage_that_readers_go_round_is_a_problem(settings: Settings, articles: Path) -> None:
    ingest_paths([articles], settings)
    (articles / "weir.txt").write_text("The Quill weir is mended.")
    ingest_paths([articles], settings)
    garble(settings.home / "corpora/main/generations/2/lexical/meta.json")
    found = {one.name: one for one in examine_corpus(settings)}
    assert found["corpus"].text.startswith("main, generation 1: ")
    assert (found["damage"].state, type(found["damage"].error)) == (State.PROBLEM, LibraryDamaged)
    assert "generation 1 answers" in found["damage"].text


@pytest.mark.parametrize(
    ("file", "error"), [("lexical/meta.json", LibraryDamaged), ("manifest.json", LibraryDamaged)]
)
def test_a_corpus_that_cannot_be_opened_is_one_line(
    settings: Settings, articles: Path, file: str, error: type[AssistantError]
) -> None:
    ingest_paths([articles], settings)
    garble(settings.home / "corpora/main/generations/1" / file)
    (found,) = examine_corpus(settings)
    assert (found.name, found.state, type(found.error), found.help) == (
        "corpus",
        State.PROBLEM,
        error,
        error.help,
    )


def test_a_corpus_of_a_newer_format_is_a_problem(settings: Settings, articles: Path) -> None:
    ingest_paths([articles], settings)
    (settings.home / "corpora/main/generations/1/manifest.json").write_text('{"format": 99}')
    (found,) = examine_corpus(settings)
    assert (found.state, type(found.error)) == (State.PROBLEM, FormatUnsupported)


def test_a_damaged_demo_mends_itself(settings: Settings) -> None:
    build_assistant(settings)
    garble(settings.home / "corpora/demo/generations/1/lexical/meta.json")
    (found,) = examine_corpus(settings)
    assert found.state is State.NOTE
    assert found.text.endswith("; the next question indexes the demo anew")


def test_a_corpus_that_was_named_has_to_be_there(settings: Settings) -> None:
    for name in ("main", "other"):
        (found,) = examine_corpus(with_(settings, corpus=name))
        assert (found.state, type(found.error)) == (State.PROBLEM, CorpusNotFound)


def test_a_content_folder_without_a_corpus_is_a_problem(settings: Settings, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "content" / "corpus")
    (found,) = examine_corpus(settings)
    assert (found.state, type(found.error)) == (State.PROBLEM, ConfigurationError)


# The history.


def test_the_history_says_when_the_last_answer_was(settings: Settings) -> None:
    assert check(settings, "history") == Check("history", State.OK, "empty")
    build_assistant(settings).ask("How deep is the Quill well?")
    assert check(settings, "history").text.startswith("the newest answer is of 20")
    off = check(with_(settings, history=False), "history")
    assert off.text.endswith("; switched off for new answers")


def test_a_history_that_cannot_be_read_is_a_problem(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "history.db").write_bytes(b"no database, but longer than a header " * 9)
    found = check(settings, "history")
    assert (found.state, type(found.error)) == (State.PROBLEM, HistoryDamaged)
    assert found.help == HistoryDamaged.help


# The model, its key and its tokens.


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "none: answers are extracts"),
        ({"api_key": KEY, "no_model": True}, "none: answers are extracts"),
        ({"model": "openai:gpt-4o", "api_key": KEY}, "openai:gpt-4o at api.openai.com"),
        (
            {"model": "openai:small", "base_url": "http://localhost:8000/v1", "require_model": True},
            "openai:small at localhost:8000, and required",
        ),
    ],
)
def test_which_model_answers_from_where(settings: Settings, changes: dict[str, object], said: str) -> None:
    assert check(with_(settings, content=None, **changes), "model") == Check("model", State.OK, said)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "openai:gpt-4o", "content": None},  # no key
        {"require_model": True, "content": None},  # no key, and no model named
        {"model": "nobody:some", "base_url": None, "content": None},  # no such provider
        {"api_key": KEY},  # the content folder holds no prompts
    ],
)
def test_a_model_that_cannot_be_asked_is_a_problem(settings: Settings, changes: dict[str, object]) -> None:
    found = check(with_(settings, **changes), "model")
    assert found.state is State.PROBLEM
    assert isinstance(found.error, ConfigurationError)


def test_a_key_is_present_or_absent_and_never_shown(settings: Settings) -> None:
    with_key = with_(settings, api_key=KEY, base_url="http://localhost:1/v1", embedder="openai:small")
    assert check(settings, "key").text == "absent"
    assert check(with_key, "key").text == "present"
    assert KEY[3:] not in repr(list(examine(with_key)))


def test_tokens_are_counted_or_estimated(settings: Settings, tmp_path: Path) -> None:
    exact: TokenCounter = Counter("o200k_base", exact=True)
    estimate: TokenCounter = Counter("estimate", exact=False)
    folder = str(settings.home / "tokenizers")
    assert examine_tokens(settings, exact) == Check("tokens", State.OK, f"o200k_base, exact, from {folder!r}")
    text = f"an estimate on the safe side; there is no tokenizer's file in {folder!r}"
    assert examine_tokens(settings, estimate) == Check("tokens", State.OK, text)
    elsewhere = with_(settings, api_key=KEY, tokenizers=tmp_path / "cache")
    assert examine_tokens(elsewhere, estimate) == Check(
        "tokens",
        State.NOTE,
        text.replace(folder, str(tmp_path / "cache")),
        "`assistant doctor --fetch-tokenizer` gets it.",
    )


# The embedder and the extras.


@pytest.mark.parametrize(
    ("embedder", "begins", "ends"),
    [
        ("hashing", "hashing", "works without a network"),
        ("static", "static/", "works without a network"),
        ("minilm", "minilm/", "works without a network once its model is downloaded"),
        ("openai:small", "openai:small@", "articles and questions are sent there"),
    ],
)
def test_an_embedder_says_whether_it_needs_a_network(
    settings: Settings, embedder: str, begins: str, ends: str
) -> None:
    found = check(with_(settings, embedder=embedder, base_url="http://localhost:1/v1"), "embedder")
    assert found.state is State.OK
    assert found.text.startswith(begins)
    assert found.text.endswith(f": {ends}")


def test_an_embedder_that_needs_a_key_says_so(settings: Settings) -> None:
    found = check(with_(settings, embedder="openai:small"), "embedder")
    assert (found.state, type(found.error)) == (State.PROBLEM, ConfigurationError)
    assert "OPENAI_API_KEY" in found.text


def test_extras_that_are_missing_are_named_with_the_command_that_adds_them() -> None:
    assert examine_extras(installed=lambda module: True) == Check("extras", State.OK, "html, pdf, feed")
    assert examine_extras(installed=lambda module: module in {"pypdf", "trafilatura"}) == Check(
        "extras",
        State.NOTE,
        "pdf; files that need html or feed are rejected",
        "pip install 'cited-assistant[html,feed]'",
    )
    assert examine_extras(installed=lambda module: False).text.startswith("none; ")


# The calls.


def test_a_call_tells_how_long_it_took_and_what_the_server_can() -> None:
    chat = scripted("one", ", two", Completion(Finish.STOP, 40, 0, 20))
    found = call_model(chat, answer_tokens=100, seconds=9.0, stopwatch=ticking(1.0, 1.25, 3.0).__next__)
    assert found == Check(
        "live model",
        State.OK,
        "scripted:chat at models.example: the first piece after 0.25 s, all after 2.00 s;"
        " streamed in 2 pieces; 40 tokens sent, 20 written",
    )
    (call,) = chat.calls
    assert [message.role for message in call.messages] == ["system", "user"]
    assert (call.answer_tokens, call.seconds) == (100, 9.0)


def test_a_server_that_neither_streams_nor_tells_usage_is_no_problem() -> None:
    chat = scripted("one, two", Completion(Finish.STOP))
    found = call_model(chat, answer_tokens=100, seconds=9.0, stopwatch=ticking(1.0, 3.0, 3.0).__next__)
    assert found.state is State.OK
    assert found.text.endswith("all after 2.00 s; not streamed; usage is not told")


def test_a_reply_that_was_cut_is_worth_a_note() -> None:
    chat = scripted(Completion(Finish.LENGTH, 40, 0, 100))
    found = call_model(chat, answer_tokens=100, seconds=9.0, stopwatch=ticking(1.0, 3.0).__next__)
    assert found.state is State.NOTE
    assert "no text, all after 2.00 s" in found.text
    assert found.text.endswith("; cut at 100 tokens")


@pytest.mark.parametrize("finish", [Finish.REFUSAL, Finish.CONTENT_FILTER])
def test_a_model_that_refuses_to_count_is_a_fault(finish: Finish) -> None:
    with pytest.raises(ContentRefused, match=r"scripted:chat at .* refused to count"):
        call_model(scripted(Completion(finish)), answer_tokens=100, seconds=9.0)


def test_a_call_that_fails_is_the_callers() -> None:
    with pytest.raises(ProviderTimedOut):
        call_model(scripted("one", ProviderTimedOut("time is up")), answer_tokens=100, seconds=9.0)


def test_an_embedder_tells_the_size_of_its_vectors() -> None:
    embedder = ScriptedEmbedder({"The harbour closes on Monday.": [3, 4, 0]})
    assert call_embedder(embedder, stopwatch=ticking(1.0, 1.5).__next__) == Check(
        "live embedder", State.OK, "scripted/1: 3 numbers after 0.50 s"
    )


@pytest.mark.parametrize(
    ("changes", "help_"),
    [({}, "set OPENAI_API_KEY for"), ({"no_model": True, "api_key": KEY}, "Leave out --no-model")],
)
def test_without_a_model_there_is_none_to_call(
    settings: Settings, changes: dict[str, object], help_: str
) -> None:
    (found,) = examine_live(with_(settings, **changes))
    assert (found.name, found.state, type(found.error)) == ("live model", State.PROBLEM, ConfigurationError)
    assert help_ in found.help


def sound(settings: Settings) -> list[Check]:
    """What is said of an index that is whole and fits the embedder."""
    return [
        Check("index", State.OK, f"embedded with {fingerprint(settings)}, which is the embedder in use"),
        Check("damage", State.OK, "none found on opening; `assistant index verify` reads everything"),
    ]


def fingerprint(settings: Settings) -> str:
    """That of the settings' embedder."""
    return check(settings, "embedder").text.partition(": ")[0]
