"""Integration keys from where a team file says: the environment or the keyring of whoever runs the server.

On a thread that may wait, never the writer's: a keyring can ask its owner to unlock it, and wait for ever.
"""

import os
import threading
from collections.abc import Callable

from desktop.domain.errors import InputError
from desktop.domain.team import Team
from desktop.team import addresses

# A client gives up on an answer after 8 seconds.
PATIENCE = 5.0


def integration_keys(team: Team, patience: float | None = None) -> dict[str, str]:
    """Return the service of each integration key that the file names; InputError when one is not there.

    ``patience`` is how many seconds a keyring may take to answer; None waits, as is right where somebody starts a
    server and can unlock it.
    """
    keys: dict[str, str] = {}
    for service in team.services:
        if service.integration_key:
            key = _secret(service.integration_key, service.id, patience)
            if key in keys:
                raise InputError(f"services {keys[key]} and {service.id} share an integration key: give each its own")
            keys[key] = service.id
    return keys


def secret(reference: str, patience: float | None) -> str | None:
    """Return what ``reference`` (``env:NAME``, ``keyring:NAME``) stands for, None when it is not set where this runs.

    ``patience`` as for ``integration_keys``; InputError when the keyring cannot be used, or does not answer.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        return os.environ.get(name)
    return _within(patience, name, lambda: _from_keyring(name)) if kind == "keyring" else None


def _secret(reference: str, service: str, patience: float | None) -> str:
    if not addresses.is_reference(reference):
        raise InputError(f"service {service}: write integration_key as env:NAME or keyring:NAME")
    value = secret(reference, patience)
    if not value:
        raise InputError(f"service {service}: {reference} is not set where the server runs")
    return value


def _from_keyring(name: str) -> str | None:
    # Costs a tenth of a second and reaches for D-Bus: only when a team file asks for it.
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password("watchbell", name)
    except KeyringError as error:
        raise InputError(f"keyring:{name}: the keyring cannot be used: {error}") from error


def _within(patience: float | None, name: str, look: Callable[[], str | None]) -> str | None:
    """Return what ``look`` finds; InputError when that takes longer than ``patience`` seconds."""
    if patience is None:
        return look()
    found: list[str | None] = []
    wrong: list[InputError] = []

    def run() -> None:
        try:
            found.append(look())
        except InputError as error:
            wrong.append(error)

    # A daemon: one that waits for ever must not keep the server alive.
    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(patience)
    if wrong:
        raise wrong[0]
    if not found:
        raise InputError(f"keyring:{name}: the keyring where the server runs does not answer: is it locked?")
    return found[0]
