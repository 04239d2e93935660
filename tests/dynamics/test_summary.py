"""The summary says what was assumed, and how the forecasts fit."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.summary import important_order
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


def test_the_order_that_matters_holds_the_share_of_the_weight(linear: DynamicVAR) -> None:
    assert important_order(np.array([0.5, 0.3, 0.15, 0.05])) == 3
    assert important_order(np.array([1.0, 0.0])) == 1
    assert important_order(np.zeros(2)) == 0
    coefs, _, _ = in_data_units()
    deviations = linear.history.std().to_numpy()
    weight = (np.abs(coefs) * deviations / deviations[:, None]).sum(axis=2)  # lag, response
    table = dict(linear.summary().sections)["Each series, one step ahead"]
    share = weight.cumsum(axis=0) / weight.sum(axis=0)
    assert list(table["lags for 95%"]) == [int((share[:, c] < 0.95).sum()) + 1 for c in (0, 1)]


def test_html_names_are_escaped() -> None:
    frame = dynamic().history.rename(columns={"a": "<b>a</b>"})
    html = DynamicVAR.from_network(network_of(), frame).summary().as_html()
    assert "<b>" not in html
