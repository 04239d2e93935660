"""An ONNX file forecasts what the network forecasts, in a process that never imports torch."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from samovar_forecast import NetworkConfig, SAMoVARNetwork, load_pretrained
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError

RUN = """
import sys
import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
for number in sys.argv[4:]:
    with np.load(f"{sys.argv[2]}{number}.npz") as given:
        (found,) = session.run(None, dict(given))
    np.save(f"{sys.argv[3]}{number}.npy", found)
assert not {"torch", "samovar_forecast"} & set(sys.modules)
"""


@pytest.fixture(autouse=True)
def exporter():
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason=f"{package} is not installed")


def forecast_without_torch(path, windows):
    """Return the outputs of an ONNX file for several sets of inputs, from another process."""
    folder = path.parent
    numbers = [str(number) for number in range(len(windows))]
    for number, inputs in zip(numbers, windows, strict=True):
        arrays = {name: tensor.numpy() for name, tensor in inputs.items()}
        np.savez(folder / f"given{number}.npz", **arrays)
    places = [path, folder / "given", folder / "found"]
    command = [sys.executable, "-c", RUN, *map(str, places), *numbers]
    subprocess.run(command, check=True, cwd=folder)
    return [torch.from_numpy(np.load(folder / f"found{number}.npy")) for number in numbers]


def test_a_trained_network_forecasts_without_torch(tmp_path):
    config = NetworkConfig(
        *(2, 3, 9),
        d_model=8,
        n_layers=1,
        n_past_covariates=1,
        n_future_covariates=1,
        missing_values=True,
    )
    generator = torch.Generator().manual_seed(0)
    network = SAMoVARNetwork(config, generator).eval()
    network.export_onnx(path := tmp_path / "network.onnx")
    windows = [
        {
            "target": torch.randn(n_windows, 9, 2, generator=generator),
            "past_covariates": torch.randn(n_windows, 9, 1, generator=generator),
            "future_covariates": torch.randn(n_windows, 12, 1, generator=generator),
        }
        for n_windows in (1, 3)
    ]
    windows[1]["target"][0, 4, 1] = torch.nan
    for found, inputs in zip(forecast_without_torch(path, windows), windows, strict=True):
        torch.testing.assert_close(found, network(**inputs).forecast, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_pretrained_network_forecasts_without_torch(tmp_path):
    network, (n_rows, n_series, n_steps) = load_pretrained().network, (70, 2, 5)
    path = tmp_path / "network.onnx"
    network.export_onnx(path, n_rows=n_rows, n_series=n_series, n_steps=n_steps)
    draw, windows = np.random.default_rng(0), []
    for n_windows in (1, 3):
        season = 5 * np.sin(np.arange(n_rows) * 2 * np.pi / 12)[:, None]
        values = draw.normal(size=(n_windows, n_rows, n_series)).cumsum(1) + season
        values[0, 9:13, 0] = np.nan
        values[-1, :20] = np.nan
        told = torch.tensor([12, 1, 7][:n_windows])
        windows.append({"values": torch.from_numpy(values), "season": told})
    for found, inputs in zip(forecast_without_torch(path, windows), windows, strict=True):
        expected = network.forecast(inputs["values"], n_steps, inputs["season"])
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_more_series_than_are_regressed_on_each_other_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"common factors.*found: 9 series.*at most 8"):
        load_pretrained().network.export_onnx(tmp_path / "it", n_rows=48, n_series=9, n_steps=4)


def test_without_the_exporter_the_extra_is_named(tmp_path, monkeypatch):
    def missing(name, *given):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingPackageError, match=r"samovar_forecast\[onnx\]"):
        SAMoVARNetwork(NetworkConfig(1, 2, 4, d_model=8)).export_onnx(tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())
