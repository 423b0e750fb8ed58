"""Log lines of the server: one each, ``key=value``, on standard error; never a secret, never two lines. Any thread."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_LIMIT = 2000
# A token can stand where none belongs, in an address that was asked for; what it opens must not lie in a log.
_TOKEN = re.compile(r"wb_[A-Za-z0-9_-]{16,}")


class OneLine(logging.Formatter):
    """Writes a record as one line; ``extra={"fields": {...}}`` become further keys, a trace becomes one value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts = {"at": at, "level": record.levelname.lower(), "from": record.name, "event": record.getMessage()}
        parts |= getattr(record, "fields", {})
        if record.exc_info:
            parts["trace"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={_value(value)}" for key, value in parts.items())


def begin(level: int = logging.INFO) -> None:
    """Send the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its lines say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _value(value: object) -> str:
    text = _TOKEN.sub("wb_***", str(value))[:_LIMIT]
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=')
    return text if plain and text else json.dumps(text)
