import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from desktop.backends.route import Route
from desktop.connections.accounts import Account, environment_connection, find_account
from desktop.connections.setting_up import connect
from desktop.domain.errors import InputError, SecretsUnavailable, Unauthorized
from desktop.system import settings as settings_file
from desktop.system.paths import Paths, paths_under
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.fakes.http import Answer, ScriptedServer

ME = json.dumps({"user": {"id": "ana", "name": "Ana", "email": "ana@example.com"}}).encode()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.answer = lambda _: Answer(body=ME)
        yield server


def test_connecting_keeps_the_token_in_the_keyring_and_nowhere_else(paths: Paths, server: ScriptedServer) -> None:
    made = connect(paths, Secrets(), server.url, "wb_secret")
    assert (made.me.id, made.may_acknowledge) == ("ana", None)
    assert Secrets().get(made.connection.id) == "wb_secret"
    assert "wb_secret" not in paths.settings.read_text()
    assert paths.settings.stat().st_mode & 0o077 == 0
    assert find_account({}, paths, Secrets()) == Account(server.url, "wb_secret")


def test_connecting_again_replaces_the_token(paths: Paths, server: ScriptedServer) -> None:
    connect(paths, Secrets(), server.url, "wb_old")
    connect(paths, Secrets(), server.url + "/", "wb_new")
    assert len(settings_file.load(paths.settings).connections) == 1
    assert find_account({}, paths, Secrets()).token == "wb_new"


def test_what_others_change_while_an_address_is_tried_is_kept(paths: Paths, server: ScriptedServer) -> None:
    def changed_meanwhile(_asked: object) -> Answer:
        one = ConnectionSettings("one", "One", "https://one.example")
        settings_file.change(paths.settings, lambda known: replace(known, connections=(one,), autostart=True))
        return Answer(body=ME)

    server.answer = changed_meanwhile
    connect(paths, Secrets(), server.url, "wb_secret")
    found = settings_file.load(paths.settings)
    assert [c.url for c in found.connections] == ["https://one.example", server.url]
    assert found.autostart


def test_a_way_of_its_own_is_kept_until_another_is_named(paths: Paths, server: ScriptedServer) -> None:
    connect(paths, Secrets(), server.url, "wb_one", proxy="http://proxy:3128", ca="/etc/ca.pem")
    connect(paths, Secrets(), server.url, "wb_two")
    route = Route("http://proxy:3128", "/etc/ca.pem")
    assert find_account({}, paths, Secrets()) == Account(server.url, "wb_two", route)
    connect(paths, Secrets(), server.url, "wb_two", proxy="none", ca="")
    assert find_account({}, paths, Secrets()).route == Route("none")
    assert len(settings_file.load(paths.settings).connections) == 1


def test_a_proxys_password_reaches_no_file(paths: Paths, server: ScriptedServer) -> None:
    with pytest.raises(InputError, match="do not belong into the settings"):
        connect(paths, Secrets(), server.url, "wb_one", proxy="http://ana:s3cret@proxy:3128")
    assert not paths.settings.exists()
    assert server.asked == []


def test_settings_from_before_proxies_are_read_and_written_as_they_were(paths: Paths) -> None:
    old = '{"connections": [{"id": "one", "name": "One", "url": "https://x"}]}'
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_text(old)
    settings = settings_file.load(paths.settings)
    assert settings.connections == (ConnectionSettings("one", "One", "https://x"),)
    settings_file.save(paths.settings, settings)
    assert json.loads(paths.settings.read_text()) == json.loads(old)


def test_a_refused_token_changes_nothing(paths: Paths, server: ScriptedServer) -> None:
    server.answer = lambda _: Answer(401)
    with pytest.raises(Unauthorized):
        connect(paths, Secrets(), server.url, "wb_bad")
    assert not paths.settings.exists()


def test_the_environment_comes_first(paths: Paths, server: ScriptedServer) -> None:
    connect(paths, Secrets(), server.url, "wb_kept")
    environment = {"WATCHBELL_URL": "https://pager.example.com/", "WATCHBELL_TOKEN": "wb_env"}
    assert find_account(environment, paths, Secrets()) == Account("https://pager.example.com", "wb_env")
    with pytest.raises(InputError, match="WATCHBELL_TOKEN"):
        find_account({"WATCHBELL_URL": "https://x"}, paths, Secrets())


def test_without_any_connection_it_says_what_to_do(paths: Paths) -> None:
    with pytest.raises(InputError, match="connect URL"):
        find_account({}, paths, Secrets())


def test_a_connection_whose_token_is_gone_says_so(paths: Paths) -> None:
    settings_file.save(paths.settings, Settings((ConnectionSettings("one", "One", "https://x"),)))
    with pytest.raises(SecretsUnavailable, match="connect https://x"):
        find_account({}, paths, Secrets())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"connections": [{}]}', '{"connections": 1}'])
def test_settings_that_cannot_be_read_are_kept_and_named(paths: Paths, text: str) -> None:
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_text(text)
    with pytest.raises(InputError, match=r"settings\.json"):
        settings_file.load(paths.settings)
    assert paths.settings.read_text() == text


def test_an_account_does_not_show_its_token() -> None:
    assert "wb_secret" not in repr(Account("https://x", "wb_secret"))


def test_without_a_keyring_the_address_is_kept_and_what_to_do_is_said(
    paths: Paths, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    with pytest.raises(SecretsUnavailable, match="WATCHBELL_TOKEN") as raised:
        connect(paths, Secrets(), server.url, "wb_secret")
    assert "wb_secret" not in raised.value.message
    assert [c.url for c in settings_file.load(paths.settings).connections] == [server.url]


def test_the_environments_connection_is_the_one_known_by_its_address(paths: Paths) -> None:
    known = ConnectionSettings("one", "One", "https://pager.example.com")
    environment = {"WATCHBELL_URL": "https://pager.example.com/", "WATCHBELL_TOKEN": "wb_env"}
    assert environment_connection(environment, [known]) == (known, "wb_env")
    assert environment_connection({}, [known]) is None
    found = environment_connection(environment, [])
    assert found is not None
    assert found[0] == ConnectionSettings("environment", "pager.example.com", "https://pager.example.com")
    with pytest.raises(InputError, match="WATCHBELL_URL"):
        environment_connection({"WATCHBELL_TOKEN": "wb_env"}, [])


def test_choices_are_kept_beside_the_connections(paths: Paths) -> None:
    chosen = Settings((ConnectionSettings("one", "One", "https://x"),), autostart=True, systemd=True)
    settings_file.save(paths.settings, chosen)
    assert settings_file.load(paths.settings) == chosen
