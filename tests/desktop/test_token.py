"""A token that is revoked while somebody is on call: asked for once, typed, and contact is back."""

from pathlib import Path

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.severity import Severity
from desktop.server import tokens
from desktop.system.clock import utc_now
from tests.desktop.application import application, await_popup
from tests.desktop.session import Session
from tests.desktop.x11 import Display
from tests.serving import serving

SECONDS = 20


def test_a_revoked_token_is_asked_for_and_the_new_one_brings_contact_back(session: Session, tmp_path: Path) -> None:
    home = session.new_home()
    with serving(tmp_path) as server, session.map_events() as maps:
        token = server.token()
        with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
            connect.write(token + "\n")
            assert connect.popen.wait(SECONDS) == 0, connect.log.read_text()
        other = server.token()
        with application(session, home=home):
            session.await_tray_icons(1)
            first = min(tokens.issued(server.database), key=lambda issued: issued.id)
            tokens.revoke(server.database, first.id)
            window = maps.wait("^Token ", SECONDS).window
            assert has_icon(session, window)
            session.key("Escape", window=window)
            # Asked no more, and what a terminal puts into the keyring is taken from there.
            with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
                connect.write(other + "\n")
                assert connect.popen.wait(SECONDS) == 0, connect.log.read_text()
            PagerDutyBackend(server.url, other, utc_now).trigger(NewPage("Disk full", Severity.SEV0))
            assert has_icon(session, await_popup(maps).window)
            with session.python("main.py", env=home) as again:
                assert again.popen.wait(SECONDS) == 0
            assert has_icon(session, maps.wait("^Watchbell$", SECONDS).window)


def has_icon(session: Session, window: int) -> bool:
    with Display(session.number) as display:
        return bool(display.property(window, "_NET_WM_ICON"))
