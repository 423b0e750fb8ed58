"""What can be wrong with a connection, one by one: how it is planted, and what the doctor says of it. Any thread."""

import json
from dataclasses import dataclass
from datetime import timedelta

from keyring.backends.fail import Keyring as NoKeyring

from desktop.domain.ailment import Ailment
from tests.fakes.broken_keyrings import dismissed, failing
from tests.faults import planted
from tests.faults.backend import misbehaving as how
from tests.faults.planted import NAME, Plant


@dataclass(frozen=True)
class Fault:
    """What is planted, which ailment that is, and words of what is said of it and of its mend.

    ``HOST`` stands for the connection's host and port.
    """

    plant: Plant
    ailment: Ailment
    says: str
    mend: str


other_program = how.says(json.dumps({"status": "ok", "version": 3}).encode())
FAULTS: dict[str, Fault] = {
    # What a server answers.
    "401": Fault(
        planted.answering(how.status(401)), Ailment.TOKEN_REFUSED, "HOST does not accept the token", "new token"
    ),
    "403": Fault(planted.answering(how.status(403)), Ailment.FORBIDDEN, "HOST does not allow this", "may not do this"),
    "404": Fault(planted.answering(how.status(404)), Ailment.NO_SUCH_THING, "HOST knows no such thing", "wrong path"),
    "405": Fault(planted.answering(how.status(405)), Ailment.REFUSED, "HOST refused (HTTP 405)", "does not understand"),
    "429": Fault(planted.answering(how.status(429)), Ailment.TOO_MANY_REQUESTS, "fewer requests", "the same token"),
    "429 with a header": Fault(
        planted.answering(how.status(429, {"Retry-After": "77"})),
        Ailment.TOO_MANY_REQUESTS,
        "none for 77 s",
        "same token",
    ),
    "500": Fault(planted.answering(how.status(500)), Ailment.SERVER_FAILS, "HOST failed (HTTP 500)", "whoever runs"),
    "503": Fault(
        planted.answering(how.status(503)),
        Ailment.SERVER_FAILS,
        "HOST failed (HTTP 503)",
        "nothing that is set up here",
    ),
    "redirect": Fault(
        planted.answering(how.redirect("https://ana:pw@login.example.com:8443")),
        Ailment.REDIRECT,
        "HOST sent us elsewhere (HTTP 302, to https://login.example.com:8443)",
        "address that it sends to",
    ),
    "slow drip": Fault(planted.answering(how.drip), Ailment.TOO_SLOW, "HOST answers too slowly", "line is too slow"),
    "dripping header": Fault(
        planted.answering(how.drip_headers), Ailment.TOO_SLOW, "answers too slowly", "another network"
    ),
    "200 MB": Fault(planted.answering(how.huge), Ailment.TOO_LARGE, "HOST sent more than 32 MiB", "for downloads"),
    "invalid JSON": Fault(
        planted.answering(how.invalid_json), Ailment.BROKEN_ANSWER, "HOST answered", "breaks answers"
    ),
    "captive portal": Fault(
        planted.answering(how.portal), Ailment.WEB_PAGE, "HOST answered a web page", "log in to this"
    ),
    "portal without a type": Fault(
        planted.answering(how.says(b"\n <!DOCTYPE html>", "")), Ailment.WEB_PAGE, "a web page", "Open a browser"
    ),
    "wrong server": Fault(
        planted.answering(other_program),
        Ailment.STRANGER_ANSWERS,
        "at HOST is no escalation backend",
        "Another program",
    ),
    "a list": Fault(
        planted.answering(how.says(b"[]")), Ailment.STRANGER_ANSWERS, "HOST answered JSON", "Another program"
    ),
    # What does not answer.
    "silent": Fault(planted.answering(how.silent), Ailment.SILENT, "HOST did not answer in time", "hangs"),
    "half open": Fault(planted.answering(how.half_open), Ailment.SILENT, "HOST did not answer in time", "hangs"),
    "reset": Fault(planted.answering(how.reset), Ailment.CUT_OFF, "HOST cannot be reached", "Run the doctor again"),
    "refused": Fault(
        planted.refusing, Ailment.REFUSING, "HOST cannot be reached: Connection refused", "Nothing listens"
    ),
    "swallowed": Fault(planted.swallowing, Ailment.SWALLOWED, "HOST did not answer in time", "VPN and the firewall"),
    "unknown name": Fault(
        planted.unknown_name, Ailment.UNKNOWN_NAME, "pager.invalid cannot be reached", "typing mistake"
    ),
    "offline": Fault(planted.offline, Ailment.OFFLINE, "HOST cannot be reached: Network is unreach", "not online"),
    # Who is believed.
    "expired": Fault(
        planted.certificate(moved=timedelta(days=-7)),
        Ailment.CERTIFICATE_EXPIRED,
        "of HOST has expired",
        "new certificate",
    ),
    "not yet valid": Fault(
        planted.certificate(moved=timedelta(days=7)),
        Ailment.CERTIFICATE_EARLY,
        "of HOST is not valid yet",
        "set-ntp true",
    ),
    "wrong name": Fault(planted.wrong_name, Ailment.CERTIFICATE_NAME, "HOST shows is for another name", "by the name"),
    "unknown issuer": Fault(
        planted.stranger, Ailment.CERTIFICATE_STRANGER, "vouches for the certificate of HOST", "--ca"
    ),
    "other issuer": Fault(
        planted.other_authority, Ailment.CERTIFICATE_OTHER, "of no authority in", "that https://HOST has"
    ),
    "no TLS": Fault(planted.no_tls, Ailment.NO_TLS, "no safe connection to HOST", "does not speak https"),
    "only TLS": Fault(planted.only_tls, Ailment.CUT_OFF, "HOST cannot be reached", "https, or"),
    "no authority's file": Fault(planted.ca_file(None), Ailment.CA_UNREADABLE, "company.pem, the file", "file back"),
    "an empty file": Fault(planted.ca_file(b""), Ailment.CA_EMPTY, "company.pem holds no", "as PEM"),
    "no PEM": Fault(planted.ca_file(b"\x30\x82\x01"), Ailment.CA_EMPTY, "company.pem holds no", "BEGIN CERTIFICATE"),
    # The way there.
    "proxy of the settings gone": Fault(
        planted.proxy_gone(settings=True), Ailment.PROXY_GONE, "through the proxy 127.0.0.1:", "--proxy ADDRESS"
    ),
    "proxy of the environment gone": Fault(
        planted.proxy_gone(settings=False), Ailment.PROXY_GONE, "through the proxy 127.0.0.1:", "HTTPS_PROXY in"
    ),
    "proxy wants a login": Fault(
        planted.proxy_login(settings=True), Ailment.PROXY_LOGIN, "through the proxy 127.0.0.1:", "NAME:PASSWORD"
    ),
    "proxy of the environment wants a login": Fault(
        planted.proxy_login(settings=False), Ailment.PROXY_LOGIN, "407 Proxy Auth", "into HTTPS_PROXY"
    ),
    "a proxy's password in the settings": Fault(
        planted.proxy_unusable("http://ana:s3cret@127.0.0.1:1", settings=True),
        Ailment.PROXY_LOGIN,
        "no place for secrets",
        "into HTTPS_PROXY",
    ),
    "proxy refuses": Fault(
        planted.proxy_refuses, Ailment.PROXY_REFUSES, "403 Forbidden", "the proxy does not get through"
    ),
    "SOCKS": Fault(
        planted.proxy_unusable("socks5://127.0.0.1:1"), Ailment.PROXY_UNUSABLE, "127.0.0.1:1 speaks SOCKS", "HTTP"
    ),
    "no proxy at all": Fault(
        planted.proxy_unusable("http://"),
        Ailment.PROXY_UNUSABLE,
        "proxy of the environment is no address",
        "HTTPS_PROXY in",
    ),
    # What was set up.
    "no https": Fault(
        planted.address(f"http://{NAME}"), Ailment.ADDRESS_UNUSABLE, f"http to {NAME}", "cannot use that"
    ),
    "a login in the address": Fault(
        planted.address(f"https://ana:s3cret@{NAME}"), Ailment.ADDRESS_UNUSABLE, "no name, password", "the right one"
    ),
    "token in quotes": Fault(planted.token('"wb x"'), Ailment.TOKEN_MALFORMED, "is no token", "one word"),
    "token over-long": Fault(
        planted.token("w" * 9000), Ailment.TOKEN_MALFORMED, "9000 characters, and none has more than 8192", "one word"
    ),
    "no token": Fault(planted.token(""), Ailment.TOKEN_MISSING, "no token for PagerDuty", "To keep a token"),
    "no keyring": Fault(
        planted.keyring_says(NoKeyring), Ailment.KEYRING_ABSENT, "no keyring service", "Install a keyring"
    ),
    "prompt dismissed": Fault(
        planted.keyring_says(dismissed),
        Ailment.KEYRING_LOCKED,
        "its prompt was dismissed",
        "Unlock the keyring",
    ),
    "prompt waits": Fault(
        planted.keyring_waits, Ailment.KEYRING_LOCKED, "waiting for you to unlock", "answer its prompt"
    ),
    "keyring broken": Fault(
        planted.keyring_says(failing), Ailment.KEYRING_FAILS, "the service has gone away", "Repair or replace"
    ),
}
