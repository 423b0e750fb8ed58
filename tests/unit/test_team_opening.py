"""What is named as a team file but is none: each is told in one plain line, and nothing is waited for."""

import os
import socket
import stat
from pathlib import Path

import pytest

from desktop.domain.errors import TeamFileError
from desktop.team import document, load, parse
from tests.unit.test_team import SMALL

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes, and no sockets as files")


def told(path: Path) -> str:
    with pytest.raises(TeamFileError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return str(problem)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert told(tmp_path / "none.toml") == "none.toml: cannot be read: No such file or directory."


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    assert told(tmp_path / "team") == "team: cannot be read: it is a folder, not a file."


@posix
@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "team.toml")
    assert told(tmp_path / "team.toml") == "team.toml: cannot be read: it is a pipe, not a file."


@posix
@pytest.mark.timeout(10)
def test_a_pipe_that_takes_the_place_of_the_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, file = tmp_path / "team.toml", tmp_path / "file"
    os.mkfifo(pipe)
    file.touch()
    was = file.stat()
    monkeypatch.setattr(Path, "stat", lambda _path: was)
    assert told(pipe) == "team.toml: cannot be read: it is a pipe, not a file."


@posix
@pytest.mark.timeout(10)
def test_a_pipe_that_somebody_writes_to_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "team.toml"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.write(writing := os.open(pipe, os.O_WRONLY), SMALL.encode())
        assert "it is a pipe" in told(pipe)
        os.close(writing)
        assert os.read(reading, 10_000) == SMALL.encode()
    finally:
        os.close(reading)


@posix
def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The path of a socket must be short.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("team.toml")
        assert told(Path("team.toml")) == "team.toml: cannot be read: it is a socket, not a file."


@posix
def test_a_device() -> None:
    assert told(Path("/dev/zero")) == "zero: cannot be read: it is a device, not a file."


@posix
def test_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert told(tmp_path / "loop") == "loop: cannot be read: Too many levels of symbolic links."
    (tmp_path / "file").write_text(SMALL)
    (tmp_path / "link").symlink_to("file")
    assert load(tmp_path / "link").people


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str, _flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "team.toml").write_text(SMALL)
    # Who runs the tests may be allowed to read everything.
    monkeypatch.setattr(os, "open", refuse)
    assert told(tmp_path / "team.toml") == "team.toml: cannot be read: Permission denied."


def test_a_kind_that_nobody_knows() -> None:
    with pytest.raises(TeamFileError, match="it is something else, not a file"):
        document._check_kind("team.toml", stat.S_IFMT(0o150000))


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_path_that_no_file_can_have(path: str) -> None:
    assert told(Path(path)).endswith(": cannot be read: no file can be called that.")


# In one line, whatever the file is called and its text repeats.


def test_the_name_of_the_file_is_plain_and_short() -> None:
    for name in ("ev\nil\x1b[31m\u202e.toml", "ev\nil\x1b[31m" + "l" * 5000):
        for text in ("", "=", "#" * 1024 * 1024 + "#", "a" + ".a" * 100 + " = 1"):
            with pytest.raises(TeamFileError) as caught:
                parse(text, name)
            for problem in caught.value.problems:
                assert problem.source.startswith("ev il[31m")
                assert len(problem.source) <= 100
                assert str(problem).isprintable()


def test_a_name_that_shows_nothing() -> None:
    with pytest.raises(TeamFileError, match=r"^team file:1: is not TOML"):
        parse("=", "\u200b")


def test_a_long_key_is_not_repeated_whole() -> None:
    with pytest.raises(TeamFileError) as caught:
        parse(f"[{'k' * 100_000}]\n" * 2, "team.toml")
    assert str(caught.value).startswith("team.toml:2: is not TOML, at column 100002: Cannot declare ('kkkk")
    assert len(str(caught.value)) < 200


def test_a_key_that_reads_like_a_place() -> None:
    with pytest.raises(TeamFileError) as caught:
        parse('["(at line 99, column 3)"]\n' * 2, "team.toml")
    said = "Cannot declare ('(at line 99, column 3)',) twice"
    assert str(caught.value) == f"team.toml:2: is not TOML, at column 26: {said}."
