"""What can be typed. Imports nothing of ours that is slow to load."""

import argparse
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from desktop import __version__

_SEVERITIES = ("sev0", "sev1", "sev2", "sev3")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits with 2."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        if "expected one argument" in line or "unrecognized arguments: -" in line or "required: TITLE" in line:
            line += " (a text that begins with - goes after --)"
        self.exit(2, f"{self.prog}: {line}; see '{self.prog} --help'\n")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options of ``argv``; ``run`` names the function to call as ``module:function``."""
    return build().parse_args(argv)


def build() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(prog="watchbell", description="A desktop pager for the engineer on call.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"watchbell {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log more, to standard error")
    # Said by whoever starts the application again when it crashes: the supervisor, or systemd's unit.
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run="tray:run")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    _application(commands)
    _server(commands)
    _incidents(commands)
    _team(commands)
    _connections(commands)
    return parser


_Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _add(commands: "_Commands[_Parser]", name: str, run: str, text: str, *, json: bool = False) -> _Parser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
    command.set_defaults(run=run, json=False)
    if json:
        command.add_argument("--json", action="store_true", help="print data as JSON")
    return command


def _application(commands: "_Commands[_Parser]") -> None:
    _add(commands, "demo", "tray:demo", "the tray application on a throw-away team, with a page after 3 s")
    _add(commands, "doctor", "doctor:run", "test what Watchbell needs, and say what to do about it", json=True)


def _server(commands: "_Commands[_Parser]") -> None:
    serve = _add(commands, "serve", "server:serve", "run the built-in server")
    serve.add_argument(
        "--database", type=_database, metavar="URL", help="an SQLAlchemy URL (default: SQLite in your data folder)"
    )
    serve.add_argument(
        "--host", type=_named, default="127.0.0.1", metavar="H", help="address to listen on (default: %(default)s)"
    )
    serve.add_argument("--port", type=_port, default=8377, metavar="P", help="0 picks one (default: %(default)s)")
    serve.add_argument("--team", type=_named, metavar="FILE", help="the team file")
    serve.add_argument(
        "--tls-cert", type=_named, metavar="FILE", help="the certificate and its chain (PEM): serve https"
    )
    serve.add_argument(
        "--tls-key", type=_named, metavar="FILE", help="the certificate's key (PEM, without a passphrase)"
    )
    serve.add_argument(
        "--behind-proxy", nargs="+", default=[], metavar="IP", help="believe these proxies' X-Forwarded-*"
    )
    serve.add_argument("--public-url", type=_named, metavar="URL", help="where others reach it, as https://NAME")
    serve.add_argument(
        "--watchdog-url", type=_named, metavar="URL", help="call this every minute while all is well; or env:NAME"
    )
    serve.add_argument(
        "--allow-private-channels", action="store_true", help="let messages go to this machine and private networks"
    )
    # For benchmarks, which measure how many there could be.
    serve.add_argument("--ingest-limit", type=_count, default=1_000, metavar="N", help=argparse.SUPPRESS)
    serve.add_argument("--parent-stdin", action="store_true", help=argparse.SUPPRESS)

    token = _add(commands, "token", "server:no_token_command", "API tokens")
    actions = token.add_subparsers(title="actions", metavar="ACTION", parser_class=_Parser)
    create = _add(actions, "create", "server:create_token", "print a new token, once")
    whose = create.add_mutually_exclusive_group(required=True)
    whose.add_argument("--person", metavar="ID", help="an API token for this person")
    whose.add_argument("--service", metavar="ID", help="an integration key for this service")
    whose.add_argument("--calendar", metavar="ID", help="what opens this person's calendar (.ics), and nothing else")
    create.add_argument(
        "--expires", type=_lifetime, metavar="90d", help="after how long it ends (d, w, h; default: never)"
    )
    listing = _add(actions, "list", "server:list_tokens", "list the tokens, without what they are", json=True)
    revoke = _add(actions, "revoke", "server:revoke_token", "end a token")
    revoke.add_argument("id", type=_count, metavar="ID", help="its number, as 'token list' says")
    for action in (create, listing, revoke):
        action.add_argument(
            "--database", type=_database, metavar="URL", help="the server's database (default: as for serve)"
        )


def _incidents(commands: "_Commands[_Parser]") -> None:
    page = _add(commands, "page", "incidents:page", "trigger an incident", json=True)
    page.add_argument("title", metavar="TITLE", help="what is wrong; after -- if it begins with -")
    page.add_argument("--severity", choices=_SEVERITIES)
    page.add_argument("--service", metavar="ID")
    page.add_argument("--dedup", metavar="KEY", help="the same key means the same incident while it is open")

    listing = _add(commands, "incidents", "incidents:show", "list the open incidents", json=True)
    listing.add_argument("--all", action="store_true", help="the resolved ones too")
    _add(commands, "ack", "incidents:ack", "acknowledge incidents", json=True).add_argument(
        "ids", nargs="+", metavar="ID"
    )
    resolve = _add(commands, "resolve", "incidents:resolve", "resolve incidents", json=True)
    resolve.add_argument("ids", nargs="+", metavar="ID")
    resolve.add_argument("--false-alarm", action="store_true", help="there was nothing: the review counts it as such")

    handover = _add(commands, "handover", "handover:run", "ask somebody to take over your watch", json=True)
    handover.add_argument("--to", metavar="PERSON", required=True, help="their id in the team file")
    handover.add_argument("--reason", metavar="TEXT", required=True, help="why; they are told")

    oncall = _add(commands, "oncall", "oncall:run", "who is on call", json=True)
    oncall.add_argument("--team", metavar="FILE", help="ask this team file instead of the connection")
    oncall.add_argument("--at", metavar="T", help="when, as 2026-11-23T09:00 (default: now; needs --team)")


def _team(commands: "_Commands[_Parser]") -> None:
    team = _add(commands, "team", "team:no_command", "the team file")
    actions = team.add_subparsers(title="actions", metavar="ACTION", parser_class=_Parser)
    check = _add(actions, "check", "team:check", "name every mistake in a team file", json=True)
    check.add_argument("file", metavar="FILE")

    apply = _add(actions, "apply", "team:apply", "make a team file the team of the server", json=True)
    apply.add_argument("file", metavar="FILE")
    apply.add_argument("--force", action="store_true", help="even if somebody else is on call then at this moment")

    schedule = _add(commands, "schedule", "team:schedule", "who has which role from when to when", json=True)
    schedule.add_argument("--team", metavar="FILE", required=True)
    schedule.add_argument("--from", dest="start", metavar="T", required=True, help="as 2026-11-23 or 2026-11-23T09:00")
    schedule.add_argument("--to", dest="end", metavar="T", required=True)
    schedule.add_argument("--ics", action="store_true", help="print a calendar (iCalendar)")


def _connections(commands: "_Commands[_Parser]") -> None:
    connect = _add(commands, "connect", "connections:connect", "add a connection", json=True)
    connect.add_argument("url", metavar="URL")
    connect.add_argument("--token-stdin", action="store_true", required=True, help="read the token from standard input")
    connect.add_argument(
        "--proxy", metavar="URL", help="go through this proxy, or 'none' (default: the environment's HTTPS_PROXY)"
    )
    connect.add_argument("--ca", metavar="FILE", help="believe this authority alone (PEM; default: the system's)")
    _add(commands, "connections", "connections:show", "list the connections", json=True)
    _add(commands, "status", "status:run", "your shift, what is open, and who watches each connection", json=True)


def _database(text: str) -> str:
    # Of a variable that is not set; the default would be another database than the one that was meant.
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: leave it out for the default, SQLite in your data folder")
    return text


def _named(text: str) -> str:
    # Of a variable that is not set, too: a server without its team, its watchdog or its TLS would seem to be well.
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: leave it out, or say which")
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no port: 0 to 65535")
    return int(text)


def _lifetime(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no time: write it as 90d, 12w or 8h")
    unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1")
    return int(text)
