"""The one style of a report: light and dark, on paper, and on a screen of 390 pixels."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

_LIGHT: Final = """\
--page:#f6f7f9;--card:#ffffff;--edge:#d5dae1;--text:#1b2027;--soft:#515b67;--link:#1d4fa3;--code:#eef1f5;\
--bad:#b3261e;--bad-back:#fdeceb;--unsure:#855100;--unsure-back:#fdf3df;--good:#1a6b4a;--good-back:#e6f5ee;\
--plain-back:#eef1f5;--both:#3a5a94;--neither:#8692a2;--after:#0b6e62;--before:#b3261e;--grid:#e4e8ed"""
_DARK: Final = """\
--page:#0e1116;--card:#171b22;--edge:#333b46;--text:#e7ebf0;--soft:#a6b0bd;--link:#8ab4f8;--code:#232932;\
--bad:#ff9d94;--bad-back:#3d1f1d;--unsure:#f2c063;--unsure-back:#3a2d12;--good:#7fd6ae;--good-back:#16352a;\
--plain-back:#232932;--both:#84aaf0;--neither:#6f7b8b;--after:#5fd3c0;--before:#ff9d94;--grid:#2a313b"""

STYLE: Final = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,sans-serif;\
overflow-wrap:anywhere}}
main,footer{{max-width:64rem;margin:0 auto;padding:0 1.25rem}}
header{{padding-top:2.5rem}}
footer{{padding-bottom:3rem;color:var(--soft);font-size:.875rem}}
h1{{font-size:1.75rem;line-height:1.25;margin:0;letter-spacing:-.01em}}
h2{{font-size:1.25rem;margin:2.5rem 0 .75rem}}
h3,h4{{font-size:1rem;margin:0 0 .5rem}}
p,ul,dl,figure,pre,table{{margin:.5rem 0}}
.lead{{font-size:1.125rem;color:var(--soft);margin:.35rem 0 1.25rem}}
code,pre{{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}}
code{{background:var(--code);border-radius:4px;padding:.1em .3em;unicode-bidi:isolate}}
pre{{background:var(--code);border-radius:6px;padding:.75rem;white-space:pre-wrap;unicode-bidi:plaintext}}
a{{color:var(--link)}} a code{{color:inherit}}
:focus-visible{{outline:2px solid var(--link);outline-offset:2px}}
.card{{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:1rem 1.25rem;\
margin:0 0 1rem}}
.card h3{{font-size:1.0625rem}}
.card section{{border-top:1px solid var(--edge);margin-top:1rem;padding-top:1rem}}
.mark{{display:inline-block;border-radius:99px;padding:0 .6em;font-size:.8125rem;font-weight:600;\
white-space:nowrap;color:var(--soft);background:var(--plain-back)}}
.bad{{color:var(--bad);background:var(--bad-back)}}
.unsure{{color:var(--unsure);background:var(--unsure-back)}}
.good{{color:var(--good);background:var(--good-back)}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;font-size:.9375rem;font-variant-numeric:tabular-nums}}
caption{{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.25rem}}
th,td{{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-top:1px solid var(--edge);\
min-width:4.5rem;overflow-wrap:break-word}}
th code,td code{{overflow-wrap:anywhere;-webkit-box-decoration-break:clone;box-decoration-break:clone}}
tbody th{{min-width:9rem}}
thead td{{border-top:0}}
thead th{{border-top:0;color:var(--soft);font-weight:600;font-size:.8125rem}}
tbody th{{font-weight:400}}
.card>:last-child,.card section>:last-child{{margin-bottom:0}}
dl{{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}}
dt{{color:var(--soft)}} dd{{margin:0}}
summary{{cursor:pointer;color:var(--soft)}}
figure{{margin:1rem 0 0}}
.plots{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:.5rem 2rem}}
.plots figure{{display:grid;grid-template-rows:subgrid;grid-row:span 3;gap:0;align-content:start}}
figcaption{{font-weight:600}}
figcaption small{{display:block;font-weight:400;font-size:.875rem;color:var(--soft)}}
.legend{{display:flex;flex-wrap:wrap;align-content:start;gap:.1rem 1rem;\
list-style:none;padding:0;font-size:.8125rem;\
color:var(--soft)}}
.legend svg{{width:14px;height:14px;vertical-align:-2px;margin-right:.35rem}}
.plot{{display:block;width:100%;height:auto;max-width:36rem}}
.plot text{{font:12px system-ui,sans-serif;fill:var(--soft)}}
.plot .said{{fill:var(--text);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:4px}}
.grid{{stroke:var(--grid)}} .axis{{stroke:var(--neither)}}
.line{{fill:none;stroke:var(--text);stroke-width:1.75}}
.band{{fill:var(--both);fill-opacity:.2;stroke:var(--both);stroke-opacity:.45;stroke-width:.75}}
.today,.proposed{{stroke:var(--text);stroke-width:1.5}} .today{{stroke-dasharray:5 4}}
.dot{{fill:var(--card);stroke:var(--text);stroke-width:2}} .dot.full{{fill:var(--text)}}
.both{{fill:var(--both)}} .neither{{fill:var(--neither)}}
.hatch-after{{stroke:var(--after);stroke-width:3}} .hatch-before{{stroke:var(--before);stroke-width:3}}
.ground{{fill:var(--card)}}
.edge-after{{stroke:var(--after)}} .edge-before{{stroke:var(--before)}}
@media (max-width:30rem){{main,footer{{padding-left:.9rem;padding-right:.9rem}}\
.card{{padding:.85rem .9rem}} dl{{grid-template-columns:1fr;gap:0}} dd{{margin-bottom:.4rem}}}}
@media print{{:root{{color-scheme:light;{_LIGHT}}} body{{background:#fff;font-size:11pt}}\
.card,figure,tr{{break-inside:avoid}} h2,h3{{break-after:avoid}}\
details::details-content{{content-visibility:visible;block-size:auto}} summary{{list-style:none}}}}
"""

POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'"
)
"""Of the page: nothing is loaded and nothing runs, and no style but this one counts."""
