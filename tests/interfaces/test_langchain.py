"""The assistant inside LangChain programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

from assistant.answering import Assistant
from assistant.bootstrap import build_assistant
from assistant.domain.answers import Abstention, Answer
from assistant.domain.conversation import Turn
from assistant.domain.errors import InvalidQuestion
from assistant.interfaces.langchain_chain import AssistantRetriever, AssistantRunnable
from assistant.settings import Settings
from assistant.testing import ScriptedChatModel
from assistant.testing.openai_server import Fault, OpenAIServer, Reader

WHO = "Who heads the new command?"
ISLAND = "How many people live on Little Corrow?"
PAGE = Path(__file__).parents[2] / "docs" / "langchain.md"


class Heard(BaseCallbackHandler):
    """Keeps which callbacks were called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("chain")

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("model")

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("token")

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("model end")

    def on_retriever_end(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append("retriever end")


@pytest.fixture
def extracts(demo_home: Path) -> AssistantRunnable:
    return AssistantRunnable(build_assistant(Settings(home=demo_home, history=False)))


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(default=Reader()) as server:
        yield server


def behind(server: OpenAIServer, home: Path) -> Assistant:
    settings = Settings(home=home, history=False, model="test-model", base_url=server.base_url)
    return build_assistant(settings)


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part  # type: ignore[operator]  # AddableDict has it
    return whole


def test_the_whole_and_its_parts_are_the_same(extracts: AssistantRunnable) -> None:
    whole = extracts.invoke(ISLAND)
    assert isinstance(whole["result"], Answer)
    assert "740" in whole["answer"]
    assert whole["answer"] == whole["result"].text
    parts = list(extracts.stream(ISLAND))
    assert [list(part) for part in parts] == [["context"], ["answer"], ["result"]]
    assert joined(parts)["answer"] == whole["answer"]
    assert joined(parts)["context"] == whole["context"]


def test_a_question_may_bring_what_it_is_asked_with(extracts: AssistantRunnable) -> None:
    early = extracts.invoke({"question": ISLAND, "until": None, "since": None})
    assert isinstance(early["result"], Answer)
    outlet = extracts.invoke({"question": ISLAND, "outlet": "No Such Paper"})
    assert isinstance(outlet["result"], Abstention)
    assert outlet["context"] == []
    before = extracts.invoke({"question": ISLAND, "as_of": "2000-01-01"})
    assert isinstance(before["result"], Abstention)
    turns = [Turn("What is Little Corrow?", "An island. [1]")]
    followed = extracts.invoke({"question": "How many people live there?", "conversation": turns})
    assert "Little Corrow" in followed["result"].provenance.standalone


def test_many_are_asked_at_once_and_answered_in_order(extracts: AssistantRunnable) -> None:
    asked = [ISLAND, "Who won the 2022 World Cup?"] * 3
    results = [each["result"] for each in extracts.batch(list(asked))]
    assert [result.question for result in results] == asked
    assert [type(result) for result in results] == [Answer, Abstention] * 3


def test_it_stands_in_a_chain(extracts: AssistantRunnable) -> None:
    chain = extracts | RunnableLambda(lambda whole: whole["answer"]) | StrOutputParser()
    assert "740" in chain.invoke(ISLAND)


def test_what_is_no_question_is_an_error_of_ours(extracts: AssistantRunnable) -> None:
    with pytest.raises(InvalidQuestion):
        extracts.invoke("?")
    with pytest.raises(InvalidQuestion):
        list(extracts.stream("?"))
    with pytest.raises(InvalidQuestion):
        extracts.invoke({"conversation": []})


def test_the_retriever_gives_passages_as_documents(extracts: AssistantRunnable, demo_home: Path) -> None:
    assistant = build_assistant(Settings(home=demo_home, history=False))
    heard = Heard()
    documents = AssistantRetriever(assistant=assistant).invoke(ISLAND, config={"callbacks": [heard]})
    found = assistant.search(ISLAND)
    assert [document.id for document in documents] == [each.passage.id for each in found]
    first = documents[0].metadata
    text = assistant.article(first["article_id"])[0].text
    assert documents[0].page_content == text[first["start"] : first["end"]]
    assert heard.calls == ["retriever end"]
    narrowed = AssistantRetriever(assistant=assistant, within={"outlet": "No Such Paper"})
    assert narrowed.invoke(ISLAND) == []


@pytest.mark.enable_socket
def test_callbacks_that_the_caller_passes_see_the_models_own_calls(
    server: OpenAIServer, demo_home: Path
) -> None:
    chain = AssistantRunnable(behind(server, demo_home))
    for ask in (chain.invoke, lambda *args, **kwargs: list(chain.stream(*args, **kwargs))):
        heard = Heard()
        ask(WHO, config={"callbacks": [heard]})
        assert heard.calls[:2] == ["chain", "model"]
        assert "token" in heard.calls
        assert heard.calls[-1] == "model end"


@pytest.mark.enable_socket
def test_statements_of_a_model_come_in_parts(server: OpenAIServer, demo_home: Path) -> None:
    parts = list(AssistantRunnable(behind(server, demo_home)).stream(WHO))
    whole = joined(parts)
    assert whole["answer"] == whole["result"].text
    assert whole["result"].provenance.model == "openai:test-model"


@pytest.mark.enable_socket
def test_what_is_taken_back_is_said(demo_home: Path) -> None:
    with OpenAIServer([Fault("content_filter", text="A general heads it. [1] Also")]) as server:
        parts = list(AssistantRunnable(behind(server, demo_home)).stream(WHO))
    kinds = [next(iter(part)) for part in parts]
    assert kinds == ["context", "answer", "retracted", "answer", "result"]
    assert parts[3]["answer"] == parts[4]["result"].text
    assert joined(parts)["answer"] == parts[4]["result"].text


def test_a_scripted_model_serves_as_well(demo_home: Path) -> None:
    chat = ScriptedChatModel("NOT_IN_SOURCES")
    chain = AssistantRunnable(build_assistant(Settings(home=demo_home, history=False), chat=chat))
    assert isinstance(chain.invoke(ISLAND)["result"], Abstention)


@pytest.mark.enable_socket
@pytest.mark.parametrize("model", [False, True])
def test_the_example_of_the_page_runs(
    server: OpenAIServer,
    demo_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: bool,
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(demo_home))
    monkeypatch.setenv("ASSISTANT_HISTORY", "false")
    if model:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("ASSISTANT_MODEL", "test-model")
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})  # noqa: S102 -- our own page
    assert "three-star general" in capsys.readouterr().out
    assert bool(server.requests) is model
