"""Networks in artifacts: configuration and weights, which must fit before anything is built.

Before a network is built, its configuration is held against the shapes of the weights that are
there. So no crafted file asks for more work or memory than the file is long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from samovar_forecast.artifact import read_artifact, write_artifact
from samovar_forecast.artifact.plain import Form, Forms, Reader, Writer
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.process import versions

HOLDS = "network"

_Network = TypeVar("_Network", bound=nn.Module)


def network_form(make: Callable[..., nn.Module], config: type) -> Form:
    """Return how a network of a class is written and read, given the class of its configuration."""

    def write(network: Any, writer: Writer, at: str) -> dict[str, Any]:
        for name, tensor in network.state_dict().items():
            writer.keep(f"{at}.{name}", tensor)
        return {"config": writer.write(network.config, config, f"{at}.config")}

    def read(plain: Any, reader: Reader, at: str) -> nn.Module:
        if plain.keys() != {"config"}:
            raise ArtifactError(f"{at} is no network", found=list(plain))
        shape = reader.read(plain["config"], config, f"{at}.config")
        return build_network(make, shape, reader.take(f"{at}."), at)

    return Form(write, read)


def save_network(path: str | Path, network: Any) -> None:
    """Write a network to a folder, or to a file ending in ``.zip``."""
    forms = Forms({type(network): network_form(type(network), type(network.config))})
    card = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "versions": versions("torch"),
    }
    write_artifact(path, HOLDS, network, forms, card)


def load_network(path: str | Path, kind: type[_Network], config: type) -> _Network:
    """Read what :func:`save_network` wrote: a network on the CPU, in eval mode.

    Parameters
    ----------
    path : str or Path
    kind : class of the network
    config : class of its configuration

    Raises
    ------
    ArtifactError
        If there is no such artifact at ``path``, or it is not as it was written.
    """
    network = read_artifact(path, HOLDS, kind, Forms({kind: network_form(kind, config)})).value
    assert isinstance(network, kind)
    return network


def build_network(
    make: Callable[..., nn.Module], config: Any, weights: Mapping[str, Tensor], at: str
) -> nn.Module:
    """Return a network with these weights, on the CPU, in eval mode.

    Parameters
    ----------
    make : class of the network
    config : NetworkConfig or ZeroShotConfig
    weights : mapping of str to Tensor
        All of the state of the network, in float32 or all in float64.
    at : str
        Where the network stands, for the message.

    Raises
    ------
    ArtifactError
        If the weights are not those of such a network, or not finite.
    """
    if config.n_layers > len(weights):  # before a layer is built
        raise ArtifactError(
            f"the weights of {at} do not fit its configuration",
            found=f"{len(weights)} tensors",
            wanted=f"those of {config.n_layers} layers",
        )
    with torch.device("meta"):  # shapes alone, whatever the configuration asks for
        shapes = make(config).state_dict()
    dtype = check_weights(shapes, weights, at)
    network = make(config, torch.Generator()).to(dtype)
    network.load_state_dict(dict(weights))
    return network.eval()


def check_weights(
    shapes: Mapping[str, Tensor], weights: Mapping[str, Tensor], at: str
) -> torch.dtype:
    """Return float32 or float64, of which all weights are.

    Parameters
    ----------
    shapes : mapping of str to Tensor
        The state that is wanted; its numbers are not read, and its floats are float32.
    weights : mapping of str to Tensor
    at : str
        Where the weights stand, for the message.

    Raises
    ------
    ArtifactError
        If the weights are others than those that are wanted, or not finite.
    """
    wanted = {name: _told(tensor) for name, tensor in shapes.items()}
    floats = {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()}
    dtype = torch.float64 if floats == {torch.float64} else torch.float32
    found = {name: _told(tensor, dtype) for name, tensor in weights.items()}
    different = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if different:
        name = different[0]
        raise ArtifactError(
            f"the weights of {at} do not fit its configuration",
            found=f"{name}: {found.get(name, 'nothing')}",
            wanted=wanted.get(name, "nothing"),
        )
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ArtifactError(
                f"the weights of {at} are not finite, and a forecast would be NaN", found=name
            )
    return dtype


def _told(tensor: Tensor, plain: torch.dtype = torch.float32) -> str:
    """Return shape and kind of a tensor, ``plain`` counting as the usual kind of a weight."""
    kind = torch.float32 if tensor.dtype is plain else tensor.dtype
    return f"{kind} {tuple(tensor.shape)}"
