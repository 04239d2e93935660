"""The summary says what was assumed, and how the forecasts fit."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from tests.builders.dynamics import dynamic, network_of
from tests.builders.linear_network import in_data_units


def test_the_summary_says_what_was_assumed_and_gives_no_t_statistic() -> None:
    model = dynamic(n_time=60)
    text = str(model.summary())
    assert "unit root per series by construction" in text
    assert "identities of window normalisation hold" in text
    assert "training may have seen these times" in text
    assert "t-stat" not in text.lower().replace("t-statistic", "t-stat")
    html = model.summary()._repr_html_()
    assert html.count("<table") == 4
    assert "<script" not in html
    honest = DynamicVAR.from_network(network_of(), model.history, out_of_sample_from="2020-01-20")
    assert "that training did not see" in str(honest.summary())


def test_the_summary_of_one_context_says_that_no_fit_can_be_seen() -> None:
    text = str(dynamic(n_time=14).summary())
    assert "leaves no residuals" in text


def test_the_lags_that_matter_hold_the_share_of_the_weight(linear: DynamicVAR) -> None:
    coefs, _, _ = in_data_units()
    deviations = linear.at().deviations
    weight = ((coefs * deviations / deviations[:, None]) ** 2).sum(axis=2)  # lag, response
    table = dict(linear.summary().sections)["Each series, one step ahead"]
    share = weight.cumsum(axis=0) / weight.sum(axis=0)
    lags = [int((share[:, c] < 0.95).sum()) + 1 for c in (0, 1)]
    assert list(table["lags for 95%"]) == lags
    beyond = [coefs[lags[c] :, c, c].sum() for c in (0, 1)]
    np.testing.assert_allclose(table["sum beyond"], beyond, atol=1e-7)
    assert f"lags that hold 95% of the weight  {max(lags)}" in str(linear.summary())


def test_html_names_are_escaped() -> None:
    frame = dynamic().history.rename(columns={"a": "<b>a</b>"})
    html = DynamicVAR.from_network(network_of(), frame).summary().as_html()
    assert "<b>" not in html
