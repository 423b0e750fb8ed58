"""What the page of a link says when it cannot show its incident: in words, with what to do instead. Pure."""

from desktop.server.link_view import LOST, QUIET, View
from desktop.server.link_words import Reader
from desktop.server.links import Action, Link

_INSTEAD = "Open Watchbell, or take the link in the latest message."


def unknown() -> View:
    """Say that there is no such link; what is malformed looks the same, so that nothing can be learned here."""
    return _note(
        "Not a link of ours",
        "This link is not known",
        "Some mail programs break long links: see whether all of it arrived.",
        f"It changed nothing. {_INSTEAD}",
    )


def too_many(seconds: int) -> View:
    """Say that too many unknown links were asked for from this address."""
    return _note("Too many links", "This link is not known", f"Too many that are not were tried: wait {seconds} s.")


def expired(link: Link, reader: Reader) -> View:
    """Say that a link has ended. Of its incident it says nothing any more."""
    until = reader.at(link.expires_at)
    return _note(
        "Link expired",
        "This link no longer works",
        f"It held until {until}. Whether the incident is still open is not shown here.",
        f"It changed nothing now. {_INSTEAD}",
    )


def elsewhere() -> View:
    """Say that what was sent came from a page of somebody else."""
    return _note(
        "Refused", "This came from another web page", "Nothing was changed. Open the link of the message itself."
    )


def unsure(link: Link | None) -> View:
    """Say that the database did not answer: what became of a request is not known."""
    if link is None:
        return _note(
            "Not known",
            "The state of this incident is not known",
            "Watchbell cannot read it. Look again soon.",
            mark=LOST,
        )
    done = "acknowledged" if link.action is Action.ACKNOWLEDGE else "escalated"
    return _note(
        "Not confirmed",
        f"It is not known whether you {done} this",
        "Watchbell could not confirm that it was stored. Look again: the page then shows the state, or the button.",
        mark=LOST,
    )


def _note(chip: str, title: str, verdict: str, *more: str, mark: str = QUIET) -> View:
    return View(mark=mark, chip=chip, title=title, state=mark, verdict=((verdict, False),), more=more)
