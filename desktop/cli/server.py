"""The commands of whoever runs the built-in server."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.cli import output
from desktop.domain.errors import InputError
from desktop.system.paths import user_paths

if TYPE_CHECKING:
    from desktop.server.tokens import Issued


def serve(options: Namespace) -> int:
    """Run the server until it is told to end."""
    from desktop.server.serve import ServeOptions, run  # noqa: PLC0415 - FastAPI takes half a second to load

    return run(
        ServeOptions(
            database=_database(options),
            host=options.host,
            port=options.port,
            team=_path(options.team),
            parent_stdin=options.parent_stdin,
            tls_cert=_path(options.tls_cert),
            tls_key=_path(options.tls_key),
            behind_proxy=options.behind_proxy,
            public_url=options.public_url or "",
            verbose=options.verbose,
            ingest_limit=options.ingest_limit,
            watchdog_url=options.watchdog_url or "",
            allow_private_channels=options.allow_private_channels,
        )
    )


def create_token(options: Namespace) -> int:
    """Print a new token for a person or a calendar, or an integration key for a service."""
    from desktop.server import tokens  # noqa: PLC0415 - as above

    output.line(tokens.create(_database(options), options.person, options.service, options.expires, options.calendar))
    return 0


def list_tokens(options: Namespace) -> int:
    """List the tokens and integration keys: whose each is and until when it holds."""
    from desktop.server import tokens  # noqa: PLC0415 - as above

    now = datetime.now(UTC)
    found = tokens.issued(_database(options))
    if options.json:
        output.data({"tokens": [_token(token, now) for token in found]})
        return 0
    for token in found:
        until = "" if token.expires_at is None else f", until {output.local(token.expires_at)}"
        made = output.local(token.created_at)
        output.line(f"{token.id}  {token.owner.kind}  {token.owner.id}  {token.state(now)}, since {made}{until}")
    return 0


def revoke_token(options: Namespace) -> int:
    """End a token; whatever is connected with it is disconnected."""
    from desktop.server import tokens  # noqa: PLC0415 - as above

    found = tokens.revoke(_database(options), options.id)
    output.line(f"token {found.id} of {found.owner.id} is revoked")
    return 0


def no_token_command(_options: Namespace) -> int:
    """Say what 'token' lacks."""
    raise InputError("token what? See 'watchbell token create --help', 'token list --help' and 'token revoke --help'")


def _token(token: "Issued", now: datetime) -> dict[str, object]:
    return {
        "id": token.id,
        "kind": token.owner.kind,
        "owner": token.owner.id,
        "label": token.label,
        "state": token.state(now),
        "created_at": output.instant(token.created_at),
        "expires_at": output.instant(token.expires_at),
        "revoked_at": output.instant(token.revoked_at),
    }


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _database(options: Namespace) -> str:
    return options.database or f"sqlite:///{user_paths().server_database}"
