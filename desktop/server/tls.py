"""The server's certificate: read and checked before anything else begins. On the main thread."""

import ssl
from pathlib import Path

from desktop.domain.errors import InputError

_ENCRYPTED = "the key is encrypted: give one without a passphrase, readable by this user alone"


class _Encrypted(Exception):
    """The key asks for a passphrase, and a server has nobody to ask."""


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what TLS (1.2 and newer) is served with; InputError when the files are not there or do not fit."""
    for option, file in (("--tls-cert", certificate), ("--tls-key", key)):
        _check_readable(option, file)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except _Encrypted as error:
        raise InputError(f"--tls-key {key}: {_ENCRYPTED}") from error
    except ssl.SSLError as error:
        raise InputError(_what_is_wrong(certificate, key, error)) from error
    return made


def _check_readable(option: str, file: Path) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise InputError(f"{option} {file}: cannot be read: {error.strerror}") from error


def _refuse_passphrase() -> str:
    raise _Encrypted


def _what_is_wrong(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"--tls-key {key}: is not the key of the certificate {certificate}"
    if b"-----BEGIN CERTIFICATE-----" not in certificate.read_bytes():
        return f"--tls-cert {certificate}: holds no certificate (PEM)"
    if b"PRIVATE KEY-----" not in key.read_bytes():
        return f"--tls-key {key}: holds no private key (PEM)"
    return f"--tls-cert {certificate} and --tls-key {key}: cannot be used: {error.reason or 'damaged'}"
