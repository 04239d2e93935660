"""Names of arguments that differ between the hosts: what a darts model calls them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from samovar_forecast.exceptions import ConfigurationError

NAMES_HERE: Mapping[str, str] = {
    "n_layers": "num_layers",
    "context_length": "input_chunk_length",
    "max_epochs": "n_epochs",
    "learning_rate": "optimizer_kwargs={'lr': ...}",
    "quantiles": "likelihood=QuantileRegression(quantiles=[...])",
    "fh": "n, an argument of predict",
    "patience": "an EarlyStopping callback in pl_trainer_kwargs",
    "validation_fraction": "val_series, an argument of fit",
    "device": "pl_trainer_kwargs={'accelerator': ...}",
    "verbose": "verbose, an argument of fit and of predict",
    "checkpoint_dir": "work_dir, with save_checkpoints=True",
    "checkpoint": "load, load_from_checkpoint or load_weights, methods of the model",
    "past_covariates": "past_covariates, an argument of fit and of predict",
    "pretrained": "SAMoVARZeroShotModel, a model of its own",
    "train": "SAMoVARModel for a trained network, SAMoVARZeroShotModel for the pretrained network",
    "season": "an argument of SAMoVARZeroShotModel; SAMoVARModel takes that of the frequency",
    "anchor": "linear",
}
"""Arguments of the sktime forecaster, and of earlier versions, by what takes their place here."""


def refuse_names_of_the_other_host(
    given: Collection[str], known: Collection[str], model: str
) -> None:
    """Refuse arguments that only the sktime forecaster has, and say their names here.

    Parameters
    ----------
    given : collection of str
        Names of the arguments.
    known : collection of str
        Names that the model takes.
    model : str
        Name of the model, for the message.

    Raises
    ------
    ConfigurationError
        If there is such a name.
    """
    foreign = [
        name
        for name in given
        if name in NAMES_HERE
        and name not in known
        # A plain name is an argument of the constructor, which not every model has.
        and (NAMES_HERE[name] in known or not NAMES_HERE[name].isidentifier())
    ]
    if foreign:
        raise ConfigurationError(
            f"{model} has no argument {', '.join(map(repr, foreign))}",
            remedy="in darts this is: "
            + "; ".join(f"{name} -> {NAMES_HERE[name]}" for name in foreign),
        )
