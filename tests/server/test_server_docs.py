"""What docs/server.md tells to paste works: a backup is restored and nothing is lost; unit and rules are whole."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml  # type: ignore[import-untyped]

from desktop.cli import parser
from desktop.server import tokens
from desktop.server.metrics import exposition
from tests.parts import need
from tests.server.house import TEAM, House
from tests.server.serving import ROOT, serve
from tests.server.snippets import SERVER, snippet

if TYPE_CHECKING:
    from tests.postgresql import Cluster

TEXT = SERVER.read_text(encoding="utf-8")
KEY = "0123456789abcdef0123456789abcdef"


def ask(method: str, url: str, token: str = "", body: object = None) -> dict[str, Any]:
    headers = {"Authorization": f"Token token={token}"} if token else {}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, url, json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return dict(answer.json())


def paste(saying: str, **variables: str) -> str:
    """Run the example that says ``saying``, as a shell would."""
    script = "set -eu\n" + snippet("sh", saying, SERVER)
    told = {**os.environ, "no_proxy": "127.0.0.1", **variables}
    done = subprocess.run(["sh", "-c", script], check=False, env=told, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def team(tmp_path: Path) -> Path:
    file = tmp_path / "team.toml"
    file.write_text(TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:WB_TEST_KEY"'))
    return file


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """What a database is called in the document, and the places of one that is lost and of one that takes its place."""
    if request.param == "SQLite":
        need("sqlite3")
        yield "SQLite", str(tmp_path / "old" / "w.db"), str(tmp_path / "new" / "w.db")
        return
    need("pg_dump")
    cluster: Cluster = request.getfixturevalue("postgresql")
    old, new = cluster.empty(), cluster.empty()
    yield "PostgreSQL", old, new
    cluster.drop(old)
    cluster.drop(new)


def test_a_backup_restored_elsewhere_knows_who_acknowledged(
    places: tuple[str, str, str], team: Path, tmp_path: Path
) -> None:
    kind, old, new = places

    def variables(place: str) -> dict[str, str]:
        return {"DATABASE": place, "PG": place.replace("+psycopg", ""), "BACKUP": str(tmp_path / "backup")}

    event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "k",
             "payload": {"summary": "db down", "source": "db1", "severity": "critical"}}  # fmt: skip
    with serve({"WB_TEST_KEY": KEY}, team=team, database=old) as running:
        url = running.ready()
        ask("POST", f"{url}/v2/enqueue", body=event)
        token = tokens.create(old, person="ana")
        incident = ask("GET", f"{url}/incidents?date_range=all", token)["incidents"][0]["id"]
        part = {"incident": {"type": "incident_reference", "status": "acknowledged"}}
        acknowledged = ask("PUT", f"{url}/incidents/{incident}", token, part)["incident"]
        # While it runs; what comes later is not in it.
        paste(f"# backup: {kind}", **variables(old))
        ask("POST", f"{url}/v2/enqueue", body={**event, "dedup_key": "later"})
        running.end(signal.SIGKILL)
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    paste(f"# restore: {kind}", **variables(new))
    with serve({"WB_TEST_KEY": KEY}, database=new) as running:
        url = running.ready()
        [found] = ask("GET", f"{url}/incidents?date_range=all", token)["incidents"]
        for key in ("id", "status", "last_status_change_at", "incident_number"):
            assert found[key] == acknowledged[key]
        assert [a["acknowledger"]["id"] for a in found["acknowledgements"]] == ["ana"]
        kinds = [e["type"] for e in ask("GET", f"{url}/incidents/{incident}/log_entries", token)["log_entries"]]
        assert "acknowledge_log_entry" in kinds
        ask("POST", f"{url}/v2/enqueue", body=event)
        assert ask("GET", f"{url}/incidents?date_range=all", token)["incidents"][0]["status"] == "acknowledged"
        assert running.end(signal.SIGTERM)[0] == 0


def test_systemd_takes_the_unit_and_the_command_line_its_arguments(tmp_path: Path) -> None:
    unit = snippet("ini", "watchbell.service", SERVER)
    arguments = re.search(r"^ExecStart=((?:.*\\\n)*.*)", unit, re.MULTILINE)
    assert arguments is not None
    command = arguments[1].replace("\\\n", " ").split()
    assert command[:2] == ["/opt/watchbell/.venv/bin/python", "/opt/watchbell/main.py"]
    assert parser.parse(command[2:]).watchdog_url == "env:WATCHBELL_WATCHDOG"
    file = tmp_path / "watchbell.service"
    file.write_text(unit.replace("/opt/watchbell/.venv/bin/python", str(need("python3"))))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # No test may install another init; on machines without it nobody pastes the unit either.
        pytest.skip("there is no systemd here")
    program = [analyze, "verify", "--recursive-errors=no", str(file)]
    done = subprocess.run(program, check=False, capture_output=True, text=True, timeout=60)
    about = [line for line in done.stderr.splitlines() if "watchbell.service" in line]
    assert (done.returncode, about) == (0, []), done.stderr
    for setting in ("NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=watchbell", "Restart=always"):
        assert setting in unit


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
def test_every_metric_that_is_named_exists(shared: House) -> None:
    shared.server.keeper.tick()
    shared.enqueue(key="k")
    given = exposition(shared.server.station).decode()
    names = set(re.findall(r"\bwatchbell_[a-z_]+", TEXT))
    assert len(names) >= 15
    assert [name for name in sorted(names) if name not in given] == []
    families = set(re.findall(r"^# TYPE (watchbell_\w+)", given, re.MULTILINE))
    assert [name for name in sorted(families) if name not in names] == [], "each is told of"


def test_prometheus_files_are_whole() -> None:
    [scraped] = yaml.safe_load(snippet("yaml", "prometheus.yml", SERVER))["scrape_configs"]
    assert set(scraped) == {"job_name", "scheme", "authorization", "static_configs"}
    [group] = yaml.safe_load(snippet("yaml", "rules.yml", SERVER))["groups"]
    assert all(rule["alert"] and rule["expr"] for rule in group["rules"])


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
def test_the_heartbeat_is_taken(shared: House) -> None:
    need("curl")
    paste("# heartbeat", WATCHBELL_KEY=shared.key, WATCHBELL_URL=shared.url)
    assert shared.get("/watchbell/v1/heartbeats/nightly-backup")["heartbeat"]["every"] == "24h"


def test_the_log_is_read_whatever_else_is_in_the_journal(tmp_path: Path) -> None:
    need("jq")
    line = '{{"level": "{}", "event": "x"}}'
    journal = tmp_path / "journalctl"
    lines = ["listening on http://127.0.0.1:8377", line.format("info"), "5", "", line.format("warning")]
    journal.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    journal.chmod(0o700)
    said = paste("# the log", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert json.loads(said) == {"level": "warning", "event": "x"}


def test_options_that_are_named_exist() -> None:
    shown = subprocess.run(
        [need("sh"), "-c", f'"{ROOT}/.venv/bin/python" main.py serve --help'],
        check=True, cwd=ROOT, capture_output=True, text=True, timeout=30,
    ).stdout  # fmt: skip
    before = TEXT.partition("## Backup")[0] + TEXT.partition("### The watchdog")[2]
    told = set(re.findall(r"--(?:database|host|port|team|tls|behind|public|watchdog)[a-z-]*", before))
    assert len(told) >= 8
    assert [option for option in sorted(told) if option not in shown] == []


def test_what_is_installed_is_what_the_unit_starts(tmp_path: Path) -> None:
    """Line by line, but for what needs another user, systemd and the network, in folders of the test's own."""
    source = tmp_path / "mine.toml"
    source.write_text(TEAM)
    etc, state = tmp_path / "etc", tmp_path / "lib"

    def here(text: str) -> str:
        text = re.sub(r"-o root -g \w+ ", "", text.replace("sudo -u watchbell ", "").replace("sudo ", ""))
        text = text.replace("/etc/watchbell", str(etc)).replace("/var/lib/watchbell", str(state))
        # Nothing may leave this machine.
        text = text.replace("https://watchdog.example.com/", "http://127.0.0.1:9/")
        return text.replace("/opt/watchbell", str(ROOT)).replace("./watchbell run", f"{ROOT}/.venv/bin/python main.py")

    steps = [here(snippet("console", saying, SERVER)) for saying in ("team check $TEAM", "WATCHBELL_WATCHDOG=")]
    told = {**os.environ, "TEAM": str(source), "DATABASE": str(state / "watchbell.db"), "no_proxy": "127.0.0.1"}
    for step in steps:
        subprocess.run([need("sh"), "-euc", step], check=True, cwd=ROOT, env=told, capture_output=True, timeout=60)
    assert {file.name: file.stat().st_mode & 0o777 for file in etc.iterdir()} == {
        "team.toml": 0o640, "environment": 0o600}  # fmt: skip
    unit = here(snippet("ini", "watchbell.service", SERVER))
    (environment,) = re.findall(r"^EnvironmentFile=(/.*)$", unit, re.MULTILINE)
    lines = Path(environment).read_text().splitlines()
    command = re.search(r"^ExecStart=((?:.*\\\n)*.*)", unit, re.MULTILINE)
    assert command is not None
    state.mkdir(mode=0o700)
    arguments = command[1].replace("\\\n", " ").replace("--port 8377", "--port 0").split()
    given = {**told, **dict(line.split("=", 1) for line in lines)}
    assert given["WATCHBELL_WATCHDOG"].startswith("http://127.0.0.1:9/")
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, env=given, cwd="/", stdout=pipe, stderr=pipe, text=True) as it:
        try:
            assert it.stdout is not None
            said = it.stdout.readline()
            assert said.startswith("listening on http://127.0.0.1:"), it.stderr and it.stderr.read()
            assert ask("GET", f"{said.split()[-1]}/readyz")["team_file"] is True
            make = here(snippet("console", "token create --person ana", SERVER))
            made = subprocess.run([need("sh"), "-euc", make], check=True, env=told, capture_output=True, timeout=60)
            assert made.stdout.startswith(b"wb_")
        finally:
            it.send_signal(signal.SIGTERM)
        assert it.wait(20) == 0
