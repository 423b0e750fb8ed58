"""Tests what Watchbell needs, and says what to do about each failure."""

import os
from argparse import Namespace
from collections.abc import Generator, Iterator, Mapping
from datetime import timedelta

from desktop.backends.base import Backend
from desktop.cli import accounts, file_checks, machine_checks, output, watch_checks, watching
from desktop.cli.accounts import Listed
from desktop.cli.findings import Check
from desktop.cli.mends import ONLY_READS, Place, Source, mend_of
from desktop.cli.watch_checks import Heard
from desktop.connections import vanished
from desktop.connections.accounts import EMBEDDED, ENVIRONMENT, TOKEN_VARIABLE, URL_VARIABLE, open_backend
from desktop.domain.ailment import Ailment
from desktop.domain.errors import BackendFault, NotFound, Unreachable, WatchbellError
from desktop.domain.incident import OnCall
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.paths import Paths, user_paths
from desktop.system.secrets import Secrets

# Past this, countdowns would lie without the correction that the application makes (design, section 7).
CLOCK_TOLERANCE = timedelta(seconds=5)


def run(options: Namespace) -> int:
    """Test everything; exit 0 when all is well, 3 when a connection does not answer, else 1."""
    checks = list(examine(os.environ, user_paths(), Secrets()))
    if options.json:
        output.data({"checks": [{"name": c.name, "ok": c.ok, "message": c.message, "mend": c.mend} for c in checks]})
    else:
        for check in checks:
            output.line(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.message}")
            if check.mend:
                output.line(f"      {check.mend}")
    failed = [c.name for c in checks if not c.ok]
    if any(name.startswith("connection") for name in failed):
        return 3
    return 1 if failed else 0


def examine(environment: Mapping[str, str], paths: Paths, secrets: Secrets) -> Iterator[Check]:
    """Yield every finding, in the order in which a person mends them."""
    yield from machine_checks.desktop()
    yield machine_checks.keyring(secrets)
    yield machine_checks.login(paths, environment)
    yield from file_checks.files(paths)
    yield file_checks.application(paths)
    heard = yield from connections(environment, paths, secrets)
    # Asked last: what it heard just now counts.
    yield from watch_checks.watch(watching.ask(paths), heard, utc_now())


def connections(
    environment: Mapping[str, str], paths: Paths, secrets: Secrets
) -> Generator[Check, None, tuple[Heard, ...]]:
    """Ask each connection who we are, for all that the application asks for, and what time it is there.

    Return what was heard of each.
    """
    try:
        kept = settings_file.load(paths.settings).connections
        if not kept and not environment.get(URL_VARIABLE):
            vanished.check(paths, vanished.known(paths))
    except WatchbellError as e:
        yield Check(
            "settings", False, e.message, f'Mend {paths.settings}, or let it hold {{"connections": []}} to start anew.'
        )
        return ()
    try:
        found = accounts.every(environment, paths, secrets)
    except WatchbellError as e:
        yield Check("connection environment", False, e.message, f"Set {URL_VARIABLE} and {TOKEN_VARIABLE}, or neither.")
        return ()
    heard: tuple[Heard, ...] = ()
    for listed in found:
        heard = (*heard, (yield from _connection(listed)))
    return heard


def _connection(listed: Listed) -> Generator[Check, None, Heard]:
    kept = listed.connection
    name = "environment" if kept.id == ENVIRONMENT else kept.name
    url = kept.url
    try:
        account = listed.account()
        # That of the built-in server is known only while it runs.
        url = account.url
        backend = open_backend(account)
        me = backend.me()
    except WatchbellError as e:
        yield Check(f"connection {name}", False, e.message, mend_of(e, Place(url, _source(listed), kept.proxy)))
        return Heard(kept, name, given=listed.given)
    yield Check(f"connection {name}", True, f"answers as {me.name}")
    yield _right(name, me.name, may=backend.may_acknowledge())
    on_call: list[OnCall] = []
    for part, error in _parts(backend, on_call):
        yield Check(
            f"connection {name}, {part}", False, error.message, mend_of(error, Place(url, _source(listed), kept.proxy))
        )
    read = backend.clock()
    if read is not None:
        yield _clock(name, read.offset)
    return Heard(kept, name, me.id, tuple(o for o in on_call if o.person.id == me.id), listed.given)


def _right(name: str, who: str, *, may: bool | None) -> Check:
    """Say whether a click would be taken: by reading alone, since to try it would change something."""
    right = f"acknowledging at {name}"
    if may is None:
        said = f"it does not say whether {who} may acknowledge, and to try would change something: unknown"
        return Check(right, True, said, "To know it, press 'Test page' in Watchbell's window, and acknowledge that.")
    if may:
        return Check(right, True, f"the role of {who} may; nothing was acknowledged to try it")
    return Check(right, False, f"the role of {who} may only read there: every click will be refused", ONLY_READS)


def _parts(backend: Backend, on_call: list[OnCall]) -> Iterator[tuple[str, WatchbellError]]:
    """Ask for all that the application asks for; yield each part that does not answer, and why.

    ``on_call`` takes who is on call.
    """
    try:
        backend.incidents()
    except WatchbellError as e:
        yield "incidents", e
    try:
        on_call += backend.on_call()
    except WatchbellError as e:
        yield "on call", e
    try:
        with backend.stream(present=False) as events:
            next(events, None)
    except NotFound:
        # It is polled, as PagerDuty is.
        return
    except WatchbellError as e:
        yield "stream", _of_stream(e)


def _of_stream(error: WatchbellError) -> WatchbellError:
    """Return what is wrong with a stream, told apart from what is wrong with an answer."""
    if isinstance(error, Unreachable):
        return Unreachable(error.message, ailment=Ailment.STREAM_SILENT)
    if isinstance(error, BackendFault) and error.ailment in {None, Ailment.BROKEN_ANSWER}:
        return BackendFault(error.message, ailment=Ailment.STREAM_BROKEN)
    return error


def _source(listed: Listed) -> Source:
    if listed.given:
        return Source.ENVIRONMENT
    return Source.EMBEDDED if listed.connection.id == EMBEDDED else Source.SETTINGS


def _clock(name: str, ahead: timedelta) -> Check:
    """Compare the clocks; the backend's is ``ahead`` of this machine's."""
    seconds = round(ahead.total_seconds())
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Check(f"clock of {name}", True, f"{seconds:+d} s")
    order = "behind" if seconds > 0 else "ahead of"
    return Check(
        f"clock of {name}",
        False,
        f"this machine's clock is {abs(seconds)} s {order} that of {name}",
        "Let the system set its clock (timedatectl set-ntp true); Watchbell reckons with it until then.",
    )
