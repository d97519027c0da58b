"""The report: one HTML file with its plots inside, and the summary on the terminal."""

import html

import goals
import plots
from scenarios import SCENARIOS

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 13px; margin: .6em 0 }
td, th { padding: .15em .7em; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
td:first-child, th:first-child, .left { text-align: left }
.ours td { font-weight: 600; color: #c1440e } .floor td { color: #777 }
.missed { color: #b00020; font-weight: 600 } .met { color: #2b7a0b }
svg { max-width: 100%; height: auto } details { margin: .5em 0 } code { background: #f3f3f3 }
"""


def number(value):
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"


def table(head, rows, classes=None):
    lines = ["<table><tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in head) + "</tr>"]
    for i, row in enumerate(rows):
        kind = f' class="{classes[i]}"' if classes and classes[i] else ""
        lines.append(f"<tr{kind}>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>")
    return "\n".join(lines) + "</table>"


def class_of(variant):
    return "ours" if plots.is_ours(variant) else "floor" if plots.is_floor(variant) else ""


def scenario_table(scenario, rows):
    rows = sorted(rows, key=lambda r: (r["what"], r["x"], r["figure"], r["median"] if scenario.less_is_better
                                       else -r["median"]))
    cells = []
    for r in rows:
        ratio = f"{r['to_floor']:.2f}" if r["to_floor"] is not None else ""
        x = f"{r['x']:g}" if r["x"] else ""
        cells.append((html.escape(r["variant"]), html.escape(r["what"]), html.escape(r["figure"]), x, number(r["median"]),
                      html.escape(r["unit"]), f"{number(r['least'])} – {number(r['greatest'])}", ratio, r["rounds"]))
    head = ("variant", "what", "figure", "x", "median", "unit", "least – greatest", "to the floor", "rounds")
    return table(head, cells, [class_of(r["variant"]) for r in rows])


def lost_to(scenario, rows):
    """Where another library's figure is better than the best of faultline's."""
    lines = []
    for what, x, figure, unit in dict.fromkeys((r["what"], r["x"], r["figure"], r["unit"]) for r in rows):
        if figure == "max" or what == "clock":
            continue
        same = [r for r in rows if (r["what"], r["x"], r["figure"], r["unit"]) == (what, x, figure, unit)]
        ours = [r for r in same if plots.is_ours(r["variant"])]
        others = [r for r in same if class_of(r["variant"]) == ""]
        if not ours or not others:
            continue
        better = min if scenario.less_is_better or "lost" in what or unit in ("ms", "us") else max
        mine = better(ours, key=lambda r: r["median"])
        best = better(others, key=lambda r: r["median"])
        if best["median"] != mine["median"] and better(mine["median"], best["median"]) == best["median"]:
            place = f"{what}, {figure}" + (f", {x:g}" if x and not figure.startswith("p") else "")
            lines.append((html.escape(scenario.name), html.escape(place), f"{mine['variant']} {number(mine['median'])}",
                          f"{best['variant']} {number(best['median'])}", html.escape(unit)))
    return lines


def facts_html(document):
    rows = [(html.escape(k), html.escape(str(v))) for k, v in document["facts"].items() if k != "versions"]
    rows += [(html.escape(k), html.escape(v)) for k, v in document["facts"]["versions"].items()]
    rows += [(f"{html.escape(name)}", f"left out: {html.escape(why)}") for name, why in document["absent"].items()]
    return table(("machine and versions", ""), rows)


def goals_html(results):
    rows = [(html.escape(text), html.escape(limit), number(value),
             '<span class="met">met</span>' if met else '<span class="missed">missed</span>')
            for text, limit, value, met in goals.check(results)]
    return table(("goal", "", "measured", ""), rows) if rows else "<p>None was measured in this run.</p>"


def write(path, document):
    results = document["results"]
    parts, losses = [], []
    for s in SCENARIOS:
        rows = [r for r in results if r["scenario"] == s.name]
        if not rows:
            continue
        losses += lost_to(s, rows)
        drawn = [r for r in rows if r["what"] != "clock" and r["figure"] not in ("max", "time")] \
            if s.plot != "bars" else rows
        parts.append(f'<h2 id="{s.name}">{html.escape(s.title)}</h2><p>{html.escape(s.how_to_read)}</p>'
                     f"{plots.plot(s, drawn)}<details><summary>the figures</summary>{scenario_table(s, rows)}</details>")
    lost = table(("scenario", "what", "faultline's best", "best peer", "unit"), losses) if losses else "<p>Nowhere in this run.</p>"
    kind = "quick run: short, few rounds; take no figure from it that matters" if document["quick"] else "full run"
    contents = " · ".join(f'<a href="#{s.name}">{s.name}</a>' for s in SCENARIOS
                          if any(r["scenario"] == s.name for r in results))
    path.write_text(f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>faultline: benchmarks</title><style>{STYLE}</style></head><body>
<h1>faultline: benchmarks</h1>
<p>{kind}. Each figure is the median of rounds, in which the variants take turns; the lines on the bars, and the last columns
of the tables, are the least and the greatest round. Red is faultline, grey the floors: what the machine asks for the least
that could do. Absolute figures change from machine to machine; compare within one run. Producers are on processor 0, back
ends on processor 1, output is on tmpfs.</p>
<p>{contents}</p>{facts_html(document)}
<h2>Goals</h2>{goals_html(results)}
<h2>Where faultline loses</h2>{lost}
{"".join(parts)}</body></html>
""", encoding="utf-8")


def print_summary(document):
    for text, limit, value, met in goals.check(document["results"]):
        print(f"  {'met   ' if met else 'MISSED'}  {text:48} {number(value):>10}   ({limit})")
    for name, why in document["absent"].items():
        print(f"  peer {name}: {why}")
