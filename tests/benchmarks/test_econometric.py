"""The econometric benchmark measures what is there, goes on where it stopped, and says the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import econometric
from benchmarks.records import Records
from samovar_forecast.linear.simulate import simulate_var


@pytest.fixture
def folder(tmp_path):
    values = simulate_var(np.array([[[0.6, 0.2], [0.0, 0.7]]]), 70, random_state=0)
    index = pd.date_range("1980-01-01", periods=70, freq="QS", name="date")
    (tmp_path / "extra").mkdir()
    pd.DataFrame(values, index, ["a", "b"]).to_csv(tmp_path / "extra" / "canada.csv.gz")
    return tmp_path


def arguments_for(folder) -> list[str]:
    return [
        *("--data", str(folder), "--results", str(folder / "results.json")),
        *("--no-simulated", "--sets", "canada", "danish_money"),
    ]


def test_a_set_that_is_here_is_measured_and_all_others_stand_as_not_run(folder, capsys) -> None:
    assert econometric.BENCHMARK.main(arguments_for(folder)) == 0
    assert "danish_money: not here" in capsys.readouterr().out
    records = Records(folder / "results.json")
    assert set(econometric.sets_of(records)) == {"canada"}
    mse = records.entries["canada"]["MSE"]
    assert {"Naive", "AR", "VAR", "Ridge VAR", *econometric.OURS} <= set(mse)
    assert mse["SAMoVAR"] < mse["Naive"]
    page = econometric.sections(records)["econometric sets"]
    (row,) = [line for line in page.splitlines() if line.startswith("| canada")]
    assert "not run" not in row
    (other,) = [line for line in page.splitlines() if line.startswith("| danish_money")]
    assert other.count("not run") == len(econometric.ROWS)


def test_what_is_finished_is_not_measured_again(folder, monkeypatch) -> None:
    entry = {"MSE": {"SAMoVAR": 1.0, "Naive": 2.0, "VAR": 1.5}, "rows": 70, "series": 2}
    entry |= {"horizon": 8, "notes": {}}
    calls = []
    monkeypatch.setattr(econometric, "measure_set", lambda *_: calls.append(1) or entry)
    for _ in range(2):
        econometric.BENCHMARK.main([*arguments_for(folder)[:5], "--sets", "canada"])
    assert calls == [1]
    econometric.BENCHMARK.main([*arguments_for(folder)[:5], "--sets", "canada", "--again"])
    assert calls == [1, 1]


def test_every_model_is_scored_against_the_better_linear_rival() -> None:
    entries = {
        "east": {"MSE": {"Naive": 2.0, "VAR": 1.0, "Ridge VAR": 0.8, "SAMoVAR": 0.4}},
        "west": {"MSE": {"Naive": 0.5, "Ridge VAR": 1.0, "SAMoVAR": 1.01}},
    }
    lines = {line[0]: line[1:] for line in econometric.verdicts(entries)}
    ratios = [f"{np.sqrt(0.5 * 1.01):.3f}", "0.500", "1.010"]
    assert lines["SAMoVAR"] == ["2", *ratios, "100%", "50%", "50%"]
    assert lines[econometric.LINEAR][0] == "not run"


def test_simulated_processes_are_resumed_and_stand_in_the_report(folder, monkeypatch) -> None:
    monkeypatch.setattr(econometric, "DESIGNS", [(1, 3, 200)])
    monkeypatch.setattr(econometric, "PROCESSES", 2)
    calls = []

    def simulate(design, number) -> dict[str, float]:
        calls.append((design, number))
        return {econometric.TRUE_ORDER: 2.0, "SAMoVAR": 2.02}

    monkeypatch.setattr(econometric, "simulate", simulate)
    for _ in range(2):
        econometric.BENCHMARK.main([*arguments_for(folder)[:4], "--sets"])
    assert calls == [((1, 3, 200), 0), ((1, 3, 200), 1)]
    page = econometric.sections(Records(folder / "results.json"))["simulated"]
    assert "1.010 (1.010)" in page


def test_the_true_order_is_what_least_squares_is_given() -> None:
    coefs = econometric.random_process(2, 3, np.random.default_rng(0))
    model = econometric.TrueOrderVAR(2)
    model.fit(pd.DataFrame(simulate_var(coefs, 300, random_state=0)), fh=[1])
    assert model.results_.k_ar == 2
    assert np.abs(model.results_.coefs - coefs).max() < 0.3


def test_more_than_fifteen_sets_are_recorded() -> None:
    assert len(econometric.sets_of(Records(econometric.BENCHMARK.path))) > 15
