"""What every history promises, SQLite and the fake; and what only the file can get wrong."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from textwrap import dedent

import pytest

import assistant
from assistant.adapters.sqlite_history import MIGRATIONS, SqliteHistory
from assistant.bootstrap import build_assistant
from assistant.domain.answers import (
    Abstention,
    AbstentionReason,
    Answer,
    Citation,
    Claim,
    CorpusInfo,
    Degraded,
    Difference,
    Disagreement,
    Provenance,
    Receipt,
    Side,
    Support,
    Usage,
)
from assistant.domain.articles import ArticleInfo, Origin, Timestamp
from assistant.domain.errors import (
    AssistantError,
    FormatUnsupported,
    HistoryBusy,
    HistoryDamaged,
    HistoryNotFound,
    HomeUnusable,
)
from assistant.domain.history import WITHDRAWN, Record
from assistant.domain.passages import Passage, RankedPassage, ScoreParts, Span
from assistant.ports import History
from assistant.settings import Settings
from assistant.testing import MemoryHistory

AT = datetime(2031, 4, 1, 9, 30, tzinfo=UTC)
CRACKS = "Engineers had found 14 “cracks” in its northern pier.\n東京 👩\u200d💻"
PAINT = "The lighthouse on Gull Rock will be painted blue."


def article(article_id: str) -> ArticleInfo:
    return ArticleInfo(
        id=article_id,
        origin=Origin("/news", f"{article_id}.md"),
        title=f"The {article_id} story",
        outlet="Quillport Gazette",
        published=Timestamp.parse("2031-03-04T23:30:00+09:00"),
        updated=Timestamp.parse("2031-03-05"),
    )


def nearest(article_id: str) -> RankedPassage:
    passage = Passage("p1", article_id, Span(0, 9), f"The text of {article_id}.", "")
    return RankedPassage(passage, article(article_id), ScoreParts(0.5, 0.1, 1.2))


def answered(answer_id: str, *quotes: tuple[str, str], corpus: str = "main") -> Answer:
    """An answer out of one sentence of each of these articles."""
    return Answer(
        id=answer_id,
        question=f"What of {answer_id}?",
        as_of=date(2031, 4, 1),
        text=" ".join(f"{quote} [{n}]" for n, (_, quote) in enumerate(quotes, 1)),
        nearest=tuple(nearest(article_id) for article_id, _ in quotes),
        confidence=0.75,
        corpus=CorpusInfo(corpus, 4, date(2031, 3, 11), 3, date(2031, 3, 4)),
        usage=Usage(milliseconds={"total": 1.5}),
        provenance=Provenance("1.0", None, {"answer": "hash"}, "settings", "embedder/1", "segmenter/1", 3),
        claims=tuple(
            Claim(quote, Support.SUPPORTED, "verbatim", (n,)) for n, (_, quote) in enumerate(quotes, 1)
        ),
        citations=tuple(
            Citation(n, article(article_id), Span(10, 10 + len(quote)), quote)
            for n, (article_id, quote) in enumerate(quotes, 1)
        ),
    )


def abstained(answer_id: str, *article_ids: str) -> Abstention:
    """An abstention that found these articles nearest."""
    answer = answered(answer_id)
    return Abstention(
        id=answer_id,
        question=answer.question,
        as_of=answer.as_of,
        text="Not in the corpus. Nearest article: The bridge story.",
        nearest=tuple(map(nearest, article_ids)),
        confidence=0.1,
        corpus=CorpusInfo("main", 0, None, 3),
        usage=replace(answer.usage, cost_usd=None),
        provenance=replace(answer.provenance, model="some"),
        dropped=2,
        degraded=Degraded("no model"),
        reason=AbstentionReason.GROUNDING,
    )


def kept(result: Answer | Abstention, *, at: datetime = AT) -> Record:
    return Record.of(result, at)


BRIDGE = kept(answered("a1", ("bridge", CRACKS)))
BOTH = kept(answered("a2", ("bridge", CRACKS), ("lighthouse", PAINT)))
NOTHING = kept(abstained("a3", "bridge", "notice"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "history.db"


@pytest.fixture
def sqlite(path: Path) -> SqliteHistory:
    return SqliteHistory(path)


@pytest.fixture(params=["sqlite", "memory"])
def history(request: pytest.FixtureRequest, sqlite: SqliteHistory) -> History:
    return sqlite if request.param == "sqlite" else MemoryHistory()


def fill(history: History, *records: Record) -> None:
    for record in records:
        history.record(record)


def ids(history: History, limit: int | None = None) -> list[str]:
    return [record.result.id for record in history.newest(limit)]


# Keeping and finding


@pytest.mark.parametrize("record", [BRIDGE, BOTH, NOTHING], ids=lambda record: record.result.id)
def test_a_record_comes_back_as_it_was_kept(history: History, record: Record) -> None:
    fill(history, BRIDGE, NOTHING, BOTH)
    assert history.find(record.result.id) == record
    assert record in history.newest()


def test_a_record_holds_no_passage_but_the_articles_of_the_nearest(history: History) -> None:
    fill(history, kept(abstained("a1", "bridge", "notice", "bridge")))
    (record,) = history.newest()
    assert (record.result.nearest, record.nearest) == ((), ("bridge", "notice"))


def test_the_newest_come_first(history: History) -> None:
    fill(history, *(kept(answered(f"a{at}"), at=AT - timedelta(days=at)) for at in range(5)))
    assert ids(history) == ["a4", "a3", "a2", "a1", "a0"]  # as they came, whatever the clock said
    assert ids(history, 2) == ["a4", "a3"]
    assert ids(history, 99) == ids(history)


def test_an_id_that_is_kept_again_is_kept_once(history: History) -> None:
    fill(history, kept(answered("a1")), NOTHING, BRIDGE)
    assert history.newest() == [BRIDGE, NOTHING]


@pytest.mark.parametrize("answer_id", ["", "nope", "%", "A1", "\ud800"])
def test_an_answer_that_is_not_there_is_an_error(history: History, answer_id: str) -> None:
    fill(history, BRIDGE)
    with pytest.raises(HistoryNotFound):
        history.find(answer_id)


def test_an_empty_history_is_no_error(history: History) -> None:
    assert (history.newest(), history.newest(3), history.clear()) == ([], [], 0)
    assert (history.withdraw(["bridge"], corpus="main"), history.clear(AT)) == (0, 0)
    with pytest.raises(HistoryNotFound, match="'a1'"):
        history.find("a1")
    with pytest.raises(HistoryNotFound, match="'a1'"):
        history.delete(["a1"])


# Deleting


def test_what_is_deleted_is_gone(history: History) -> None:
    fill(history, BRIDGE, BOTH, NOTHING)
    history.delete(["a3", "a1", "a3"])
    assert ids(history) == ["a2"]


def test_nothing_is_deleted_when_one_of_the_ids_is_wrong(history: History) -> None:
    fill(history, BRIDGE, BOTH)
    with pytest.raises(HistoryNotFound, match="'nope'"):
        history.delete(["a1", "nope", "a2"])
    assert ids(history) == ["a2", "a1"]


def test_what_is_older_than_a_moment_can_be_deleted(history: History) -> None:
    fill(history, *(kept(answered(f"a{hour}"), at=AT + timedelta(hours=hour)) for hour in (0, 1, 2)))
    tokyo = timezone(timedelta(hours=9))
    assert history.clear((AT + timedelta(hours=1)).astimezone(tokyo)) == 1
    assert ids(history) == ["a2", "a1"]


def test_everything_can_be_deleted(history: History) -> None:
    fill(history, BRIDGE, BOTH)
    assert history.clear() == 2
    assert history.newest() == []


# Withdrawing


def test_a_withdrawal_takes_the_words_and_leaves_that_it_was_asked(history: History) -> None:
    fill(history, BRIDGE)
    assert history.withdraw(["bridge"], corpus="main") == 1
    (record,) = history.newest()
    assert isinstance(BRIDGE.result, Answer)
    bare = ArticleInfo(id="bridge", origin=Origin("", ""))
    assert record == replace(
        BRIDGE,
        result=replace(
            BRIDGE.result,
            text=f"{WITHDRAWN} [1]",
            claims=(Claim(WITHDRAWN, Support.SUPPORTED, "", (1,)),),
            citations=(Citation(1, bare, BRIDGE.result.citations[0].span, ""),),
        ),
        withdrawn=("bridge",),
    )
    assert record.receipt == Receipt.of(BRIDGE.result)


def test_what_rests_on_other_articles_stays(history: History) -> None:
    fill(history, BOTH)
    history.withdraw(["bridge"], corpus="main")
    (record,) = history.newest()
    assert isinstance(record.result, Answer)
    assert isinstance(BOTH.result, Answer)
    assert record.result.text == f"{WITHDRAWN} [1] {PAINT} [2]"
    assert record.result.claims[1] == BOTH.result.claims[1]
    assert record.result.citations[1] == BOTH.result.citations[1]


def test_an_abstention_no_longer_names_a_withdrawn_article(history: History) -> None:
    fill(history, NOTHING, kept(abstained("other", "lighthouse")))
    assert history.withdraw(["bridge"], corpus="main") == 1
    assert [record.result.text for record in history.newest()] == [NOTHING.result.text, WITHDRAWN]


def test_an_answer_that_only_lay_near_a_withdrawn_article_keeps_its_text(history: History) -> None:
    result = replace(
        answered("a1", ("lighthouse", PAINT)), nearest=(nearest("lighthouse"), nearest("bridge"))
    )
    fill(history, kept(result))
    assert history.withdraw(["bridge"], corpus="main") == 1
    (record,) = history.newest()
    assert record == replace(kept(result), withdrawn=("bridge",))


def test_a_claim_on_two_articles_goes_when_one_of_them_does(history: History) -> None:
    result = answered("a1", ("bridge", CRACKS), ("lighthouse", PAINT))
    joined = Claim("Cracked and blue.", Support.PARTIAL, "both", (1, 2))
    fill(history, kept(replace(result, text="Cracked and blue. [1][2]", claims=(joined,))))
    history.withdraw(["lighthouse"], corpus="main")
    (record,) = history.newest()
    assert record.result.text == f"{WITHDRAWN} [1][2]"


def test_articles_can_be_withdrawn_one_after_the_other(history: History) -> None:
    fill(history, BOTH)
    assert history.withdraw(["bridge"], corpus="main") == 1
    assert history.withdraw(["bridge"], corpus="main") == 0
    assert history.withdraw(["lighthouse", "bridge", "nope"], corpus="main") == 1
    (record,) = history.newest()
    assert record.withdrawn == ("bridge", "lighthouse")
    assert record.result.text == f"{WITHDRAWN} [1] {WITHDRAWN} [2]"


@pytest.mark.parametrize(
    ("article_ids", "corpus"), [(["bridge"], "other"), (["brid"], "main"), (["Bridge"], "main"), ([], "main")]
)
def test_a_withdrawal_touches_nothing_else(history: History, article_ids: list[str], corpus: str) -> None:
    fill(history, BRIDGE, BOTH, NOTHING)
    assert history.withdraw(article_ids, corpus=corpus) == 0
    assert history.newest() == [NOTHING, BOTH, BRIDGE]


def test_the_fake_keeps_its_calls_and_fails_as_it_is_told() -> None:
    history = MemoryHistory(error=HomeUnusable("full"))
    with pytest.raises(HomeUnusable, match="full"):
        history.record(BRIDGE)
    history.error = None
    history.record(BRIDGE)
    history.withdraw(["bridge"], corpus="main")
    history.delete(["a1"])
    assert history.calls == [("withdraw", "bridge"), ("delete", "a1")]


# The file


def test_the_file_and_its_home_are_for_their_owner_alone(sqlite: SqliteHistory, path: Path) -> None:
    before = os.umask(0)
    try:
        sqlite.record(BRIDGE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_only_a_record_makes_a_file_and_it_stays_the_only_one(sqlite: SqliteHistory, path: Path) -> None:
    sqlite.newest()
    sqlite.clear()
    sqlite.withdraw(["bridge"], corpus="main")
    assert not path.parent.exists()
    fill(sqlite, BRIDGE, BOTH)
    sqlite.newest()
    sqlite.delete(["a1"])
    assert [file.name for file in path.parent.iterdir()] == ["history.db"]


def test_a_record_of_the_first_release_can_still_be_read(sqlite: SqliteHistory, path: Path) -> None:
    sqlite.record(NOTHING)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO records (id, at, corpus, record) VALUES ('a1', '2031', 'main', ?)", [FIRST]
        )
    undated = replace(BRIDGE.result, corpus=replace(BRIDGE.result.corpus, oldest=None))
    assert sqlite.find("a1") == replace(BRIDGE, result=undated)


FIRST = (
    '{"at": "2031-04-01T09:30:00+00:00", "result": {"id": "a1", "question": "What of a1?", "as_of": '
    '"2031-04-01", "text": "Engineers had found 14 “cracks” in its northern pier.\\n東京 👩\u200d💻 [1]", '
    '"nearest": [], "confidence": 0.75, "corpus": {"name": "main", "articles": 4, "newest": "2031-03-11", '
    '"generation": 3}, "usage": {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, '
    '"cost_usd": 0.0, "milliseconds": {"total": 1.5}}, "provenance": {"version": "1.0", "model": null, '
    '"prompts": {"answer": "hash"}, "settings": "settings", "embedder": "embedder/1", "segmenter": '
    '"segmenter/1", "generation": 3}, "dropped": 0, "degraded": null, "claims": [{"text": "Engineers had '
    'found 14 “cracks” in its northern pier.\\n東京 👩\u200d💻", "support": "supported", "why": "verbatim", '
    '"citations": [1]}], "citations": [{"n": 1, "article": {"id": "bridge", "origin": {"root": "/news", '
    '"path": "bridge.md"}, "title": "The bridge story", "outlet": "Quillport Gazette", "author": null, '
    '"url": null, "published": {"day": "2031-03-04", "moment": "2031-03-04T23:30:00+09:00"}, "updated": '
    '{"day": "2031-03-05", "moment": null}, "corrects": null, "language": "en", "fiction": false}, "span": '
    '{"start": 10, "end": 70}, "quote": "Engineers had found 14 “cracks” in its northern pier.\\n東京 '
    '👩\u200d💻"}]}, "nearest": ["bridge"], "receipt": {"answer_id": "a1", "question": "What of a1?", '
    '"as_of": "2031-04-01", "quotes": [["bridge", {"start": 10, "end": 70}, '
    '"8b003542fbe8f69173b4d4266d6ee74267ebe0e5ee2043e16ae69f56f5a645e5"]], '
    '"provenance": {"version": "1.0", "model": null, "prompts": {"answer": "hash"}, "settings": '
    '"settings", "embedder": "embedder/1", "segmenter": "segmenter/1", "generation": 3}}, "withdrawn": []}'
)


# Nothing that was deleted or withdrawn is left in any file


def found(folder: Path, *texts: str) -> list[str]:
    """Those of the texts that some file below the folder holds, in UTF-8 or UTF-16."""
    held = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return [
        text
        for text in texts
        if any(text.encode(encoding) in data for encoding in encodings for data in held)
    ]


TOLD = ("Engineers had found 14", "東京 👩\u200d💻", "The bridge story", "Quillport Gazette", "bridge.md")
WAYS: dict[str, Callable[[SqliteHistory], object]] = {
    "withdrawn": lambda history: history.withdraw(["bridge"], corpus="main"),
    "deleted": lambda history: history.delete(["a1", "a3"]),
    "cleared": lambda history: history.clear(),
}


@pytest.mark.parametrize("way", WAYS)
def test_not_a_byte_of_it_is_left(sqlite: SqliteHistory, path: Path, way: str) -> None:
    fill(sqlite, BRIDGE, NOTHING)
    assert found(path.parent, *TOLD) == list(TOLD)
    WAYS[way](sqlite)
    assert found(path.parent, *TOLD) == []


def test_not_a_byte_is_left_while_somebody_else_has_the_file_open(sqlite: SqliteHistory, path: Path) -> None:
    fill(sqlite, BRIDGE, NOTHING)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM records").fetchall() == [(2,)]
        sqlite.withdraw(["bridge"], corpus="main")
        assert found(path.parent, *TOLD) == []
        assert other.execute("SELECT count(*) FROM records").fetchall() == [(2,)]


def test_what_was_left_between_the_rows_before_goes_too(sqlite: SqliteHistory, path: Path) -> None:
    """As a process leaves it that was killed between its deletion and writing the file anew."""
    fill(sqlite, BRIDGE, NOTHING)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM records WHERE id = 'a1'")
    assert found(path.parent, *TOLD[:2]) != []
    assert sqlite.withdraw(["nothing"], corpus="main") == 0
    assert found(path.parent, *TOLD[:2]) == []


def test_of_many_texts_of_all_sizes_only_the_withdrawn_are_gone(sqlite: SqliteHistory, path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 -- sizes of texts
    texts = [f"<{at}:{chance.getrandbits(64):016x}>" for at in range(80)]
    for at, text in enumerate(texts):
        sqlite.record(kept(answered(f"a{at}", (f"article-{at}", text + "x" * chance.choice([1, 90, 2_000])))))
    sqlite.withdraw([f"article-{at}" for at in range(0, 80, 2)], corpus="main")
    sqlite.delete([f"a{at}" for at in range(0, 80, 3)])
    assert found(path.parent, *texts) == [text for at, text in enumerate(texts) if at % 2 and at % 3]


# Damage, and other versions

DAMAGE: dict[str, Callable[[Path], object]] = {
    "garbage": lambda path: path.write_bytes(b"garbage" * 1_000),
    "cut off": lambda path: os.truncate(path, 4_096 + 100),
    "overwritten": lambda path: path.write_bytes(path.read_bytes()[:4_096] + b"\xff" * 12_288),
    "another program's": lambda path: make_database(path, "CREATE TABLE pages (text TEXT)"),
    "without its table": lambda path: make_database(path, "DROP TABLE records", anew=False),
}


def make_database(path: Path, statement: str, *, anew: bool = True) -> None:
    if anew:
        path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_told_and_left_as_it_is(sqlite: SqliteHistory, path: Path, damage: str) -> None:
    fill(sqlite, *(kept(answered(f"a{at}", ("bridge", CRACKS * 20))) for at in range(9)))
    DAMAGE[damage](path)
    before = path.read_bytes()
    for use in (sqlite.newest, lambda: sqlite.record(NOTHING), sqlite.clear):
        with pytest.raises(HistoryDamaged):
            use()
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", "{}", "null", FIRST.replace('"text"', '"txet"')])
def test_a_record_that_cannot_be_read_is_told(sqlite: SqliteHistory, path: Path, text: str) -> None:
    sqlite.record(BRIDGE)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET record = ?", [text])
    for use in (sqlite.newest, lambda: sqlite.find("a1")):
        with pytest.raises(HistoryDamaged, match="a record that cannot be read"):
            use()


def m002_notes(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE records ADD COLUMN note TEXT")


def m003_noted(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE records SET note = 'none'")


def test_a_file_of_a_newer_version_is_told_and_left_as_it_is(path: Path) -> None:
    SqliteHistory(path, migrations=[*MIGRATIONS, m002_notes]).record(BRIDGE)
    before = path.read_bytes()
    older = SqliteHistory(path)
    for use in (older.newest, lambda: older.record(NOTHING), older.clear):
        with pytest.raises(FormatUnsupported, match="'m002_notes'") as caught:
            use()
        assert "Update the assistant" in caught.value.help
    assert path.read_bytes() == before


@pytest.mark.parametrize("use", [SqliteHistory.newest, lambda history: history.record(NOTHING)])
def test_an_older_file_is_brought_up_to_date_in_order(
    sqlite: SqliteHistory, path: Path, use: Callable[[SqliteHistory], object]
) -> None:
    sqlite.record(BRIDGE)
    newer = SqliteHistory(path, migrations=[*MIGRATIONS, m002_notes, m003_noted])
    use(newer)
    assert newer.find("a1") == BRIDGE
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT note FROM records WHERE id = 'a1'").fetchall() == [("none",)]
        applied = connection.execute("SELECT name FROM migrations ORDER BY rowid").fetchall()
    assert applied == [("m001_records",), ("m002_notes",), ("m003_noted",)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(sqlite: SqliteHistory, path: Path) -> None:
    sqlite.record(BRIDGE)
    failing = SqliteHistory(path, migrations=[*MIGRATIONS, m002_notes, m002_notes])
    with pytest.raises(HistoryDamaged, match="duplicate column"):
        failing.record(NOTHING)
    assert sqlite.newest() == [BRIDGE]


# Other processes


def python(path: Path, code: str) -> list[str]:
    """A command that runs the code with the history as ``history``."""
    opening = f"""
        import resource, signal, sys
        from pathlib import Path
        sys.path[:0] = {[str(Path(assistant.__file__).parents[1]), str(Path(__file__).parent)]!r}
        from test_history_contract import CRACKS, HomeUnusable, SqliteHistory, answered, kept
        history = SqliteHistory(Path({str(path)!r}))
    """
    return [sys.executable, "-c", dedent(opening) + dedent(code)]


def test_four_processes_at_once_lose_nothing(sqlite: SqliteHistory, path: Path) -> None:
    code = """
        for at in range(50):
            history.record(kept(answered(f"{sys.argv[1]}-{at}", ("bridge", CRACKS))))
    """
    children = [subprocess.Popen([*python(path, code), str(child)]) for child in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    assert sorted(ids(sqlite)) == sorted(f"{child}-{at}" for child in range(4) for at in range(50))


def test_eight_threads_at_once_begin_a_history_and_lose_nothing(path: Path) -> None:
    def record(at: int) -> None:
        SqliteHistory(path).record(kept(answered(f"a{at}", ("bridge", CRACKS))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(80)))
    assert sorted(ids(SqliteHistory(path))) == sorted(f"a{at}" for at in range(80))


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.06])
def test_a_kill_while_recording_loses_nothing_that_was_kept(
    sqlite: SqliteHistory, path: Path, seconds: float
) -> None:
    code = """
        for at in range(100_000):
            history.record(kept(answered(f"a{at}", ("bridge", CRACKS * 100))))
            print(at, flush=True)
    """
    child = subprocess.Popen(python(path, code), stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = [child.stdout.readline()]
    time.sleep(seconds)
    child.kill()
    told += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    complete = sum(line.endswith("\n") for line in told)
    assert complete <= len(ids(sqlite)) <= complete + 1
    sqlite.record(NOTHING)
    assert sqlite.newest(1) == [NOTHING]


def test_a_history_that_another_process_is_changing_is_busy(sqlite: SqliteHistory, path: Path) -> None:
    sqlite.record(BRIDGE)
    hasty = SqliteHistory(path, patience=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for use in (lambda: hasty.record(NOTHING), hasty.clear):
            with pytest.raises(HistoryBusy) as caught:
                use()
            assert caught.value.retryable
        assert hasty.newest() == [BRIDGE]
    hasty.record(NOTHING)


# A home that cannot be written


def test_a_full_disk_is_told_and_what_was_kept_stays(sqlite: SqliteHistory, path: Path) -> None:
    sqlite.record(BRIDGE)
    code = """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        try:
            history.record(kept(answered("big", ("bridge", CRACKS * 10_000))))
        except HomeUnusable:
            sys.exit(7)
    """
    assert hasattr(resource, "RLIMIT_FSIZE")
    assert subprocess.run(python(path, code), check=False).returncode == 7
    assert sqlite.newest() == [BRIDGE]


@pytest.mark.parametrize("name", ["home", "home/below/it"])
def test_a_home_that_is_a_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "home").write_text("a file")
    history = SqliteHistory(tmp_path / name / "history.db")
    with pytest.raises(HomeUnusable):
        history.record(BRIDGE)
    assert history.newest() == []


def test_a_history_on_a_read_only_mount_can_be_read(writable: Path, mounted: Path) -> None:
    SqliteHistory(writable / "history.db").record(BRIDGE)
    history = SqliteHistory(mounted / "history.db")
    assert history.newest() == [BRIDGE]
    uses: Iterable[Callable[[], object]] = (
        lambda: history.record(NOTHING),
        history.clear,
        lambda: history.withdraw(["bridge"], corpus="main"),
    )
    for use in uses:
        with pytest.raises(HomeUnusable, match="readonly"):
            use()
    assert [file.name for file in writable.iterdir()] == ["history.db"]


def test_no_history_can_begin_on_a_read_only_mount(mounted: Path) -> None:
    history = SqliteHistory(mounted / "history.db")
    with pytest.raises(AssistantError, match="Read-only file system"):
        history.record(BRIDGE)
    assert history.newest() == []


def test_a_read_only_home_answers_and_says_that_nothing_is_kept(
    demo_home: Path, writable: Path, mounted: Path
) -> None:
    shutil.copytree(demo_home, writable / "home", ignore=shutil.ignore_patterns("history.db"))
    notices: list[str] = []
    settings = Settings(home=mounted / "home")
    assert (
        "740" in build_assistant(settings, notice=notices.append).ask("How many live on Little Corrow?").text
    )
    (notice,) = notices
    assert notice.startswith("This is not kept in the history: the history cannot be used: Read-only file")
    assert "point --home at a folder that you may write to" in notice
    assert not (writable / "home" / "history.db").exists()


def test_a_withdrawal_takes_out_the_disagreements_in_which_the_article_has_a_side(history: History) -> None:
    def between(*articles: str) -> Disagreement:
        sides = tuple(Side("14", article(one), Span(0, 2), f"14 in {one}") for one in articles)
        return Disagreement(Difference.CONFLICT, sides)

    result = replace(
        answered("a4", ("bridge", CRACKS)),
        disagreements=(between("bridge", "notice"), between("bridge", "lighthouse")),
    )
    history.record(kept(result))
    assert history.find("a4").result == replace(result, nearest=())
    assert history.withdraw(["notice"], corpus="main") == 1
    found = history.find("a4")
    assert found.result.disagreements == (between("bridge", "lighthouse"),)
    assert found.withdrawn == ("notice",)
    assert "in notice" not in str(found)
