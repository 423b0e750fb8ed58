"""Which pages get a notification of their own, and which are told together. Pure.

A storm of alerts must not cover the screen, least of all the pop-up with its buttons: a few pages are told one by one,
the others by how many they are. A page that was told that way is not told anew when room appears, only when it is
paged again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.domain.attention import Page

PageKey = tuple[str, str]

MOST = 3
"""How many pages have a notification of their own at a time."""


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told: how often each page had been paged then, and which have a notification of their own."""

    pages: Mapping[PageKey, int] = field(default_factory=dict)
    own: frozenset[PageKey] = frozenset()
    more: tuple[Page, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """What to do: ``withdraw`` these, ``notify`` those, and tell that there are ``more`` (news if any is)."""

    told: Told
    withdraw: tuple[PageKey, ...]
    notify: tuple[Page, ...]
    more: tuple[Page, ...]
    news: bool

    @property
    def any_news(self) -> bool:
        """Whether anything is told that was not before."""
        return self.news or bool(self.notify)


def tell(told: Told, pages: tuple[Page, ...], most: int = MOST) -> Telling:
    """Decide what to tell of ``pages`` (the most urgent first) after ``told``; at most ``most`` one by one.

    What is old is no news, and stays told where it was.
    """
    current = {key: p for p in pages if (key := key_of(p)) in told.pages or not p.old}
    paged = {key: told.pages[key] if p.old else p.incident.pages for key, p in current.items()}
    own = [key for key in current if key in told.own]
    news = [key for key, times in paged.items() if told.pages.get(key) != times]
    newcomers = [key for key in news if key not in told.own]
    own += newcomers[: max(most - len(own), 0)]
    shown = frozenset(own)
    more = tuple(p for key, p in current.items() if key not in shown)
    return Telling(
        told=Told(paged, shown, more),
        withdraw=tuple(sorted(told.own - shown)),
        notify=tuple(current[key] for key in news if key in shown),
        more=more,
        news=any(key not in shown for key in news),
    )


def key_of(page: Page) -> PageKey:
    """Return what tells ``page`` from every other."""
    return page.connection, page.incident.id
