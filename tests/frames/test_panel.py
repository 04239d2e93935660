from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Panel, check_frame


def load_and_price(n_time: int = 30) -> pd.DataFrame:
    """Two series of floats and integers, columns and index named, as a user may have them."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {"load": rng.normal(size=n_time), "price": rng.integers(50, size=n_time)},
        index=pd.date_range("2024-01-01", periods=n_time, freq="D", name="day"),
    ).rename_axis(columns="series")


def weather(n_time: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    index = pd.date_range("2023-12-28", periods=n_time, freq="D")
    return pd.DataFrame(rng.normal(size=(n_time, 3)), index=index, columns=["wind", "sun", "rain"])


def three_shops() -> pd.DataFrame:
    """A panel of unequal lengths and unequal ends."""
    months = pd.period_range("2020-01", periods=24, freq="M")
    parts = {
        ("north", 1): pd.DataFrame({"a": np.arange(24.0), "b": 1.0}, index=months),
        ("north", 2): pd.DataFrame({"a": np.arange(12.0) + 100, "b": 2.0}, index=months[:12]),
        ("south", 1): pd.DataFrame({"a": np.arange(7.0) - 50, "b": 3.0}, index=months[10:17]),
    }
    return pd.concat(parts, names=["region", "shop", "month"])


# ---------------------------------------------------------------- frames in, frames out


def test_a_frame_becomes_one_instance_and_its_forecast_a_frame_that_goes_on():
    y = load_and_price()
    panel = Panel.from_frame(y)
    (instance,) = panel.instances
    assert_array_equal(instance.target, y.to_numpy(dtype=float))
    assert instance.target.dtype == np.float64
    forecast = panel.forecast_frame([np.arange(4.0).reshape(2, 2)], [[1, 3]])
    expected = pd.DataFrame(
        [[0.0, 1.0], [2.0, 3.0]],
        index=pd.DatetimeIndex(["2024-01-31", "2024-02-02"], name="day"),
        columns=pd.Index(["load", "price"], name="series"),
    )
    pd.testing.assert_frame_equal(forecast, expected, check_index_type=False)


def test_the_arrays_are_not_the_user_s_memory():
    y = load_and_price()[["load"]]
    before = y.copy()
    panel = Panel.from_frame(y)
    panel.instances[0].target[:] = 0.0
    pd.testing.assert_frame_equal(y, before)


def test_a_panel_keeps_unequal_lengths_and_each_forecast_starts_after_its_own_end():
    panel = Panel.from_frame(three_shops())
    assert [len(instance) for instance in panel.instances] == [24, 12, 7]
    assert panel.typical_length == 12
    forecast = panel.forecast_frame([np.full((2, 2), i) for i in range(3)], [[1, 2]] * 3)
    assert forecast.index.names == ["region", "shop", "month"]
    assert [str(time) for time in forecast.loc[("south", 1)].index] == ["2021-06", "2021-07"]
    assert [str(time) for time in forecast.loc[("north", 2)].index] == ["2021-01", "2021-02"]
    assert_array_equal(forecast["a"], [0, 0, 1, 1, 2, 2])


def test_dates_to_forecast_lie_at_different_steps_for_instances_with_different_ends():
    panel = Panel.from_frame(three_shops())
    dates = pd.period_range("2022-01", periods=2, freq="M")
    steps = panel.steps_to(dates, "fh")
    assert [list(own) for own in steps] == [[1, 2], [13, 14], [8, 9]]
    forecast = panel.forecast_frame([np.zeros((2, 2))] * 3, steps)
    for key in panel.instances:
        assert forecast.loc[key.key].index.equals(dates)


def test_instances_may_lie_interleaved_in_the_frame():
    y = three_shops()
    shuffled = y.sort_index(level="month", kind="stable")
    panel = Panel.from_frame(shuffled)
    for instance in panel.instances:
        assert_array_equal(instance.target, y.loc[instance.key].to_numpy())


def test_an_instance_of_one_row_is_read_with_the_frequency_of_the_others():
    dates = pd.date_range("2024-01-01", periods=5, freq="W")
    y = pd.concat(
        {
            "long": pd.DataFrame({"a": range(5)}, dates),
            "short": pd.DataFrame({"a": [9]}, dates[3:4]),
        }
    )
    forecast = Panel.from_frame(y).forecast_frame([np.zeros((1, 1))] * 2, [[1]] * 2)
    assert forecast.loc["short"].index[0] == dates[4]


DAYS = pd.date_range("2024-01-01", periods=60, freq="D")
BUSINESS_DAYS = pd.date_range("2024-01-01", periods=60, freq="B")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("calendar", "stretches"),
    [
        (DAYS, [(0, 2), (0, 59)]),
        (BUSINESS_DAYS, [(0, 4), (3, 20)]),
        (BUSINESS_DAYS, [(0, 5), (3, 8)]),
        (BUSINESS_DAYS, [(0, 5), (3, 7)]),
    ],
    ids=["two dates", "a part of a week", "weeks of five", "fewer rows over more days"],
)
def test_the_order_of_the_instances_does_not_matter(calendar, stretches, order):
    parts = [pd.DataFrame({"a": 1.0}, calendar[slice(*rows)]) for rows in stretches[::order]]
    y = pd.concat(parts, keys=["first", "second"])
    ahead = Panel.from_frame(y).forecast_frame([np.zeros((1, 1))] * 2, [[1]] * 2)
    expected = [calendar[end] for _, end in stretches[::order]]
    assert list(ahead.index.get_level_values(-1)) == expected


def test_covariates_are_aligned_by_time_and_split_by_role():
    y, X = load_and_price(), weather()
    panel = Panel.from_frame(y, X, past_names=["sun"])
    (instance,) = panel.instances
    assert list(panel.past_names) == ["sun"]
    assert list(panel.future_names) == ["wind", "rain"]
    assert_array_equal(instance.past_covariates, X.loc[y.index, ["sun"]])
    assert_array_equal(instance.future_covariates, X.loc[y.index, ["wind", "rain"]])
    (ahead,) = panel.covariates_ahead(X[["rain", "wind", "sun"]].iloc[-10:], 3, 3)
    assert_array_equal(ahead, X.loc["2024-01-31":"2024-02-02", ["wind", "rain"]])


def test_covariates_of_a_panel_are_found_for_each_instance_after_its_own_end():
    y = three_shops()
    X = y[["a"]].rename(columns={"a": "x"}) * 10
    keys = y.index.droplevel("month").unique()
    months = pd.period_range("2020-01", "2022-12", freq="M", name="month")
    index = pd.MultiIndex.from_tuples([(*key, month) for key in keys for month in months])
    X = pd.DataFrame({"x": np.arange(len(index), dtype=float)}, index=index)
    panel = Panel.from_frame(y, X)
    ahead = panel.covariates_ahead(X, 2, 2)
    for instance, found in zip(panel.instances, ahead, strict=True):
        expected = [X.loc[(*instance.key, instance.last + step), "x"] for step in (1, 2)]
        assert_array_equal(found[:, 0], expected)
    plain = pd.DataFrame({"x": [1.0, 2.0]}, index=months[:2])
    for n_needed in (1, 2):
        with pytest.raises(DataError, match=r"X is not indexed like y.*1 levels|not cover"):
            panel.covariates_ahead(plain, n_needed, 2)


# ---------------------------------------------------------------- what is kept


@pytest.mark.parametrize("n_new", [1, 4, 9])
def test_new_rows_move_the_context_on(n_new):
    y = load_and_price()
    context = Panel.from_frame(y.iloc[:20]).tail(6)
    newer = Panel.from_frame(y.iloc[20 : 20 + n_new], known=context)
    moved = context.extended_by(newer, 6, 6)
    assert moved.instances[0].last == y.index[19 + n_new]
    assert_array_equal(moved.instances[0].target, y.iloc[14 + n_new : 20 + n_new])


def test_rows_that_were_seen_before_are_replaced_by_the_new_ones():
    y = load_and_price()
    context = Panel.from_frame(y.iloc[:20]).tail(6)
    revised = y.iloc[17:22] * 2.0
    moved = context.extended_by(Panel.from_frame(revised, known=context), 6, 6)
    expected = pd.concat([y.iloc[16:17], revised]).to_numpy()
    assert_array_equal(moved.instances[0].target, expected)


def test_the_context_can_go_back_as_far_as_its_rows_are_known():
    y = load_and_price()
    context = Panel.from_frame(y.iloc[:20]).tail(8)
    moved = context.extended_by(Panel.from_frame(y.iloc[15:18], known=context), 6, 6)
    assert moved.instances[0].last == y.index[17]
    assert_array_equal(moved.instances[0].target, y.iloc[12:18])
    earlier = Panel.from_frame(y.iloc[2:10], known=context)
    assert_array_equal(context.extended_by(earlier, 6, 6).instances[0].target, y.iloc[4:10])
    with pytest.raises(DataError, match=r"ends before the context.*2 known rows up to 2024-01-05"):
        context.extended_by(Panel.from_frame(y.iloc[3:5], known=context), 6, 6)


def test_a_gap_between_the_context_and_new_rows_is_refused():
    y = load_and_price()
    context = Panel.from_frame(y.iloc[:20]).tail(6)
    newer = Panel.from_frame(y.iloc[22:25], known=context)
    with pytest.raises(DataError, match=r"2 missing rows after 2024-01-20.*rows from 2024-01-21"):
        context.extended_by(newer, 6, 6)
    moved = context.extended_by(newer, 6, 3)
    assert_array_equal(moved.instances[0].target, y.iloc[22:25])
    with pytest.raises(DataError, match=r"2 missing rows.*wanted: rows from 2024-01-21 \S+ on;"):
        context.extended_by(newer, 6, 3, may_start_anew=False)


def test_instances_without_new_rows_stay_and_unknown_ones_are_refused():
    y = three_shops()
    context = Panel.from_frame(y).tail(5)
    month = pd.Period("2021-01", freq="M")
    index = pd.MultiIndex.from_tuples([("north", 2, month)], names=y.index.names)
    newer = Panel.from_frame(pd.DataFrame({"a": [7.0], "b": [8.0]}, index), known=context)
    moved = context.extended_by(newer, 5, 5)
    assert [str(instance.last) for instance in moved.instances] == ["2021-12", "2021-01", "2021-05"]
    assert_array_equal(moved.instances[1].target[-2:], [[111.0, 2.0], [7.0, 8.0]])
    west = newer.forecast_frame([np.zeros((1, 2))], [[1]]).rename(index={"north": "west"})
    with pytest.raises(DataError, match=r"instances that were not there in fit.*'west'"):
        context.extended_by(Panel.from_frame(west, known=context), 5, 5)


def test_the_kept_rows_do_not_hold_the_whole_history_in_memory():
    instance = Panel.from_frame(load_and_price()).tail(3).instances[0]
    assert instance.target.base is None or len(instance.target.base) == 3


# ---------------------------------------------------------------- bad input


def spoiled(column: str, rows: list[int], value: object) -> pd.DataFrame:
    y = load_and_price().astype({"price": float})
    y.loc[y.index[rows], column] = value
    return y


PRICE_IN_ROW_4 = load_and_price()["price"].iloc[4]

BAD_FRAMES = {
    "infinity": (
        spoiled("load", [7], -np.inf).assign(price=np.nan),
        r"column 'load' of y has infinite values; found: 1, the first at 2024-01-08.*\(row 7\)",
    ),
    "infinity in both columns": (
        load_and_price() * np.inf,
        r"column 'load' of y has infinite values; found: 30.*1 more columns",
    ),
    "text": (
        load_and_price().assign(price="cheap"),
        r"column 'price' of y is not numeric.*'cheap' in row 0 \(2024-01-01.*pd.to_numeric",
    ),
    "a word among numbers": (
        load_and_price().astype({"price": object}).replace({"price": {PRICE_IN_ROW_4: "closed"}}),
        r"column 'price' of y is not numeric.*'closed' in row 4 \(2024-01-05",
    ),
    "numbers that are objects": (
        load_and_price().astype({"price": object}),
        r"column 'price' of y is not numeric.*numbers kept as values of type object",
    ),
    "categories": (
        load_and_price().astype({"price": "category"}),
        r"column 'price' of y is not numeric.*category",
    ),
    "complex numbers": (load_and_price().astype(complex), r"column 'load' of y is not numeric"),
    "columns of one name": (
        load_and_price().set_axis(["load", "load"], axis=1),
        r"columns of the same name.*\['load'\]",
    ),
    "no columns": (load_and_price()[[]], r"y has no columns"),
    "no rows": (load_and_price().iloc[:0], r"y is empty"),
    "unsorted": (load_and_price().iloc[::-1], r"not sorted.*row 1 .*2024-01-29"),
}


@pytest.mark.parametrize(("y", "message"), BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_bad_frame_is_refused_and_the_first_offending_place_named(y, message):
    with pytest.raises(DataError, match=message):
        Panel.from_frame(y)
    with pytest.raises(DataError, match=message):
        check_frame(y, "y")


def test_text_is_a_type_error_too():
    with pytest.raises(TypeError, match="not numeric"):
        check_frame(pd.Series(["a", "b"], name="s"), "y")


def test_missing_values_stay_missing_in_nullable_columns_too():
    for y in (load_and_price(), load_and_price().convert_dtypes()):
        y.iloc[3, 1] = pd.NA
        check_frame(y, "y")
        target = Panel.from_frame(y).instances[0].target
        assert np.isnan(target[3, 1])
        assert np.isnan(target).sum() == 1


def test_a_column_without_any_value_is_refused_at_first_and_admitted_when_it_goes_on():
    y = load_and_price()
    with pytest.raises(DataError, match=r"column 'price' of y has no value at all.*30 missing"):
        Panel.from_frame(y.assign(price=np.nan))
    with pytest.raises(DataError, match=r"column 'sun' of X has no value"):
        Panel.from_frame(y, weather().assign(sun=np.nan))
    shops = three_shops()
    shops.loc[("north", 2), "b"] = np.nan
    with pytest.raises(DataError, match=r"'b' of y, instance \('north', 2\), has no value"):
        Panel.from_frame(shops)
    known = Panel.from_frame(y.iloc[:20])
    more = Panel.from_frame(y.iloc[20:].assign(price=np.nan), known=known)
    assert np.isnan(more.instances[0].target[:, 1]).all()


def test_a_bad_instance_of_a_panel_is_named():
    y = three_shops().drop(("north", 2, pd.Period("2020-05", freq="M")))
    with pytest.raises(DataError, match=r"y, instance \('north', 2\),.*gaps.*after 2020-04"):
        Panel.from_frame(y)
    with pytest.raises(DataError, match=r"y, instance \('south', 1\),.*not sorted"):
        check_frame(y.iloc[::-1], "y")


def test_a_row_without_the_key_of_its_instance_is_refused():
    y = three_shops()
    for level in ("region", "shop"):
        keys = y.index.to_frame(index=False).astype({"region": object, "shop": object})
        keys.loc[[30, 31], level] = None
        nameless = y.set_axis(pd.MultiIndex.from_frame(keys))
        X = nameless.rename(columns={"a": "x"})[["x"]]
        for call, where in (
            (lambda y=nameless: Panel.from_frame(y), "y"),
            (lambda y=nameless: check_frame(y, "y"), "y"),
            (lambda X=X: Panel.from_frame(y, X), "X"),
        ):
            message = rf"index of {where} has missing keys.*2, the first in row 30"
            with pytest.raises(DataError, match=message):
                call()


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_rows_in_another_time_zone_are_refused(zone):
    y, X = load_and_price().tz_localize("UTC"), weather().tz_localize("UTC")
    known = Panel.from_frame(y.iloc[:20], X)
    moved = [frame.tz_localize(None).tz_localize(zone) for frame in (y, X)]
    message = rf"the index of {{}} is in another time zone.*found: {zone}; wanted: UTC"
    with pytest.raises(DataError, match=message.format("y")):
        Panel.from_frame(moved[0], moved[1], known=known)
    with pytest.raises(DataError, match=message.format("X")):
        Panel.from_frame(y, moved[1], known=known)
    with pytest.raises(DataError, match=message.format("X")):
        known.covariates_ahead(moved[1], 2, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[["load"]], r"y has other columns than in fit.*\['price'\] missing"),
        (lambda y: y.rename(columns={"load": "LOAD"}), r"\['load'\] missing, \['LOAD'\] not known"),
        (lambda y: y.assign(more=1.0), r"\['more'\] not known.*wanted: the columns"),
    ],
)
def test_other_columns_than_in_fit_are_refused(change, message):
    y = load_and_price()
    known = Panel.from_frame(y.iloc[:20])
    with pytest.raises(DataError, match=message):
        Panel.from_frame(change(y.iloc[20:]), known=known)


def test_columns_in_another_order_are_read_by_name():
    y = load_and_price()
    known = Panel.from_frame(y.iloc[:20])
    swapped = Panel.from_frame(y.iloc[20:][["price", "load"]], known=known)
    assert_array_equal(swapped.instances[0].target, y.iloc[20:].to_numpy(dtype=float))


def test_covariates_that_are_missing_or_too_short_are_refused():
    y, X = load_and_price(), weather(n_time=36)
    panel = Panel.from_frame(y, X)
    with pytest.raises(DataError, match=r"X is missing.*'wind', 'sun', 'rain'"):
        Panel.from_frame(y, None, known=panel)
    with pytest.raises(DataError, match=r"X is missing"):
        panel.covariates_ahead(None, 2, 2)
    with pytest.raises(DataError, match=r"not cover.*1 of 3 missing, the first is 2024-02-02"):
        panel.covariates_ahead(X, 3, 3)
    with pytest.raises(DataError, match=r"not cover.*3 of 30 missing, the first is 2024-01-01"):
        Panel.from_frame(y, X.loc["2024-01-04":])
    with pytest.raises(DataError, match=r"other columns than in fit.*\['sun'\] missing"):
        panel.covariates_ahead(X.drop(columns="sun"), 1, 1)
    with pytest.raises(DataError, match=r"no column 'fog', which is named as a past covariate"):
        Panel.from_frame(y, X, past_names=["fog"])
    X.loc["2024-01-02", "sun"] = np.inf
    with pytest.raises(DataError, match=r"column 'sun' of X has infinite.*2024-01-02"):
        Panel.from_frame(y, X)


def test_covariates_beyond_the_needed_steps_are_used_where_known_and_held_where_not():
    y, X = load_and_price(), weather(n_time=37)  # three days more than y
    (ahead,) = Panel.from_frame(y, X).covariates_ahead(X, 2, 5)
    assert_array_equal(ahead, X.to_numpy()[[34, 35, 36, 36, 36]])


def test_covariates_ahead_are_needed_as_far_as_each_instance_says():
    y = three_shops()
    X = y[["a"]].rename(columns={"a": "x"})
    january = pd.Period("2021-01", freq="M")
    more = pd.DataFrame({"x": [116.0]}, pd.MultiIndex.from_tuples([("north", 2, january)]))
    panel = Panel.from_frame(y, X)
    ahead = panel.covariates_ahead(pd.concat([X, more]), [0, 1, 0], 2)
    assert [list(rows[:, 0]) for rows in ahead] == [[23, 23], [116, 116], [-44, -44]]
    with pytest.raises(DataError, match=r"not cover.*1 of 1 missing"):
        panel.covariates_ahead(X, [0, 1, 0], 2)
    assert [list(rows[:, 0]) for rows in panel.covariates_ahead(None, 0, 1)] == [[23], [111], [-44]]


def test_a_panel_without_covariates_needs_none_ahead():
    (ahead,) = Panel.from_frame(load_and_price()).covariates_ahead(None, 4, 4)
    assert ahead.shape == (4, 0)


def test_a_season_that_is_told_stays_with_the_rows_that_follow():
    y = pd.DataFrame({"a": range(9)}, pd.date_range("2000-01-01", periods=9))
    assert Panel.from_frame(y).grid.season == 7
    told = Panel.from_frame(y[:6], season=3)
    newer = Panel.from_frame(y[6:], known=told)
    assert [told.grid.season, newer.grid.season] == [3, 3]
    assert told.extended_by(newer, 9, 1).grid.season == 3
