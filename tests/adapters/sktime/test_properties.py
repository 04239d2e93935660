"""What holds of a forecaster whatever the rows: drawn examples, the default and its members."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("sktime", reason="sktime is not installed")
pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given
from hypothesis import strategies as st

from samovar_forecast import SAMoVARForecaster
from tests.builders.properties import examples, units, walks

LINEAR = {"pretrained": False}
SETTINGS = st.sampled_from([LINEAR, LINEAR, {"linear": False}, {}])
ALONE = [LINEAR, {"linear": False}]  # several members get their shares from all instances
ROWS = walks((30, 60), (1, 3))
STEPS = [1, 2, 3]


def frame(values: np.ndarray, first: int = 0) -> pd.DataFrame:
    index = pd.RangeIndex(first, first + len(values))
    return pd.DataFrame(values, index, list("abc")[: values.shape[1]])


def fit(settings: dict, y: pd.DataFrame) -> SAMoVARForecaster:
    return SAMoVARForecaster(**settings).fit(y, fh=STEPS)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def assert_close(found: pd.DataFrame, expected: pd.DataFrame, values: np.ndarray) -> None:
    """Hold forecasts against each other, in deviations of the rows."""
    spread = np.nanstd(values, axis=0)
    assert_allclose((found - expected) / np.where(spread > 0, spread, 1), 0, atol=1e-3)


@examples(6)
@given(data=st.data(), settings=SETTINGS, values=ROWS)
def test_a_forecast_follows_level_scale_and_order_of_the_series(data, settings, values):
    n_series = values.shape[1]
    scale, level = data.draw(units(n_series))
    order = data.draw(st.permutations(range(n_series)))
    usual = fit(settings, frame(values))
    other = fit(settings, frame(values * scale + level).iloc[:, order])
    for alpha in (0.1, 0.5, 0.9):
        expected, found = (
            fitted.predict_quantiles(alpha=[alpha]).droplevel(1, axis=1)
            for fitted in (usual, other)
        )
        assert_close(found[expected.columns], expected * scale + level, values * scale)


@examples(6)
@given(data=st.data(), settings=SETTINGS, values=ROWS)
def test_rows_may_come_in_any_pieces(data, settings, values):
    n_known = data.draw(st.integers(20, len(values) - 2))
    cut = data.draw(st.integers(n_known + 1, len(values) - 1))
    known, rest = frame(values[:n_known]), frame(values[n_known:], n_known)
    at_once, in_pieces = (fit(settings, known) for _ in range(2))
    at_once.update(rest, update_params=False)
    for piece in (rest.loc[: cut - 1], rest.loc[cut:]):
        in_pieces.update(piece, update_params=False)
    assert_same(in_pieces.predict_interval(), at_once.predict_interval())
    assert_same(in_pieces.predict(), at_once.predict())


@examples(3)
@given(data=st.data(), values=ROWS)
def test_the_pretrained_network_moved_on_forecasts_as_fitted_to_the_window(data, values):
    n_known = data.draw(st.integers(20, len(values) - 1))
    settings = {"linear": False}
    moved = fit(settings, frame(values[:n_known]))
    moved.update(frame(values[n_known:], n_known), update_params=False)
    expected = fit(settings, frame(values)).predict()
    assert_close(moved.predict(), expected, values)


@examples(4)
@given(data=st.data(), settings=st.sampled_from(ALONE), values=walks((30, 60), (2, 3)))
def test_a_member_forecasts_instances_of_several_series_as_each_alone(data, settings, values):
    others = data.draw(st.lists(walks((30, 60), (values.shape[1],) * 2), min_size=1, max_size=2))
    parts = {f"i{k}": frame(one) for k, one in enumerate([values, *others])}
    together = fit(settings, pd.concat(parts, names=["id"])).predict()
    for name, y in parts.items():
        assert_close(together.loc[name], fit(settings, y).predict(), y.to_numpy())


@examples(5)
@given(
    settings=SETTINGS,
    values=ROWS,
    levels=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_quantiles_are_finite_and_never_cross(settings, values, levels):
    fitted = fit(settings, frame(values))
    table = fitted.predict_quantiles(alpha=levels)
    for name in fitted.predict():
        found = table[name].to_numpy()
        assert np.isfinite(found).all()
        assert (np.diff(found, axis=1) >= 0).all()


@examples(5)
@given(settings=SETTINGS, values=ROWS)
def test_numbers_in_single_precision_are_the_same_numbers_in_double_precision(settings, values):
    y = frame(values).astype("float32")
    assert_same(fit(settings, y).predict(), fit(settings, y.astype("float64")).predict())


@examples(3)
@given(settings=SETTINGS, values=ROWS, n_threads=st.integers(2, 6))
def test_threads_that_share_a_forecaster_get_the_same_answers(settings, values, n_threads):
    fitted, found = fit(settings, frame(values)), []
    expected = fitted.predict_interval()
    threads = [
        threading.Thread(target=lambda: found.append(fitted.predict_interval()))
        for _ in range(n_threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == n_threads
    for answer in found:
        assert_same(answer, expected)
