"""Whom a second start reaches: the one that runs, however late, and nobody where a crashed one left its socket."""

import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from desktop.domain.errors import InputError
from desktop.domain.second_start import DONE, RELOAD, asked
from desktop.system import instance
from desktop.system.instance import Reply, bring_to_front, show, tell_of_settings
from desktop.system.paths import paths_under


def test_a_launchers_token_is_found() -> None:
    assert instance.activation_token({}) == ""
    assert instance.activation_token({"DESKTOP_STARTUP_ID": "x"}) == "x"
    assert instance.activation_token({"DESKTOP_STARTUP_ID": "x", "XDG_ACTIVATION_TOKEN": "w"}) == "w"


def test_what_a_crash_left_is_nobody(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    where = instance.address(paths)
    assert show(where) is Reply.ABSENT
    instance.prepare(where)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(where)
    assert Path(where).exists()
    assert show(where) is Reply.ABSENT
    assert not bring_to_front(paths, {})


def test_one_that_hangs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = paths_under(tmp_path)
    where = instance.address(paths)
    instance.prepare(where)
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(where)
        hung.listen()
        assert show(where, seconds=0.05) is Reply.SILENT
        monkeypatch.setattr(instance, "show", lambda *_: Reply.SILENT)
        with pytest.raises(InputError, match="does not answer"):
            bring_to_front(paths, {})


def test_one_that_is_still_starting_is_awaited(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    where = instance.address(paths)
    instance.prepare(where)
    with socket.socket(socket.AF_UNIX) as first:
        first.bind(where)

        def listen() -> None:
            first.listen()
            caller, _ = first.accept()
            with caller:
                assert asked(caller.recv(100)) == "token"
                caller.sendall(DONE)

        late = threading.Timer(0.1, listen)
        late.start()
        assert bring_to_front(paths, {"XDG_ACTIVATION_TOKEN": "token"}, patience=20)
        late.join()


def test_a_deep_folder_gets_a_short_socket_that_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    deep, other = paths_under(tmp_path / ("d" * 100)), paths_under(tmp_path / ("e" * 100))
    where = instance.address(deep)
    assert where != instance.address(other)
    instance.prepare(where)
    folder = Path(where).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(InputError, match="somebody else's"):
        instance.prepare(where)
    assert folder.name.startswith(f"watchbell-{os.getuid()}-")


def test_a_socket_elsewhere_comes_first_where_it_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(instance, "_LONGEST_PATH", 1000)
    paths = paths_under(tmp_path / "home")
    near, elsewhere = instance.addresses(paths)
    assert instance.address(paths) == near
    instance.prepare(elsewhere)
    with socket.socket(socket.AF_UNIX) as running:
        # Pytest's folders may be too deep for a socket's path.
        monkeypatch.chdir(Path(elsewhere).parent)
        running.bind(Path(elsewhere).name)
        assert instance.address(paths) == elsewhere
        mine = os.getuid()
        with monkeypatch.context() as as_somebody_else:
            as_somebody_else.setattr(os, "getuid", lambda: mine + 1)
            instance._elsewhere(paths).symlink_to(Path(elsewhere).parent)
            assert instance.address(paths) == near
        instance.clear(elsewhere)
    assert instance.address(paths) == near
    assert not Path(elsewhere).parent.exists()


def test_changed_settings_are_told_to_one_that_runs_and_one_that_is_deaf_is_known(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    where = instance.address(paths)
    instance.prepare(where)
    # Nobody runs: nobody has to be told.
    assert tell_of_settings(paths)
    with FileLock(paths.lock):
        assert not tell_of_settings(paths)
        with socket.socket(socket.AF_UNIX) as running:
            running.bind(where)
            running.listen()

            def answer(with_what: bytes) -> None:
                caller, _ = running.accept()
                with caller:
                    assert caller.recv(100) == RELOAD
                    caller.sendall(with_what)

            for with_what in (DONE, b""):
                answering = threading.Thread(target=answer, args=(with_what,))
                answering.start()
                assert tell_of_settings(paths) is (with_what == DONE)
                answering.join()
