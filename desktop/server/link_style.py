"""The look of the pages that links lead to: colours, shapes, one style sheet. Values only.

It stands in the page, and its hash in the page's policy: nothing is fetched, and nothing that is not ours is obeyed.
"""

import base64
import hashlib

# What `/ui/theme` has, as the style sheet says it: ground, line, ink in three strengths, on an accent, accents.
LIGHT = {
    "bg": "#ffffff", "bg2": "#f5f6f8", "line": "#e3e6eb", "ink": "#151a23", "ink2": "#4d5666", "ink3": "#5f6877",
    "on": "#ffffff", "sev0": "#c8241b", "sev1": "#b54708", "sev2": "#8a6100", "sev3": "#175cd3", "calm": "#067647",
    "lost": "#6938c0", "quiet": "#4d5666",
}  # fmt: skip
DARK = {
    "bg": "#191d25", "bg2": "#12151b", "line": "#323947", "ink": "#eef1f6", "ink2": "#b8c0cf", "ink3": "#949daf",
    "on": "#14171d", "sev0": "#ff7a70", "sev1": "#f79a4b", "sev2": "#e5c05c", "sev3": "#7fb0ff", "calm": "#4fd09a",
    "lost": "#b79bff", "quiet": "#b8c0cf",
}  # fmt: skip
MARKS = ("sev0", "sev1", "sev2", "sev3", "calm", "lost", "quiet")

# Each told by its silhouette before its colour.
SHAPES = {
    "sev0": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/>'
    '<path class="cut" d="M8 4v5M8 11v1.4" stroke-width="1.8" stroke-linecap="round"/>',
    "sev1": '<path d="M8 1.5 15 14H1z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>',
    "sev2": '<path d="M8 .8 15.2 8 8 15.2.8 8z" fill="currentColor"/>',
    "sev3": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="2.6"/>',
    "calm": '<circle cx="8" cy="8" r="7.2" fill="currentColor"/><path class="cut" d="m4.6 8.3 2.3 2.3 4.5-5"'
    ' fill="none" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>',
    "lost": '<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 2"/>'
    '<path d="M2.5 13.5 13.5 2.5" stroke="currentColor" stroke-width="2"/>',
    "quiet": '<path d="M6.2 4.5H4.8a3.5 3.5 0 0 0 0 7h1.4M9.8 4.5h1.4a3.5 3.5 0 0 1 0 7H9.8"'
    ' fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/>',
}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


STYLE = f"""
:root{{color-scheme:light dark;{_variables(LIGHT)}}}
@media(prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
*{{box-sizing:border-box;margin:0}}
html{{background:var(--bg2);-webkit-text-size-adjust:100%;text-size-adjust:100%}}
body{{font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);
 max-width:34rem;margin:0 auto;padding:max(1rem,env(safe-area-inset-top)) 1rem 2rem}}
{"".join(f".m-{mark}{{--c:var(--{mark})}}" for mark in MARKS)}
main{{position:relative;overflow:hidden;background:var(--bg);border:1px solid var(--line);border-radius:14px;
 padding:1.25rem 1.25rem 1.25rem 1.5rem}}
main:before{{content:"";position:absolute;inset:0 auto 0 0;width:6px;background:var(--s)}}
.s-lost main:before{{background:repeating-linear-gradient(var(--s) 0 8px,transparent 8px 14px)}}
svg.i{{width:1.15em;height:1.15em;flex:none}}
.cut{{stroke:var(--bg)}}
.chip{{display:flex;align-items:center;gap:.5rem;font-weight:700;font-size:.9375rem;color:var(--c)}}
h1{{font-size:1.375rem;line-height:1.3;font-weight:650;margin-top:.5rem;overflow-wrap:anywhere;text-wrap:pretty}}
h1.long{{font-size:1.125rem;font-weight:600}}
.next{{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1rem;margin-top:1rem}}
.next .verdict{{flex:1 1 9rem;min-width:0;margin:0}}
.ring{{width:6.5rem;height:6.5rem;flex:none}}
.ring text{{fill:var(--ink);text-anchor:middle;font-weight:700;font-size:25px;font-variant-numeric:tabular-nums}}
.ring text.s{{fill:var(--ink3);font-weight:400;font-size:11.5px}}
.ring .a{{stroke:var(--line)}}.ring .b{{stroke:var(--c)}}
.verdict{{display:flex;gap:.625rem;margin-top:1rem;font-size:1.0625rem;color:var(--ink2);overflow-wrap:anywhere}}
.verdict b{{color:var(--ink);font-weight:600}}
.verdict svg.i{{width:1.5rem;height:1.5rem;margin-top:.1rem;color:var(--s)}}
{"".join(f".s-{mark}{{--s:var(--{mark})}}" for mark in MARKS)}
.done .verdict{{font-size:1.25rem;line-height:1.35;color:var(--ink)}}
.more{{margin-top:.5rem;color:var(--ink2)}}
form{{margin-top:1.25rem}}
button{{display:block;width:100%;min-height:4rem;padding:.75rem 1rem;border:0;border-radius:12px;cursor:pointer;
 font:inherit;font-size:1.1875rem;line-height:1.3;font-weight:700;background:var(--c);color:var(--on);
 overflow-wrap:anywhere;touch-action:manipulation}}
button:active{{filter:brightness(.92)}}
a{{color:var(--ink);text-underline-offset:.2em;overflow-wrap:anywhere}}
.look{{display:inline-block;padding:.625rem 0;font-weight:600}}
:focus-visible{{outline:3px solid var(--ink);outline-offset:3px;border-radius:12px}}
.effect{{margin-top:.75rem;font-size:.9375rem;color:var(--ink2)}}
.effect b{{font-weight:600;color:var(--ink)}}
dl{{margin-top:1.25rem;padding-top:.75rem;border-top:1px solid var(--line);font-size:.9375rem}}
dl div{{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.25rem 0}}
dt{{flex:0 0 5rem;color:var(--ink3)}}
dd{{flex:1 1 9rem;min-width:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}}
footer{{padding:1rem .25rem 0 1.5rem;font-size:.8125rem;color:var(--ink2)}}
footer p+p{{margin-top:.25rem}}
@media(max-width:17rem){{body{{padding:.5rem .5rem 1.5rem}}main{{padding:1rem .75rem 1rem 1.125rem}}
 h1,.done .verdict{{font-size:1.0625rem}}button{{font-size:1rem;padding:.75rem .25rem}}footer{{padding-left:1.125rem}}}}
@media(forced-colors:active){{button{{border:2px solid}}}}
"""

POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
