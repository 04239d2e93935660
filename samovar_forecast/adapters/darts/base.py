"""What both darts models share: names, clipping, interruptions, several processes."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch.optim import Optimizer

from samovar_forecast.adapters.darts.arguments import check_arguments, plain
from samovar_forecast.adapters.darts.door import check_forecast, check_reach, checked
from samovar_forecast.adapters.darts.draws import draws_of_the_model
from samovar_forecast.adapters.darts.host import (
    MixedCovariatesTorchModel,
    PLForecastingModule,
    TorchInferenceDataset,
    TorchTrainingDataset,
)
from samovar_forecast.adapters.darts.names import refuse_names_of_the_other_host
from samovar_forecast.adapters.darts.sharding import ShardedTrainer
from samovar_forecast.exceptions import NotFittedError, TrainingError
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.process import interruption_kept, isolated_random_state, usual_torch

Method = TypeVar("Method", bound=Callable[..., Any])
Model = TypeVar("Model", bound="SAMoVARTorchModel")


class SAMoVARTorchModule(PLForecastingModule):
    """Base of the Lightning modules: gradients are clipped, and any size of roll-out works.

    Gradients are clipped by a trainer of the user that does not clip, too.
    """

    clip_norm: float | None = None

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip to the norm of the trainer, or else to the norm of the model."""
        if gradient_clip_val is None:
            gradient_clip_val = self.clip_norm
        super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def set_predict_parameters(self, n: int, *args: Any, roll_size: int, **kwargs: Any) -> None:
        """Prepare a prediction as darts does; a forecast of one chunk is not rolled out.

        darts rolls a forecast of one chunk by 0 steps if ``roll_size`` is shorter than the chunk.
        """
        if n <= self.output_chunk_length:
            roll_size = self.output_chunk_length
        super().set_predict_parameters(n, *args, roll_size=roll_size, **kwargs)


def undone_if_broken_off(method: Method) -> Method:
    """Return a method of a fit after which, if it raises, the model is as it was before.

    torch has its usual defaults in the fit, whatever the caller has set.
    """

    @functools.wraps(method)
    def fit(self: SAMoVARTorchModel, *args: Any, **kwargs: Any) -> Any:
        restore = _remember(self)
        try:
            with interruption_kept(), usual_torch():
                return method(self, *args, **kwargs)
        except BaseException:
            restore()
            raise

    return cast(Method, fit)


def random_state_kept(method: Method) -> Method:
    """Return a method that builds a network for stored weights, and draws nothing from torch."""

    @functools.wraps(method)
    def load(*args: Any, **kwargs: Any) -> Any:
        with isolated_random_state(0):
            return method(*args, **kwargs)

    return cast(Method, load)


def _remember(model: SAMoVARTorchModel) -> Callable[[], None]:
    """Return a function that puts a model back into its present state."""
    attributes, module = dict(vars(model)), model.model
    attributes["trainer_params"] = dict(model.trainer_params)  # a fit writes its precision there
    attributes["_random_instance"] = copy.deepcopy(model._random_instance)  # and draws from it
    if module is not None:
        of_module = dict(vars(module))
        weights = {name: value.clone() for name, value in module.state_dict().items()}

    def restore() -> None:
        model.__dict__.clear()
        model.__dict__.update(attributes)
        if module is not None:
            module.on_fit_end()  # gives the losses back how they reduce
            module.__dict__.update(of_module)
            module.load_state_dict(weights)

    return restore


class PlainNumbers(type(MixedCovariatesTorchModel)):  # type: ignore[misc]
    """Makes models whose arguments are plain numbers, as darts and Lightning want them.

    Tuners hand over the numbers of numpy, such as ``np.int64(5)`` for a number of epochs.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a model with these arguments."""
        return super().__call__(
            *map(plain, args), **{name: plain(value) for name, value in kwargs.items()}
        )


