import sys
import types

import pytest

from desktop.system import notify_plyer


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What plyer was asked to show, at plyer's own edge."""
    calls: list[dict[str, object]] = []
    module = types.ModuleType("plyer")
    module.notification = types.SimpleNamespace(notify=lambda **k: calls.append(k))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "plyer", module)
    return calls


def test_on_linux_nothing_is_an_option_or_markup_and_nothing_is_promised(
    sent: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert not notify_plyer.send("SEV-0 Critical", "-u <b>x</b> & y")
    assert sent[0]["title"] == "SEV-0 Critical"
    assert sent[0]["message"] == "Page: -u &lt;b&gt;x&lt;/b&gt; &amp; y"


def test_elsewhere_the_text_is_shown_as_it_is(sent: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert notify_plyer.send("SEV-0 Critical", "<b>" + "x" * 1000)
    assert sent[0]["message"] == "Page: <b>" + "x" * 397


def test_without_plyer_it_is_not_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plyer", None)
    monkeypatch.setattr(sys, "platform", "win32")
    assert not notify_plyer.send("SEV-0 Critical", "text")
