"""The options are what they are called, and what was measured is kept and told."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import options
from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network import SAMoVARNetwork, mixture, samovar_loss
from samovar_forecast.network.heads import Head

CONFIG = NetworkConfig(n_series=2, patch_length=4, context_length=14, d_model=16, dropout=0.0)


def output_and_future():
    generator = torch.Generator().manual_seed(0)
    network = SAMoVARNetwork(CONFIG, generator).double()
    window = torch.randn(3, 14, 2, generator=generator, dtype=torch.float64).cumsum(1)
    future = torch.randn(3, 4, 2, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        return network(window), window, future


def loss_under(**changes: str):
    output, window, future = output_and_future()
    loss = options.loss_of(options.Option("", **changes), 14)
    return loss(output, window, future, Head.point(), 0.5), output, window, future


def test_without_an_option_the_loss_is_that_of_the_paper() -> None:
    loss, output, _, future = loss_under()
    torch.testing.assert_close(loss, samovar_loss(output, future, 0.5))


def test_the_units_of_both_losses_are_those_of_the_window_or_of_the_data() -> None:
    plain, output, _, future = loss_under()
    window_units, *_ = loss_under(units="window")
    scale, location = output.scale, output.location
    predicted = output.patch_pred[:, :, -1, :, 0].mT
    wanted = (predicted - (future - location) / scale).square().mean()
    torch.testing.assert_close(window_units.terminal, wanted)
    assert window_units.next_patch == plain.next_patch
    data_units, *_ = loss_under(units="data")
    errors = output.patch_pred[:, :, :-1, :, 0] - output.patches[:, :, 1:]  # B C N-1 s
    wanted = (errors * scale.mT[..., None]).square().mean()
    torch.testing.assert_close(data_units.next_patch, wanted)
    assert data_units.terminal == plain.terminal


@pytest.mark.parametrize("targets", ["level", "patch"])
def test_a_next_patch_is_judged_by_what_is_known_at_the_patch_before(targets: str) -> None:
    loss, output, window, _ = loss_under(targets=targets)
    errors = []
    series = ((window - output.location) / output.scale).mT  # B C L
    for n, stop in enumerate((2, 6, 10)):  # the first patch has two rows alone
        own, known = series[..., max(0, stop - 4) : stop], series[..., :stop]
        scale = known.std(-1, keepdim=True) if targets == "patch" else 1.0
        predicted = own.mean(-1, keepdim=True) + scale * output.patch_pred[:, :, n, :, 0]
        errors.append(predicted - series[..., stop : stop + 4])
    torch.testing.assert_close(loss.next_patch, torch.stack(errors).square().mean())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_attention_is_divided_by_the_tokens_that_it_sums(power: float, stride: int) -> None:
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 6, 4, generator=generator, dtype=torch.float64)
    first = stride - 1
    with options.applied(options.Option("", divide=power), 14):
        found = mixture.linear_attention(query[:, first::stride], key, value, stride=stride)
        forms = [
            mixture.linear_attention(query[:, -1:], key, value, stride=stride, form=form)
            for form in ("reference", "parallel", "chunked")
        ]
    for row, t in enumerate(range(first, 6, stride)):
        weights = (query[:, t, None] * key[:, : t + 1]).sum(-1)
        wanted = (weights[..., None] * value[:, : t + 1]).sum(1) / ((t + 1) ** power * 2)
        torch.testing.assert_close(found[:, row], wanted)
    for last in forms:
        torch.testing.assert_close(last[:, 0], wanted)


@pytest.fixture
def folder(tmp_path):
    values = simulate_var(np.array([[[0.6, 0.2], [0.0, 0.7]]]), 90, random_state=0)
    index = pd.date_range("1980-01-01", periods=90, freq="QS", name="date")
    pd.DataFrame(values, index, ["a", "b"]).to_csv(tmp_path / "canada.csv.gz")
    return tmp_path


def test_options_are_measured_once_and_stand_beside_the_papers_model(
    folder, capsys, monkeypatch
) -> None:
    arguments = [
        *("--data", str(folder), "--results", str(folder / "results.json")),
        *("--kept", str(folder / "kept"), "--sets", "canada"),
        *("--options", "paper", "matrices", "--seeds", "0", "1"),
    ]
    monkeypatch.setattr(options.Problem, "training", lambda *_: TrainingConfig(max_epochs=1))
    train = options.trained
    calls = []
    monkeypatch.setattr(options, "trained", lambda *asked: calls.append(asked) or train(*asked))
    for _ in range(2):
        assert options.main(arguments) == 0
    assert len(calls) == 8  # two fits, options and seeds
    assert capsys.readouterr().out == "canada\ncanada\n"
    found = json.loads((folder / "results.json").read_text())["sets"]["canada"]["options"]
    assert set(found["paper"]) == {"seed 0", "seed 1", "mean of 2"}
    assert found["paper"]["seed 0"]["alone"] != found["paper"]["seed 1"]["alone"]
    page = (folder / "results.md").read_text()
    (line,) = [line for line in page.splitlines() if "weight decay on matrices only" in line]
    assert line.split("|")[2].strip() == "1"
    assert page.count("the paper's model, mean of 2 seeds") == 1
    (line,) = [line for line in page.splitlines() if line.startswith("| mean ")]
    assert line.count("not run") == 1


def test_without_data_nothing_is_measured(tmp_path, capsys) -> None:
    assert options.main(["--data", str(tmp_path / "none"), "--results", str(tmp_path / "r")]) == 0
    assert "nothing was measured" in capsys.readouterr().out


def test_the_page_holds_the_table_of_the_recorded_run() -> None:
    stored = options.read_stored(options.RESULTS)
    assert len(stored["sets"]) > 10
    assert options.summary_table(stored).strip() in options.PAGE.read_text(encoding="utf-8")
