"""A comparison in words and columns of text."""

from __future__ import annotations

import re

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, RidgeVAR, summary
from tests.builders.comparison import compare, simulated_var


def test_the_text_fits_a_terminal_and_names_origins_scale_and_fits(comparison):
    text = str(comparison)
    assert max(map(len, text.splitlines())) <= 100
    for words in ("8 origins", "standardised", "season 4", "8 of 8", "every origin"):
        assert words in text
    narrow = summary(comparison, 70)
    assert max(map(len, narrow.splitlines())) <= 70


def test_a_var_wins_on_data_from_a_var_and_the_words_say_so():
    models = {"VAR": GuardedVAR(), "Ridge VAR": RidgeVAR(), "Naive": RepeatSeason()}
    y, asked = simulated_var(400, seed=2), {"season": 1, "refit": "first"}
    found = compare(y, 3, models, n_origins=40, **asked)
    assert found.margins().loc["Naive", "standard_errors"] > 2
    verdicts = found.significance()["verdict"].to_dict()
    assert verdicts.pop("Naive") == "worse"
    assert sorted(verdicts.values()) == ["benchmark", "tie"]
    del models["Ridge VAR"]
    without = compare(y, 3, models, n_origins=12, **asked)
    words = " ".join(str(without).split())
    assert "Lowest MSE over all steps: VAR (" in words
    assert "best classical model, VAR" in words


def test_a_name_with_a_comma_stands_in_quotes_among_others():
    class Elsewhere(RepeatSeason):
        def _extrapolate(self, values, steps):
            return super()._extrapolate(values, steps) + 9 * values.std(axis=0)

    models = {"Naive": RepeatSeason(), "far, far away": Elsewhere(), "off": Elsewhere()}
    words = " ".join(str(compare(simulated_var(), 2, models, n_origins=8)).split())
    assert re.search(r"worse: 'far, far away' \(\+\d+ %\) and off \(\+\d+ %\)\.$", words)


def test_the_closing_paragraph_says_of_each_row_what_the_table_of_tests_says(comparison):
    closing = str(comparison).rsplit("\n\n", 1)[1]
    words = " ".join(closing.split())
    for model, row in comparison.significance().iterrows():
        if row["verdict"] == "benchmark":
            assert f"best classical model, {model} (" in words
            continue
        told = {"better": "better", "tie": "a tie", "worse": "worse"}[row["verdict"]]
        name = f"{model} ({100 * (row['ratio'] - 1):+.0f} %)"
        assert words.count(name) == 1
        before = words[: words.index(name)]
        assert max(("better:", "a tie:", "worse:"), key=before.rfind) == f"{told}:"


def test_without_a_classical_row_the_words_say_that_nothing_is_tested():
    class Mine(RepeatSeason):
        pass

    found = compare(simulated_var(), 2, {"mine": Mine(), "other": Mine()}, n_origins=8)
    assert " ".join(str(found).split()).endswith("Without a classical model nothing is tested.")
