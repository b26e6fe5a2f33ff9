"""Everything that can go wrong, as a tree.

AssistantError
  InvalidQuestion         the question is empty or too long
  InputNotFound           a path does not exist
  ArticleRejected         a file or record is no usable article
  ConfigurationError      a setting is unknown or has no usable value
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

``str(error)`` says what happened and to which value; ``help`` what to do about it.
``retryable`` is true when the same call may work later without a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    help = 'See `assistant --help` and README.md, "Settings".'


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

    help = "Run `assistant ingest --rebuild` with the same --corpus, or set the embedder that made it."


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
