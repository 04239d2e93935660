"""The long-horizon benchmark: its protocol, its closed forms, its cells and what its tables say.

All modules of `benchmarks.long_horizon` are tested here.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks.long_horizon import BENCHMARK, cells, linear, networks, tables
from benchmarks.long_horizon.cells import Run
from benchmarks.long_horizon.data import Asked, Task, borders_of, load_task
from benchmarks.long_horizon.neighbours import setting_of
from benchmarks.long_horizon.rows import (
    ABLATIONS,
    ROWS,
    Row,
    canonical_name,
    read_name,
    title_of,
)
from benchmarks.records import BenchmarkError, Records
from samovar_forecast.config import NetworkConfig
from samovar_forecast.linear.simulate import simulate_var

VAR1 = np.array([[[0.6, 0.3], [-0.2, 0.5]]])


def task_of(values, borders, horizon=3, freq="h", season=4, name="toy"):
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])
    return Task.of(name, horizon, frame, borders, freq, season)


@pytest.fixture(scope="module")
def walk():
    steps = np.random.default_rng(0).normal(size=(160, 2))
    return task_of(np.cumsum(steps, axis=0) + 5, (100, 130, 160))


# --- the protocol ---------------------------------------------------------------------------------


def test_sets_are_split_where_the_literature_splits_them():
    assert borders_of(17420, (0.7, 0.1, 0.2), steps_a_month=720) == (8640, 11520, 14400)
    assert borders_of(7588, (0.7, 0.1, 0.2)) == (5311, 6071, 7588)  # exchange
    assert borders_of(52696, (0.7, 0.1, 0.2)) == (36887, 42157, 52696)  # weather
    with pytest.raises(BenchmarkError, match="sum to 1"):
        borders_of(100, (0.7, 0.1, 0.1))
    with pytest.raises(BenchmarkError, match="not the standard file"):
        borders_of(100, (0.7, 0.1, 0.2), steps_a_month=720)


def test_the_scale_is_that_of_the_training_rows_alone():
    values = np.random.default_rng(1).normal(3, 2, size=(60, 2))
    scaled = task_of(values, (40, 50, 60)).values
    np.testing.assert_allclose(scaled[:40].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled[:40].std(axis=0), 1)
    values[40:] *= 100
    np.testing.assert_array_equal(task_of(values, (40, 50, 60)).values[:40], scaled[:40])


def test_every_window_counts_once_whatever_the_batch(walk):
    seen = []
    for windows, actual in walk.windows("test", 8, 7):
        assert windows.shape[1:] == (8, 2)
        seen += [(*window[-1], *future[0]) for window, future in zip(windows, actual, strict=True)]
    rows = walk.values
    origins = range(130, 160 - 3 + 1)  # the first looks back over the border
    np.testing.assert_array_equal(seen, [(*rows[i - 1], *rows[i]) for i in origins])
    last = {"": lambda windows: {"": np.repeat(windows[:, -1:], 3, axis=1)}}[""]
    expected = np.mean([np.square(rows[i : i + 3] - rows[i - 1]) for i in origins])
    for at_once in (1, 5, 1000):
        assert walk.score(last, "test", 8, at_once)[""]["MSE"] == pytest.approx(expected)


def test_a_file_of_the_users_own_is_read_by_its_path(tmp_path):
    path = tmp_path / "mine.csv"
    index = pd.date_range("2024-01-01", periods=50, freq="15min", name="date")
    pd.DataFrame({"a": np.arange(50.0), "b": 1.0}, index).to_csv(path)
    task = load_task(str(path), 2, None, (0.6, 0.2, 0.2), 4)
    assert (task.name, task.borders, task.freq, task.season) == ("mine", (30, 40, 50), "15min", 4)
    assert np.isfinite(task.values).all()  # a constant series too
    with pytest.raises(BenchmarkError, match="no data: give --data"):
        load_task("ETTh1", 96, None)
    with pytest.raises(BenchmarkError, match="is not there"):
        load_task(str(tmp_path / "other.csv"), 2, None)


def test_missing_values_are_refused():
    values = np.ones((20, 1))
    values[3] = np.nan
    with pytest.raises(BenchmarkError, match="missing values"):
        task_of(values, (10, 15, 20))


# --- closed forms ---------------------------------------------------------------------------------


def test_ridge_nlinear_is_the_regression_on_all_training_windows(walk):
    forecast, about = linear.fit_nlinear(walk, 6)
    train = walk.rows("train")
    past, ahead = [], []
    for c in range(2):
        for i in range(6, 100 - 3 + 1):
            past.append(train[i - 6 : i, c] - train[i - 1, c])
            ahead.append(train[i : i + 3, c] - train[i - 1, c])
    x, y = np.array(past), np.array(ahead)
    gram = x.T @ x
    penalty = about["relative_penalty"] * np.linalg.eigvalsh(gram).mean()
    weights = np.linalg.solve(gram + penalty * np.eye(6), x.T @ y)
    window = walk.values[None, 110:116]
    expected = window[:, -1:] + ((window - window[:, -1:]).swapaxes(1, 2) @ weights).swapaxes(1, 2)
    np.testing.assert_allclose(forecast(window)[""], expected, atol=1e-8)


def test_the_closed_forms_do_not_see_the_test_rows(walk):
    values = walk.values.copy()
    values[130:] = 1e3
    blind = dataclasses.replace(walk, values=values)
    fits = [
        (lambda task: linear.fit_nlinear(task, 6), 6),
        (linear.fit_var, 24),
        (lambda task: linear.fit_anchor(task, 6), 6),
    ]
    for fit, length in fits:
        window = walk.values[None, 130 - length : 130]
        found, expected = (fit(task)[0](window)[""] for task in (blind, walk))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_ridge_var_does_nearly_as_well_as_the_process_that_made_the_series():
    values = simulate_var(VAR1, 1500, random_state=0)
    task = task_of(values, (1000, 1200, 1500), horizon=2)
    forecast, about = linear.fit_var(task)
    found = task.score(forecast, "test", about["rows_read"])[""]["MSE"]
    scale = values[:1000].std(axis=0)
    mean = values[:1000].mean(axis=0)

    def truth(windows):
        one = (windows[:, -1] * scale + mean) @ VAR1[0].T
        two = one @ VAR1[0].T
        return {"": (np.stack([one, two], axis=1) - mean) / scale}

    assert found < 1.03 * task.score(truth, "test", 1)[""]["MSE"]


def test_seasonal_naive_repeats_the_last_season(walk):
    forecast, about = linear.fit_seasonal_naive(dataclasses.replace(walk, horizon=6))
    window = walk.values[None, 100:110]
    np.testing.assert_array_equal(forecast(window)[""][0], window[0, [-4, -3, -2, -1, -4, -3]])
    assert about["rows_read"] == 4


# --- networks -------------------------------------------------------------------------------------

TINY = {"d_model": 8, "n_heads": 2, "n_layers": 1}


def test_the_trained_row_answers_what_the_forecaster_answers(walk, monkeypatch):
    made = []
    whole = networks.SAMoVARForecaster
    monkeypatch.setattr(
        networks, "SAMoVARForecaster", lambda **k: made.append(whole(**k)) or made[-1]
    )
    forecast, about = networks.fit_trained(walk, Asked(9, 0), {**TINY, "max_epochs": 2})
    found = forecast(walk.values[None, 130 - 9 : 130])
    (forecaster,) = made
    np.testing.assert_allclose(found["refitted"][0], forecaster.predict().to_numpy(), atol=1e-5)
    assert set(found) == {"", "refitted", "network"}
    assert about["epochs"] == 2
    gate = forecaster.network_.anchor.gate.numpy()
    strict = linear.fit_anchor(walk, 9)[0](walk.values[None, 130 - 9 : 130])[""]
    np.testing.assert_allclose(found[""], strict + gate * (found["network"] - strict), atol=1e-6)


def test_the_row_of_the_default_is_the_default_forecast_and_trains_nothing(walk):
    forecast, about = networks.fit_average(walk, Asked(0, 0), {})
    found = forecast(np.stack([walk.values[:100], walk.values[30:130]]))
    forecaster = networks.SAMoVARForecaster().fit(walk.frame().iloc[:100], fh=[1, 2, 3])
    np.testing.assert_allclose(found[""][0], forecaster.predict().to_numpy(), atol=1e-6)
    assert set(found) == {"", "linear", "pretrained"}
    share = forecaster.shares_.to_numpy()
    assert sum(about["shares"].values()) == pytest.approx(1, abs=1e-3)
    assert share.max() < 1
    assert not np.allclose(found[""][0], found[""][1])


def test_some_of_many_windows_begin_at_every_phase_of_a_season():
    assert cells.stride_of(2785, None, 24) == 1
    assert cells.stride_of(999, 112, 24) == 1
    assert cells.stride_of(2785, 112, 24) == 25
    assert cells.stride_of(2161, 112, 24) == 23  # every 20th would meet six hours alone
    assert cells.stride_of(10444, 112, 144) == 95


def test_a_row_may_score_a_part_of_the_windows(walk):
    asked = list(walk.windows("test", 8, 4, stride=5))
    starts = np.concatenate([windows[:, -1] for windows, _ in asked])
    np.testing.assert_array_equal(starts, walk.values[130 - 1 : 160 - 3 : 5])


def test_the_row_of_the_linear_anchor_is_the_linear_forecast_of_the_same_rows(walk):
    from samovar_forecast.frames.panel import Panel
    from samovar_forecast.linear import estimate_anchor

    season = Panel.from_frame(walk.frame()).grid.season
    window = walk.values[None, 130 - 9 : 130]
    found = linear.fit_anchor(walk, 9)[0](window)
    alone = estimate_anchor([walk.known()], 3, 9, season).map(window)
    np.testing.assert_allclose(found["refitted"], alone, atol=1e-9)


def test_the_row_of_the_linear_members_reads_the_longest_look_back_that_the_task_allows(walk):
    forecast, about = linear.fit_members(walk)
    reads = about["rows_read"]
    assert walk.allows(reads)
    assert not walk.allows(2 * reads)
    window = walk.values[None, 130 - reads : 130]
    same = linear.fit_anchor(walk, reads)[0](window)
    np.testing.assert_array_equal(forecast(window)[""], same[""])


def test_the_papers_row_trains_on_training_rows_alone(walk, monkeypatch):
    short = dataclasses.replace(networks.PAPER_TRAINING, max_epochs=2)
    monkeypatch.setattr(networks, "PAPER_TRAINING", short)
    seen = {}
    train = networks.fit_network

    def watched(network, training, validation, *arguments, **options):
        seen["last row"] = int(training.starts.max()) + 9 + 3
        seen["first forecast"] = int(validation.starts.min()) + 9
        return train(network, training, validation, *arguments, **options)

    monkeypatch.setattr(networks, "fit_network", watched)
    forecast, about = networks.fit_paper(walk, Asked(9, 0), TINY)
    assert seen == {"last row": 100, "first forecast": 100}
    scored = walk.score(forecast, "validation", 9)[""]["MSE"]
    assert scored == pytest.approx(min(about["validation_by_epoch"]), rel=1e-4)


# --- cells ----------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """Rows whose error on validation and on test is known beforehand."""
    calls = []

    def fit(task, asked, overrides):
        calls.append((asked.lookback, asked.seed))
        better_on_validation = asked.lookback == 8

        def forecast(windows):
            base = np.repeat(windows[:, -1:], task.horizon, axis=1)
            return {"": base + (0.0 if better_on_validation else 5.0) + asked.seed}

        return forecast, {"rows_read": 4}

    monkeypatch.setitem(ROWS, "paper", Row("random", fit))
    monkeypatch.setitem(ROWS, "ridge-var", Row("fixed", fit, is_random=False, has_lookback=False))
    return calls


def test_the_lookback_is_searched_with_the_first_seed_and_the_others_take_it(walk, counted):
    run = Run(Records(None), commit="abc")
    found = run.model(walk, "paper", [4, 8, 1000], [0, 1, 2])  # 1000 is longer than the rows
    assert counted == [(4, 0), (8, 0), (8, 1), (8, 2)]
    entry = tables.fields_of(found)["toy", 3, "paper"][""]
    assert (entry.lookback, len(entry.mse), entry.tried) == (8, 3, (4, 8))
    assert found[0]["commit"] == "abc"
    assert {"hardware", "versions", "date", "scores", "seconds"} <= set(found[0])


def test_a_finished_cell_is_not_run_again_and_other_data_are_refused(walk, counted, tmp_path):
    run = Run(Records(tmp_path / "cells.json"))
    first = run.model(walk, "ridge-var", [4, 8], [0, 1])
    assert counted == [(0, 0)]  # no look-back, no seed: one run
    assert run.model(walk, "ridge-var", [4, 8], [0, 1]) == first
    assert counted == [(0, 0)]
    assert list(Records(tmp_path / "cells.json").entries.values()) == first
    with pytest.raises(BenchmarkError, match="other data"):
        run.model(dataclasses.replace(walk, digest="other"), "ridge-var", [4], [0])


def test_a_set_too_short_for_every_lookback_says_so(walk, counted):
    with pytest.raises(BenchmarkError, match="give shorter ones"):
        Run(Records(None)).model(walk, "paper", [90], [0])


def test_names_take_overrides_and_are_written_one_way():
    row, overrides = read_name('paper[n_heads=8,structure="inverse"]')
    assert (row, overrides) == (ROWS["paper"], {"n_heads": 8, "structure": "inverse"})
    assert canonical_name("paper[n_layers=1, n_heads=8]") == "paper[n_heads=8,n_layers=1]"
    assert canonical_name("paper[structure=inverse]") == 'paper[structure="inverse"]'
    assert title_of('paper[structure="inverse"]') == "SAMoVAR (paper), inverse of D"
    for wrong in ("nothing", "paper[n_heads]", "paper["):
        with pytest.raises(BenchmarkError):
            read_name(wrong)


def test_published_settings_follow_the_set_and_the_horizon(walk):
    near, far = (setting_of("tide", dataclasses.replace(walk, horizon=h)) for h in (96, 720))
    assert (near.model["hidden_size"], far.model["hidden_size"]) == (512, 256)
    assert setting_of("tsmixer", walk).model["hidden_size"] == 2


# --- tables ---------------------------------------------------------------------------------------


def cell(model, mse, dataset="ETTh1", horizon=96, lookback=512, seed=0, validation=1.0):
    scores = {answer: {"MSE": mse, "MAE": mse} for answer in ("", *ROWS[model].beside)}
    return {
        **{"dataset": dataset, "horizon": horizon, "model": model, "seed": seed},
        "lookback": lookback,
        "scores": {"test": scores, "validation": {"": {"MSE": validation}}},
        "about": {},
        **{"commit": "abc", "hardware": {"cpu": "one"}, "versions": {"torch": "2"}},
        **{"date": "2026-01-01T00:00:00", "seconds": {"fit cpu": 36.0}},
    }


def test_the_lookback_in_the_table_is_never_chosen_by_the_test_error():
    found = tables.fields_of(
        [
            cell("paper", 0.1, lookback=512, validation=0.9),
            cell("paper", 0.5, lookback=1024, validation=0.2),
            cell("paper", 0.7, lookback=1024, seed=1, validation=0.8),
        ]
    )
    entry = found["ETTh1", 96, "paper"][""]
    assert str(entry) == "0.6000 ± 0.1414 / 0.6000 (L 1024, 2 seeds)"


def test_ranks_and_targets_count_losses_too():
    some = [cell("trained", 0.36), cell("paper", 0.35), cell("seasonal-naive", 0.5)]
    some += [cell("trained", 0.26, "ETTh2"), cell("paper", 0.28, "ETTh2")]
    table = tables.fields_of(some)
    assert tables.average_ranks(tables.of_ours(table)) == {"trained": 1.5, "paper": 1.5}
    short = {line.split("|")[1].strip(): line for line in tables.in_short(table).splitlines()[2:]}
    assert [part.strip() for part in short["SAMoVAR (paper)"].split("|")[2:5]] == [
        *("1.50", "1 of 2"),
        f"{(0.36 / 0.35 * 0.26 / 0.28) ** 0.5:.3f}",
    ]
    assert "| 1 of 1 " in short["seasonal naive"]
    lines = {line.split("|")[1].strip(): line for line in tables.targets(table).splitlines()[2:]}
    assert "missed by 2.3%" in lines["ETTh1, 96"]
    assert lines["ETTh2, 96"].count("reached") == 2
    assert "not run" in lines["ETTh2, 720"]


def test_what_was_not_run_is_said_so():
    text = tables.report([cell("seasonal-naive", 0.5)])
    row = next(line for line in text.splitlines() if "SAMoVAR (paper)" in line)
    assert row.count("not run") == 4
    assert "published, not run here" in text


def test_the_command_runs_resumes_and_writes_its_tables(tmp_path, capsys):
    path = tmp_path / "waves.csv"
    values = np.sin(np.arange(200)[:, None] / 3 + np.arange(2))
    values += np.random.default_rng(0).normal(0, 0.1, values.shape)
    index = pd.date_range("2024-01-01", periods=200, freq="h", name="date")
    pd.DataFrame(values, index, ["a", "b"]).to_csv(path)
    results = tmp_path / "results.json"
    asked = ["--dataset", str(path), "--horizon", "4", "--lookbacks", "8", "12"]
    asked += ["--results", str(results), "--models", "linear", "nonsense"]
    with pytest.raises(SystemExit) as stopped:
        BENCHMARK.main(asked)
    assert stopped.value.code == 1  # one row failed, the others are there
    assert "there is no row 'nonsense'" in capsys.readouterr().err
    stored = Records(results).entries
    assert len(stored) == 7
    before = results.read_text()
    assert BENCHMARK.main(asked[:-1]) == 0
    assert results.read_text() == before
    assert "### waves" in capsys.readouterr().out
    assert next(iter(stored.values()))["windows"] == {"validation": 17, "test": 37}


def test_every_stored_cell_can_be_read_and_names_its_commit():
    stored = list(Records(BENCHMARK.path).entries.values())
    assert len(stored) > 50
    for cell in stored:
        read_name(cell["model"])
        assert cell["commit"] != "unknown"
        assert np.isfinite(cell["scores"]["test"][""]["MSE"])
    assert cells.best_lookback(stored[:1]) == stored[0]["lookback"]


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_names_a_field_of_the_network_and_changes_it(name):
    _, overrides = read_name(name)
    plain = NetworkConfig(n_series=7, patch_length=4, context_length=16).to_dict()
    changed = NetworkConfig(n_series=7, patch_length=4, context_length=16, **overrides).to_dict()
    assert {key for key in plain if plain[key] != changed[key]} == set(overrides)
