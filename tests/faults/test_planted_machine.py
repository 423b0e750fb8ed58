"""The doctor finds every fault of the machine that is planted, on real disks and sockets, and says what to do."""

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keyring
import pytest
from filelock import FileLock
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as Forgetful

from desktop.cli import file_checks, machine_checks, output
from desktop.cli.findings import Check
from desktop.sync.store import open_store
from desktop.system import instance
from desktop.system import settings as settings_file
from desktop.system.autostart import DesktopEntry
from desktop.system.paths import Paths, paths_under, private_folder
from desktop.system.secrets import Secrets
from desktop.system.settings import Settings
from desktop.system.supervising import supervising
from tests.disks import Disk, small_disk
from tests.fakes.broken_keyrings import Waiting, dismissed, failing


@dataclass
class Bench:
    """A machine on which faults are planted; ``stack`` takes down what they need."""

    folder: Path
    stack: ExitStack
    monkeypatch: pytest.MonkeyPatch

    @property
    def paths(self) -> Paths:
        return paths_under(self.folder / "machine")

    def disk(self) -> Disk:
        return self.stack.enter_context(small_disk(self.folder / "machine"))

    def keyring(self, backend: KeyringBackend) -> None:
        self.monkeypatch.setattr(keyring.core, "_keyring_backend", backend)

    def address(self) -> str:
        """Return where the application listens, ready to be bound and taken down at the end."""
        where = instance.address(self.paths)
        instance.prepare(where)
        self.stack.callback(instance.clear, where)
        self.stack.callback(Path(where).unlink)
        return where

    @property
    def entry(self) -> Path:
        return self.folder / "config" / "autostart" / "watchbell.desktop"

    def start_at_login(self, *command: str) -> None:
        """Have it switched on."""
        settings_file.save(self.paths.settings, Settings(autostart=True))
        DesktopEntry(self.entry.parent).switch_on(command)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack, monkeypatch)


def full(bench: Bench) -> None:
    bench.disk().fill()


def nearly_full(bench: Bench) -> None:
    bench.disk()


def read_only(bench: Bench) -> None:
    disk = bench.disk()
    private_folder(bench.paths.data)
    disk.read_only()


def read_only_and_new(bench: Bench) -> None:
    bench.disk().read_only()


def in_the_way(bench: Bench) -> None:
    bench.paths.data.parent.mkdir(parents=True)
    bench.paths.data.write_text("a file")


def newer_store(bench: Bench) -> None:
    open_store(bench.paths.store).close()
    with closing(sqlite3.connect(bench.paths.store)) as database:
        database.execute("PRAGMA user_version = 99")


def corrupt_store(bench: Bench) -> None:
    open_store(bench.paths.store).close()
    with bench.paths.store.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(8000))


def clicks_wait(bench: Bench) -> None:
    """Two clicks that were never sent, beside a row that is none."""
    rows = [
        ("pd", "Q2", "resolve", "2026-11-28T21:00:00+00:00"),
        ("pd", "Q1", "acknowledge", "2026-11-28T20:00:00+00:00"),
        (b"\xff", "Q3", b"\xfe", b"\x00"),
    ]
    with closing(open_store(bench.paths.store)) as database, database:
        database.executemany("INSERT INTO commands (connection, incident, command, since) VALUES (?, ?, ?, ?)", rows)


