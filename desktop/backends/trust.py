"""Whose certificates are believed, and what is said of those that are not. Any thread.

The system's own store (``truststore``), where a company's authority is installed, or one PEM file of the settings: then
that alone (docs/decisions/0013).
"""

import ssl

from desktop.domain.ailment import Ailment
from desktop.domain.errors import InputError, Unreachable
from desktop.domain.text import plain

_EXPIRED = "the certificate of {host} has expired: have it renewed there, or mend this machine's clock if that is wrong"
_NOT_YET = "the certificate of {host} is not valid yet: is this machine's clock wrong?"
_WRONG_NAME = "the certificate that {host} shows is for another name: check the address, or what stands in between"
_STRANGER = (
    "nobody known here vouches for the certificate of {host}: install your company's authority in the system, "
    "or name its PEM file with 'watchbell connect URL --ca FILE'"
)
_STRANGER_TO_FILE = "the certificate of {host} is of no authority in {ca}: name the file of the one that issued it"
_WORDS = {
    # OpenSSL: https://docs.openssl.org/master/man1/openssl-verification-options/#diagnostics
    **dict.fromkeys((10,), _EXPIRED),
    **dict.fromkeys((9,), _NOT_YET),
    **dict.fromkeys((18, 19, 20, 21, 27), _STRANGER),
    **dict.fromkeys((62, 64), _WRONG_NAME),
    # Windows (CERT_E_EXPIRED, _UNTRUSTEDROOT, _CHAINING, _CN_NO_MATCH) and macOS (errSecCertificateExpired, ...NotYet,
    # ...NotTrusted, errSecHostNameMismatch), as truststore passes them on.
    **dict.fromkeys((0x800B0101, -67818), _EXPIRED),
    **dict.fromkeys((-67819,), _NOT_YET),
    **dict.fromkeys((0x800B0109, 0x800B010A, -67843), _STRANGER),
    **dict.fromkeys((0x800B010F, -67602), _WRONG_NAME),
}
_AILMENTS = {
    _EXPIRED: Ailment.CERTIFICATE_EXPIRED,
    _NOT_YET: Ailment.CERTIFICATE_EARLY,
    _WRONG_NAME: Ailment.CERTIFICATE_NAME,
    _STRANGER: Ailment.CERTIFICATE_STRANGER,
    _STRANGER_TO_FILE: Ailment.CERTIFICATE_OTHER,
}


def context(ca: str) -> ssl.SSLContext:
    """Return a new context that believes the authorities in the file ``ca``, or without one the system's.

    Never shared by two connections: truststore locks it for as long as a handshake takes.
    """
    if not ca:
        # 35 ms that no command to this machine's own server should wait for.
        import truststore  # noqa: PLC0415

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        made = ssl.create_default_context(cafile=ca)
    except ssl.SSLError as e:
        said = f"{ca} holds no certificates: name a PEM file with your authority's certificate"
        raise InputError(said, ailment=Ailment.CA_EMPTY) from e
    except OSError as e:
        said = f"{ca}, the file with your authority's certificate, cannot be read: {e.strerror}"
        raise InputError(said, ailment=Ailment.CA_UNREADABLE) from e
    if not made.get_ca_certs():
        said = f"{ca} holds no authority's certificate: name a PEM file with one"
        raise InputError(said, ailment=Ailment.CA_EMPTY)
    return made


def distrust(host: str, error: BaseException | None, ca: str) -> Unreachable:
    """Return why ``host`` is not believed and what to do; ``error`` is what the handshake raised."""
    found = _cause(error)
    if found is None:
        said = f"no safe connection to {host} could be made: is it https at that port, and is nothing else in between?"
        return Unreachable(said, ailment=Ailment.NO_TLS)
    words = _WORDS.get(found.verify_code)
    if words is None:
        said = f"the certificate of {host} cannot be trusted: {plain(found.verify_message, 160)}"
        return Unreachable(said, ailment=Ailment.CERTIFICATE_BAD)
    if ca and words is _STRANGER:
        words = _STRANGER_TO_FILE
    return Unreachable(words.format(host=host, ca=ca), ailment=_AILMENTS[words])


def _cause(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return what the handshake said, which the HTTP libraries wrap."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None
