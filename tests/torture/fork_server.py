"""Runs acts in processes of their own, forked from one that has imported everything.

An ingest in a new interpreter costs two seconds, of which imports take nearly all; in a
fork it takes a tenth of one. Chroma is imported here and never opened, since a fork of
an open one hangs. A request is a line: which act, with what, and where the outcome is
to be written; the reply is the child's process id. A number asks for the exit status of
that child, and waits for it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import chromadb  # noqa: F401 -- imported for the children
import pydantic  # noqa: F401
import tantivy  # noqa: F401

from assistant.domain.errors import AssistantError
from tests.torture import acts

DEADLINE = 120  # seconds after which a child that hangs is ended by SIGALRM
TERMINATED = 143


def main() -> None:
    """Serve until there are no more requests."""
    acts.warm_up()
    gc.freeze()  # a child that collects garbage need not copy what it shares with us
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, int):
            _, status = os.waitpid(request, 0)
            reply = os.waitstatus_to_exitcode(status)
        else:
            reply = os.fork()
            if reply == 0:
                _perform(**request)
        print(reply, flush=True)  # noqa: T201 -- the protocol


def _perform(act: str, arguments: dict[str, Any], outcome: str, terminable: bool) -> NoReturn:
    """Be the child: write what came of it, whole or not at all, and end.

    terminable: SIGTERM raises SystemExit, as in the program; otherwise it ends the process at once.
    """
    code = 1
    try:
        signal.alarm(DEADLINE)
        signal.signal(signal.SIGTERM, _terminated if terminable else signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        _write(Path(outcome), {"value": getattr(acts, act)(**arguments)})
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except AssistantError as error:
        _write(Path(outcome), {"error": type(error).__name__, "text": str(error)})
    except BaseException as error:
        _write(Path(outcome), {"error": f"internal {type(error).__name__}", "text": traceback.format_exc()})
    finally:
        os._exit(code)


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def _write(file: Path, outcome: dict[str, object]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(outcome))
    part.replace(file)


if __name__ == "__main__":
    main()
