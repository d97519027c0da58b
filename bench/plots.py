"""One plot a scenario, as SVG text."""

import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of the back end)

OURS = "#c1440e"
FLOOR = "#9a9a9a"
# A peer has the same colour in every plot.
COLOURS = {
    "spdlog_async": "#1f77b4", "spdlog_sync": "#6baed6", "spdlog_backtrace": "#08306b", "spdlog": "#1f77b4",
    "quill_written": "#2ca02c", "quill_backtrace": "#006d2c", "quill": "#2ca02c",
    "xtr_unstamped": "#9467bd", "xtr_stamped": "#54278f", "xtr": "#9467bd",
    "boost_log_sync": "#bcbd22", "boost_log_async": "#7f7f00", "boost_log": "#bcbd22",
    "glog_sync": "#17becf", "glog": "#17becf", "lttng_snapshot": "#e377c2",
}


def is_ours(name):
    return name.startswith(("faultline", "held_"))


def is_floor(name):
    return name.startswith(("floor", "nop", "compiled_out"))


def colour_of(name):
    if is_ours(name):
        return OURS
    return FLOOR if is_floor(name) else COLOURS.get(name, "#444444")


def style_of(name, variants):
    """Ours and the floors share a colour each: their lines differ."""
    alike = [v for v in variants if colour_of(v) == colour_of(name)]
    return ["-", "--", ":", "-."][alike.index(name) % 4]


def svg_of(figure):
    out = io.StringIO()
    figure.savefig(out, format="svg", bbox_inches="tight")
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg"):]


def bars(scenario, rows):
    """One panel for each `what` (and, where they differ, x): a bar a variant with its spread."""
    panels = list(dict.fromkeys((r["what"], r["figure"], r["x"], r["unit"]) for r in rows))
    tallest = max(sum(1 for r in rows if (r["what"], r["figure"], r["x"], r["unit"]) == p) for p in panels)
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 0.27 * tallest + 1), squeeze=False)
    for axis, panel in zip(axes[0], panels):
        chosen = [r for r in rows if (r["what"], r["figure"], r["x"], r["unit"]) == panel]
        chosen.sort(key=lambda r: r["median"], reverse=scenario.less_is_better)
        values = [r["median"] for r in chosen]
        errors = [[max(0, r["median"] - r["least"]) for r in chosen], [max(0, r["greatest"] - r["median"]) for r in chosen]]
        axis.barh([r["variant"] for r in chosen], values, xerr=errors, error_kw={"lw": 0.8, "ecolor": "#444"},
                  color=[colour_of(r["variant"]) for r in chosen])
        if scenario.log_y and min(values) > 0:
            axis.set_xscale("log")
        suffix = f", {panel[2]:g}" if panel[2] else ""
        axis.set_title(f"{panel[0]}{suffix}", fontsize=9)
        axis.set_xlabel(panel[3], fontsize=8)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    return svg_of(figure)


def lines(scenario, rows, quantiles=False):
    """One panel for each `what`: a line a variant over x."""
    panels = list(dict.fromkeys((r["what"], r["unit"]) for r in rows))
    variants = list(dict.fromkeys(r["variant"] for r in rows))
    figure, axes = plt.subplots(1, len(panels), figsize=(5.4 * len(panels), 4), squeeze=False)
    labelled = {}
    for axis, (what, unit) in zip(axes[0], panels):
        chosen = [r for r in rows if r["what"] == what and r["unit"] == unit]
        for v in [v for v in variants if any(r["variant"] == v for r in chosen)]:
            points = sorted((r["x"], r["median"]) for r in chosen if r["variant"] == v)
            xs = range(len(points)) if quantiles else [p[0] for p in points]
            labelled[v], = axis.plot(xs, [p[1] for p in points], style_of(v, variants), marker=".",
                                     lw=2 if is_ours(v) else 1.1, color=colour_of(v))
        finish_lines(axis, scenario, chosen, quantiles)
        axis.set_title(what, fontsize=9)
        axis.set_ylabel(unit, fontsize=8)
    axes[0][-1].legend(labelled.values(), labelled.keys(), fontsize=6.5, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return svg_of(figure)


def finish_lines(axis, scenario, rows, quantiles):
    xs = sorted({r["x"] for r in rows})
    if quantiles:
        names = dict((r["x"], r["figure"]) for r in rows)
        axis.set_xticks(range(len(xs)))
        axis.set_xticklabels([names[x] for x in xs])
    elif len(xs) > 1 and xs[-1] > 20 * (xs[1] or 1):
        axis.set_xscale("symlog", linthresh=max(xs[1], 0.1) if xs[0] == 0 else xs[0])
    if quantiles:
        axis.set_yscale("symlog", linthresh=10)
    elif scenario.log_y:
        axis.set_yscale("log")
    if quantiles or not scenario.log_y:
        axis.set_ylim(bottom=0)
    axis.set_xlabel(scenario.x_title, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(True, lw=0.3)


def headline(results):
    """For the README: a held record on its own thread and on all threads, floors and peers that hold or write; "" where
    neither was measured. `results` as in results.json."""
    panels = [("held", "A hot", "on its thread"), ("cpu", "A", "on all threads, saturated")]
    chosen = [[r for r in results if (r["scenario"], r["what"]) == panel[:2] and r["variant"] != "nop"] for panel in panels]
    if not all(chosen):
        return ""
    figure, axes = plt.subplots(1, 2, figsize=(10, 0.27 * max(map(len, chosen)) + 1))
    for axis, rows, panel in zip(axes, chosen, panels):
        rows.sort(key=lambda r: r["median"], reverse=True)
        drawn = axis.barh([r["variant"] for r in rows], [r["median"] for r in rows], color=[colour_of(r["variant"]) for r in rows])
        axis.bar_label(drawn, labels=[f"{r['median']:.3g}" for r in rows], fontsize=7, padding=2)
        axis.set_xscale("log")
        axis.set_xlim(left=1, right=4 * rows[0]["median"])
        axis.set_title(f"a DEBUG record that nobody needs, {panel[2]}", fontsize=9)
        axis.set_xlabel("ns a record", fontsize=8)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    with plt.rc_context({"svg.fonttype": "none"}):
        text = svg_of(figure)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)


def plot(scenario, rows):
    if scenario.plot == "quantiles":
        return lines(scenario, rows, quantiles=True)
    if scenario.plot == "lines":
        return lines(scenario, rows)
    return bars(scenario, rows)
