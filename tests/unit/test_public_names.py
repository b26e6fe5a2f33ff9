"""The names that others may build on. A name that is added or lost here is a change to the changelog."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from importlib import import_module

import pytest

import assistant
from assistant import domain, testing

PUBLIC = {
    "assistant.bootstrap": """
        DEMO MAIN Parts build_assistant build_parts chosen_corpus ingest_paths open_history verify_record
        Care follow_paths readmit_articles stores take_care withdraw_articles
        LOCAL_EMBEDDERS build_chat build_counter build_embedder build_reranker fetch_tokenizer has_fallback
        load_chat_packages load_prompts tokenizer_folder
    """,
    "assistant.answering": """
        MAX_QUESTION NEAREST Assistant Identity Within verify
    """,
    "assistant.settings": """
        CONFIG_FILE DEFAULT_MODEL MODEL_NEEDS Settings SettingInForce load_settings settings_in_force
        colour_wanted
    """,
    "assistant.domain.answers": """
        Support AbstentionReason Citation NEEDS_NO_CITATION Claim Difference Side
        Disagreement CorpusInfo Usage Provenance Degraded Result Answer
        Abstention Receipt quote_hash
    """,
    "assistant.domain.articles": """
        Timestamp Origin ArticleInfo Article article_id
    """,
    "assistant.domain.errors": """
        AssistantError InvalidQuestion InputNotFound ArticleRejected ConfigurationError LibraryError
        WorkerLost
        ArticleNotFound CorpusNotFound LibraryBusy LibraryDamaged EmbedderMismatch FormatUnsupported
        HomeUnusable HistoryError HistoryNotFound HistoryBusy HistoryDamaged ArchiveUnusable CorpusExists
        FormatOutdated LibraryLost PromptInvalid
        ProviderError ProviderUnauthorized ModelUnknown ProviderUnreachable ProviderBusy QuotaExhausted
        ProviderTimedOut ProviderPaused RequestRejected PromptTooLong ContentRefused ReplyMalformed
        ReplyIncomplete VectorsUnusable
    """,
    "assistant.domain.conversation": """
        Turn Message Finish Completion
    """,
    "assistant.domain.prompts": """
        PLACEHOLDER Prompt
    """,
    "assistant.domain.events": """
        Status Sources Delta Retracted Done Failed Event
    """,
    "assistant.domain.history": """
        WITHDRAWN Standing Record
    """,
    "assistant.domain.passages": """
        PASSAGE_RULES MAX_WORDS OVERLAP Span Sentence Passage PreparedArticle Hit ScoreParts RankedPassage
        Scope make_sentences make_passages passage_id
    """,
    "assistant.domain.text": """
        INVISIBLE clean counted printable
    """,
    "assistant.ports": """
        Clock ArticleSource Segmenter Embedder LexicalIndex VectorIndex Library Visible Manifest
        Generation IndexRow LibraryWriter GenerationWriter Generations History Archives Freed ChatModel
        TokenCounter Reranker
    """,
    "assistant.testing.openai_server": """
        FAULTS LACKS VECTOR_FAULTS Echo Fault OpenAIServer Reader Reply Request Script ScriptInvalid
        Step Vectors expired_certificate main read_script
    """,
    "assistant.testing": """
        FixedClock FullStopSegmenter LineSegmenter ListSource MemoryGeneration MemoryGenerations
        MemoryHistory MemoryLexicalIndex MemoryLibrary MemoryLibraryWriter MemoryVectorIndex MemoryWriter
        ScriptedEmbedder ScriptedReranker BlindEmbedder ChatCall ScriptedChatModel UnexpectedCall
        sample_article sample_articles
    """,
}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_has_these_public_names_and_no_others(module: str) -> None:
    assert sorted(defined_in(module)) == sorted(PUBLIC[module].split())


def test_every_module_of_the_domain_is_pinned() -> None:
    modules = {f"assistant.domain.{each.name}" for each in pkgutil.iter_modules(domain.__path__)}
    assert modules == {name for name in PUBLIC if name.startswith("assistant.domain.")}


def test_the_package_itself_is_its_version() -> None:
    assert [name for name in vars(assistant) if name.startswith("__ver")] == ["__version__"]


def test_every_fake_is_where_testing_says() -> None:
    assert testing.__all__ == sorted(testing.__all__)
    assert all(getattr(testing, name).__module__.startswith("assistant.testing.") for name in testing.__all__)


def defined_in(module: str) -> list[str]:
    """What the module lists in ``__all__``, or else defines itself, without underscores."""
    imported = import_module(module)
    listed: list[str] | None = getattr(imported, "__all__", None)
    if listed is not None:
        return listed
    names = []
    for node in ast.parse(inspect.getsource(imported)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]
