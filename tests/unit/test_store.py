"""The client's store: made, taken over, set aside when it cannot be used; what waits in it is never lost on the way."""

import os
import random
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.domain.attention import Command
from desktop.domain.clicks import Click
from desktop.domain.errors import StorageError
from desktop.sync.commands import Commands
from desktop.sync.rows import Found
from desktop.sync.store import SCHEMA, Prepared, Unreadable, examine, open_store, prepare
from tests.fakes.backend import T0

ACK = Click(Command.ACKNOWLEDGE, T0, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "client.db"


def waiting(path: Path, connection: str = "one") -> list[tuple[str, Click]]:
    commands = Commands(path, connection, lambda _: None)
    try:
        return [(w.incident, w.click) for w in commands.waiting()]
    finally:
        commands.close()


def keep(path: Path, *incidents: str, connection: str = "one") -> None:
    troubles: list[str] = []
    commands = Commands(path, connection, troubles.append)
    for n, incident in enumerate(incidents):
        commands.add(incident, Click(Command.ACKNOWLEDGE, T0 + timedelta(seconds=n), 3))
    commands.close()
    assert set(troubles) == {""}


def others(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir() if not p.name.startswith("client.db-") and p != path)


def test_a_new_one_is_private_and_durable(path: Path) -> None:
    assert prepare(path, T0) == Prepared(usable=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with closing(open_store(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    with closing(open_store(path, durable=False)) as database:
        assert database.execute("PRAGMA synchronous").fetchone() == (1,)
    keep(path, "I1", "I2")
    assert prepare(path, T0) == Prepared(usable=True)
    assert [name for name, _ in waiting(path)] == ["I1", "I2"]
    assert waiting(path)[0][1] == ACK


def test_what_waited_in_a_store_of_before_is_taken_over(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path.with_name("outbox.db"))) as old, old:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute(
            "CREATE TABLE commands (id INTEGER PRIMARY KEY, connection TEXT NOT NULL, incident TEXT NOT NULL, "
            "command TEXT NOT NULL, since TEXT NOT NULL, UNIQUE (connection, incident, command))"
        )
        old.execute("INSERT INTO commands VALUES (1, 'one', 'I1', 'acknowledge', ?)", (T0.isoformat(),))
    assert prepare(path, T0) == Prepared(usable=True)
    assert waiting(path) == [("I1", Click(Command.ACKNOWLEDGE, T0, 0))]
    assert not path.with_name("outbox.db").exists()


@pytest.mark.parametrize("damage", ["head", "page", "text", "schema"])
def test_a_damaged_one_is_set_aside_and_what_can_be_read_of_it_is_saved(path: Path, damage: str) -> None:
    keep(path, *(f"I{n}" for n in range(3)))
    with closing(open_store(path)) as database, database:
        database.execute("INSERT INTO copies VALUES ('one', 'x', 0, ?)", ("y" * 300_000,))
    if damage == "head":
        path.write_bytes(b"no database at all" + path.read_bytes()[18:])
    elif damage == "page":
        # A page of the copy, far behind the commands.
        content = bytearray(path.read_bytes())
        content[40_000:60_000] = os.urandom(20_000)
        path.write_bytes(content)
    elif damage == "text":
        path.write_text("I am a text")
    else:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("DROP TABLE copies")
    before = path.read_bytes()
    prepared = prepare(path, T0)
    assert prepared.usable
    readable = damage in {"page", "schema"}
    assert [name for name, _ in waiting(path)] == (["I0", "I1", "I2"] if readable else [])
    (aside,) = others(path)
    assert aside == "client.db.damaged-20261123T030000Z"
    if damage != "schema":
        assert path.with_name(aside).read_bytes() == before
    told = "3 clicks that waited in it were saved" if readable else "Nothing was found waiting in it"
    assert prepared.notice == (
        f"Watchbell's store was damaged and is set aside as {aside}. {told}; all else is fetched anew from the backend."
    )
    keep(path, "I9")
    assert prepare(path, T0) == Prepared(usable=True)


def test_one_of_a_newer_version_is_kept_for_it(path: Path) -> None:
    keep(path, "I1")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(Unreadable, match="was written by a newer Watchbell"):
        open_store(path)
    prepared = prepare(path, T0)
    assert prepared.usable
    assert "was of a newer Watchbell and is set aside as client.db.newer-20261123T030000Z" in prepared.notice
    assert "One click that waited in it was saved" in prepared.notice
    assert [name for name, _ in waiting(path)] == ["I1"]
    with closing(sqlite3.connect(path.with_name("client.db.newer-20261123T030000Z"))) as aside:
        assert aside.execute("PRAGMA user_version").fetchone() == (SCHEMA + 1,)


def test_twice_within_a_second_nothing_is_written_over(path: Path) -> None:
    for _ in range(3):
        path.parent.mkdir(exist_ok=True)
        path.write_text("rubbish")
        assert prepare(path, T0).usable
    assert len(others(path)) == 3


def test_rows_that_make_no_sense_are_not_taken_for_clicks(path: Path) -> None:
    keep(path, "I1")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA user_version = 99")
        rows = [("one", "I2", "acknowledge", "yesterday", 0), ("one", "I3", "acknowledge", "2026-01-01", 0),
                ("one", "I4" * 200, "acknowledge", T0.isoformat(), 0),
                ("one", "I5", "acknowledge", T0.isoformat(), "x"),
                ("one", b"I\xff", "acknowledge", T0.isoformat(), 0), ("one", "", "acknowledge", T0.isoformat(), 0),
                ("one", "I7", "explode", T0.isoformat(), 0)]  # fmt: skip
        database.executemany(
            "INSERT INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, ?)", rows
        )
    assert prepare(path, T0).usable
    # The last is of a newer version, perhaps: kept, and not understood.
    # Without a number of pages it is looked at before it is sent, as if the incident had not paged before.
    assert [name for name, _ in waiting(path)] == ["I1", "I5"]
    with closing(open_store(path)) as database:
        assert [r[0] for r in database.execute("SELECT incident FROM commands ORDER BY id")] == ["I1", "I5", "I7"]


def test_no_place_for_it_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    prepared = prepare(blocked / "client.db", T0)
    assert not prepared.usable
    assert "does not survive a crash of Watchbell" in prepared.notice
    with pytest.raises(StorageError):
        open_store(blocked / "client.db")


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_set_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root nothing is read-only: SQLite says so here as it would."""
    keep(path, "I1")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file, **_: connect(f"file:{file}?mode=ro", uri=True))
    troubles: list[str] = []
    commands = Commands(path, "one", troubles.append)
    commands.add("I2", ACK)
    assert [w.incident for w in commands.waiting()] == ["I1", "I2"]
    commands.close()
    assert "readonly" in troubles[-1]
    assert others(path) == []


class TestWhileItCannotBeWritten:
    def full(self, commands: Commands, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        """Leave the store no room: what SQLite then says is what a full disk makes it say."""

        def cramped(path: Path) -> sqlite3.Connection:
            database = open_store(path)
            database.execute(f"PRAGMA max_page_count = {database.execute('PRAGMA page_count').fetchone()[0]}")
            return database

        monkeypatch.setattr("desktop.sync.commands.open_store", cramped)
        commands.close()
        commands._database = None

    def test_clicks_wait_in_memory_and_are_written_when_there_is_room(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        troubles: list[str] = []
        keep(path, "I0")
        commands = Commands(path, "one", troubles.append)
        self.full(commands, monkeypatch, path)
        names = [f"{n:0200}" for n in range(60)]
        for name in names:
            commands.add(name, Click(Command.ACKNOWLEDGE, T0 + timedelta(seconds=1), 1))
        assert any("database or disk is full" in t and "does not survive a crash" in t for t in troubles)
        assert [w.incident for w in commands.waiting()] == ["I0", *names]
        for w in commands.waiting()[:2]:
            commands.remove(w)
        monkeypatch.undo()
        commands.close()
        commands._database = None
        assert [w.incident for w in commands.waiting()] == names[1:]
        assert troubles[-1] == ""
        assert commands.settled
        commands.close()
        assert [name for name, _ in waiting(path)] == names[1:]

    def test_room_that_comes_while_one_is_being_sent_does_no_harm(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(path, "I0")
        commands = Commands(path, "one", lambda _: None)
        self.full(commands, monkeypatch, path)
        name = "I1" * 2000
        commands.add(name, Click(Command.ACKNOWLEDGE, T0 + timedelta(seconds=1), 1))
        first, second = commands.waiting()
        monkeypatch.undo()
        commands.close()
        commands._database = None
        commands.remove(first)
        commands.remove(second)
        assert commands.waiting() == []
        commands.close()
        assert waiting(path) == []

    def test_what_was_answered_is_not_sent_again_because_it_cannot_be_deleted(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(path, "I1", "I2")
        commands = Commands(path, "one", lambda _: None)
        first, _ = commands.waiting()

        def broken(path: Path) -> sqlite3.Connection:
            raise StorageError("gone")

        with monkeypatch.context() as patch:
            patch.setattr("desktop.sync.commands.open_store", broken)
            commands.close()
            commands._database = None
            commands.remove(first)
            assert [w.incident for w in commands.waiting()] == ["I2"]
        assert [w.incident for w in commands.waiting()] == ["I2"]
        commands.close()
        assert [name for name, _ in waiting(path)] == ["I2"]


def test_the_same_click_twice_is_one_and_each_connection_has_its_own(path: Path) -> None:
    keep(path, "I1", "I1")
    keep(path, "I1", connection="two")
    assert len(waiting(path)) == len(waiting(path, "two")) == 1
    assert waiting(path, "three") == []


def spoil(path: Path, incident: str, value: str) -> None:
    """Put ``value``, an expression of SQL, where the time of a click is."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE commands SET since = {value} WHERE incident = ?", (incident,))


@pytest.mark.parametrize("value", ["CAST(x'51ff31' AS TEXT)", "7", "x'ff'", "'yesterday'"])
def test_a_row_that_makes_no_sense_takes_no_other_with_it(path: Path, value: str) -> None:
    keep(path, "I1", "I2", "I3")
    spoil(path, "I1", value)
    troubles: list[str] = []
    commands = Commands(path, "one", troubles.append)
    commands.add("I4", Click(Command.ACKNOWLEDGE, T0 + timedelta(hours=1), 1))
    assert [w.incident for w in commands.waiting()] == ["I2", "I3", "I4"]
    commands.close()
    with pytest.raises(Unreadable, match="is damaged"):
        examine(path)
    prepared = prepare(path, T0)
    assert prepared.usable
    assert "3 clicks that waited in it were saved" in prepared.notice
    assert [name for name, _ in waiting(path)] == ["I2", "I3", "I4"]
    assert examine(path)


def test_a_click_that_cannot_be_read_back_is_sent_from_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands(path, "one", lambda _: None)
    monkeypatch.setattr("desktop.sync.commands.read", lambda _: Found(error=sqlite3.DatabaseError("malformed")))
    commands.add("I1", ACK)
    (only,) = commands.waiting()
    assert (only.incident, only.click) == ("I1", ACK)
    commands.remove(only)
    assert commands.waiting() == []
    commands.close()


def test_what_sqlite_says_of_damage_need_not_be_utf_8(path: Path) -> None:
    for byte in (0xD5, 0xCF):
        keep(path, "I1", "I2")
        for place in range(1, 8):
            content = bytearray(path.read_bytes())
            content[content.index(b"NOT NULL") + place] = byte
            damaged = path.with_name("damaged.db")
            damaged.write_bytes(content)
            with pytest.raises(Unreadable):
                examine(damaged)
            assert prepare(damaged, T0).usable


def test_damage_in_what_is_said_of_one_table_leaves_the_other_readable(path: Path) -> None:
    keep(path, "I1", "I2", "I3")
    content = bytearray(path.read_bytes())
    content[content.index(b"CREATE TABLE copies") + 15] = ord("(")
    path.write_bytes(content)
    assert "3 clicks that waited in it were saved" in prepare(path, T0).notice
    assert [name for name, _ in waiting(path)] == ["I1", "I2", "I3"]


def test_a_format_that_nobody_writes_is_damage_and_no_read_only_disk(path: Path) -> None:
    keep(path, "I1")
    content = bytearray(path.read_bytes())
    content[18] ^= 0x20
    path.write_bytes(content)
    assert "is set aside as" in prepare(path, T0).notice


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moves", range(4))
def test_a_crash_while_it_is_replaced_loses_nothing_and_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    keep(path, "I1", "I2")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    replace, done = Path.replace, [0]

    def dying(self: Path, target: str) -> Path:
        if done[0] == moves:
            raise Killed
        done[0] += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(Killed):
            prepare(path, T0)
    prepared = prepare(path, T0 + timedelta(minutes=1))
    assert prepared.usable
    assert "2 clicks that waited in it were saved" in prepared.notice
    assert [name for name, _ in waiting(path)] == ["I1", "I2"]
    (aside,) = others(path)
    assert aside in prepared.notice
    assert prepare(path, T0) == Prepared(usable=True)


@pytest.mark.parametrize("error", [RuntimeError("surprise"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")])
def test_preparing_never_raises(path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(path: Path, *_: object) -> str:
        raise error

    monkeypatch.setattr("desktop.sync.replacing.finish", broken)
    prepared = prepare(path, T0)
    assert not prepared.usable
    assert "does not survive a crash of Watchbell" in prepared.notice


class TestAnyOneBitWrong:
    """Whichever bit of the file is wrong: it can be started with, clicks go out, and what can be read is not lost."""

    def flips(self, content: bytes, count: int | None) -> list[tuple[int, int]]:
        filled = [(place, bit) for place, byte in enumerate(content) if byte for bit in range(8)]
        return filled if count is None else random.Random(11).sample(filled, count)

    def legible(self, path: Path) -> set[str]:
        """Return what SQLite can read at all, of the clicks that were there."""
        query = "SELECT incident, since FROM commands NOT INDEXED WHERE connection = 'one' AND command = 'acknowledge'"
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as database:
                database.text_factory = bytes
                database.execute("PRAGMA writable_schema = ON")
                rows = database.execute(f"{query} ORDER BY rowid").fetchall()
        except (sqlite3.Error, UnicodeDecodeError):
            return set()
        return {i.decode() for i, since in rows if i in {b"I0", b"I1", b"I2"} and since == T0.isoformat().encode()}

    def look(self, path: Path, content: bytes, flips: list[tuple[int, int]]) -> int:
        saved = 0
        for n, (place, bit) in enumerate(flips):
            damaged = path.with_name(f"{n}") / "client.db"
            damaged.parent.mkdir()
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            damaged.write_bytes(changed)
            legible = self.legible(damaged)
            prepare(damaged, T0)
            commands = Commands(damaged, "one", lambda _: None)
            commands.add("I9", Click(Command.ACKNOWLEDGE, T0 + timedelta(hours=1), 1))
            found = {w.incident for w in commands.waiting()}
            commands.close()
            assert "I9" in found, (place, bit)
            assert legible <= found, (place, bit)
            saved += len(legible)
            shutil.rmtree(damaged.parent)
        return saved

    def content(self, path: Path) -> bytes:
        path.parent.mkdir()
        commands = Commands(path, "one", lambda _: None)
        for n in range(3):
            commands.add(f"I{n}", ACK)
        commands.close()
        return path.read_bytes()

    def test_some(self, path: Path) -> None:
        content = self.content(path)
        assert self.look(path, content, self.flips(content, 200)) > 200

    def test_a_letter_that_is_none_before_the_name_of_a_column(self, path: Path) -> None:
        content = self.content(path)
        place = content.index(b" id INTEGER")
        assert self.look(path, content, [(place, 7), (place + 1, 7)]) == 6

    @pytest.mark.full
    @pytest.mark.timeout(1800)
    def test_all(self, path: Path) -> None:
        content = self.content(path)
        self.look(path, content, self.flips(content, None))
