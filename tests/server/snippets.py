"""The examples in the documents, as a person would paste them. The test's own thread."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "senders.md"
SERVER = DOCUMENT.with_name("server.md")

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(language: str, document: Path = DOCUMENT) -> list[str]:
    """Return the examples in ``language``, in order."""
    return [found[2] for found in _FENCED.finditer(document.read_text(encoding="utf-8")) if found[1] == language]


def snippet(language: str, saying: str, document: Path = DOCUMENT) -> str:
    """Return the one example in ``language`` that says ``saying``."""
    found = [one for one in snippets(language, document) if saying in one]
    assert len(found) == 1, (saying, len(found))
    return found[0]
