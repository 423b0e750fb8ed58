"""The commands of whoever runs the built-in server."""

from argparse import Namespace
from pathlib import Path

from desktop.cli import output
from desktop.domain.errors import InputError
from desktop.system.paths import user_paths


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
            public_url=options.public_url,
            verbose=options.verbose,
            ingest_limit=options.ingest_limit,
        )
    )


def create_token(options: Namespace) -> int:
    """Print a new token for a person, or an integration key for a service."""
    from desktop.server import tokens  # noqa: PLC0415 - as above

    output.line(tokens.create(_database(options), person=options.person, service=options.service))
    return 0


def no_token_command(_options: Namespace) -> int:
    """Say what 'token' lacks."""
    raise InputError("token what? See 'watchbell token create --help'")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _database(options: Namespace) -> str:
    return options.database or f"sqlite:///{user_paths().server_database}"
