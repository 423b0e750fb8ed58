"""Log lines of the server: one JSON object each, on standard error; never a secret, never two lines. Any thread."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_LIMIT = 2_000
_TRACE_LIMIT = 20_000
# A token can stand where none belongs, in an address that was asked for; what it opens must not lie in a log.
_TOKEN = re.compile(r"wb_[A-Za-z0-9_-]{16,}")


class OneLine(logging.Formatter):
    """Writes a record as one line: ``time``, ``level``, ``from`` (which part), ``event``, ``fields``, maybe ``trace``.

    Fields come as ``extra={"fields": {...}}``. What comes from outside is only ever within a JSON string, in which
    there is no line break and no control character: it can look like a line of its own to nobody.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = getattr(record, "fields", {})
        line: dict[str, object] = {
            "time": at,
            "level": record.levelname.lower(),
            "from": record.name,
            "event": _safe(record.getMessage()),
            "fields": {_safe(str(name)): _value(value) for name, value in fields.items()},
        }
        if record.exc_info:
            line["trace"] = _redacted(self.formatException(record.exc_info))[-_TRACE_LIMIT:]
        return json.dumps(line)


def begin(level: int = logging.INFO) -> None:
    """Send the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its lines say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _value(value: object) -> object:
    """Return numbers as they are, and anything else as a text of bounded length."""
    return value if value is None or isinstance(value, bool | int) else _safe(str(value))


def _safe(text: str) -> str:
    # Cut last: half a token would not be known as one.
    return _redacted(text)[:_LIMIT]


def _redacted(text: str) -> str:
    return _TOKEN.sub("wb_***", text)
