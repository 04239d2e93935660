"""A comparison in words and columns of text."""

from __future__ import annotations

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
    assert set(found.margins().query("ties").index) == {"VAR", "Ridge VAR"}
    assert found.margins().loc["Naive", "standard_errors"] > 2
    assert found.significance()["verdict"].to_dict()["Naive"] == "worse"
    del models["Ridge VAR"]
    without = compare(y, 3, models, n_origins=12, **asked)
    assert "VAR wins: MSE" in str(without)
    assert "best classical model, VAR" in " ".join(str(without).split())


def test_a_name_with_a_comma_stands_in_quotes_among_others():
    class Elsewhere(RepeatSeason):
        def _extrapolate(self, values, steps):
            return super()._extrapolate(values, steps) + 9 * values.std(axis=0)

    models = {"Naive": RepeatSeason(), "far, far away": Elsewhere(), "off": Elsewhere()}
    words = " ".join(str(compare(simulated_var(), 2, models, n_origins=8)).split())
    assert "worse: 'far, far away', off." in words
