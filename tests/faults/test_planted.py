"""The doctor finds every fault of a connection that is planted, says what is wrong with what, and what to do."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from desktop.backends.pagerduty.client import Patience
from desktop.cli import doctor, machine_checks, main
from desktop.cli.findings import Check
from desktop.cli.mends import MENDS, Place, mend_of
from desktop.connections.accounts import open_backend
from desktop.domain.ailment import Ailment
from desktop.domain.errors import WatchbellError
from desktop.system import settings as settings_file
from desktop.system.paths import Paths, user_paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.faults import planted
from tests.faults.backend import misbehaving as how
from tests.faults.backend.server import Misbehave
from tests.faults.connection_faults import FAULTS, Fault
from tests.faults.planted import NAME, Bench, Plant

AWAY = "https_proxy HTTPS_PROXY http_proxy HTTP_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY SSL_CERT_FILE SSL_CERT_DIR"
SHORT = Patience(connect=0.5, read=0.5, answer=1.0, begin=0.5)


SAID_ELSEWHERE = {
    Ailment.CERTIFICATE_BAD: "whatever else OpenSSL may say",
    Ailment.NOT_SET_UP: "there is no connection that could be broken: below",
    Ailment.NOT_RUNNING: "likewise",
}


@pytest.fixture
def paths() -> Paths:
    return user_paths()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name in AWAY.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "open_backend", partial(open_backend, patience=SHORT))
    with planted.bench(tmp_path, monkeypatch) as bench:
        yield bench


def set_up(bench: Bench, paths: Paths, plant: Plant) -> str:
    """Plant a fault in the only connection; return its host and port."""
    connection = plant(bench)
    settings_file.save(paths.settings, Settings((connection,)))
    if bench.token:
        Secrets().set(connection.id, bench.token)
    return connection.url.partition("://")[2]


def look(paths: Paths) -> list[Check]:
    return list(doctor.connections({}, paths, Secrets(timeout=0.3)))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_is_planted_is_found_named_and_has_its_own_mend(bench: Bench, paths: Paths, fault: Fault) -> None:
    host = set_up(bench, paths, fault.plant)
    (check,) = look(paths)
    assert (check.name, check.ok) == ("connection PagerDuty", False)
    assert fault.says.replace("HOST", host) in check.message
    assert fault.mend.replace("HOST", host) in check.mend
    others = {mend_of(WatchbellError("x", ailment=a), place_of(paths)): a for a in Ailment}
    assert others[check.mend] is fault.ailment
    assert not any(secret in check.message + check.mend for secret in ("s3cret", "ana:pw", "wb_fault"))


STREAM = "/watchbell/v1/stream"
PARTS = {
    "incidents 500": ("/incidents", how.status(500), "incidents", "failed (HTTP 500)", Ailment.SERVER_FAILS),
    "incidents invalid": ("/incidents", how.invalid_json, "incidents", "not JSON", Ailment.BROKEN_ANSWER),
    "oncalls 403": ("/oncalls", how.status(403), "on call", "does not allow this", Ailment.FORBIDDEN),
    "stream half open": (STREAM, how.streaming(), "stream", "", Ailment.STREAM_SILENT),
    "stream silent": (STREAM, how.silent, "stream", "", Ailment.STREAM_SILENT),
    "stream garbage": (
        STREAM, how.streaming(b'event: snapshot\ndata: {"x"\n\n'), "stream", "makes no sense", Ailment.STREAM_BROKEN
    ),
    "stream a web page": (STREAM, how.portal, "stream", "not an event stream", Ailment.STREAM_BROKEN),
    "stream 403": (STREAM, how.status(403), "stream", "does not allow this", Ailment.FORBIDDEN),
}  # fmt: skip


@pytest.mark.parametrize(("path", "misbehave", "part", "says", "ailment"), PARTS.values(), ids=PARTS.keys())
def test_a_part_that_does_not_answer_is_named_beside_those_that_do(
    bench: Bench, paths: Paths, path: str, misbehave: Misbehave, part: str, says: str, ailment: Ailment
) -> None:
    set_up(bench, paths, planted.answering_below(path, misbehave))
    me, right, broken, clock = look(paths)
    assert (me.ok, right.ok, broken.ok, clock.ok) == (True, True, False, True)
    assert broken.name == f"connection PagerDuty, {part}"
    assert says in broken.message
    assert broken.mend == mend_of(WatchbellError("x", ailment=ailment), place_of(paths))


ROLES = {
    "owner": (True, "may; nothing was acknowledged"),
    "limited_user": (True, "may; nothing was acknowledged"),
    "read_only_user": (False, "Ana Ruiz may only read there: every click will be refused"),
    "read_only_limited_user": (False, "may only read there"),
    "observer": (True, "does not say whether Ana Ruiz may acknowledge"),
    "": (True, "unknown"),
}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_only_read_is_found_by_reading(bench: Bench, paths: Paths, role: str) -> None:
    user = {"id": "ana", "name": "Ana Ruiz", "email": "ana@example.com", "role": role}
    server = bench.server()
    told = how.status(200, body=json.dumps({"user": user}).encode())
    bench.stack.enter_context(server.broken(told, "/users/me"))
    settings_file.save(paths.settings, Settings((bench.connection(server.url),)))
    Secrets().set("pd", bench.token)
    right = {c.name: c for c in look(paths)}["acknowledging at PagerDuty"]
    ok, says = ROLES[role]
    assert (right.ok, says in right.message) == (ok, True)
    assert (right.mend == "") == ("may;" in right.message)
    assert {r.method for r in server.asked} == {"GET"}


def test_what_looks_at_the_stream_is_nobodys_presence(bench: Bench, paths: Paths) -> None:
    server = bench.server()
    settings_file.save(paths.settings, Settings((bench.connection(server.url),)))
    Secrets().set("pd", bench.token)
    look(paths)
    assert [r.target for r in server.asked if r.path == STREAM] == [f"{STREAM}?present=false"]


def test_an_account_without_a_stream_is_well(bench: Bench, paths: Paths) -> None:
    set_up(bench, paths, planted.answering_below(STREAM, how.status(404)))
    assert all(check.ok for check in look(paths))


def place_of(paths: Paths) -> Place:
    (connection,) = settings_file.load(paths.settings).connections
    return Place(connection.url, proxy=connection.proxy)


def test_every_ailment_is_planted() -> None:
    planted_ones = {fault.ailment for fault in FAULTS.values()} | {ailment for *_, ailment in PARTS.values()}
    assert planted_ones | set(SAID_ELSEWHERE) == set(Ailment) == set(MENDS)


def test_a_clock_that_is_an_hour_off_is_found_beside_a_connection_that_works(bench: Bench, paths: Paths) -> None:
    set_up(bench, paths, planted.clock_ahead)
    me, _right, clock = look(paths)
    assert (me.ok, clock.ok) == (True, False)
    assert re.fullmatch(r"this machine's clock is (3599|3600|3601) s behind that of PagerDuty", clock.message)
    assert "timedatectl" in clock.mend


def test_the_command_says_so_in_its_shape_and_with_its_exit_code(
    bench: Bench, paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine_checks, "desktop", lambda: iter(()))
    assert main(["doctor", "--json"]) == 3
    assert of_connection(capsys)["mend"].startswith("Start Watchbell, which brings")
    paths.server_database.touch()
    assert main(["doctor", "--json"]) == 3
    assert of_connection(capsys)["mend"].startswith("Start Watchbell: nobody watches now")
    set_up(bench, paths, planted.answering(how.portal))
    assert main(["doctor", "--json"]) == 3
    assert "log in to this network" in of_connection(capsys)["mend"]
    assert main(["doctor"]) == 3
    assert "FAIL  connection PagerDuty: 127.0.0.1:" in capsys.readouterr().out
    set_up(bench, paths, planted.clock_ahead)
    assert main(["doctor", "--json"]) == 1
    assert of_connection(capsys)["ok"]


def of_connection(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what was printed of the connection, after a look at the shape of it all."""
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert all(set(check) == {"name", "ok", "message", "mend"} for check in checks)
    assert all(check["ok"] or check["mend"] for check in checks)
    (found,) = (check for check in checks if check["name"].startswith("connection "))
    return dict(found)


