import threading
from typing import TYPE_CHECKING

from pytestqt.qtbot import QtBot

from desktop.qt.bridge import Bridge
from tools import look_samples as sample

if TYPE_CHECKING:
    from desktop.domain.attention import ConnectionState


def in_thread(*calls: object) -> None:
    """Run ``calls`` in a thread and wait for its end."""

    def run() -> None:
        for call in calls:
            call()  # type: ignore[operator]

    thread = threading.Thread(target=run, name="watchbell-poster")
    thread.start()
    thread.join()


def test_what_a_worker_posts_arrives_in_the_gui_thread(qtbot: QtBot) -> None:
    bridge, seen = Bridge(), []
    bridge.states.connect(lambda s: seen.append((threading.current_thread(), s)))
    states = (sample.state(),)
    with qtbot.waitSignal(bridge.states, timeout=1000):
        in_thread(lambda: bridge.post_states(states))
        assert not seen
    assert seen == [(threading.main_thread(), states)]


def test_a_flood_of_states_arrives_as_the_newest(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[tuple[ConnectionState, ...]] = []
    bridge.states.connect(seen.append)
    floods = [(sample.state(name=f"n{i}"),) for i in range(500)]
    in_thread(*(lambda f=f: bridge.post_states(f) for f in floods))
    qtbot.waitUntil(lambda: bool(seen), timeout=1000)
    qtbot.wait(20)
    assert seen == [floods[-1]]


def test_notices_and_calls_arrive_in_order(qtbot: QtBot) -> None:
    bridge, seen = Bridge(), []
    bridge.notice.connect(lambda k, t: seen.append((k, t)))
    in_thread(
        lambda: bridge.post_notice("keyring", "none"),
        lambda: bridge.call(lambda: seen.append(("called", threading.current_thread().name))),
        lambda: bridge.post_notice("keyring", None),
    )
    expected = [("keyring", "none"), ("called", "MainThread"), ("keyring", None)]
    qtbot.waitUntil(lambda: len(seen) == 3, timeout=1000)
    assert seen == expected


def test_once_closed_nothing_arrives_any_more(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[object] = []
    bridge.states.connect(seen.append)
    bridge.post_states((sample.state(),))
    bridge.call(lambda: seen.append("called"))
    bridge.close()
    in_thread(lambda: bridge.post_states((sample.state(),)), lambda: bridge.post_notice("a", "b"))
    qtbot.wait(20)
    assert not seen
