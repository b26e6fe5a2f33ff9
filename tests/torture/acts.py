"""What a forked child does: one act each, with arguments and results that JSON can hold.

Stories are written as pairs of number and edition. A corpus is always ``main``, with real
stores, the real segmenter and the hashing embedder, which is fast.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from assistant.adapters.chroma_index import CANDIDATES
from assistant.adapters.generation_folders import GenerationFolders
from assistant.adapters.generation_stores import GenerationFolder
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.sentencex_segmenter import SentencexSegmenter
from assistant.adapters.sqlite_history import SqliteHistory
from assistant.answering import Assistant
from assistant.bootstrap import build_assistant, stores
from assistant.domain.answers import Answer
from assistant.domain.articles import Article, ArticleInfo, Origin
from assistant.domain.errors import LibraryDamaged, LibraryError
from assistant.domain.passages import Scope
from assistant.ingest import Preparation, preparation
from assistant.ingest import ingest as ingest_articles
from assistant.retrieval import retrieve
from assistant.settings import Settings
from assistant.testing import ListSource, MemoryGenerations
from assistant.upkeep import readmit, rebuild, withdraw
from tests.torture.newsroom import ROOT, Story, article, edition_of

STORES = stores()
SEGMENTER = SentencexSegmenter()
EMBEDDER = HashingEmbedder()
Pairs = Sequence[Sequence[int]]


def corpus(home: str) -> Path:
    return Path(home) / "corpora" / "main"


def generations(
    home: str, *, patience: float = 0, step: Callable[[str], None] = lambda name: None
) -> GenerationFolders:
    return GenerationFolders(
        corpus(home),
        STORES,
        embedder=EMBEDDER.fingerprint,
        segmenter=preparation(SEGMENTER),
        patience=patience,
        step=step,
    )


def assistant(home: str, *, history: bool = False, exact_dense: bool = False) -> Assistant:
    settings = Settings(
        home=Path(home), corpus="main", embedder="hashing", history=history, exact_dense=exact_dense
    )
    return build_assistant(settings, segmenter=SEGMENTER, embedder=EMBEDDER)


def warm_up() -> None:
    """Read and compile what every act needs once, by answering a question without a file."""
    held = MemoryGenerations(embedder=EMBEDDER.fingerprint, segmenter=preparation(SEGMENTER))
    ingest_articles(ListSource([article(Story(1))]), held, segmenter=SEGMENTER, embedder=EMBEDDER)
    settings = Settings(corpus="main", embedder="hashing", history=False)
    asked = build_assistant(settings, generations=held, segmenter=SEGMENTER, embedder=EMBEDDER)
    asked.ask(Story(1).question)


def ingest(
    home: str,
    stories: Pairs,
    *,
    prune: bool = False,
    sentences: int = 12,
    patience: float = 0,
    end: tuple[str, int] | None = None,
    wait: tuple[str, str] | None = None,
    steps: str | None = None,
) -> list[str]:
    """Ingest the stories; the ids of those that were added, changed or removed.

    end: at which step this process sends itself which signal.
    wait: at which step it waits until which file exists; its own name with ".waiting" says that it does.
    steps: a file that gets the name of each step.
    """

    def step(name: str) -> None:
        if steps:
            with Path(steps).open("a") as file:
                file.write(f"{name}\n")
        if wait and wait[0] == name:
            _wait_for(Path(wait[1]))
        if end and end[0] == name:
            os.kill(os.getpid(), end[1])

    report = ingest_articles(
        ListSource([article(Story(*pair), sentences=sentences) for pair in stories], roots=[ROOT]),
        generations(home, patience=patience, step=step),
        segmenter=SEGMENTER,
        embedder=EMBEDDER,
        prune=prune,
    )
    assert not report.rejected, report
    return [*report.added, *report.changed, *report.removed]


def look(home: str) -> dict[str, Any]:
    """What the home answers with: its stories, whole, each answerable; and what is wrong or left over."""
    asked = assistant(home)
    with generations(home).current() as current:
        assert current is not None
        held = [edition_of(current.library.article(info.id)) for info in current.library.articles()]
        number = current.number
    for story in held[-1:]:
        answer = asked.ask(story.question)
        assert isinstance(answer, Answer), answer
        assert story.fact in {citation.quote for citation in answer.citations}, answer.text
        assert (answer.corpus.generation, answer.corpus.articles) == (number, len(held))
        assert answer.degraded is None
    return {
        "generation": number,
        "stories": sorted([story.number, story.edition] for story in held),
        "problems": {str(each): found for each, found in generations(home).verify().items() if found},
        "files": sorted(
            path.relative_to(corpus(home)).as_posix()
            for path in (*corpus(home).iterdir(), *(corpus(home) / "generations").iterdir())
        ),
    }


def _wait_for(file: Path) -> None:
    file.with_name(f"{file.name}.waiting").touch()
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.002)


def stories(home: str) -> list[list[int]]:
    """The stories that the home answers with, whole; none where there is no corpus."""
    with generations(home).current() as current:
        if current is None:
            return []
        held = [edition_of(current.library.article(info.id)) for info in current.library.articles()]
        for story in held[:3]:
            (hit, *_) = current.lexical.search(story.place, 1)
            assert current.library.owners([hit.passage_id])[hit.passage_id].id == story.id
            (near, *_) = current.vectors.search(EMBEDDER.embed([story.fact])[0], 1)
            assert current.library.owners([near.passage_id])[near.passage_id].id in {one.id for one in held}
        return sorted([story.number, story.edition] for story in held)


def clear(home: str) -> None:
    """Have no home."""
    shutil.rmtree(home, ignore_errors=True)


def publish_often(home: str, log: str, *, publishes: int, sentences: int, after: str) -> None:
    """Ingest again and again: a new story each time, and another edition of one that is there.

    log: a file of lines, each written before its generation is published: number, stories.
    after: a file that is waited for.
    """
    _wait_for(Path(after))
    there = {story.number: story.edition for story in map(edition_of, _stored(home))}
    with generations(home).current() as current:
        first = current.number + 1 if current else 1
    for number in range(first, first + publishes):
        changed = number % 7
        there[changed], there[1000 + number] = there[changed] + 1, 0
        with Path(log).open("a") as file:
            file.write(json.dumps([number, sorted(there.items())]) + "\n")
        ingest(home, [[changed, there[changed]], [1000 + number, 0]], sentences=sentences)


def ask_often(
    home: str, log: str, *, questions: int, sentences: int, begun: str, done: str
) -> dict[str, Any]:
    """Ask until so many questions are answered and a file says that all is published.

    Each answer is held against the line that the writer's log has for the generation that
    it names. Descriptors and threads are counted each time that a generation is new.

    begun: a file that says that the first question is answered.
    """
    asked, draw = assistant(home), Random(questions)  # noqa: S311 -- nothing is kept secret
    seen: list[Answer] = []
    open_now: list[tuple[int, int]] = []
    finished, last = False, -1
    while len(seen) < questions or not finished:
        finished = Path(done).exists()
        known = seen[-1].corpus.generation if seen else 1
        numbers = [*range(7), *range(1000 + known - 5, 1000 + known)]
        answer = asked.ask(Story(draw.choice(numbers)).question)
        if isinstance(answer, Answer):
            seen.append(answer)
        if answer.corpus.generation != last:
            last = answer.corpus.generation
            open_now.append(_open_now())
        Path(begun).touch()
    logged = _logged(log)
    for answer in seen:
        there = logged[answer.corpus.generation]
        assert answer.corpus.articles == len(there), answer.corpus
        for citation in answer.citations:
            story = Story(int(citation.article.id.removeprefix("story-")), 0)
            stored = article(Story(story.number, there[story.number]), sentences=sentences)
            assert citation.span.of(stored.text) == citation.quote, (answer, stored)
    newest = max(logged)
    final = asked.ask(Story(1000 + newest).question)
    assert isinstance(final, Answer)
    assert Story(1000 + newest).fact in {citation.quote for citation in final.citations}
    return {
        "answers": len(seen),
        "generations": len({answer.corpus.generation for answer in seen}),
        "open": open_now,
    }


def _logged(log: str) -> dict[int, dict[int, int]]:
    lines = map(json.loads, Path(log).read_text().splitlines())
    return {number: dict(stories) for number, stories in lines}


def _stored(home: str) -> list[Article]:
    with generations(home).current() as current:
        assert current is not None
        return [current.library.article(info.id) for info in current.library.articles()]


def follow(home: str, *, moves: int) -> list[tuple[int, int]]:
    """Ask while the pointer moves to and fro between two generations: descriptors and threads each time."""
    asked, counts = assistant(home), []
    for move in range(moves):
        number = 1 + move % 2
        new = corpus(home) / "current.new"
        new.write_text(f"{number}\n")
        new.replace(corpus(home) / "current")
        answer = asked.ask(Story(1).question)
        assert isinstance(answer, Answer), answer
        assert (answer.corpus.generation, answer.degraded) == (number, None)
        counts.append(_open_now())
    return counts


def _open_now() -> tuple[int, int]:
    """Open descriptors, and threads: Chroma's too, which Python does not know."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def write_files(folder: str, stories: Pairs) -> None:
    """The stories as one JSONL file, for the program."""
    Path(folder).mkdir(exist_ok=True)
    with (Path(folder) / "stories.jsonl").open("w") as file:
        for pair in stories:
            told = article(Story(*pair))
            record = {"id": told.id, "title": told.info.title, "text": told.text, "date": "2024-03-04"}
            file.write(json.dumps(record) + "\n")


