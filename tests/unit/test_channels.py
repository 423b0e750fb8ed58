"""Messages out through Apprise: where they may go, what they say, and what becomes of each attempt."""

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from desktop.channels import guard
from desktop.channels.outcome import DELIVERED, LONGEST_WAIT, Outcome, of_status
from desktop.channels.places import is_public
from desktop.channels.sending import send
from desktop.channels.text import BODY_LIMIT, TITLE_LIMIT, Text, bounded
from desktop.team.schemas import SCHEMAS
from tests.fakes.http import Answer, Asked, ScriptedServer
from tests.fakes.mail import mailbox

TEXT = Text("[SEV-0] db down", "db down\nsince 18:00")
SECRET = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def web() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def hook(web: ScriptedServer, path: str = "/hook", schema: str = "json") -> str:
    return web.url.replace("http", schema, 1) + path


def sent(address: str, text: Text = TEXT, **more: Any) -> Outcome:
    return send(address, text, **{"allow_private": True, **more})


def test_a_webhook_gets_title_and_body(web: ScriptedServer) -> None:
    assert sent(hook(web)) == DELIVERED
    [asked] = web.asked
    said = json.loads(asked.body)
    assert (asked.method, asked.path, said["title"], said["message"]) == ("POST", "/hook", TEXT.title, TEXT.body)


def test_chat_in_slacks_shape_gets_it_as_text(web: ScriptedServer) -> None:
    port = web.url.rpartition(":")[2]
    assert sent(f"mmost://127.0.0.1:{port}/abcdefghijklmnopqrstuvwxyz", Text("<!channel> & *b*", "x")) == DELIVERED
    assert "<!channel> & *b*" in json.loads(web.asked[-1].body)["text"]


def test_mail_is_plain_text() -> None:
    with mailbox() as box:
        assert sent(box.address, Text("db down", "<b>db</b>\nsince 18:00")) == DELIVERED
    [(to, mail)] = box.mails
    assert to == ["ana@example.com"]
    assert mail["Subject"] == "db down"
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain"]
    content = parts[0].get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"<b>db</b>" in content


def test_mail_that_is_not_taken_is_tried_again() -> None:
    with mailbox() as box:
        box.refuse = "451 try later"
        assert sent(box.address) == Outcome(delivered=False, reason="the service did not take the message", retry=True)


@pytest.mark.parametrize(
    ("status", "retry"),
    [(301, False), (307, False), (400, False), (401, False), (403, False), (404, False), (408, True), (410, False),
     (418, False), (425, True), (429, True), (500, True), (502, True), (503, True)],
)  # fmt: skip
def test_what_a_status_means(web: ScriptedServer, status: int, retry: bool) -> None:
    web.answer = lambda _: Answer(status)
    outcome = sent(hook(web))
    assert (outcome.delivered, outcome.retry, str(status) in outcome.reason) == (False, retry, True)


@given(st.integers(300, 999))
def test_every_status_has_words(status: int) -> None:
    retry, words = of_status(status)
    assert words
    assert not retry or status >= 500 or status in (408, 425, 429)


@pytest.mark.parametrize(("said", "wait"), [("7", 7.0), ("99999", LONGEST_WAIT), ("soon", None),
                                            ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)])  # fmt: skip
def test_what_the_other_side_asks_to_wait_is_honoured(web: ScriptedServer, said: str, wait: float | None) -> None:
    web.answer = lambda _: Answer(429, headers={"Retry-After": said})
    assert sent(hook(web)).retry_after == wait


def test_a_redirect_is_not_followed(web: ScriptedServer) -> None:
    web.answer = lambda asked: Answer(302, headers={"Location": f"{web.url}/elsewhere"})
    assert not sent(hook(web)).delivered
    assert not sent(hook(web, "/hook?redirect=yes")).delivered
    assert [asked.path for asked in web.asked] == ["/hook"]


def test_an_answer_without_end_is_cut_off(web: ScriptedServer) -> None:
    web.answer = lambda _: Answer(body=b"x" * 200_000, hold=True)
    assert sent(hook(web)) == DELIVERED
    web.answer = lambda _: Answer(body=b"x", hold=True)
    outcome = sent(hook(web), seconds=0.3)
    assert (outcome.retry, outcome.reason) == (True, "the other side did not answer in time")


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for address in (f"json://127.0.0.1:{port}/", f"mailto://127.0.0.1:{port}/?from=a@b.example&to=c@d.example"):
            outcome = sent(address, seconds=0.3)
            assert (outcome.retry, outcome.reason) == (True, "the other side did not answer in time")


def test_nobody_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert sent(f"json://127.0.0.1:{port}/") == Outcome(
        delivered=False, reason="the other side cannot be reached", retry=True
    )


def test_an_untrusted_certificate_is_said(web: ScriptedServer) -> None:
    # It speaks no TLS at all, which looks the same.
    assert sent(hook(web, schema="jsons")).reason == "the certificate of the other side cannot be trusted"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "127.1"])
def test_this_machine_is_refused(web: ScriptedServer, host: str) -> None:
    outcome = send(hook(web).replace("127.0.0.1", host), TEXT, allow_private=False)
    assert not outcome.delivered
    assert web.asked == []
    if host in ("127.0.0.1", "localhost"):
        assert (outcome.retry, "--allow-private-channels" in outcome.reason) == (False, True)


