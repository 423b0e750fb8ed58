import pytest

from desktop.backends.route import check_proxy, is_loopback, proxy_for, shown
from desktop.domain.errors import InputError

URL = "https://pager.example.com"
PROXY = "http://proxy.example.com:3128"
OTHER = "http://other.example.com:8080"


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": OTHER}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"all_proxy": OTHER, "HTTPS_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.example.com:3128"}, PROXY),
        ({"HTTPS_PROXY": " "}, None),
        ({"HTTPS_PROXY": "http://ana:s3cret@proxy.example.com:3128/"}, "http://ana:s3cret@proxy.example.com:3128"),
    ],
)
def test_the_proxy_of_the_environment(environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(URL, "", environment) == proxy


@pytest.mark.parametrize(
    ("exceptions", "direct"),
    [
        ("*", True),
        ("pager.example.com", True),
        ("PAGER.EXAMPLE.COM", True),
        ("localhost, .example.com", True),
        ("*.example.com", True),
        ("example.com", True),
        ("pager.example.com:443", True),
        ("pager.example.com:8443", False),
        ("ger.example.com", False),
        ("example.org", False),
        (" , ", False),
        (".", False),
    ],
)
def test_what_no_proxy_excepts(exceptions: str, direct: bool) -> None:
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": exceptions}
    assert (proxy_for(URL, "", environment) is None) is direct
    # It speaks of the environment's proxies: one that the settings name is meant.
    assert proxy_for(URL, OTHER, environment) == OTHER


@pytest.mark.parametrize(
    ("exceptions", "direct"),
    [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.1.2.3:8443", False), ("11.0.0.0/8", False)],
)
def test_no_proxy_names_networks(exceptions: str, direct: bool) -> None:
    assert (proxy_for("https://10.1.2.3", "", {"HTTPS_PROXY": PROXY, "no_proxy": exceptions}) is None) is direct


@pytest.mark.parametrize("url", ["http://127.0.0.1:8377", "http://localhost:1", "https://[::1]", "https://127.9.9.9"])
@pytest.mark.parametrize("wish", ["", PROXY])
def test_this_machine_is_never_reached_through_one(url: str, wish: str) -> None:
    assert proxy_for(url, wish, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}) is None


def test_none_in_the_settings_is_none_whatever_the_environment_says() -> None:
    assert proxy_for(URL, "none", {"HTTPS_PROXY": PROXY}) is None


@pytest.mark.parametrize("proxy", ["http://ana:s3cret@proxy.example.com", "https://ana@proxy.example.com:1"])
def test_a_password_is_refused_and_not_repeated(proxy: str) -> None:
    with pytest.raises(InputError, match="HTTPS_PROXY") as caught:
        check_proxy(proxy)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    "proxy",
    ["proxy", "ftp://proxy:21", "http://", "http://proxy:port", "http://proxy/path", "http://proxy?x", "http://[x"],
)
def test_what_is_no_proxy_is_refused(proxy: str) -> None:
    with pytest.raises(InputError, match="is no address like"):
        check_proxy(proxy)


def test_a_socks_proxy_is_refused_by_name_without_its_password() -> None:
    with pytest.raises(InputError, match=r"environment proxy\.example\.com:1080 speaks SOCKS") as caught:
        proxy_for(URL, "", {"ALL_PROXY": "socks5h://ana:s3cret@proxy.example.com:1080"})
    assert "s3cret" not in caught.value.message


def test_a_proxy_is_shown_without_its_password() -> None:
    assert shown("http://ana:s3@cret@proxy.example.com:3128") == "proxy.example.com:3128"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("a", False)])
def test_what_this_machine_is(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