class SAMoVARTorchModel(MixedCovariatesTorchModel, metaclass=PlainNumbers):
    """Base of the darts models: darts' torch model with covariates of every kind."""

    config_of_weights: ZeroShotConfig | None = None
    """Shape of pretrained weights that are put in place later; None to read them."""

    def save_artifact(self, path: str | Path) -> None:
        """Write the fitted model to a folder, or to a file ending in ``.zip``, without pickle.

        It holds parameters, weights, the linear forecast, and the series of the fit if it was a
        single series. :meth:`load_artifact` forecasts the same numbers in another process.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ArtifactError
            If something else is at ``path``, or it cannot be written.
        ConfigurationError
            If a parameter is of a kind that no artifact can hold: a callback, a metric, a function.
        """
        from samovar_forecast.adapters.darts.artifact import save_model

        save_model(self, path)

    @classmethod
    def load_artifact(cls: type[Model], path: str | Path) -> Model:
        """Return the model that :meth:`save_artifact` wrote; nothing in it is executed.

        Raises
        ------
        ArtifactError
            If there is no such artifact at ``path``, or it is not as it was written.
        """
        from samovar_forecast.adapters.darts.artifact import load_model

        return load_model(cls, path)

    load = staticmethod(random_state_kept(MixedCovariatesTorchModel.load))
    load_from_checkpoint = staticmethod(
        random_state_kept(MixedCovariatesTorchModel.load_from_checkpoint)
    )
    load_weights_from_checkpoint = random_state_kept(
        MixedCovariatesTorchModel.load_weights_from_checkpoint
    )
    load_weights = random_state_kept(MixedCovariatesTorchModel.load_weights)
    predict = checked(draws_of_the_model(MixedCovariatesTorchModel.predict))
    historical_forecasts = checked(MixedCovariatesTorchModel.historical_forecasts)
    backtest = checked(MixedCovariatesTorchModel.backtest)
    residuals = checked(MixedCovariatesTorchModel.residuals)
    predict_from_dataset = draws_of_the_model(MixedCovariatesTorchModel.predict_from_dataset)
    fit = checked(undone_if_broken_off(draws_of_the_model(MixedCovariatesTorchModel.fit)))
    fit_from_dataset = undone_if_broken_off(
        draws_of_the_model(MixedCovariatesTorchModel.fit_from_dataset)
    )

    @classmethod
    def _validate_model_params(cls, **kwargs: Any) -> None:
        """Refuse what no model of darts has; a name of the other host is answered by its own."""
        constructors = (
            vars(base)["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)
        )
        known = {name for made in constructors for name in inspect.signature(made).parameters}
        refuse_names_of_the_other_host(kwargs, known, cls.__name__)
        check_arguments(kwargs)
        super()._validate_model_params(**kwargs)

    def _setup_for_train(
        self,
        train_dataset: TorchTrainingDataset,
        val_dataset: TorchTrainingDataset | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prepare as darts does; the module learns to what norm gradients are clipped."""
        prepared = super()._setup_for_train(
            train_dataset=train_dataset, val_dataset=val_dataset, **kwargs
        )
        prepared["model"].clip_norm = self.trainer_params["gradient_clip_val"]
        return prepared

    def _setup_for_predict(
        self,
        n: int,
        dataset: TorchInferenceDataset,
        *args: Any,
        num_samples: int = 1,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prepare as darts does, for forecasts that memory can hold.

        Raises
        ------
        NotFittedError
            If the model is a copy or comes from a pickle, in which darts leaves the weights out.
        DataError
            If the forecasts hold more numbers than memory is likely to.
        """
        if self.model is None:
            raise NotFittedError(
                "darts leaves the weights out of a copy or a pickle of a model",
                remedy="fit the copy, or keep the model by save_artifact or save",
            )
        n_components = self.train_sample.past_target.shape[-1]
        check_reach(n * n_components, len(dataset) * num_samples)
        return super()._setup_for_predict(n, dataset, *args, num_samples=num_samples, **kwargs)

    def _train(self, *args: Any, **kwargs: Any) -> None:
        """Train as darts does, to weights that are numbers.

        Raises
        ------
        TrainingError
        """
        super()._train(*args, **kwargs)
        if not all(bool(torch.isfinite(weight).all()) for weight in self.model.parameters()):
            raise TrainingError(
                "training gave weights that are no numbers",
                remedy="look for extreme values in the data, or lower the learning rate",
            )

    def _predict(self, trainer: Any, **kwargs: Any) -> Any:
        """Predict as darts does, with the forecasts of all processes that share the work.

        Raises
        ------
        DataError
            If a value of a forecast is no number.
        """
        with interruption_kept(), usual_torch():
            found = super()._predict(trainer=ShardedTrainer(trainer), **kwargs)
        is_table = kwargs.get("values_only", False)
        check_forecast([found[0]] if is_table else [own.all_values(copy=False) for own in found])
        return found
