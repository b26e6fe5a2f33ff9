"""Everything that can go wrong, as a tree.

AssistantError
  InvalidQuestion         the question is empty or too long
  InputNotFound           a path does not exist
  ArticleRejected         a file or record is no usable article
  ConfigurationError      a setting is unknown or has no usable value
  LibraryError            the stored articles cannot be used as asked
    ArticleNotFound         no article has this id
    CorpusNotFound          no corpus has this name
    LibraryBusy             another process is ingesting
    LibraryDamaged          a stored file cannot be read
    EmbedderMismatch        the index was made with another embedder
    FormatUnsupported       the home was written by another version
    HomeUnusable            the home folder cannot be created or written

``str(error)`` says what happened and to which value; ``help`` what to do about it.
``retryable`` is true when the same call may work later without a change.
"""

from __future__ import annotations


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
    """A file or a record in it is no usable article; the others are read all the same."""

    help = "Mend the file or leave it out; corpus/README.md shows the format."

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where = where
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class ConfigurationError(AssistantError):
    """A setting is unknown or has no usable value."""

    help = 'See `assistant --help` and README.md, "Settings".'


class LibraryError(AssistantError):
    """The stored articles cannot be used as asked."""


class ArticleNotFound(LibraryError):
    """No article has this id."""

    help = "`assistant articles list` shows the ids."


class CorpusNotFound(LibraryError):
    """No corpus has this name."""

    help = "`assistant ingest PATH --corpus NAME` makes one; `--corpus demo` is always there."


class LibraryBusy(LibraryError):
    """Another process is ingesting into this corpus."""

    retryable = True
    help = "Wait until it has finished, then run the same command again."


class LibraryDamaged(LibraryError):
    """A stored file is missing or cannot be read."""

    help = "Remove this corpus's folder under corpora/ in the home, then ingest its articles again."


class EmbedderMismatch(LibraryError):
    """The index was made with another embedder than the one that is set."""

    help = "Run `assistant ingest --rebuild` with the same --corpus, or set the embedder that made it."


class FormatUnsupported(LibraryError):
    """The home folder was written in a format that this version does not know."""

    help = "Update the assistant, or point --home at another folder."


class HomeUnusable(LibraryError):
    """The home folder cannot be created or written."""

    help = (
        "Free space on its disk, or point --home at a folder that you may write to; nothing stored was lost."
    )
