"""Who the emergency contacts are: each one's id follows from what they are, not from where they stand. Pure.

They have no id in the team file, and one of their own must never pass to another: what a link of theirs acknowledges is
written down in the name of whoever has the id. Whoever's name or addresses are others is somebody else: the one who was
there before has left, as anybody leaves the team.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from desktop.domain.team import Contact

# Everybody in the team sees ids, and nobody may see addresses: guessing them by an id has to be slow (4 MiB, 10 ms).
_SLOW = {"n": 2**12, "r": 8, "p": 1, "dklen": 5}
_SALT = b"watchbell emergency contact"


def identified(contacts: Sequence[Contact], taken: Collection[str] = ()) -> dict[str, Contact]:
    """Return ``contacts`` by their ids, in their order; ``taken`` are ids of others."""
    found: dict[str, Contact] = {}
    for contact in contacts:
        name = next(name for name in _names(contact) if name not in found and name not in taken)
        found[name] = contact
    return found


def contact_id(contact: Contact) -> str:
    """Return the id of ``contact``, unless somebody else has it: ``contact-`` and what tells them from others."""
    told = [contact.name, contact.email, contact.phone, *sorted(contact.notify)]
    return f"contact-{_digest(json.dumps(told))}"


def _names(contact: Contact) -> Iterator[str]:
    """Yield the id of ``contact``, then others: one who is listed twice is two."""
    first = contact_id(contact)
    yield first
    for number in range(2, 1_000_000):
        yield f"{first}-{number}"


# A roster is made each time that somebody's shift changes hands.
@lru_cache(maxsize=256)
def _digest(told: str) -> str:
    return hashlib.scrypt(told.encode(errors="surrogatepass"), salt=_SALT, **_SLOW).hex()
