"""How a person can be reached beside their tray application, as PagerDuty's contact methods. Pure.

They are the address and the phone number of the team file, for people to see. The ladder of channels that the server
itself climbs (``notify``) holds secrets and is never shown.
"""

import re
from typing import Any
from urllib.parse import quote

from desktop.server.directory import Directory, Somebody

Json = dict[str, Any]

_INTERNATIONAL = re.compile(r"\+[0-9 ()./-]{4,30}")
# ITU-T E.164: a country code has one digit, or two, or else three.
_ONE_DIGIT = frozenset({"1", "7"})
_TWO_DIGITS = frozenset(
    str(code)
    for codes in ((20, 27), range(30, 35), (36, 39), range(40, 42), range(43, 50), range(51, 59), range(60, 67),
                  (81, 82, 84, 86), range(90, 96), (98,))
    for code in codes
)  # fmt: skip


def methods(directory: Directory, person: Somebody) -> list[Json]:
    """Return the contact methods of ``person``; a number that names no country cannot be told in PagerDuty's terms."""
    found = []
    if person.email:
        found.append(_method(directory, person, "email", person.email) | {"send_short_email": False})
    if _INTERNATIONAL.fullmatch(person.phone):
        digits = "".join(c for c in person.phone if c.isdigit())
        code = _country_code(digits)
        method = _method(directory, person, "phone", digits.removeprefix(code))
        found.append(method | {"country_code": int(code)})
    return found


def short(method: Json) -> Json:
    """Return a reference to a contact method."""
    shown = {name: method[name] for name in ("id", "summary", "self", "html_url")}
    return shown | {"type": f"{method['type']}_reference"}


def _method(directory: Directory, person: Somebody, kind: str, address: str) -> Json:
    place = f"{directory.origin}/users/{quote(person.id, safe='')}/contact_methods"
    return {
        "id": f"{person.id}-{kind}",
        "type": f"{kind}_contact_method",
        "summary": "Team file",
        "self": f"{place}/{quote(person.id, safe='')}-{kind}",
        "html_url": None,
        "label": "Team file",
        "address": address,
    }


def _country_code(digits: str) -> str:
    if digits[0] in _ONE_DIGIT:
        return digits[0]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]
