"""One plot a scenario, as SVG text."""

import io

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of the back end)

OURS = "#c1440e"
FLOOR = "#9a9a9a"
PEERS = ["#30638e", "#5b8e7d", "#8f6593", "#b08d2e", "#4a7c92", "#6f6f9c", "#7a8450", "#3f7f6f"]


def is_ours(name):
    return name.startswith(("faultline", "held_"))


def is_floor(name):
    return name.startswith(("floor", "nop", "compiled_out"))


def colour_of(name, others):
    if is_ours(name):
        return OURS
    if is_floor(name):
        return FLOOR
    return PEERS[others.index(name) % len(PEERS)]


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
        others = sorted({r["variant"] for r in chosen if not is_ours(r["variant"]) and not is_floor(r["variant"])})
        values = [r["median"] for r in chosen]
        errors = [[max(0, r["median"] - r["least"]) for r in chosen], [max(0, r["greatest"] - r["median"]) for r in chosen]]
        axis.barh([r["variant"] for r in chosen], values, xerr=errors, error_kw={"lw": 0.8, "ecolor": "#444"},
                  color=[colour_of(r["variant"], others) for r in chosen])
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
    figure, axes = plt.subplots(1, len(panels), figsize=(5.4 * len(panels), 4), squeeze=False)
    for axis, (what, unit) in zip(axes[0], panels):
        chosen = [r for r in rows if r["what"] == what and r["unit"] == unit]
        variants = list(dict.fromkeys(r["variant"] for r in chosen))
        others = sorted(v for v in variants if not is_ours(v) and not is_floor(v))
        styles = ["-", "--", ":", "-."]
        ours = [v for v in variants if is_ours(v)]
        floors = [v for v in variants if is_floor(v)]
        for v in variants:
            points = sorted((r["x"], r["median"]) for r in chosen if r["variant"] == v)
            place = (ours if v in ours else floors if v in floors else others).index(v)
            style = styles[place % 4] if v in ours or v in floors else styles[place // len(PEERS) % 4]
            xs = range(len(points)) if quantiles else [p[0] for p in points]
            axis.plot(xs, [p[1] for p in points], style, marker=".", lw=2 if v in ours else 1.1,
                      color=colour_of(v, others), label=v)
        finish_lines(axis, scenario, chosen, quantiles)
        axis.set_title(what, fontsize=9)
        axis.set_ylabel(unit, fontsize=8)
    axes[0][-1].legend(fontsize=6.5, loc="center left", bbox_to_anchor=(1.01, 0.5))
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
    if scenario.log_y:
        axis.set_yscale("symlog", linthresh=10) if quantiles else axis.set_yscale("log")
    axis.set_xlabel(scenario.x_title, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(True, lw=0.3)


def plot(scenario, rows):
    if scenario.plot == "quantiles":
        return lines(scenario, rows, quantiles=True)
    if scenario.plot == "lines":
        return lines(scenario, rows)
    return bars(scenario, rows)
