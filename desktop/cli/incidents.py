"""The commands that act on incidents: straight to the backend, ended by a definite answer."""

import os
from argparse import Namespace
from collections.abc import Callable
from functools import partial

from desktop.backends.base import Backend, NewPage
from desktop.cli import output, report
from desktop.connections.accounts import find_account, open_backend
from desktop.domain.errors import InputError, WatchbellError
from desktop.domain.incident import Incident
from desktop.domain.severity import parse as parse_severity
from desktop.domain.text import plain, storable
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets


def backend() -> Backend:
    """Return the backend that commands act on."""
    return open_backend(find_account(os.environ, user_paths(), Secrets()))


def page(options: Namespace) -> int:
    """Trigger an incident and print its id."""
    title = storable(options.title).strip()
    if not title:
        raise InputError("the title is empty: say what is wrong")
    severity = parse_severity(options.severity) if options.severity else None
    opened = backend().trigger(NewPage(title, severity, options.service, options.dedup))
    _print(opened, as_json=options.json)
    return 0


def show(options: Namespace) -> int:
    """List incidents."""
    found = backend().incidents(resolved=options.all)
    if options.json:
        output.data({"incidents": [output.incident(i) for i in found]})
    elif not found:
        output.line("Nothing is open.")
    else:
        for it in found:
            output.line(output.incident_line(it))
    return 0


def ack(options: Namespace) -> int:
    """Acknowledge each incident named."""
    return _each(options, backend().acknowledge)


def resolve(options: Namespace) -> int:
    """Resolve each incident named."""
    return _each(options, partial(backend().resolve, false_alarm=options.false_alarm))


def _each(options: Namespace, act: Callable[[str], Incident]) -> int:
    """Act on every id, whatever becomes of the others; return the worst exit code."""
    worst, done = 0, []
    for incident_id in options.ids:
        try:
            done.append(act(incident_id))
        except WatchbellError as e:
            e.message = f"{plain(incident_id, 40)}: {e.message}"
            worst = max(worst, report(e))
    if options.json:
        output.data({"incidents": [output.incident(i) for i in done]})
    else:
        for it in done:
            output.line(output.incident_line(it))
    return worst


def _print(it: Incident, *, as_json: bool) -> None:
    if as_json:
        output.data(output.incident(it))
    else:
        output.line(output.incident_line(it))