def crashed(bench: Bench) -> None:
    """What kill -9 leaves behind: a socket that nobody listens at, and the mark."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(bench.address())
    private_folder(bench.paths.data)
    bench.paths.alive.touch()


def stale_socket(bench: Bench) -> None:
    crashed(bench)
    bench.paths.alive.unlink()


def hung(bench: Bench) -> None:
    listener = bench.stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(bench.address())
    listener.listen()


def crashed_under_a_supervisor(bench: Bench) -> None:
    crashed(bench)
    bench.stack.enter_context(supervising(bench.paths))


def socket_gone(bench: Bench) -> None:
    """It runs, and whoever tidied up took its socket."""
    private_folder(bench.paths.data)
    bench.paths.alive.touch()
    bench.stack.enter_context(FileLock(bench.paths.lock))


def locked_elsewhere(bench: Bench) -> None:
    """It runs in a home that could not be written."""
    lock = instance.locks(bench.paths)[-1]
    private_folder(lock.parent)
    bench.stack.callback(instance.clear, str(lock))
    bench.stack.callback(lock.unlink, missing_ok=True)
    bench.stack.enter_context(FileLock(lock))


def removed_entry(bench: Bench) -> None:
    bench.start_at_login("/bin/sh")
    bench.entry.unlink()


def switched_off(bench: Bench) -> None:
    bench.start_at_login("/bin/sh")
    bench.entry.write_text(bench.entry.read_text() + "Hidden=true\n")


def emptied_entry(bench: Bench) -> None:
    bench.start_at_login("/bin/sh")
    bench.entry.write_text("[Desktop Entry]\n")


def moved_away(bench: Bench) -> None:
    bench.start_at_login("/gone/python", "/gone/main.py")


def interpreter_gone(bench: Bench) -> None:
    """The environment that it was installed into is left, and the Python that it was made from is not."""
    left = bench.folder / "python"
    bench.start_at_login(str(left), "-m", "desktop")
    left.symlink_to(bench.folder / "python3.gone")


def not_on_the_path(bench: Bench) -> None:
    """What a person or a package wrote, by a name that nothing has any more."""
    bench.start_at_login("no-such-watchbell")


def misnamed(bench: Bench) -> None:
    """A configuration of the keyring that names none."""
    bench.monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    bench.monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nosuch.module.Keyring")


def prompt_waits(bench: Bench) -> None:
    waiting = Waiting()
    bench.stack.callback(waiting.answered.set)
    bench.keyring(waiting)


@dataclass(frozen=True)
class Fault:
    """What is planted, which check finds it, and words of what is said and of the mend."""

    plant: Callable[[Bench], None]
    check: str
    says: str
    mend: str


WAITING = (
    f"acknowledge Q1 at pd, since {output.local(datetime(2026, 11, 28, 20, tzinfo=UTC))}; "
    f"resolve Q2 at pd, since {output.local(datetime(2026, 11, 28, 21, tzinfo=UTC))}; one that cannot be read"
)
FAULTS: dict[str, Fault] = {
    "full disk": Fault(full, "files", "the disk of DATA is full", "Make room on it now"),
    "nearly full disk": Fault(nearly_full, "files", "DATA has 4 MiB left", "Make room on its disk soon"),
    "read-only home": Fault(read_only, "files", "DATA cannot be written: Read-only", "mount it writable"),
    "read-only and new": Fault(read_only_and_new, "files", "DATA cannot be written: Read-only", "mount it writable"),
    "a file in the way": Fault(in_the_way, "files", "DATA cannot be written", "move away what is in the way of DATA"),
    "newer store": Fault(newer_store, "store", "client.db was written by a newer", "Start the newer Watchbell"),
    "corrupt store": Fault(corrupt_store, "store", "client.db is damaged", "sets the file aside"),
    "clicks wait": Fault(clicks_wait, "clicks", f"3 wait to be sent: {WAITING}", "sends what still holds"),
    "crashed": Fault(crashed, "application", "ended without being quit", "Start Watchbell: nobody watches now"),
    "crashed, and a supervisor": Fault(
        crashed_under_a_supervisor, "application", "its supervisor tries to start it", "LOG says why: mend that"
    ),
    "stale socket": Fault(stale_socket, "application", "left SOCKET behind", "hinders it in nothing"),
    "hung": Fault(hung, "application", f"runs (process {os.getpid()}), and does not answer", "end its process"),
    "socket gone": Fault(socket_gone, "application", "it runs, and cannot be asked at SOCKET", "bell in the tray"),
    "locked elsewhere": Fault(
        locked_elsewhere, "application", "it runs, and cannot be asked at SOCKET", "bell in the tray"
    ),
    "entry removed": Fault(removed_entry, "start at login", "is gone", "on again in"),
    "entry switched off": Fault(switched_off, "start at login", "system's own settings", "startup applications"),
    "entry emptied": Fault(emptied_entry, "start at login", "starts nothing", "off and on again"),
    "moved away": Fault(moved_away, "start at login", "points to /gone/python", "from where it is now"),
    "interpreter gone": Fault(interpreter_gone, "start at login", "FOLDER/python, which is not", "from where it is"),
    "not on the path": Fault(not_on_the_path, "start at login", "points to no-such-watchbell", "from where it is now"),
    "keyring absent": Fault(lambda b: b.keyring(NoKeyring()), "keyring", "no keyring service", "Install and start"),
    "prompt dismissed": Fault(lambda b: b.keyring(dismissed()), "keyring", "prompt was dismissed", "answer its prompt"),
    "prompt waits": Fault(prompt_waits, "keyring", "waiting for you to unlock", "answer its prompt"),
    "keyring broken": Fault(
        lambda b: b.keyring(failing()), "keyring", "the service has gone away", "Repair or replace"
    ),
    "keyring misnamed": Fault(misnamed, "keyring", "'nosuch'): correct that name", "Repair or replace"),
    "keyring keeps nothing": Fault(
        lambda b: b.keyring(Forgetful()), "keyring", "does not keep what it is given", "Repair or replace"
    ),
}
# One thing to do for several faults.
SHARED = [
    {"read-only home", "read-only and new"},
    {"crashed", "stale socket"},
    {"socket gone", "locked elsewhere"},
    {"entry emptied", "moved away", "interpreter gone", "not on the path"},
    {"prompt dismissed", "prompt waits"},
    {"keyring broken", "keyring misnamed", "keyring keeps nothing"},
]


def look(bench: Bench) -> dict[str, Check]:
    paths, secrets = bench.paths, Secrets(timeout=0.2)
    environment = {"XDG_CONFIG_HOME": str(bench.folder / "config")}
    found = [machine_checks.keyring(secrets), machine_checks.login(paths, environment), *file_checks.files(paths)]
    return {c.name: c for c in (*found, file_checks.application(paths, patience=0.2))}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_is_planted_is_found_named_and_has_its_mend(bench: Bench, fault: Fault) -> None:
    fault.plant(bench)
    check = look(bench)[fault.check]
    data = str(bench.paths.data)
    assert not check.ok
    says = fault.says.replace("DATA", data).replace("FOLDER", str(bench.folder))
    assert says.replace("SOCKET", instance.address(bench.paths)) in check.message
    assert fault.mend.replace("DATA", data).replace("LOG", str(bench.paths.log)) in check.mend
    assert not (bench.paths.data / ".doctor").exists()


def test_no_two_faults_have_the_same_mend_unless_they_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_mend: dict[str, set[str]] = {}
    for number, (name, fault) in enumerate(FAULTS.items()):
        folder = tmp_path / str(number)
        with ExitStack() as stack, monkeypatch.context() as patch:
            bench = Bench(folder, stack, patch)
            fault.plant(bench)
            said = look(bench)[fault.check].mend.replace(str(folder), "")
        by_mend.setdefault(said, set()).add(name)
    assert [names for names in by_mend.values() if len(names) > 1] == SHARED


def test_a_machine_that_is_well_has_nothing_to_mend_but_what_is_advised(bench: Bench) -> None:
    found = look(bench)
    assert all(c.ok for c in found.values())
    assert found["application"].mend == "Start Watchbell."
    assert "Start at login" in found["start at login"].mend
