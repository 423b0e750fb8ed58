"""Which secrets a team file refers to, and for what. Pure; any thread. Nothing is resolved here."""

from collections.abc import Collection, Iterator

from desktop.domain.errors import TeamFileError
from desktop.team import addresses, document
from desktop.team.document import Document
from desktop.team.positions import Path
from desktop.team.reader import Mistakes
from desktop.team.words import nearest

_KEY, _CHANNEL = "integration_key", "channel"


def named(text: str, source: str) -> frozenset[str]:
    """Return the references of the team file ``text``, each with its use: ``channel keyring:slack``."""
    return frozenset(f"{use} {reference}" for _, use, reference in _references(document.read(text, source)))


def check_vouched(text: str, source: str, vouched: Collection[str]) -> None:
    """Raise ``TeamFileError`` with every reference of ``text`` that is not among ``vouched`` (as ``named`` gives them).

    For a file that was sent, not named by whoever runs the server: it must not make the server read what it likes, and
    a variable with a value that can be guessed must not become a key that opens a service.
    """
    read = document.read(text, source)
    mistakes = Mistakes(read)
    for path, use, reference in _references(read):
        if f"{use} {reference}" not in vouched:
            known = [v.removeprefix(f"{use} ") for v in vouched if v.startswith(f"{use} ")]
            mistakes.add(path, _refusal(use, reference, known))
    if mistakes.found:
        raise TeamFileError(mistakes.found)


def _refusal(use: str, reference: str, known: Collection[str]) -> str:
    what, mend = "integration key", ", or make a key with 'watchbell token create --service ID'"
    if use == _CHANNEL:
        what, mend = "channel", ""
    return (
        f"{reference} is no {what} that the server's own team file names{nearest(reference, known)} "
        f"A file that is sent may only use those: write it there first{mend}."
    )


def _references(read: Document) -> Iterator[tuple[Path, str, str]]:
    """Yield the place, the use and the text of every reference, wherever the reader of team files allows one."""
    for place, service in _tables(read.data.get("services")):
        yield from _one(("services", place, "integration_key"), _KEY, service.get("integration_key"))
    for path, value in notified(read):
        yield from _one(path, _CHANNEL, value)
    channels = read.data.get("channels")
    for name, value in channels.items() if isinstance(channels, dict) else ():
        yield from _one(("channels", name), _CHANNEL, value)


def notified(read: Document) -> Iterator[tuple[Path, object]]:
    """Yield the place and the value of every entry of a ``notify``."""
    for key in ("people", "emergency_contacts"):
        for place, person in _tables(read.data.get(key)):
            notify = person.get("notify")
            for number, value in enumerate(notify if isinstance(notify, list) else []):
                yield (key, place, "notify", number), value


def _one(path: Path, use: str, value: object) -> Iterator[tuple[Path, str, str]]:
    if isinstance(value, str) and addresses.is_reference(value):
        yield path, use, value


def _tables(value: object) -> Iterator[tuple[int, dict[str, object]]]:
    for place, table in enumerate(value if isinstance(value, list) else []):
        if isinstance(table, dict):
            yield place, table
