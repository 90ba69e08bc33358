"""The README says what was measured."""

import json

from bench import readme


def test_the_figures_are_those_of_the_bench():
    results = json.loads(readme.RESULTS.read_text(encoding="utf-8"))
    text = readme.README.read_text(encoding="utf-8")
    assert readme.part(text) == readme.lines(results)
