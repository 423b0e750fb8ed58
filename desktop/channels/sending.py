"""Sends one plain-text message to one address, through Apprise. On channel workers; takes at most half a minute.

Apprise is imported at the first send: it costs a third of a second and 26 MiB.
"""

import logging
from functools import cache
from typing import Any

from desktop.channels import allowed, guard, outcome
from desktop.channels.outcome import Outcome
from desktop.channels.text import Text, bounded

log = logging.getLogger(__name__)

UNREADABLE = "the address cannot be understood: is it an Apprise URL?"


def send(address: str, text: Text, *, allow_private: bool, seconds: float = guard.DEADLINE_SECONDS) -> Outcome:
    """Send ``text`` to ``address`` (an Apprise URL, a secret) and return what became of it; never raises.

    Without ``allow_private`` machines of this network are refused; after ``seconds`` the attempt is given up.
    """
    with guard.watching(allow_private=allow_private, seconds=seconds) as watch:
        try:
            plugin = build(address)
            if isinstance(plugin, Outcome):
                return plugin
            taken = bool(plugin.notify(**_said(text)))
        except Exception as error:  # noqa: BLE001 - a plugin's fault is its message's alone
            # Not what it says: that may repeat the address.
            log.warning("a channel failed", extra={"fields": {"error": type(error).__name__}})
            taken = False
        return outcome.judge(taken=taken, statuses=watch.statuses, trouble=watch.trouble, retry_after=watch.retry_after)


def _said(text: Text) -> dict[str, Any]:
    from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 - as the module says

    said = bounded(text)
    return {
        "title": said.title,
        "body": said.body,
        "notify_type": NotifyType.INFO,
        "body_format": NotifyFormat.TEXT,
    }


def build(address: str) -> Any:  # noqa: ANN401 - a plugin of Apprise's
    """Return what sends to ``address``, or why nothing does: an outcome. Nothing leaves."""
    _silence()
    from apprise import Apprise  # noqa: PLC0415 - as the module says
    from apprise.common import OverflowMode  # noqa: PLC0415
    from apprise.plugins import url_to_dict  # noqa: PLC0415

    parsed = url_to_dict(address)  # type: ignore[no-untyped-call]
    if not parsed:
        return outcome.refused(UNREADABLE)
    # Before it is made: making it would read a template already.
    if wrong := allowed.objection(str(parsed.get("schema")), parsed.get("qsd") or {}):
        return outcome.refused(wrong)
    plugin = Apprise.instantiate(parsed, asset=_asset())
    if plugin is None:
        return outcome.refused(UNREADABLE)
    plugin.verify_certificate, plugin.redirects = True, False
    plugin.socket_connect_timeout, plugin.socket_read_timeout = guard.CONNECT_SECONDS, guard.READ_SECONDS
    plugin.retry, plugin.request_rate_per_sec, plugin.overflow_mode = 0, 0, OverflowMode.TRUNCATE
    return plugin


@cache
def _asset() -> Any:  # noqa: ANN401 - Apprise's settings
    from apprise import AppriseAsset, PersistentStoreMode  # noqa: PLC0415 - as the module says

    return AppriseAsset(
        app_id="Watchbell",
        app_desc="Watchbell",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode=PersistentStoreMode.MEMORY,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
        async_mode=False,
        interpret_emojis=False,
    )


@cache
def _silence() -> None:
    """Let the libraries log nothing at all: addresses are secrets, and they write them at every level."""
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