def test_connections_lists_the_way_to_each_and_no_password(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (
        ConnectionSettings("a", "PagerDuty", "https://api.pagerduty.com"),
        ConnectionSettings("b", "Ours", f"https://{NAME}", "http://proxy.example.com:3128", "/etc/company.pem"),
        ConnectionSettings("c", "By hand", "https://ana:s3cret@b/", "http://ana:s3/cr@et@proxy.example.com:1"),
        ConnectionSettings("d", "Direct", f"https://{NAME}:8443", "none"),
    )
    settings_file.save(paths.settings, Settings(kept))
    assert main(["connections", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["connections"]
    assert listed[0] == {
        "id": "a", "name": "PagerDuty", "url": "https://api.pagerduty.com", "proxy": None, "ca": None
    }  # fmt: skip
    assert [(c["proxy"], c["ca"]) for c in listed[1:]] == [
        ("http://proxy.example.com:3128", "/etc/company.pem"),
        ("http://proxy.example.com:1", None),
        ("none", None),
    ]
    assert listed[2]["url"] == "https://b/"
    assert main(["connections"]) == 0
    said = capsys.readouterr().out
    assert "\n    proxy: http://proxy.example.com:3128\n    authority: /etc/company.pem, and no other\n" in said
    assert "proxy: none, whatever the environment says" in said
    assert not any(secret in said + json.dumps(listed) for secret in ("s3", "et@", "ana"))


LOGINS = ("https://ana:s3cret@b", "ftp://ana:s3cret@b", "ana:s3cret@b", "https://ana:s3:s3@b")


@pytest.mark.parametrize("url", LOGINS)
@pytest.mark.parametrize("token", ["", "wb_fault"])
def test_a_login_that_somebody_wrote_into_an_address_is_never_printed(
    monkeypatch: pytest.MonkeyPatch, paths: Paths, capfd: pytest.CaptureFixture[str], url: str, token: str
) -> None:
    monkeypatch.setattr(machine_checks, "desktop", lambda: iter(()))
    settings_file.save(paths.settings, Settings((ConnectionSettings("pd", "PagerDuty", url),)))
    if token:
        Secrets().set("pd", token)
    for command in ("status", "doctor", "connections", "incidents", "oncall"):
        for more in ([], ["--json"]):
            main([command, *more])
            said = "".join(capfd.readouterr())
            assert said
            assert "s3" not in said
            assert "ana" not in said


def test_connections_lists_the_one_of_the_environment_first(
    monkeypatch: pytest.MonkeyPatch, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connections"]) == 0
    assert "the built-in server is used" in capsys.readouterr().out
    monkeypatch.setenv("WATCHBELL_URL", f"https://{NAME}")
    monkeypatch.setenv("WATCHBELL_TOKEN", "wb_fault")
    assert main(["connections"]) == 0
    assert capsys.readouterr().out == f"environment  {NAME}  https://{NAME}\n    given by WATCHBELL_URL\n"
    settings_file.save(paths.settings, Settings((ConnectionSettings("a", "Kept", "https://kept.example.com"),)))
    assert main(["connections", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["connections"]
    assert [c["id"] for c in listed] == ["environment", "a"]
    assert all(set(c) == {"id", "name", "url", "proxy", "ca"} for c in listed)
    monkeypatch.setenv("WATCHBELL_URL", "https://kept.example.com")
    assert main(["connections"]) == 0
    assert capsys.readouterr().out == "a  Kept  https://kept.example.com\n    given by WATCHBELL_URL\n"


def test_connections_says_when_half_of_the_environments_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHBELL_URL", f"https://{NAME}")
    assert main(["connections"]) == 2
    assert "WATCHBELL_TOKEN is not set" in capsys.readouterr().err
