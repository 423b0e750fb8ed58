"""What exactly keeps a connection from working, told apart for whoever says what to do about it. Pure."""

from enum import StrEnum


class Ailment(StrEnum):
    """One kind of failure with one mend; the tree of errors says what a program does about it, this what a person."""

    # What was answered.
    TOKEN_REFUSED = "the token is not accepted"  # noqa: S105 - no token
    FORBIDDEN = "the token may not do this"
    NO_SUCH_THING = "nothing is there"
    REFUSED = "the request is not understood"
    TOO_MANY_REQUESTS = "too many requests"
    REDIRECT = "sent elsewhere"
    SERVER_FAILS = "the server fails"
    WEB_PAGE = "a web page is answered"
    BROKEN_ANSWER = "the answer is broken"
    STRANGER_ANSWERS = "something else answers"
    TOO_LARGE = "the answer is too large"
    STREAM_BROKEN = "the stream makes no sense"
    # What was not answered.
    STREAM_SILENT = "the stream says nothing"
    TOO_SLOW = "the answer drips"
    SILENT = "connected, and no answer"
    SWALLOWED = "no connection in time"
    REFUSING = "nothing listens"
    UNKNOWN_NAME = "the name is not known"
    OFFLINE = "no way there"
    CUT_OFF = "the connection broke"
    # The way there.
    PROXY_UNUSABLE = "the proxy is none"
    PROXY_GONE = "the proxy is not there"
    PROXY_LOGIN = "the proxy wants a login"
    PROXY_REFUSES = "the proxy refuses"
    # Who is believed.
    NO_TLS = "no TLS is spoken"
    CERTIFICATE_EXPIRED = "the certificate has expired"
    CERTIFICATE_EARLY = "the certificate is not valid yet"
    CERTIFICATE_NAME = "the certificate is for another name"
    CERTIFICATE_STRANGER = "the certificate is of an unknown authority"
    CERTIFICATE_OTHER = "the certificate is of another authority than the file's"
    CERTIFICATE_BAD = "the certificate cannot be trusted"
    CA_UNREADABLE = "the authority's file cannot be read"
    CA_EMPTY = "the authority's file holds none"
    # What was set up.
    ADDRESS_UNUSABLE = "the address is none"
    NOT_SET_UP = "there is no connection"
    NOT_RUNNING = "the built-in server does not run"
    TOKEN_MALFORMED = "the token is none"  # noqa: S105 - no token
    TOKEN_MISSING = "the keyring holds no token"  # noqa: S105 - no token
    KEYRING_ABSENT = "there is no keyring"
    KEYRING_LOCKED = "the keyring is locked"
    KEYRING_FAILS = "the keyring cannot be used"
