"""A notification through plyer: the second choice, where D-Bus does not answer or is not there. Any worker thread."""

import sys
import warnings
from html import escape

LIMIT = 400


def send(headline: str, text: str) -> bool:
    """Hand ``headline`` (ours) and ``text`` (from outside) to the desktop; return whether that can be relied upon.

    Blocks for as long as the desktop's own tool takes. On Linux plyer runs ``notify-send`` and throws its exit code
    away, so nobody can tell whether it was shown: False. Never raises.
    """
    return say(headline, _safe(text))


def say(headline: str, text: str) -> bool:
    """Do the same for a ``text`` of ours, which has no markup in it and does not begin with "-"."""
    try:
        with warnings.catch_warnings():
            # plyer warns on standard error about bindings that it does not need.
            warnings.simplefilter("ignore")
            from plyer import notification  # noqa: PLC0415 - loaded when first needed: it probes the machine

            notification.notify(title=headline, message=text, app_name="Watchbell", timeout=10)
    except Exception:  # noqa: BLE001 - plyer's backends raise whatever they meet; the next link of the chain follows
        return False
    return sys.platform != "linux"


def _safe(text: str) -> str:
    # notify-send takes a text that begins with "-" for an option, and most desktops read markup in it.
    shown = f"Page: {text[:LIMIT]}"
    return escape(shown, quote=False) if sys.platform == "linux" else shown
