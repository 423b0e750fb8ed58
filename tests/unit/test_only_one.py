"""One application for each person, also of a home that its owner may not even look into."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import Timeout

from desktop.system import instance
from desktop.system.instance import Reply, bring_to_front, look, show
from desktop.system.only_one import only_one
from desktop.system.paths import Paths, paths_under

NOBODY = 65534


@contextmanager
def without_rights() -> Iterator[None]:
    """Be somebody whom the system can refuse a folder: it refuses root none."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, -1)
    try:
        yield
    finally:
        os.setresuid(0, 0, -1)


@pytest.fixture
def forbidden(tmp_path: Path) -> Iterator[Paths]:
    tmp_path.chmod(0)
    paths = paths_under(tmp_path / "home")
    with without_rights():
        elsewhere = instance._elsewhere(paths)
    yield paths
    tmp_path.chmod(0o700)
    shutil.rmtree(elsewhere, ignore_errors=True)


def test_nobody_runs_in_a_home_that_may_not_be_looked_into(forbidden: Paths) -> None:
    with without_rights():
        assert show(str(forbidden.data / "show")) is Reply.ABSENT
        assert look(str(forbidden.data / "show")).reply is Reply.ABSENT
        assert not bring_to_front(forbidden, {})


def test_such_a_home_lets_one_start_and_no_second(forbidden: Paths) -> None:
    with without_rights(), only_one(forbidden):
        assert instance.running(forbidden)
        with pytest.raises(Timeout):
            only_one(forbidden)


def test_where_no_lock_can_be_made_at_all_one_starts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    monkeypatch.setattr(tempfile, "tempdir", str(blocked))
    with only_one(paths_under(blocked)):
        assert not instance.running(paths_under(blocked))


def test_a_machine_without_room_for_anything_temporary_has_its_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", full)
    assert not bring_to_front(paths_under(tmp_path), {})


def test_a_lock_that_cannot_be_opened_leaves_the_other_one(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    paths.lock.mkdir(parents=True)
    try:
        with only_one(paths), pytest.raises(Timeout):
            only_one(paths)
    finally:
        shutil.rmtree(instance._elsewhere(paths))
