import threading
import time

from desktop.backends.deadlines import THREAD, Deadlines

LONG = 60.0
ENOUGH = 10.0


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def test_what_is_late_is_ended_and_not_before() -> None:
    ended, began = threading.Event(), time.monotonic()
    Deadlines().after(0.05, ended.set)
    assert ended.wait(ENOUGH)
    assert time.monotonic() - began >= 0.05


def test_a_shorter_one_does_not_wait_for_a_longer_one() -> None:
    deadlines, ended = Deadlines(), threading.Event()
    longer = deadlines.after(LONG, lambda: None)
    deadlines.after(0.01, ended.set)
    assert ended.wait(ENOUGH)
    longer.cancel()


def test_what_was_done_in_time_is_not_ended() -> None:
    deadlines, ended, later = Deadlines(), threading.Event(), threading.Event()
    deadlines.after(0.01, ended.set).cancel()
    deadlines.after(0.05, later.set)
    assert later.wait(ENOUGH)
    assert not ended.is_set()


def test_one_that_fails_keeps_no_later_one_from_its_time() -> None:
    deadlines, ended = Deadlines(), threading.Event()

    def fail() -> None:
        raise RuntimeError("of the test")

    deadlines.after(0.01, fail)
    deadlines.after(0.03, ended.set)
    assert ended.wait(ENOUGH)


def test_many_share_one_thread_which_ends_when_nothing_is_under_way() -> None:
    deadlines, before = Deadlines(), set(threads())
    found = [deadlines.after(0.1, lambda: None) for _ in range(20)]
    (own,) = set(threads()) - before
    for deadline in found:
        deadline.cancel()
    own.join(ENOUGH)
    assert not own.is_alive()
    ended = threading.Event()
    deadlines.after(0.01, ended.set)
    assert ended.wait(ENOUGH)
