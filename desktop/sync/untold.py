"""Keeps the times in which nobody watched until it is told what happened in them, over a crash and a restart.

A small file, replaced whole. GUI thread.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from desktop.domain.meanwhile import Missed
from desktop.domain.waking import Gap

log = logging.getLogger(__name__)

Untold = Mapping[str, Sequence[Missed]]
"""The gaps of each connection, the earliest first."""


def read(path: Path) -> dict[str, list[Missed]]:
    """Return what an earlier run left untold; nothing where that cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {str(connection): [_missed(gap) for gap in gaps] for connection, gaps in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        log.warning("what an earlier run left untold cannot be read: %s", type(e).__name__)
        return {}


def write(path: Path, untold: Untold) -> None:
    """Keep ``untold``; no file where there is nothing. A disk that takes nothing costs only what a crash would lose."""
    kept = {connection: [_plain(m) for m in gaps] for connection, gaps in untold.items() if gaps}
    try:
        if not kept:
            path.unlink(missing_ok=True)
            return
        new = path.with_name(f"{path.name}.new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(kept), encoding="utf-8")
        new.replace(path)
    except OSError as e:
        log.warning("what is untold would not survive a crash: %s", e.strerror)


def _plain(missed: Missed) -> dict[str, object]:
    since, until = missed.gap.since.isoformat(), missed.gap.until.isoformat()
    return {"since": since, "until": until, "when": missed.when, "held": dict(missed.held)}


def _missed(kept: Mapping[str, object]) -> Missed:
    since, until = (datetime.fromisoformat(str(kept[name])) for name in ("since", "until"))
    if since.tzinfo is None or until.tzinfo is None or not isinstance(kept["held"], dict):
        raise ValueError("no gap")
    held = {str(incident): bool(taken) for incident, taken in kept["held"].items()}
    return Missed(Gap(since, until), str(kept["when"]), MappingProxyType(held))
