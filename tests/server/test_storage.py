"""The database file: where it is, who may read it, what is refused."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import InputError, StorageError
from desktop.domain.escalation import Progress, default_policy
from desktop.domain.severity import DEFAULT_TARGETS, Severity
from desktop.server import codec, schema
from desktop.server.hiding import secrets_of, shown
from desktop.server.sqlite import path_of
from desktop.server.storage import Storage, open_existing, resolve


def test_the_default_place_is_the_persons_data_folder(home: Path) -> None:
    assert path_of(resolve(None)) == Path(platformdirs.user_data_dir("watchbell")) / "watchbell.db"
    assert home in path_of(resolve(None)).parents


@pytest.mark.parametrize("given_as", ["{}/a b.db", "sqlite:///{}/a b.db"])
def test_a_path_or_a_url(tmp_path: Path, given_as: str) -> None:
    assert path_of(resolve(given_as.format(tmp_path))) == tmp_path / "a b.db"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "://",
        "mysql+x://u:secret@h/d",
        "postgresql+psycopg2://u:secret@h/d",
        "postgresql://u:secret@h:port/d",
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputError, match="--database") as caught:
        resolve(url)
    assert "secret" not in caught.value.message


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    storage = Storage(resolve(str(tmp_path / "new" / "w.db")))
    storage.migrate()
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    storage.close()


def test_it_is_durable(tmp_path: Path) -> None:
    storage = Storage(resolve(str(tmp_path / "w.db")))
    with storage.write() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")]  # fmt: skip
    assert settings == ["wal", 2, 1, 10_000]
    storage.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    path.write_bytes(b"not a database, however long it may be " * 200)
    storage = Storage(resolve(str(path)))
    with pytest.raises(StorageError, match="not a database"):
        storage.migrate()
    storage.close()
    assert path.read_bytes().startswith(b"not a database")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        Storage(resolve(str(tmp_path / "file" / "w.db")))


@pytest.mark.parametrize("content", [None, b""])
def test_opening_what_no_server_made(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="watchbell serve"):
        open_existing(str(path))
    assert path.exists() is (content is not None)


instants = st.datetimes(datetime(1980, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))


@given(instants)
def test_instants_come_back_exactly(at: datetime) -> None:
    assert schema.from_micros(schema.to_micros(at)) == at


@given(
    instants, st.integers(0, 9), st.integers(0, 9), st.lists(st.text()),
    st.lists(st.none() | instants, min_size=4, max_size=4),
    st.booleans(),
)  # fmt: skip
def test_progress_comes_back_exactly(
    base: datetime, step: int, turn: int, people: list[str], times: list[datetime | None], over: bool
) -> None:
    progress = Progress(base, step, turn, tuple(people), tuple(people), times[0], times[1], over, times[2], times[3])
    assert codec.progress_from_json(codec.progress_to_json(progress)) == progress


def test_what_an_older_watchbell_wrote_is_understood() -> None:
    progress = codec.progress_to_json(Progress(datetime(2026, 1, 7, tzinfo=UTC), step=1))
    policies = codec.policies_to_json({s: default_policy(s, DEFAULT_TARGETS[s]) for s in Severity})
    for name in ("next_at", "fired_at"):
        del progress[name]
    for policy in policies.values():
        del policy["resolve"]
    assert codec.progress_from_json(progress) == Progress(datetime(2026, 1, 7, tzinfo=UTC), step=1)
    assert codec.policies_from_json(policies)[Severity.SEV0].resolve is None


def test_policies_come_back_exactly() -> None:
    policies = {s: default_policy(s, DEFAULT_TARGETS[s]) for s in Severity}
    assert codec.policies_from_json(codec.policies_to_json(policies)) == policies
    assert policies[Severity.SEV0].acknowledge_timeout == timedelta(minutes=30)
    assert policies[Severity.SEV0].resolve == timedelta(hours=1)


def test_the_secrets_of_an_address_are_never_told() -> None:
    url = resolve("postgresql://ana:s3cr3t@/w?host=/tmp&password=s3cr3t-2&sslpassword=x9&sslpassword=y9&passfile=/p")
    assert shown(url) == "postgresql+psycopg://ana:***@/w?host=%2Ftmp&passfile=%2Fp"
    assert secrets_of(url) == ("s3cr3t-2", "s3cr3t", "x9", "y9")
    assert secrets_of(resolve("postgresql://ana@/w?host=/tmp")) == ()
    storage = Storage(url)
    assert storage.database.name == shown(url)
    assert storage.words(ValueError("no: s3cr3t-2,\n s3cr3t, x9")) == "no: ***, ***, ***"
    storage.close()
