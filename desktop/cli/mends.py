"""What a person can do about each failure of a connection: one mend for each ailment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from desktop.backends.route import without_login
from desktop.connections.accounts import TOKEN_VARIABLE, URL_VARIABLE
from desktop.domain.ailment import Ailment
from desktop.domain.errors import WatchbellError

ONLY_READS = "Have an admin there give you a role that may respond, or connect with the token of one who may."


class Source(StrEnum):
    """Where a connection's address and token come from, which is where they are mended."""

    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    EMBEDDED = "built-in server"


@dataclass(frozen=True, slots=True)
class Place:
    """A connection as it is set up: ``proxy`` is that of the settings, empty for the environment's."""

    url: str
    source: Source = Source.SETTINGS
    proxy: str = ""


def mend_of(error: WatchbellError, place: Place) -> str:
    """Return what a person can do about a connection that fails with ``error``."""
    if error.ailment is None:
        return _OTHER
    proxy, url = _OWN_PROXY if place.proxy else _PROXY, without_login(place.url)
    return MENDS[error.ailment].format(
        url=url,
        address=_ADDRESS[place.source],
        give=_GIVE[place.source].format(url=url),
        proxy=proxy.format(url=url),
        runner=_runner(place),
    )


def _runner(place: Place) -> str:
    if place.source is Source.EMBEDDED:
        return _ADDRESS[Source.EMBEDDED]
    host = urlsplit(place.url).hostname or ""
    pagerduty = host == "pagerduty.com" or host.endswith(".pagerduty.com")
    return "see https://status.pagerduty.com" if pagerduty else f"tell whoever runs {without_login(place.url)}"


_OTHER = "Run 'watchbell --verbose doctor', and show what it says to whoever looks after Watchbell."
_ADDRESS = {
    Source.SETTINGS: "run 'watchbell connect ADDRESS --token-stdin' with the right one",
    Source.ENVIRONMENT: f"set {URL_VARIABLE} to the right one",
    Source.EMBEDDED: "quit Watchbell and start it again",
}
_GIVE = {
    Source.SETTINGS: "run 'watchbell connect {url} --token-stdin', or enter it in Watchbell's window",
    Source.ENVIRONMENT: f"set {TOKEN_VARIABLE}",
    Source.EMBEDDED: "quit Watchbell and start it again with the keyring unlocked: it makes one",
}
_OWN_PROXY = "'watchbell connect {url} --token-stdin --proxy ADDRESS' ('none' for no proxy)"
_PROXY = "HTTPS_PROXY in the environment (or NO_PROXY, for no proxy to this host)"

