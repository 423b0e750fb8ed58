"""The pages that links lead to, as HTML without scripts. Pure.

What comes from outside goes in by ``Markup.format`` and the like, which escape it: there is no other way in.
"""

from markupsafe import Markup

from desktop.server.link_style import SHAPES, STYLE
from desktop.server.link_view import Ring, View
from desktop.server.link_words import Runs

_LONG_TITLE = 90

_PAGE = Markup(
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="robots" content="noindex, nofollow">\n<meta name="format-detection" content="telephone=no">\n'
    "<title>{heading}</title>\n<style>{style}</style>\n</head>\n"
    '<body class="m-{mark} s-{state}">\n<main class="{done}">\n{head}\n{verdict}\n{more}{form}{rows}</main>\n'
    '<footer>\n{foot}<p><a class="look" href="">Look again</a></p>\n</footer>\n</body>\n</html>\n'
)
_HEAD = Markup('<header><p class="chip">{shape}<span>{chip}</span></p><h1 dir="auto"{long}>{title}</h1></header>')
_RING = Markup(
    '<svg class="ring" viewBox="0 0 112 112" role="img" aria-label="Escalates at {at}">'
    '<g fill="none" stroke-width="7" transform="rotate(-90 56 56)"><circle class="a" cx="56" cy="56" r="50"/>'
    '<circle class="b" cx="56" cy="56" r="50" pathLength="1000" stroke-dasharray="{left} 1000">'
    '<animate attributeName="stroke-dasharray" from="{left} 1000" to="0 1000" dur="{seconds}s" fill="freeze"/>'
    '</circle></g><text x="56" y="58">{clock}</text><text class="s" x="56" y="75">escalates</text></svg>'
)
_SHAPE = Markup('<svg class="i" viewBox="0 0 16 16" aria-hidden="true">{}</svg>')
_VERDICT = Markup('<div class="next">{ring}<p class="verdict">{shape}<span>{words}</span></p></div>')
_FORM = Markup(
    '<form method="post"><button type="submit" aria-describedby="effect">{label}</button>'
    '<p class="effect" id="effect">{effect}</p></form>\n'
)
_RUNBOOK = Markup('<div><dt>Runbook</dt><dd><a href="{}" rel="noreferrer noopener">{}</a></dd></div>')


def page(view: View) -> str:
    """Return the page that shows ``view``."""
    return _PAGE.format(
        heading=f"{view.chip}: {view.title}",
        style=Markup(STYLE),  # noqa: S704 - our own
        mark=view.mark,
        state=view.state,
        done="wait" if view.button else "done",
        head=_head(view),
        verdict=_verdict(view),
        more=Markup("").join(Markup('<p class="more">{}</p>\n').format(line) for line in view.more),
        form=_form(view),
        rows=_rows(view),
        foot=Markup("").join(Markup("<p>{}</p>\n").format(line) for line in view.foot),
    )


def _head(view: View) -> Markup:
    return _HEAD.format(
        shape=_shape(view.mark),
        chip=view.chip,
        long=Markup(' class="long"') if len(view.title) > _LONG_TITLE else "",
        title=view.title,
    )


def _verdict(view: View) -> Markup:
    """Return what becomes of the incident, with its own shape where that is another than the page's."""
    shape = Markup("") if view.state == view.mark else _shape(view.state)
    ring = Markup("") if view.ring is None else _ring(view.ring)
    return _VERDICT.format(ring=ring, shape=shape, words=_runs(view.verdict))


def _ring(ring: Ring) -> Markup:
    return _RING.format(left=round(ring.left * 1000), seconds=ring.seconds, clock=ring.clock, at=ring.at)


def _shape(mark: str) -> Markup:
    return _SHAPE.format(Markup(SHAPES[mark]))  # noqa: S704 - our own


def _form(view: View) -> Markup:
    if view.button is None:
        return Markup("")
    return _FORM.format(label=view.button.label, effect=_runs(view.button.effect))


def _rows(view: View) -> Markup:
    row = Markup("<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>")
    rows = [row.format(name, value) for name, value in view.rows]
    if view.runbook:
        rows.append(_RUNBOOK.format(*view.runbook))
    return Markup("<dl>{}</dl>\n").format(Markup("").join(rows)) if rows else Markup("")


def _runs(runs: Runs) -> Markup:
    bold = Markup("<b><bdi>{}</bdi></b>")
    return Markup("").join(bold.format(text) if strong else text for text, strong in runs)
