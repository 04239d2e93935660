"""Golden cases: numbers of an independent implementation, and the map of its parameter names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork

FOLDER = Path(__file__).parents[1] / "golden"
FORWARD_CASES = (
    "a_base", "b_padded", "c_exogenous", "d_univariate", "e_fixedvar", "f_lintrans", "g_step1",
)  # fmt: skip


def load_case(name: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Return the settings and the arrays of a golden case."""
    settings = json.loads((FOLDER / f"{name}.json").read_text())
    arrays = np.load(FOLDER / f"{name}.npz")
    return settings, {key: arrays[key] for key in arrays.files}


def build_network(settings: dict, **changes: object) -> SAMoVARNetwork:
    """Return a network of the shape of a golden case."""
    config = NetworkConfig(
        n_series=settings["targets"],
        patch_length=settings["horizon"],
        context_length=settings["window"],
        n_past_covariates=settings["channels"] - settings["targets"] + settings["time_features"],
        predictor=settings["model"],
        d_model=settings["width"],
        n_heads=settings["heads"],
        n_layers=settings["layers"],
        dropout=settings["dropout"],
        univariate=settings["univariate"],
    )
    return SAMoVARNetwork(NetworkConfig(**{**config.to_dict(), **changes}))


def golden_names(network: SAMoVARNetwork) -> dict[str, list[str]]:
    """Map our parameter names to the golden ones; several where one of ours stacks theirs."""
    layers = range(network.config.n_layers)
    names: dict[str, list[str]] = {}
    for name, _ in network.named_parameters():
        plain = name.removeprefix("tokenizer.").removeprefix("predictor.")
        if plain == "fixed":
            names[name] = [f"var.{m}.fixed_{role}" for role in ("query", "value") for m in layers]
        elif plain == "projection_norm.gain":
            names[name] = [
                f"var.{m}.{role}_norm.gain" for role in ("query", "value") for m in layers
            ]
        elif plain.startswith("projection."):
            part = plain.split(".")[1]
            names[name] = [f"var.{m}.{role}.{part}" for role in ("query", "value") for m in layers]
        else:
            names[name] = [plain]
    return names


def stack(network: SAMoVARNetwork, name: str, parts: list[torch.Tensor]) -> torch.Tensor:
    """Bring golden arrays into the layout of our parameter ``name``."""
    shape = network.get_parameter(name).shape
    if name.endswith("fixed"):  # C T H d each -> 2 M C H T d
        parts = [part.transpose(1, 2) for part in parts]
    return torch.stack(parts).reshape(shape) if len(parts) > 1 else parts[0].reshape(shape)


def load_weights(
    network: SAMoVARNetwork, arrays: dict[str, np.ndarray], dtype: torch.dtype
) -> SAMoVARNetwork:
    """Fill the network with the weights of a golden case."""
    network = network.to(dtype)
    with torch.no_grad():
        for name, sources in golden_names(network).items():
            parts = [torch.from_numpy(arrays[f"param.{source}"]).to(dtype) for source in sources]
            network.get_parameter(name).copy_(stack(network, name, parts))
    return network.eval()


def golden_inputs(
    settings: dict, arrays: dict[str, np.ndarray], dtype: torch.dtype
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Return the forward's arguments and the future of a golden case."""
    x = torch.from_numpy(arrays["x"]).to(dtype)
    n_targets = settings["targets"]
    inputs = {"target": x[..., -n_targets:]}
    others = x[..., :-n_targets]
    if "x_time" in arrays:
        others = torch.cat([torch.from_numpy(arrays["x_time"]).to(dtype), others], dim=-1)
    if others.shape[-1]:
        inputs["past_covariates"] = others
    return inputs, torch.from_numpy(arrays["y"]).to(dtype)
