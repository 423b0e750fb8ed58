"""Grabs the surfaces for ``tools/look.py``, which gives each scale its own process: FOLDER SCALE."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from PySide6.QtGui import QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from desktop.domain.attention import Attention, Contact, Tray
from desktop.domain.severity import Severity
from desktop.ui import icons
from desktop.ui.popup import PagePopup
from desktop.ui.status_window import StatusWindow
from desktop.ui.theme import Scheme, Theme
from desktop.ui.token_dialog import TokenDialog
from tools import look_samples as sample


def attentions() -> dict[str, Attention]:
    """Return every state of the pop-up by name."""
    long = "Replica db-3 is 9 minutes behind its primary, and falling further back " * 5
    other = sample.page(
        1045,
        title="Replica db-3 is 9 minutes behind its primary, and falling further back",
        severity=Severity.SEV1,
        service="database",
        created_at=sample.NOW - timedelta(minutes=22),
        pending=sample.escalating(timedelta(minutes=7, seconds=41)),
    )
    third = sample.page(1046, title="Backup of billing did not finish", severity=Severity.SEV2, pending=())
    low = sample.page(1047, title="Certificate expires in 20 days", severity=Severity.SEV3, pending=())
    many = tuple(sample.page(2000 + i, title=f"Host web-{i:03} is down") for i in range(200))
    return {
        "sev0": sample.pages(sample.page()),
        "sev1": sample.pages(other),
        "sev2": sample.pages(third),
        "sev3": sample.pages(low),
        "several": sample.pages(sample.page(), other, third),
        "many": sample.pages(*many),
        "sending-waits": sample.pages(replace(sample.page(sending=True), trouble=sample.REFUSED_TOKEN)),
        "sending": sample.pages(sample.page(sending=True), other),
        "failed": sample.pages(sample.page(failed="the server says that this incident is not yours")),
        "overdue-send": sample.pages(sample.page(overdue=True)),
        "long": sample.pages(sample.page(title=long[:300])),
        "html": sample.pages(sample.page(title='<b>bold</b> <img src="http://x/y.png"> & <script>alert(1)</script>')),
        "rtl": sample.pages(sample.page(title="השרת payments לא מגיב מאז 03:12", service="שירות")),
        "last-seconds": sample.pages(sample.page(pending=sample.escalating(timedelta(seconds=7)))),
        "overdue": sample.pages(sample.page(pending=sample.escalating(timedelta(seconds=-3)))),
        "asked": sample.pages(sample.asked_for_help(sample.BEN, "Failover to eu-west-2? You know the replicas.")),
        "asked-long": sample.pages(sample.asked_for_help(sample.BEN, long[:300])),
        "lost": Attention(Tray.LOST, lost=(sample.lost(),), on_call=sample.ON_CALL[:1]),
        "page-and-lost": Attention(Tray.RINGING, pages=(other,), lost=(sample.lost(),)),
    }


def save(widget: QWidget, folder: Path, name: str) -> None:
    """Grab ``widget`` into ``folder``."""
    QApplication.processEvents()
    widget.grab().save(str(folder / f"{name}.png"))


def shoot_popups(folder: Path, tail: str, theme: Theme) -> None:
    """Grab the pop-up in every state."""
    for name, attention in attentions().items():
        popup = PagePopup(theme, blends=lambda: True)
        popup.show_attention(attention, sample.NOW)
        save(popup, folder, f"popup-{name}-{tail}")
        popup.close()
    for name, gone in (("gone", sample.taken_by(sample.BEN)), ("given", sample.given_to(sample.BEN))):
        popup = PagePopup(theme, blends=lambda: True)
        popup.show_attention(sample.pages(sample.page()), sample.NOW)
        popup.show_attention(gone, sample.NOW)
        save(popup, folder, f"popup-{name}-{tail}")
        popup.close()
    popup = PagePopup(theme, blends=lambda: True)
    muted = replace(sample.pages(sample.page()), muted_until=sample.NOW + timedelta(minutes=5))
    popup.show_attention(muted, sample.NOW)
    popup.page_card.runbook_action.trigger()
    save(popup, folder, f"popup-link-muted-{tail}")
    popup.close()


def shoot_status(folder: Path, tail: str, theme: Theme) -> None:
    """Grab the status window: calm, paged, contact lost, and with more open than could be read."""
    calm = Attention(Tray.CALM, on_call=sample.ON_CALL[:1])
    paged = attentions()["several"]
    blind = Attention(Tray.LOST, lost=(sample.lost(),), on_call=sample.ON_CALL[:1])
    silent = sample.state(
        id="pd",
        name="PagerDuty",
        contact=Contact.LOST,
        heard_at=sample.NOW - timedelta(seconds=94),
        trouble="timed out",
    )
    unread = replace(calm, tray=Tray.LOST, unread=("PagerDuty",))
    for name, attention in (("calm", calm), ("paged", paged), ("lost", blind), ("unread", unread)):
        window = StatusWindow(theme)
        window.set_machine("Sound", "ready", good=True)
        window.set_machine("Notifications", "desktop", good=True)
        window.set_autostart(name == "calm")
        if name == "lost":
            window.set_notice("token", "PagerDuty: its token is not accepted.", "Enter a token…")
            window.set_notice("away", "Watchbell was not running from 02:11 to 02:14 (3 min).", "OK")
        if name == "paged":
            window.set_notice(
                "keyring", "No keyring on this machine: the token is kept until you quit, then asked again"
            )
            window.set_machine("Sound", "no device", good=False)
            window.stay("This desktop has no tray, so this window stays.")
        window.show_attention(attention, (sample.state(), silent) if name == "lost" else (sample.state(),), sample.NOW)
        window.show()
        save(window, folder, f"status-{name}-{tail}")
        window.close()


def shoot_token(folder: Path, tail: str, theme: Theme) -> None:
    """Grab the question for a token: asked, and answered with one that is not accepted."""
    dialog = TokenDialog(theme)
    reason = "api.pagerduty.com does not accept the token: it is unknown, revoked or expired."
    dialog.ask("pd", "PagerDuty", reason)
    save(dialog, folder, f"token-asked-{tail}")
    dialog.field.setText("wb_sample")
    dialog.tried("pd", reason)
    save(dialog, folder, f"token-refused-{tail}")
    dialog.close()


def shoot_icons(folder: Path, theme: Theme) -> None:
    """Draw the tray icons in all sizes on this theme's panel."""
    sheet = QImage(760, 300, QImage.Format.Format_ARGB32)
    sheet.fill(theme.colours.ground2)
    painter = QPainter(sheet)
    top = 12
    for size in icons.SIZES:
        left = 16
        for tray in Tray:
            for frame in (0, 1) if tray is Tray.RINGING else (0,):
                painter.drawPixmap(left, top, icons.paint(tray, size, count=3, frame=frame))
                left += 104
        top += size + 12
    painter.end()
    sheet.save(str(folder / f"tray-{'dark' if theme.colours.dark else 'light'}.png"))


def main(argv: list[str]) -> int:
    """Grab all surfaces."""
    folder, scale = Path(argv[1]), argv[2]
    app = QApplication(argv[:1])
    app.setFont(QFont("Inter", 10))
    for scheme in (Scheme.LIGHT, Scheme.DARK):
        tail = f"{scheme}-{scale}x"
        theme = Theme(scheme)
        shoot_popups(folder, tail, theme)
        shoot_status(folder, tail, theme)
        shoot_token(folder, tail, theme)
        if scale == "1":
            shoot_icons(folder, theme)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