def inspect(home: str, questions: Sequence[int]) -> dict[str, Any]:
    """What comes of asking about each story in turn, each twice: facts, errors and notices.

    An answer's quotes have to be verbatim, and of one generation that was published.
    """
    seen: dict[str, Any] = {"facts": 0, "generations": [], "degraded": [], "errors": []}
    try:
        asked = assistant(home)
    except LibraryError as error:
        return {**seen, "errors": [type(error).__name__]}
    for number in [*questions, *questions]:
        try:
            answer = asked.ask(Story(number).question)
        except LibraryError as error:
            seen["errors"].append(type(error).__name__)
            continue
        if isinstance(answer, Answer):
            for citation in answer.citations:
                stored, _ = asked.article(citation.article.id)
                edition_of(stored)
                assert citation.span.of(stored.text) == citation.quote
            seen["facts"] += any(Story(number).fact == citation.quote for citation in answer.citations)
        seen["generations"].append(answer.corpus.generation)
        seen["degraded"].append(answer.degraded.reason if answer.degraded else "")
    return {name: sorted(set(each)) if isinstance(each, list) else each for name, each in seen.items()}


def damage(home: str, template: str, file: str, how: str, seed: int = 0) -> None:
    """Make the home a copy of the template with one file of its corpus damaged.

    The file is replaced: whoever has it open, or mapped, keeps what was there.
    """
    clear(home)
    shutil.copytree(template, home)
    path = corpus(home) / file
    data = path.read_bytes()
    path.unlink()
    if how == "halved":
        path.write_bytes(data[: len(data) // 2])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "garbled":
        draw = Random(seed)  # noqa: S311 -- nothing is kept secret
        start = draw.randrange(len(data)) if seed else len(data) // 2
        garbage = draw.randbytes(min(draw.choice([1, 64, 5_000]) if seed else 64, len(data) - start))
        path.write_bytes(data[:start] + garbage + data[start + len(garbage) :])


def repair(
    home: str,
    stories: Pairs,
) -> list[str]:
    """Ingest again, and rebuild where that is refused; which of both it took, and what is lost."""
    taken = []
    try:
        ingest(home, stories)
        taken.append("ingest")
    except LibraryDamaged:
        rebuild(generations(home), Preparation(SEGMENTER, EMBEDDER), map)
        taken.append("rebuild")
        ingest(home, stories)
    generations(home).collect(previous=True)
    return taken


def files(home: str) -> list[str]:
    """The files of the current generation that hold something, and the pointer, below the corpus."""
    with generations(home).current() as current:
        assert current is not None
        folder = corpus(home) / "generations" / str(current.number)
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size)
    return ["current", *(path.relative_to(corpus(home)).as_posix() for path in found)]


def withdraw_story(
    home: str, number: int, *, patience: float = 60, end: tuple[str, int] | None = None
) -> list[int]:
    """Withdraw a story as the program does; the generations that are still read.

    end: at which step this process sends itself which signal; ``forgotten`` is before the history's turn.
    """

    def step(name: str) -> None:
        if end and end[0] == name:
            os.kill(os.getpid(), end[1])

    def forget_quotes(article_ids: Sequence[str]) -> int:
        step("forgotten")
        return SqliteHistory(Path(home) / "history.db").withdraw(article_ids, corpus="main")

    done = withdraw(
        [Story(number).id],
        generations(home, step=step),
        today=date(2024, 5, 6),
        forget_quotes=forget_quotes,
        forget_vectors=lambda: None,
        patience=patience,
    )
    return list(done.still_read)


def readmit_story(home: str, number: int) -> None:
    readmit([Story(number).id], generations(home))


def ask_and_keep(home: str, number: int) -> str:
    """Ask about a story, with none of its words in its order, and keep the answer; its id."""
    figure = Story(number).fact.split(" at ")[1].split()[0]
    answer = assistant(home, history=True).ask(f"Which gauge was read when {figure} centimetres it stood?")
    assert isinstance(answer, Answer), answer
    assert {citation.article.id for citation in answer.citations} == {Story(number).id}
    return answer.id


def kept(home: str, answer_id: str) -> list[str]:
    """Which articles the kept answer says were withdrawn."""
    return list(SqliteHistory(Path(home) / "history.db").find(answer_id).withdrawn)


def traces(home: str, number: int, others: Sequence[int]) -> list[str]:
    """The files under the home in which any twenty bytes of the story's text, or its place's name, are left.

    Bytes that other stories hold too prove nothing.
    """
    text = article(Story(number)).text
    rest = "".join(article(Story(other)).text for other in others)
    starts = range(0, len(text) - 20, 5)
    pieces = {text[start : start + 20] for start in starts} - {rest[at : at + 20] for at in range(len(rest))}
    assert len(pieces) > 20
    needles = [piece.encode() for piece in pieces]
    found = []
    for path in Path(home).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if (
                any(needle in data for needle in needles)
                or Story(number).place.lower().encode() in data.lower()
            ):
                found.append(path.relative_to(home).as_posix())
    return sorted(found)


def hold(home: str, until: str) -> None:
    """Hold the current generation open until a file exists."""
    with generations(home).current() as current:
        assert current is not None
        _wait_for(Path(until))
        for info in current.library.articles():
            edition_of(current.library.article(info.id))


def rejections(home: str, stories: Pairs) -> list[str]:
    """Why an ingest of the stories rejects some of them."""
    source = ListSource([article(Story(*pair)) for pair in stories])
    report = ingest_articles(source, generations(home), segmenter=SEGMENTER, embedder=EMBEDDER)
    return [rejection.reason for rejection in report.rejected]


def fill(disk: str, filler: str, leave: int) -> None:
    """Fill the disk so that so many bytes are free."""
    with Path(filler).open("wb") as file:
        size = max(0, shutil.disk_usage(disk).free - leave)
        if size:
            os.posix_fallocate(file.fileno(), 0, size)


def build(home: str, source: str, *, count: int, increments: int = 1) -> None:
    """A library of the source's articles: at once, or in increments with changes and removals between them.

    source: ``newsroom``, or a file like realtimeqa's.
    """
    wanted = _articles_of(source, count)
    size = -(-len(wanted) // increments)
    for end in range(size, len(wanted) + size, size):
        there, new = wanted[: max(0, end - size)], wanted[end - size : end]
        if increments > 1 and end // size % 2:
            changed = [replace(one, text=f"{one.text}\n\nNobody knew more.") for one in new[::5]]
            removed = [replace(one, info=replace(one.info, id=f"{one.id}-x")) for one in new[::5]]
            _mirror(home, [*there, *changed, *removed])
        _mirror(home, [*there, *new])


def build_anew(home: str, copy_of: str) -> None:
    """A copy of the other home, its indexes rebuilt."""
    shutil.copytree(copy_of, home)
    rebuild(generations(home), Preparation(SEGMENTER, EMBEDDER), map)


def compare(homes: Sequence[str], source: str, *, count: int, questions: int) -> dict[str, Any]:
    """How often the homes agree with the first one on questions in the articles' own words.

    Passages, scores and, with exact dense search, order have to be the same to the last bit;
    what is counted is the same ten best passages through Chroma's candidates.
    """
    asked = _questions_of(_articles_of(source, count), questions)
    scope = Scope(as_of=date(2031, 1, 1))
    with ExitStack() as stack:
        opened = [stack.enter_context(generations(home).current()) for home in homes]
        first, *others = [one for one in opened if one]
        assert first.manifest.passages > CANDIDATES
        for other in others:
            assert (other.manifest.passages, other.manifest.content) == (
                first.manifest.passages,
                first.manifest.content,
            )
            assert _stored_in(other) == _stored_in(first)
        agree = 0
        for question in asked:
            vector = EMBEDDER.embed([question])[0]
            lexical, dense, best, likely = (
                [each.lexical.search(question, 50) for each in (first, *others)],
                [each.vectors.search(vector, 50, exact=True) for each in (first, *others)],
                [retrieve(question, each, EMBEDDER, scope, exact=True).passages for each in (first, *others)],
                [retrieve(question, each, EMBEDDER, scope).passages for each in (first, *others)],
            )
            for same in (lexical, dense, best):
                assert same == [same[0]] * len(same), question
            scores = {found.passage.id: found.parts for ranked in likely for found in ranked}
            assert all(scores[found.passage.id] == found.parts for ranked in likely for found in ranked), (
                question
            )
            tens = [[found.passage.id for found in ranked] for ranked in likely]
            agree += sum(ten == tens[0] for ten in tens[1:])
    return {
        "asked": len(asked) * len(others),
        "agree": agree,
        "deleted": [_deleted(corpus(home)) for home in homes],
        "tombstones": [_tombstones(corpus(home)) for home in homes],
    }


def _stored_in(generation: GenerationFolder) -> tuple[Any, ...]:
    """Articles, passages and vectors of a generation, as far as the order of ingests must not matter."""
    library = generation.library
    ids, vectors = library.vectors()
    return ids, vectors.tobytes(), library.passages(ids), library.articles(), dict(library.hashes())


def _mirror(home: str, articles: Sequence[Article]) -> None:
    """Have exactly these articles."""
    ingest_articles(
        ListSource(articles), generations(home), segmenter=SEGMENTER, embedder=EMBEDDER, mirror="state"
    )


def _articles_of(source: str, count: int) -> list[Article]:
    if source == "newsroom":
        return [article(Story(number)) for number in range(count)]
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, count)]
    return [
        Article(
            ArticleInfo(id=row["id"], origin=Origin(source, row["id"]), title=row["title"]),
            row["text"].strip(),
        )
        for row in {row["id"]: row for row in rows if row["text"].strip()}.values()
    ]


def _questions_of(articles: Sequence[Article], count: int) -> list[str]:
    """Some words of one sentence each, in any order."""
    draw = Random(count)  # noqa: S311 -- nothing is kept secret
    asked: list[str] = []
    while len(asked) < count:
        text = draw.choice(articles).text
        words = draw.choice(text.replace("\n", " ").split(". ")).strip(".").split()
        if len(words) > 5:
            asked.append(" ".join(draw.sample(words, min(len(words), 8))) + "?")
    return asked


def _newest(folder: Path) -> Path:
    return folder / "generations" / (folder / "current").read_text().strip()


def _deleted(folder: Path) -> int:
    """Deleted documents in the lexical index."""
    meta = json.loads((_newest(folder) / "lexical" / "meta.json").read_text())
    return sum((segment.get("deletes") or {}).get("num_deleted_docs", 0) for segment in meta["segments"])


def _tombstones(folder: Path) -> float:
    """The share of Chroma's graph that is deleted vectors."""
    state = json.loads((_newest(folder) / "chroma" / "state.json").read_text())
    return float(state["tombstones"] / (state["tombstones"] + state["vectors"]))
