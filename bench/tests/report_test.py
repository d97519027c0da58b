"""The report from a small document: every scenario of it has a plot and a table, goals are judged, losses are named."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import goals  # noqa: E402
import html_report  # noqa: E402
import plots  # noqa: E402
import run  # noqa: E402


def figure(scenario, variant, what, value, number=0, x=0, name="median", unit="ns/record"):
    return {"scenario": scenario, "variant": variant, "what": what, "x": x, "figure": name, "unit": unit, "value": value,
            "round": number}


RUNS = [
    figure("held", "floor_store", "A hot", 1.0, 0), figure("held", "floor_store", "A hot", 2.0, 1),
    figure("held", "floor_store", "A hot", 1.0, 2),
    figure("held", "faultline_scope", "A hot", 3.0, 0), figure("held", "faultline_scope", "A hot", 6.0, 1),
    figure("held", "faultline_scope", "A hot", 3.5, 2),
    figure("held", "spdlog_backtrace", "A hot", 2.5, 0),
    *(figure("trip", v, "ERROR call", t, x=x, name=n, unit="ns")
      for v, t in (("faultline_scope", 40), ("spdlog_sync", 3000)) for x, n in ((50, "p50"), (99.9, "p99.9"))),
    *(figure("threads", "faultline_scope", "A", 3.0 + n, x=n, name="thread's own") for n in (1, 2, 4)),
]


def document():
    return {"facts": {"processor": "a <processor>", "versions": {"fmt": "9"}}, "quick": True,
            "absent": {"quill": "not installed"}, "variants": {}, "results": run.summarise(RUNS), "runs": RUNS}


class Report(unittest.TestCase):
    def test_the_headline_names_each_variant_and_is_left_out_where_half_of_it_was_not_measured(self):
        self.assertEqual(plots.headline(document()["results"]), "")
        both = run.summarise([*RUNS, figure("cpu", "faultline_scope", "A", 2.0), figure("cpu", "spdlog_sync", "A", 300.0)])
        drawn = plots.headline(both)
        self.assertTrue(drawn.startswith("<svg"))
        for text in ("faultline_scope", "spdlog_backtrace", "spdlog_sync", ">3.5<", ">300<"):
            self.assertIn(text, drawn)

    def test_a_figure_is_the_median_of_rounds_and_its_ratio_is_of_the_same_round(self):
        row = goals.find(run.summarise(RUNS), "held", "faultline_scope", "A hot")
        self.assertEqual((row["median"], row["least"], row["greatest"], row["rounds"]), (3.5, 3.0, 6.0, 3))
        self.assertEqual(row["to_floor"], 3.0)  # of 3, 3 and 3.5

    def test_goals_are_met_or_missed(self):
        judged = {text: met for text, _, _, met in goals.check(run.summarise(RUNS))}
        self.assertEqual(judged, {"held, scope clock, A hot": False, "ERROR call p50": True, "ERROR call p99.9": True})

    def test_the_report_is_one_file_that_names_everything(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            html_report.write(path, document())
            text = path.read_text(encoding="utf-8")
        self.assertEqual(text.count("<svg"), 3)
        for part in ("a &lt;processor&gt;", "left out: not installed", "spdlog_backtrace 2.5", 'class="missed"'):
            self.assertIn(part, text)
        self.assertNotIn("<script", text)
        self.assertNotIn("src=", text)


if __name__ == "__main__":
    unittest.main()
