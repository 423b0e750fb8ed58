"""The ladder of a person's addresses as PagerDuty's notification rules. Pure; no address is told, nor what holds it.

Each address of ``notify`` is a rule, a minute after the one before it: as the ladder is climbed while no application
shows the page. What is of low urgency climbs none.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from desktop.domain.ladder import BETWEEN
from desktop.server import contacts, places
from desktop.server.directory import Directory, Somebody
from desktop.server.roster import Roster

Json = dict[str, Any]

_MINUTE = timedelta(minutes=1)


def of(roster: Roster, directory: Directory, person: Somebody, *, whole: bool = False) -> list[Json]:
    """Return the rules of ``person``; ``whole``: with the contact methods that may be told instead of references."""
    ladder = places.ladder(roster, person.id) if person.active else ()
    mail = {places.digest_of(f"mailto://{method['address']}"): method for method in contacts.methods(directory, person)}
    home = f"{directory.origin}/users/{quote(person.id, safe='')}/notification_rules"
    rules = []
    for number, digest in enumerate(ladder):
        name, told = f"{person.id}-rule-{number + 1}", mail.get(digest)
        shown = told if told is None or whole else contacts.short(told)
        rules.append(
            {
                "id": name,
                "type": "assignment_notification_rule",
                "summary": f"Address {number + 1} of {len(ladder)} in the team file",
                "self": f"{home}/{quote(name, safe='')}",
                "html_url": None,
                "start_delay_in_minutes": int(number * BETWEEN / _MINUTE),
                "urgency": "high",
                "contact_method": shown or _secret(person, number + 1),
            }
        )
    return rules


def short(rule: Json) -> Json:
    """Return a reference to a rule."""
    shown = {name: rule[name] for name in ("id", "summary", "self", "html_url")}
    return shown | {"type": "assignment_notification_rule_reference"}


def _secret(person: Somebody, number: int) -> Json:
    """Return the reference to an address that nobody is told: it leads nowhere."""
    return {
        "id": f"{person.id}-notify-{number}",
        "type": "push_notification_contact_method_reference",
        "summary": f"Address {number} in the team file",
        "self": None,
        "html_url": None,
    }