def test_mail_to_this_machine_is_refused() -> None:
    with mailbox() as box:
        assert "--allow-private-channels" in send(box.address, TEXT, allow_private=False).reason
    assert box.mails == []


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setattr(
        guard,
        "_plain_getaddrinfo",
        lambda _host, port, *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses],
    )


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.215.14", "10.0.0.7"), ("169.254.169.254",)])
def test_a_name_that_leads_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, web: ScriptedServer, addresses: tuple[str, ...]
) -> None:
    resolving(monkeypatch, *addresses)
    outcome = send(hook(web).replace("127.0.0.1", "hooks.example.com"), TEXT, allow_private=False)
    assert "--allow-private-channels" in outcome.reason
    assert web.asked == []


def test_every_name_is_looked_up_anew_at_each_send(monkeypatch: pytest.MonkeyPatch, web: ScriptedServer) -> None:
    address = hook(web).replace("127.0.0.1", "hooks.example.com")
    resolving(monkeypatch, "127.0.0.1")
    assert sent(address) == DELIVERED
    assert not send(address, TEXT, allow_private=False).delivered


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("10.1.2.3", False),
     ("172.16.0.1", False), ("192.168.1.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
     ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False),
     ("::", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False),
     ("::ffff:10.0.0.1", False), ("64:ff9b::10.0.0.1", False), ("64:ff9b::93.184.215.14", True),
     ("2002:7f00:1::1", False), ("/run/dbus/socket", False), ("", False)],
)  # fmt: skip
def test_which_places_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


LOCAL = ["syslog://", "rsyslog://localhost", "dbus://", "glib://", "qt://", "kde://", "gnome://", "macosx://",
         "windows://", "file:///etc/passwd", "growl://localhost", "mqtt://localhost/topic", "xmpp://a:b@localhost",
         "irc://localhost", "apprise://localhost/token", "fcm://project@token/?keyfile=/etc/passwd",
         "o365://tenant:account/id/secret/to", "vapid://a@b.example/c", "memory://x"]  # fmt: skip


@pytest.mark.parametrize("address", LOCAL)
def test_local_and_unknown_schemas_are_refused(address: str) -> None:
    outcome = sent(address)
    assert (outcome.delivered, outcome.retry) == (False, False)


@pytest.mark.parametrize(
    "more",
    ["verify=no", "verify=False", "VERIFY=no", "redirect=yes", "template=/etc/passwd", "pgppub=/etc/passwd",
     "pgpprv=/x", "wkd=yes", "format=html", "format=markdown", "attach=/etc/passwd"],
)  # fmt: skip
def test_what_weakens_a_check_or_reads_a_file_is_refused(web: ScriptedServer, more: str) -> None:
    outcome = sent(hook(web, f"/hook?{more}"))
    assert (outcome.delivered, outcome.retry, web.asked) == (False, False, [])
    assert "/etc/passwd" not in outcome.reason


def test_harmless_parameters_pass(web: ScriptedServer) -> None:
    assert sent(hook(web, "/hook?verify=yes&redirect=no&format=text&+X-Team=ops&retry=5&cto=900")) == DELIVERED
    assert web.asked[0].headers["X-Team"] == "ops"


def test_every_schema_that_is_allowed_is_known_to_apprise() -> None:
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - as late as in the program

    manager = NotificationManager()
    assert [schema for schema in sorted(SCHEMAS) if schema not in manager] == []


def test_neither_a_proxy_nor_a_login_of_the_environment_is_used(
    web: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ana password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert sent(hook(web)) == DELIVERED
    assert "Authorization" not in web.asked[0].headers


def test_other_threads_requests_are_what_they_were(web: ScriptedServer) -> None:
    assert sent(hook(web)) == DELIVERED
    web.answer = lambda asked: Answer(302, headers={"Location": "/there"}) if asked.path == "/here" else Answer()
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(f"{web.url}/here", timeout=5).url.endswith("/there")


def test_no_address_reaches_a_log_at_any_level(web: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    answers: list[Callable[[Asked], Answer]] = [lambda _: Answer(), lambda _: Answer(500), lambda _: Answer(404)]
    for answer in answers:
        web.answer = answer
        outcome = sent(hook(web, f"/{SECRET}"))
        assert SECRET not in outcome.reason
    sent(f"slack://{SECRET}/#general?template=/x")
    sent(f"nonsense://{SECRET}")
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() > logging.CRITICAL
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "--help"])
def test_what_a_team_file_names_is_never_executed(
    web: ScriptedServer, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[object] = []
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for way in ("system", "popen", "posix_spawn", "execv", "fork"):
        monkeypatch.setattr(os, way, lambda *a, **_: started.append(a))
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **_: started.append(a))
    for address in (f"{hook(web)}/{name}", f"syslog://{name}", f"windows://{name}", f"macosx://{name}",
                    f"{hook(web)}?template={name}", f"exec://{name}", name):  # fmt: skip
        sent(address, Text(name, name))
    assert started == []
    assert list(folder.iterdir()) == []


def test_apprise_is_imported_at_the_first_send_only() -> None:
    code = (
        "import sys; import desktop.server.running; import desktop.channels.sending;"
        "print(sum(n == 'apprise' or n.startswith('apprise.') for n in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.strip() == "0"


ROOT = Path(__file__).parents[2]


def test_a_message_is_plain_and_bounded() -> None:
    said = bounded(Text("a\0\n\u202eb" + "t" * 500, "x\ny\0\r\nz" + "w" * 9000))
    assert said.title.startswith("a\ufffd b")
    assert len(said.title) == TITLE_LIMIT
    assert said.body.startswith("x\ny\ufffd\nz")
    assert len(said.body) == BODY_LIMIT


@given(st.text(), st.text(max_size=3000))
def test_no_text_is_too_strange_to_bound(title: str, body: str) -> None:
    said = bounded(Text(title, body))
    assert len(said.title) <= TITLE_LIMIT
    assert "\n" not in said.title
    assert len(said.body) <= BODY_LIMIT
