"""Everything that can go wrong, as a tree.

AssistantError
  InvalidQuestion         the question is empty or too long
  InputNotFound           a path does not exist
  ArticleRejected         a file or record is no usable article
  ConfigurationError      a setting is unknown or has no usable value
    PromptInvalid           a prompt file cannot be used
  ArchiveUnusable         a file is no export of a corpus
  WorkerLost              a worker process ended before its work was done
  LibraryError            the stored articles cannot be used as asked
    ArticleNotFound         no article has this id
    CorpusNotFound          no corpus has this name
    CorpusExists            a corpus of this name has articles already
    LibraryBusy             another process is writing into it
    LibraryDamaged          a stored file cannot be read
      LibraryLost             no generation has a library that can be read
    EmbedderMismatch        the index was made with another embedder
    FormatUnsupported       the home was written by another version
      FormatOutdated          by an older one, and its articles can be taken over
    HomeUnusable            the home folder cannot be created or written
  HistoryError            the kept answers cannot be used as asked
    HistoryNotFound         the history holds no answer with this id
    HistoryBusy             another process is changing the history
    HistoryDamaged          history.db cannot be read
  ProviderError           a model or an embedder behind an API did not do its work
    ProviderUnauthorized    the key is missing, wrong, or not allowed to do this
    ModelUnknown            the provider does not know the model
    ProviderUnreachable     there is no connection to it, it broke off, or the server failed
    ProviderBusy            it takes no more requests for now
      QuotaExhausted          the account has nothing left
    ProviderTimedOut        the deadline passed
    ProviderPaused          it was not asked, since it failed again and again just before
    RequestRejected         it cannot do what was asked of it
      PromptTooLong           the prompt does not fit the model
    ContentRefused          the provider or its model refused to answer
    ReplyMalformed          what came back is no usable reply
      VectorsUnusable         some of the vectors in it are none
    ReplyIncomplete         the reply broke off

``str(error)`` says what happened and to which value; ``help`` what to do about it.
``retryable`` is true when the same call may work later without a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.domain.text import counted

if TYPE_CHECKING:
    from assistant.domain.articles import Origin


class AssistantError(Exception):
    """Base of every error that the assistant raises on purpose."""

    retryable: bool = False
    help: str = ""


class InvalidQuestion(AssistantError):
    """The question is empty or too long."""

    help = 'Ask one question in plain words, for example: assistant ask "Who heads the new command?"'


class InputNotFound(AssistantError):
    """A path that was named does not exist."""

    help = "Check the spelling; a path is relative to the folder that you stand in."


class ArticleRejected(AssistantError):
    """A file or a record in it is no usable article; the others are read all the same.

    origin: where an article of this file would have been from, as far as that is known.
    """

    help = "Mend the file or leave it out; corpus/README.md shows the format."

    def __init__(self, where: str, reason: str, origin: Origin | None = None) -> None:
        super().__init__(where, reason, origin)
        self.where = where
        self.reason = reason
        self.origin = origin

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class ConfigurationError(AssistantError):
    """A setting is unknown or has no usable value."""

    help = 'See docs/models.md and README.md, "Settings".'


class PromptInvalid(ConfigurationError):
    """A prompt file is missing, or does not have the parts and placeholders that it needs."""

    help = "Mend the file; prompts/README.md shows the format."


class ArchiveUnusable(AssistantError):
    """A file that was named as an export of a corpus is none, or is damaged."""

    help = "`assistant index export FILE` writes one."


class WorkerLost(AssistantError):
    """A worker process ended before its work was done, most often because memory ran out."""

    retryable = True
    help = "Run the same command again, with `--workers 1` where memory is short; nothing stored was lost."


class LibraryError(AssistantError):
    """The stored articles cannot be used as asked."""


class ArticleNotFound(LibraryError):
    """No article has this id."""

    help = "`assistant articles list` shows the ids."


class CorpusNotFound(LibraryError):
    """No corpus has this name."""

    help = "`assistant ingest PATH --corpus NAME` makes one; `--corpus demo` is always there."


class CorpusExists(LibraryError):
    """A corpus of this name has articles already, and nothing was said of replacing it."""

    help = "Choose another name with --corpus, or say --replace."


class LibraryBusy(LibraryError):
    """Another process is writing into this corpus."""

    retryable = True
    help = "Wait until it has finished, then run the same command again."


class LibraryDamaged(LibraryError):
    """A stored file is missing or cannot be read."""

    help = "Run `assistant index rebuild` with the same --corpus: it mends what can be mended."


class LibraryLost(LibraryDamaged):
    """No generation of the corpus has a library that can be read."""

    help = (
        "Bring back an export with `assistant index import FILE --replace`, or remove the corpus's folder"
        " under corpora/ in the home and ingest its articles again."
    )


class EmbedderMismatch(LibraryError):
    """The index was made with another embedder than the one that is set."""

    help = (
        "Name the one that made it with --embedder, and its server, if it has one, with OPENAI_BASE_URL; or"
        " embed all articles anew: `assistant ingest --rebuild` with the same --corpus."
    )


class FormatUnsupported(LibraryError):
    """The home folder was written in a format that this version does not know."""

    help = "Update the assistant, or point --home at another folder."


class FormatOutdated(FormatUnsupported):
    """The corpus was written in an older format; its articles can be taken over."""

    help = "Run `assistant index rebuild` with the same --corpus: it is made again from its articles."


class HomeUnusable(LibraryError):
    """The home folder cannot be created or written."""

    help = (
        "Free space on its disk, or point --home at a folder that you may write to; nothing stored was lost."
    )


class HistoryError(AssistantError):
    """The kept answers cannot be used as asked."""


class HistoryNotFound(HistoryError):
    """The history holds no answer with this id."""

    help = "`assistant history list` shows the ids."


class HistoryBusy(HistoryError):
    """Another process is changing the history."""

    retryable = True
    help = "It takes a moment; run the same command again."


class HistoryDamaged(HistoryError):
    """The file history.db cannot be read; it is never overwritten."""

    help = "Move history.db out of the home folder: the next answer begins a new one."


class ProviderError(AssistantError):
    """A model or an embedder behind an API did not do its work.

    No message of these holds a key, an address with a password or a traceback.
    """

    help = "`assistant doctor --live` makes one call and says what happens; --no-model answers without."


class ProviderUnauthorized(ProviderError):
    """The key is missing, wrong, or not allowed to do this."""

    help = "Check OPENAI_API_KEY and what the account may use."


class ModelUnknown(ProviderError):
    """The provider does not know the model."""

    help = "Check the name given with --model, or ASSISTANT_MODEL."


class ProviderUnreachable(ProviderError):
    """There is no connection to the provider, it broke off, or its server failed."""

    retryable = True
    help = "Check the network and OPENAI_BASE_URL; --no-model and --embedder static need neither."


class ProviderBusy(ProviderError):
    """The provider takes no more requests for now."""

    retryable = True
    help = "Try again in a minute."


class QuotaExhausted(ProviderBusy):
    """The account has nothing left; no later call will work before that is changed."""

    retryable = False
    help = "Add credit or raise the limit with the provider."


class ProviderTimedOut(ProviderError):
    """The deadline passed before the reply was complete."""

    retryable = True
    help = "Ask again, or allow more time with ASSISTANT_MODEL_SECONDS."


class ProviderPaused(ProviderError):
    """The provider was not asked, since it failed again and again just before."""

    retryable = True
    help = "It is asked again after half a minute."


class RequestRejected(ProviderError):
    """The provider cannot do what was asked of it."""

    help = 'README.md, "Models", has the settings for servers that lack something.'


class PromptTooLong(RequestRejected):
    """The prompt does not fit the model."""

    help = "Lower ASSISTANT_CONTEXT_TOKENS or --passages."


class ContentRefused(ProviderError):
    """The provider's filter or the model itself refused to answer."""

    help = "Ask otherwise, or use --no-model."


class ReplyMalformed(ProviderError):
    """What came back is no reply in the form that was agreed."""

    retryable = True
    help = "Check that OPENAI_BASE_URL leads to an OpenAI-compatible server."


class VectorsUnusable(ReplyMalformed):
    """The reply holds no usable vector for some of the texts; those for the others are sound.

    at: which texts, by their place in the call. article: the id of the one that they are from, once known.
    """

    retryable = False
    help = "Leave the article out, or use another embedder: the model cannot embed this text."

    def __init__(self, at: tuple[int, ...], article: str = "") -> None:
        super().__init__(at, article)
        self.at = at
        self.article = article

    def __str__(self) -> str:
        whose = f" of the article {self.article!r}" if self.article else ""
        return f"the embedder gave no usable vector for {counted(len(self.at), 'text')}{whose}"


class ReplyIncomplete(ProviderError):
    """The reply broke off before it was complete."""

    retryable = True
    help = "Ask again."
