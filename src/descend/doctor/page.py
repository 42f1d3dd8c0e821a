"""The diagnosis as one self-contained HTML page: no script, no network, prints well, follows the reader's theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from descend.doctor.examine import CONDITIONS
from descend.doctor.finding import Diagnosis, Finding
from descend.doctor.picture import SERIES, not_finite, shaded, svg
from descend.doctor.text import VERDICTS, heading, totals, unit

__all__ = ["page"]

STYLE = """
:root{--ink:#1c1917;--soft:#57534e;--line:#e7e5e4;--paper:#fdfcfa;--card:#fff;--fault:#c2410c;--healthy:#15803d;--cannot_tell:#6d5c1f}
@media(prefers-color-scheme:dark){:root{--ink:#f5f5f4;--soft:#a8a29e;--line:#3f3b38;--paper:#1c1a19;--card:#262322;
--fault:#fb923c;--healthy:#4ade80;--cannot_tell:#facc15}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-serif,Georgia,serif}
main{max-width:52rem;margin:0 auto;padding:3rem 1.25rem 5rem}h1{font-size:1.7rem;
margin:0 0 .25rem;text-wrap:balance}
header p{color:var(--soft);margin:0 0 2.5rem}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.5rem 1.6rem;margin:0 0 2rem}
h2{font-size:1.05rem;margin:0;font-weight:600;overflow-wrap:anywhere}.verdict{
font:600 .8rem/1 ui-sans-serif,system-ui,sans-serif;
letter-spacing:.08em;display:inline-block;padding:.4rem .6rem;border-radius:5px;border:1.5px solid currentColor;
margin:0 0 .8rem}
.fault{color:var(--fault)}.healthy{color:var(--healthy)}.cannot_tell{color:var(--cannot_tell)}
svg{width:100%;height:auto;margin:1rem 0 .25rem}svg text{font:11px ui-sans-serif,system-ui,sans-serif;fill:var(--soft);
font-variant-numeric:tabular-nums}svg .grid{stroke:var(--line)}svg polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}
section{border-top:1px solid var(--line);margin-top:1.1rem;padding-top:1rem}h3{font-size:1rem;margin:0 0 .4rem}
h3 small{font-weight:400;color:var(--soft)}code{font:.85em ui-monospace,monospace;color:var(--soft)}dl{margin:0;display:grid;
grid-template-columns:7.5rem 1fr;gap:.35rem 1rem}dt{color:var(--soft)}dd{margin:0}.do{font-weight:600}
meter{width:6rem;vertical-align:middle}details{margin-top:1rem;color:var(--soft)}summary{cursor:pointer}
.key{font:12px ui-sans-serif,system-ui,sans-serif;color:var(--soft)}.key b{font-weight:600}
ul{margin:.4rem 0;padding-left:1.2rem}
@media(max-width:34rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}}@media print{article{break-inside:avoid}}
"""


def page(diagnoses: Sequence[Diagnosis]) -> str:
    """The report on all runs, faults first."""
    order = {"fault": 0, "cannot_tell": 1, "healthy": 2}
    runs = sorted(diagnoses, key=lambda d: order[d.verdict])
    body = "".join(article(d) for d in runs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1">'
        f"<title>descend diagnose: {escape(totals(runs))}</title><style>{STYLE}</style></head><body><main>"
        f"<header><h1>What the loss curves say</h1><p>{escape(totals(runs))}.</p></header>{body}</main></body></html>\n"
    )


def article(d: Diagnosis) -> str:
    """One run."""
    name = escape(heading(d))
    notes = "".join(f"<li>{escape(note)}</li>" for note in d.trace.notes)
    wanted = "".join(f"<li>{escape(text)}</li>" for text in d.to_log)
    key = '<p class="key"><b style="color:#1d4ed8">training loss</b>'
    key += ' · <b style="color:#b45309">validation loss</b>' if "val_loss" in d.trace.columns else ""
    key += " · shaded: the steps the findings speak of" if shaded(d) else ""
    bad = any(not_finite(c) for k, c in d.trace.columns.items() if k in SERIES)
    key += " · ×: not a finite number</p>" if bad else "</p>"
    return (
        f'<article><p class="verdict {d.verdict}">{VERDICTS[d.verdict]}</p><h2>{name}</h2><p>{escape(d.sentence)}</p>'
        f"{svg(d)}{key}{''.join(section(f, unit(d)) for f in d.found)}{rest(d)}"
        + (f"<details><summary>To be surer, log</summary><ul>{wanted}</ul></details>" if wanted else "")
        + (f"<details><summary>About the log</summary><ul>{notes}</ul></details>" if notes else "")
        + "</article>"
    )


def section(f: Finding, unit: str) -> str:
    """One finding: evidence, look-alikes, what to do, and what the condition is."""
    c = CONDITIONS[f.condition]
    rows = [("evidence", escape(f.evidence) + f" <code>{unit}s {f.steps[0]} to {f.steps[1]}</code>", "")]
    if f.unlike and f.kind == "fault":
        rows.append(("look-alikes", escape(f.unlike), ""))
    rows.append(("do", escape(f.prescription), ' class="do"'))
    table = "".join(f"<dt>{k}</dt><dd{cls}>{v}</dd>" for k, v, cls in rows)
    meter = f'<meter min="0" max="1" value="{f.confidence:.2f}"></meter> {f.confidence:.0%}'
    return (
        f'<section><h3 class="{f.kind}">{escape(c.name)} <small><code>{f.condition}</code> {meter}</small></h3><dl>{table}</dl>'
        f"<details><summary>What this is</summary><p>{escape(c.essay)}</p></details></section>"
    )


def rest(d: Diagnosis) -> str:
    """The conditions not found."""
    open_ones = "".join(
        f"<li><code>{f.condition}</code> {escape(f.evidence)}</li>" for f in d.findings if f.verdict == "cannot_tell"
    )
    clear = ", ".join(f.condition for f in d.findings if f.verdict == "clear")
    if not d.findings:
        return ""
    told = f"<ul>{open_ones}</ul>" if open_ones else "<p>none</p>"
    return f"<details><summary>Cannot tell, and clear</summary>{told}<p>clear: {escape(clear) or 'none'}</p></details>"