MENDS: Mapping[Ailment, str] = {
    Ailment.TOKEN_REFUSED: "For a new token, {give}.",
    Ailment.FORBIDDEN: "The token is known and may not do this: have one made that belongs to you, to read and write.",
    Ailment.NO_SUCH_THING: "There is no API below {url}: look for a wrong path or port in it, and {address}.",
    Ailment.REFUSED: "This server does not understand Watchbell: is it PagerDuty, or a Watchbell of the same age?",
    Ailment.TOO_MANY_REQUESTS: "Wait a few minutes; if it stays so, find out what else uses the same token.",
    Ailment.REDIRECT: "If the address that it sends to is yours, use that: {address}. "
    "If you do not know it, it is the network's login page: open a browser, and log in.",
    Ailment.SERVER_FAILS: "It is that server which fails, and nothing that is set up here: {runner}. "
    "Watchbell goes on trying.",
    Ailment.WEB_PAGE: "Open a browser and log in to this network (hotel, train, guest Wi-Fi). If none asks you to, "
    "{url} is the address of a website and not of its API (PagerDuty's is https://api.pagerduty.com): {address}.",
    Ailment.BROKEN_ANSWER: "Run the doctor again; if it stays so, something on the way breaks answers: try another "
    "network, else {runner}.",
    Ailment.STRANGER_ANSWERS: "Another program has this address: connect to the API of PagerDuty "
    "(https://api.pagerduty.com) or of a Watchbell server: {address}.",
    Ailment.STREAM_BROKEN: "Something on the way changes what is sent bit by bit, or the server is of another age: "
    "try without the proxy, else {runner}. Until then Watchbell asks every few seconds, and pages come later.",
    Ailment.STREAM_SILENT: "Something on the way (a proxy, a virus scanner) holds back what is sent bit by bit: let "
    "it pass {url} unbuffered, else {runner}. Until then Watchbell asks every few seconds, and pages come later.",
    Ailment.TOO_LARGE: "No pager's server sends so much: check that {url} is none for downloads, else {runner}.",
    Ailment.TOO_SLOW: "The line is too slow to be watched over: try another network; if others are quick, {runner}.",
    Ailment.SILENT: "Something listens at {url}, and hangs: restart it if it is yours, else {runner}.",
    Ailment.SWALLOWED: "Check the VPN and the firewall: what is sent to {url} is swallowed on its way.",
    Ailment.REFUSING: "Nothing listens there: start that server, or if the port in {url} is wrong, {address}.",
    Ailment.UNKNOWN_NAME: "Look for a typing mistake in {url} ({address}); if there is none, check that "
    "you are online and in the VPN, which some names are known in only.",
    Ailment.OFFLINE: "This machine is not online: connect it to a network.",
    Ailment.CUT_OFF: "Run the doctor again; if it stays so, does that port want https, or a firewall cut it off?",
    Ailment.PROXY_UNUSABLE: "Name an HTTP proxy, by {proxy}.",
    Ailment.PROXY_GONE: "Start the proxy, or name another one, by {proxy}.",
    Ailment.PROXY_LOGIN: "Put your name and password for the proxy into HTTPS_PROXY "
    "(http://NAME:PASSWORD@HOST:PORT), and leave the proxy out of the settings.",
    Ailment.PROXY_REFUSES: "Ask its owner why the proxy does not get through to {url}, or name another, by {proxy}.",
    Ailment.NO_TLS: "That port does not speak https: {address}; a server of your own serves it with --tls-cert.",
    Ailment.CERTIFICATE_EXPIRED: "Check this machine's date. If it is right, a new certificate is needed: {runner}.",
    Ailment.CERTIFICATE_EARLY: "Set this machine's clock, which is probably behind (timedatectl set-ntp true).",
    Ailment.CERTIFICATE_NAME: "Connect by the name for which the certificate was made: {address}. "
    "On a guest network, log in with a browser first.",
    Ailment.CERTIFICATE_STRANGER: "If your organisation has an authority of its own, name its file: "
    "'watchbell connect {url} --token-stdin --ca FILE'. If not, somebody stands in between: do not trust this network.",
    Ailment.CERTIFICATE_OTHER: "Name the file of the authority that {url} has now: "
    "'watchbell connect {url} --token-stdin --ca FILE'; with '--ca \"\"', the system's authorities are believed.",
    Ailment.CERTIFICATE_BAD: "It needs another certificate: {runner}.",
    Ailment.CA_UNREADABLE: "Put that file back and make it readable, or name another: "
    "'watchbell connect {url} --token-stdin --ca FILE'.",
    Ailment.CA_EMPTY: "Have the authority's certificate exported as PEM (it begins with BEGIN CERTIFICATE), and name "
    "it: 'watchbell connect {url} --token-stdin --ca FILE'.",
    Ailment.ADDRESS_UNUSABLE: "Watchbell cannot use that address: {address}.",
    Ailment.NOT_SET_UP: "Start Watchbell, which brings a server of its own, or connect to one: "
    "'watchbell connect ADDRESS --token-stdin'.",
    Ailment.NOT_RUNNING: "Start Watchbell: nobody watches now, and its server runs with it.",
    Ailment.TOKEN_MALFORMED: "A token is one word, without quotes or line ends: copy it again. To use it, {give}.",
    Ailment.TOKEN_MISSING: "To keep a token, {give}.",
    Ailment.KEYRING_ABSENT: f"Install a keyring (gnome-keyring, KWallet), or set {URL_VARIABLE} and {TOKEN_VARIABLE}.",
    Ailment.KEYRING_LOCKED: "Unlock the keyring and answer its prompt.",
    Ailment.KEYRING_FAILS: "Repair or replace the keyring; the finding about it says more.",
}
"""Every ailment's own mend; what stands in braces depends on the connection."""
