"""The page of a link in a real browser without scripts, on a phone's screen: its words, its look, its keys."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from desktop.domain.severity import EVENTS_MAP
from desktop.server import links
from desktop.server.link_style import DARK, LIGHT, MARKS
from tests.parts import need
from tests.server.house import House, running_house

WIDTH, HEIGHT = 390, 844
_GONE = "does not belong to the document"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
_NO_SCRIPTS = {"profile.managed_default_content_settings.javascript": 2}
_RAN = "data:text/html,<title>quiet</title><script>document.title='ran'</script>"
LONG = "Replica " + "W" * 5_000


class Phone:
    """A browser with the screen of a phone, and the house whose links it opens."""

    def __init__(self, driver: webdriver.Chrome, house: House) -> None:
        self.driver = driver
        self.house = house

    def open(self, url: str, *, dark: bool = False, zoom: int = 1) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        # What zooming does to a page: fewer pixels of its own, each drawn larger.
        screen = {"width": WIDTH // zoom, "height": HEIGHT // zoom, "deviceScaleFactor": zoom, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get(url)
        if url.startswith(self.house.url):
            self.until(lambda: self.driver.current_url == url and bool(self.find("footer").text))

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds: without scripts the browser does not say when it has drawn a page."""

        def held(_driver: object) -> bool:
            try:
                return holds()
            except WebDriverException as error:
                # One page went while it was read, and the driver has no name of its own for that.
                if _GONE in str(error.msg):
                    return False
                raise

        between = [StaleElementReferenceException, NoSuchElementException]
        WebDriverWait(self.driver, 10, 0.02, between).until(held)

    def link(self, key: str, action: str = "acknowledge", **payload: Any) -> str:
        self.house.enqueue(key=key, **payload)
        incident = self.house.incident(key)["id"]
        with self.house.server.storage.write() as connection:
            return links.issue(connection, incident, "ana", action, self.house.clock(), self.house.url)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def wait_for(self, words: str) -> None:
        self.until(lambda: words in self.find("main").text)

    def content(self) -> dict[str, float]:
        found = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
        return dict(found["cssContentSize"])

    def size(self, name: str) -> int:
        """Return a size of what would cut off whatever is wider than itself."""
        return int(str(self.find("main").get_property(name)))

    def tree(self) -> set[tuple[str, str]]:
        """Return what a screen reader is told: roles and names."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(need("chromium"))
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", _NO_SCRIPTS)
    with webdriver.Chrome(options, Service(str(need("chromedriver")))) as running:
        yield running


@pytest.fixture(scope="module")
def phone(driver: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    with running_house(tmp_path_factory.mktemp("house")) as house:
        house.get("/users/me")
        yield Phone(driver, house)


def test_seen_pressed_and_seen_again(phone: Phone) -> None:
    phone.open(_RAN)
    assert phone.driver.title == "quiet"  # scripts are off
    phone.open(phone.link("pressed", summary="Payments API: 5xx above 20 %"))
    assert phone.driver.title == "SEV-0 Critical: Payments API: 5xx above 20 %"
    said = phone.find("main").text
    for words in ("SEV-0 Critical", "Escalates to Ben Okafor (secondary) at 10:15 PST", "nobody yet"):
        assert words in said
    button = phone.find("button")
    assert button.text == "Acknowledge as Ana Ruiz"
    assert button.size["height"] >= 64
    assert button.size["width"] > WIDTH * 0.75
    assert button.location["y"] + button.size["height"] < HEIGHT  # without scrolling
    button.click()
    phone.wait_for("You acknowledged this at 10:00 PST")
    assert not phone.driver.find_elements(By.CSS_SELECTOR, "button")
    assert phone.house.incident("pressed")["status"] == "acknowledged"
    assert phone.driver.get_cookies() == []
    phone.driver.refresh()
    phone.wait_for("You acknowledged this at 10:00 PST")
    phone.find("a.look").click()
    phone.wait_for("You acknowledged this at 10:00 PST")
    assert [kind for kind, _ in phone.house.history(phone.house.incident("pressed")["id"])].count("acknowledge") == 1


def test_by_the_keyboard_alone(phone: Phone) -> None:
    phone.open(phone.link("keys"))
    ActionChains(phone.driver).send_keys(Keys.TAB).perform()
    focused = phone.driver.switch_to.active_element
    assert focused.text == "Acknowledge as Ana Ruiz"
    assert focused.value_of_css_property("outline-style") == "solid"
    assert focused.value_of_css_property("outline-width") == "3px"
    ActionChains(phone.driver).send_keys(Keys.ENTER).perform()
    phone.wait_for("You acknowledged this")


def test_what_a_screen_reader_is_told(phone: Phone) -> None:
    phone.open(phone.link("heard", summary="db down"))
    wanted = {
        ("RootWebArea", "SEV-0 Critical: db down"),
        ("heading", "db down"),
        ("button", "Acknowledge as Ana Ruiz"),
        ("image", "Escalates at 10:15 PST"),
        ("link", "runbooks.example.com"),
        ("link", "Look again"),
        ("main", ""),
        ("contentinfo", ""),
    }
    phone.until(lambda: wanted <= phone.tree())
    assert phone.find("html").get_dom_attribute("lang") == "en"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("severity", "key"), list(zip(EVENTS_MAP, MARKS, strict=False)))
def test_each_severity_has_its_accent_its_shape_and_its_words(
    phone: Phone, severity: str, key: str, dark: bool
) -> None:
    phone.open(phone.link(f"{key} {dark}", severity=severity), dark=dark)
    colours = DARK if dark else LIGHT
    assert rgb(phone.find("main").value_of_css_property("background-color")) == rgb(colours["bg"])
    for selector, name in ((".chip", "color"), ("button", "background-color")):
        assert rgb(phone.find(selector).value_of_css_property(name)) == rgb(colours[key])
    assert phone.find(".chip").text.startswith(f"SEV-{key[-1]} ")
    shapes = phone.find(".chip svg").find_elements(By.CSS_SELECTOR, "path, circle")
    assert shapes[0].tag_name == ("circle" if key == "sev3" else "path")


@pytest.mark.parametrize("zoom", [1, 2])
@pytest.mark.parametrize("what", ["short", "long", "spent", "unknown"])
def test_nothing_is_wider_than_the_screen(phone: Phone, what: str, zoom: int) -> None:
    url = phone.link(f"wide {what} {zoom}", summary=LONG if what == "long" else "db down")
    if what == "spent":
        phone.house.call("POST", url.removeprefix(phone.house.url), person="")
    phone.open(url[:-1] if what == "unknown" else url, zoom=zoom)
    phone.until(lambda: phone.content()["width"] <= WIDTH // zoom)
    phone.until(lambda: phone.size("scrollWidth") <= phone.size("clientWidth") < WIDTH // zoom)
    assert len(phone.find("h1").text) <= 200


def test_no_text_is_harder_to_read_than_aa_allows() -> None:
    for colours in (LIGHT, DARK):
        texts = [(colours[ink], colours["bg"]) for ink in ("ink", "ink2", "ink3", *MARKS)]
        texts += [(colours["on"], colours[mark]) for mark in MARKS]
        texts += [(colours[ink], colours["bg2"]) for ink in ("ink", "ink2")]
        assert min(contrast(*pair) for pair in texts) >= 4.5


def rgb(text: str) -> tuple[int, ...]:
    """Read ``#c8241b`` or ``rgba(200, 36, 27, 1)``."""
    if text.startswith("#"):
        return tuple(int(text[n : n + 2], 16) for n in (1, 3, 5))
    return tuple(int(part) for part in text.partition("(")[2].rstrip(")").split(",")[:3])


def contrast(one: str, other: str) -> float:
    """Return how far apart two colours are: WCAG 2.2, contrast ratio."""
    dark, light = sorted(luminance(rgb(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: tuple[int, ...]) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
