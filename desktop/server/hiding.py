"""The address of a database as people may read it: without what opens the database. Pure."""

from typing import Final

from sqlalchemy import URL

HIDDEN: Final = "***"

# Of what libpq takes as parameters; what names a file (passfile, sslkey) is no secret.
_SECRET = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")


def shown(url: URL) -> str:
    """Return ``url`` without its secrets, wherever in it they stand."""
    without = url.difference_update_query([name for name in url.query if name.lower() in _SECRET])
    return without.render_as_string(hide_password=True)


def secrets_of(url: URL) -> tuple[str, ...]:
    """Return the secrets in ``url``, the longest first: one may be a part of another."""
    found = [str(url.password or "")]
    for name, value in url.query.items():
        if name.lower() in _SECRET:
            found += [value] if isinstance(value, str) else value
    return tuple(sorted({secret for secret in found if secret}, key=lambda secret: (-len(secret), secret)))
