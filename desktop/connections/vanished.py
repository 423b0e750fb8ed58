"""Settings that are not there any more, though what they named was watched. Any thread."""

from collections.abc import Iterable

from desktop.connections.accounts import EMBEDDED, ENVIRONMENT
from desktop.domain.errors import StorageError
from desktop.sync import archive
from desktop.system.paths import Paths


def check(paths: Paths, connections: Iterable[str]) -> None:
    """Raise StorageError where the settings are gone that named some of ``connections``, which are ids.

    A file that is gone does not say that nothing is to be watched any more: a folder may not be there yet.
    """
    named = [i for i in dict.fromkeys(connections) if i not in {EMBEDDED, ENVIRONMENT}]
    if named and not paths.settings.exists():
        raise StorageError(
            f"put {paths.settings} back, or run 'watchbell connect ADDRESS --token-stdin': it is gone, and named "
            f'{", ".join(named[:3])}. To start anew, let it hold {{"connections": []}}'
        )


def known(paths: Paths) -> tuple[str, ...]:
    """Return the ids of those that earlier runs watched."""
    return archive.connections(paths.store)
