"""The examples in docs/senders.md, as a person would paste them. The test's own thread."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "senders.md"

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(language: str) -> list[str]:
    """Return the examples in ``language``, in order."""
    return [found[2] for found in _FENCED.finditer(DOCUMENT.read_text(encoding="utf-8")) if found[1] == language]


def snippet(language: str, saying: str) -> str:
    """Return the one example in ``language`` that says ``saying``."""
    found = [one for one in snippets(language) if saying in one]
    assert len(found) == 1, (saying, len(found))
    return found[0]
