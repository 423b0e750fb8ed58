"""``serve`` with TLS: what it needs, what it refuses, whom it answers."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from desktop.server import tokens
from tests.server.certificates import Authority
from tests.server.house import TEAM
from tests.server.serving import serve


@pytest.fixture
def team(tmp_path: Path) -> Path:
    file = tmp_path / "team.toml"
    file.write_text(TEAM)
    return file


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_https_with_names_and_links_of_its_own(team: Path, authority: Authority, tmp_path: Path) -> None:
    database, (certificate, key) = str(tmp_path / "w.db"), authority.issue()
    options = {"team": team, "database": database, "tls_cert": certificate, "tls_key": key, "host": "0.0.0.0",
               "public_url": "https://pager.example.com"}  # fmt: skip
    with serve(None, **options) as running, requests.Session() as session:
        url = running.ready()
        assert url.startswith("https://0.0.0.0:")
        url = url.replace("0.0.0.0", "127.0.0.1")
        session.trust_env, session.verify = False, str(authority.file)
        session.headers["Authorization"] = f"Token token={tokens.create(database, person='ana')}"
        me = session.get(f"{url}/users/me", timeout=10).json()["user"]
        assert me["self"] == "https://pager.example.com/users/ana"
        for host, status in (("pager.example.com", 200), ("evil.example.com", 421)):
            assert session.get(f"{url}/users/me", headers={"Host": host}, timeout=10).status_code == status
        assert session.get(f"{url}/healthz", headers={"Origin": url}, timeout=10).status_code == 403
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{url}/healthz", verify=True, timeout=10)
        _plain_gets_nothing(url)
        _old_tls_gets_nothing(url)


def _plain_gets_nothing(url: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.ConnectionError):
            session.get(url.replace("https", "http") + "/healthz", timeout=10)


def _old_tls_gets_nothing(url: str) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    address = urlsplit(url)
    place = (str(address.hostname), address.port or 0)
    with socket.create_connection(place, timeout=5) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)


Change = Callable[[Path, Path, Authority, Path], dict[str, object]]
WRONG: list[tuple[Change, str]] = [
    (lambda cert, key, a, d: {"tls_cert": cert}, "give both"),
    (lambda cert, key, a, d: {"tls_key": key}, "give both"),
    (lambda cert, key, a, d: {"tls_cert": d / "none.pem", "tls_key": key}, "none.pem: cannot be read: No such file"),
    (lambda cert, key, a, d: {"tls_cert": cert, "tls_key": d}, "cannot be read: Is a directory"),
    (lambda cert, key, a, d: {"tls_cert": cert, "tls_key": a.issue("other")[1]}, "is not the key of the certificate"),
    (lambda cert, key, a, d: {"tls_cert": key, "tls_key": key}, "holds no certificate"),
    (lambda cert, key, a, d: {"tls_cert": cert, "tls_key": cert}, "holds no private key"),
    (lambda cert, key, a, d: {"tls_cert": cert, "tls_key": a.issue("locked", b"word")[1]}, "the key is encrypted"),
    (lambda cert, key, a, d: {"host": "0.0.0.0"}, "give --tls-cert FILE and --tls-key FILE, or --behind-proxy IP"),
    (lambda cert, key, a, d: {"host": "example.com"}, "give --tls-cert FILE and --tls-key FILE, or --behind-proxy IP"),
    (lambda cert, key, a, d: {"behind_proxy": ["*"]}, "--behind-proxy *"),
    (lambda cert, key, a, d: {"public_url": "http://pager.example.com"}, "write https://pager.example.com"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_what_cannot_work_is_one_line_and_exit_2(
    team: Path, authority: Authority, tmp_path: Path, change: Change, says: str
) -> None:
    options = change(*authority.issue(), authority, tmp_path)
    with serve(None, team=team, database=str(tmp_path / "w.db"), **options) as running:
        code, log = running.end()
        assert (code, running.output(), log.count("\n")) == (2, "", 1), log
    assert says in log
    assert not (tmp_path / "w.db").exists()
