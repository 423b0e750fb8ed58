"""What can be a token at all, whoever gave it. Pure."""

from desktop.domain.ailment import Ailment
from desktop.domain.errors import InputError

TOKEN_LIMIT = 8192
"""Longer than any token, and than what any keyring takes."""


def check_token(token: str) -> None:
    """Raise InputError for what no backend would take: it could not even be sent, or says more than a token."""
    if len(token) > TOKEN_LIMIT:
        said = f"the token is no token: it has {len(token)} characters, and none has more than {TOKEN_LIMIT}"
        raise InputError(said, ailment=Ailment.TOKEN_MALFORMED)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        said = "the token is no token: it has characters that none has, or is empty"
        raise InputError(said, ailment=Ailment.TOKEN_MALFORMED)
