"""SAMoVARModel: the network as a darts torch model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from darts import TimeSeries

from samovar_forecast.adapters.darts.anchor import attach, hold_out, may_be_cut
from samovar_forecast.adapters.darts.base import SAMoVARTorchModel
from samovar_forecast.adapters.darts.door import check_dataset
from samovar_forecast.adapters.darts.host import (
    TorchTrainingDataset,
    TorchTrainingSample,
    add_safe_globals,
)
from samovar_forecast.adapters.darts.module import SAMoVARModule, head_of
from samovar_forecast.adapters.darts.schedule import OneCycle
from samovar_forecast.adapters.darts.stages import stages
from samovar_forecast.adapters.darts.windows import SlicedTrainingDataset
from samovar_forecast.config import (
    Attention,
    NetworkConfig,
    Normalization,
    Predictor,
    Structure,
    TrainingConfig,
)
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.learning.anchoring import has_anchored_center
from samovar_forecast.network.samovar import initialize_weights

if TYPE_CHECKING:
    from samovar_forecast.dynamics.dynamic_var import DynamicVAR


class SAMoVARModel(SAMoVARTorchModel):
    """Dynamic vector autoregression as a linear Transformer, for darts.

    The input chunk is cut into patches as long as the output chunk. Each component gives two
    tokens per patch, of its own past and of a learned mix of all components and
    covariates; a stack of VAR layers with weights that depend on the window moves them one patch
    ahead [1]_. All components of a series are forecast together. Several series train a global
    model.

    Supports past, future and static covariates, all of darts' torch likelihoods and Monte Carlo
    dropout. Each window is normalised by its own moments, and the parameters of a likelihood are
    brought back to the units of the data by what they are: a standard deviation is scaled and not
    shifted, a count keeps its unit, quantiles cannot cross.

    Parameters
    ----------
    input_chunk_length : int
        Time steps of the past that the model sees. Several output chunks make sense: each
        chunk in the past is one more patch, and one more target to learn from.
    output_chunk_length : int
        Time steps forecast at once, and the length of a patch.
    output_chunk_shift : int, default=0
        Time steps between the end of the input and the start of the forecast.
    num_layers : int, default=2
        Number of MLP blocks and of VAR layers. The paper has 3 layers; 3 layers take half as long
        again as 2 layers, and forecast no better.
    d_model : int, optional
        Token width. By default 32 times the root, rounded down, of the number of target
        components and past covariates.
    n_heads : int, optional
        Number of heads, a divisor of the width. By default each head has width 16.
    dropout : float, default=0.1
        Share of activations dropped in training, and in predictions with ``mc_dropout=True``.
    normalization : {"last_patch", "window", "none"}, default="last_patch"
        What is subtracted from each window: the mean of its last patch, or of the whole window;
        both divide by its standard deviation. ``"none"`` leaves the values alone.
    predictor : {"samovar", "lintrans", "fixedvar"}, default="samovar"
        The model, or a control of it: an ordinary linear Transformer, a VAR with
        constant weights.
    structure : {"direct", "inverse"}, default="direct"
        Whether the structural matrix multiplies the mixture as it is, or its inverse does.
    univariate : bool, default=False
        Whether each component is forecast from its own past alone.
    attention : {"auto", "reference", "parallel", "chunked"}, default="auto"
        Form in which linear attention is computed; all forms give the same numbers.
    patch_length : int, optional
        Only the output chunk length is admitted. For shorter patches, choose a shorter output
        chunk; darts rolls the forecast out for any ``n``.
    next_patch_loss_weight : float, default=1.0
        Weight of the loss on the next patch at every position of the input chunk, beside the loss
        on the output chunk. With a loss of the difference (MSE, L1, Huber), this loss has the
        units of the normalised window, else the units of the data.
    use_static_covariates : bool, default=True
        Whether static covariates of the series are used.
    linear : bool, default=True
        Whether a linear forecast, estimated in closed form after the training, stands beside the
        network. The network then has a share in the forecast only as far as it helped on the
        validation series. Without validation series, the last fifth of each series is held out and
        not trained on. A likelihood without a location (of counts, shares or positive numbers) has
        no linear forecast. With False the network answers alone, as in the paper.
        ``val_loss`` is the loss of the network alone in either case: it chooses weights and stops a
        training. After a fit with validation windows, the loss of the forecast itself stands in
        ``model.trainer.callback_metrics["val_forecast_loss"]``, by which models are compared.
    **kwargs
        All arguments of darts' torch models: ``likelihood``, ``loss_fn``, ``torch_metrics``,
        ``optimizer_cls``, ``lr_scheduler_cls``, ``batch_size``, ``n_epochs``, ``add_encoders``,
        ``random_state``, ``pl_trainer_kwargs``, ``save_checkpoints``, ``enable_finetuning`` and
        so on. Three arguments have the paper's defaults. The optimiser is AdamW with learning rate
        6e-4, betas (0.9, 0.95) and weight decay 0.1; ``optimizer_kwargs`` alone changes the values
        that it names.
        The schedule is one cycle over all steps, unless ``optimizer_cls`` or ``lr_scheduler_cls``
        is given (``lr_scheduler_cls=None`` for a constant rate). Gradients are clipped to norm
        1, unless ``pl_trainer_kwargs`` says otherwise.

    Raises
    ------
    ConfigurationError
        If a value is not admissible; the message names the value.

    References
    ----------
    .. [1] J. Lu and S. Yang, "Linear Transformers as VAR Models: Aligning Autoregressive
       Attention Mechanisms with Autoregressive Forecasting", ICML 2025.

    Examples
    --------
    >>> from darts.datasets import ETTh1Dataset  # doctest: +SKIP
    >>> series = ETTh1Dataset().load().astype("float32")  # doctest: +SKIP
    >>> model = SAMoVARModel(input_chunk_length=96, output_chunk_length=24)  # doctest: +SKIP
    >>> forecast = model.fit(series, epochs=5).predict(24)  # doctest: +SKIP
    """

    def __init__(
        self,
        input_chunk_length: int,
        output_chunk_length: int,
        output_chunk_shift: int = 0,
        num_layers: int = 2,
        d_model: int | None = None,
        n_heads: int | None = None,
        dropout: float = 0.1,
        normalization: Normalization = "last_patch",
        predictor: Predictor = "samovar",
        structure: Structure = "direct",
        univariate: bool = False,
        attention: Attention = "auto",
        patch_length: int | None = None,
        next_patch_loss_weight: float = 1.0,
        use_static_covariates: bool = True,
        linear: bool = True,
        **kwargs: Any,
    ) -> None:
        parameters = dict(self.model_params)
        super().__init__(**self._extract_torch_model_params(**parameters))
        self.pl_module_params = {
            **self._extract_pl_module_params(**parameters),
            **_training_defaults(kwargs),
        }
        self.trainer_params.setdefault("gradient_clip_val", _PAPER.clip_norm)

        self._network_options: dict[str, Any] = {
            "n_layers": num_layers,
            "d_model": d_model,
            "n_heads": n_heads,
            "dropout": dropout,
            "normalization": normalization,
            "predictor": predictor,
            "structure": structure,
            "univariate": univariate,
            "attention": attention,
            "context_length": input_chunk_length,
            "patch_length": output_chunk_length,
        }
        self.next_patch_loss_weight = next_patch_loss_weight
        self._considers_static_covariates = use_static_covariates
        self.linear = linear
        self._check(patch_length)

    def _check(self, patch_length: int | None) -> None:
        """Refuse, at construction, arguments that work with no series at all."""
        options = dict(self._network_options)
        if options["d_model"] is None:
            options["n_heads"] = None  # whether the heads divide the width depends on the series
        NetworkConfig(n_series=1, **options)
        TrainingConfig(next_patch_loss_weight=self.next_patch_loss_weight)
        length = options["patch_length"]
        if patch_length is not None and patch_length != length:
            raise ConfigurationError(
                "a patch is as long as the output chunk, which the model emits at once",
                found=f"patch_length={patch_length}, output_chunk_length={length}",
                remedy=f"leave patch_length out; or set output_chunk_length={patch_length} and "
                "ask predict for any n, which darts rolls out patch by patch",
            )
        if self.pl_module_params.get("use_reversible_instance_norm") and (
            options["normalization"] != "none"
        ):
            warnings.warn(
                f"SAMoVARModel normalises each window itself (normalization="
                f"{options['normalization']!r}), so that use_reversible_instance_norm=True "
                "normalises twice, to no effect; leave it out, or set normalization='none'",
                UserWarning,
                stacklevel=4,
            )

    def _create_model(self, train_sample: TorchTrainingSample) -> SAMoVARModule:
        """Build the Lightning module for series like the first training window."""

        def width(part: Any) -> int:
            return 0 if part is None else part.shape[-1]

        config = NetworkConfig(
            n_series=width(train_sample.past_target),
            n_past_covariates=width(train_sample.past_covariates),
            n_future_covariates=width(train_sample.future_covariates),
            n_static_covariates=width(train_sample.static_covariates),
            n_params=1 if self.likelihood is None else self.likelihood.num_parameters,
            **self._network_options,
        )
        module = SAMoVARModule(
            network_config=config.to_dict(),
            next_patch_loss_weight=self.next_patch_loss_weight,
            **self.pl_module_params,
        )
        seed = self.model_params.get("random_state")
        if isinstance(seed, int):  # the initial weights that this seed has in the forecaster too
            initialize_weights(module.network, torch.Generator().manual_seed(seed % 2**31))
        return module

    def _build_train_dataset(
        self,
        series: Sequence[TimeSeries],
        past_covariates: Sequence[TimeSeries] | None,
        future_covariates: Sequence[TimeSeries] | None,
        sample_weight: Sequence[TimeSeries] | str | None,
        max_samples_per_ts: int | None,
        stride: int = 1,
    ) -> TorchTrainingDataset:
        """Return darts' training windows, cut faster."""
        return SlicedTrainingDataset(
            series=series,
            past_covariates=past_covariates,
            future_covariates=future_covariates,
            input_chunk_length=self.input_chunk_length,
            output_chunk_length=self.output_chunk_length,
            output_chunk_shift=self.output_chunk_shift,
            stride=stride,
            max_samples_per_ts=max_samples_per_ts,
            use_static_covariates=self.uses_static_covariates,
            sample_weight=sample_weight,
        )

    def _setup_for_train(
        self,
        train_dataset: TorchTrainingDataset,
        val_dataset: TorchTrainingDataset | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Prepare as darts does; for an anchor, hold windows out if no validation set is given."""
        for dataset in (train_dataset, val_dataset):
            if dataset is not None:
                check_dataset(dataset)
        if self._wants_anchor and val_dataset is None:
            if may_be_cut(train_dataset):
                train_dataset, val_dataset = hold_out(train_dataset, self.output_chunk_shift)
            else:
                warnings.warn(
                    f"a dataset of your own ({type(train_dataset).__name__}) is trained on as a "
                    "whole, so that nothing sets the share of a linear forecast and there is none; "
                    "give fit_from_dataset a val_dataset, or set linear=False",
                    UserWarning,
                    stacklevel=2,
                )
        return super()._setup_for_train(
            train_dataset=train_dataset, val_dataset=val_dataset, **kwargs
        )

    def _train(self, trainer: Any, model: Any, datamodule: Any, load_best: bool = False) -> None:
        """Train as darts does, then put an anchor beside the network."""
        # From processes that end with the training a module comes back in the precision that it
        # left in; elsewhere Lightning converts it so too, a moment later.
        trainer.strategy.precision_plugin.convert_module(model)
        super()._train(trainer=trainer, model=model, datamodule=datamodule, load_best=load_best)
        module: SAMoVARModule = self.model
        if trainer.lightning_module is not module:  # the best weights: what `save` writes too
            trainer.strategy.connect(module)
        training, validation = datamodule.train_dataset, datamodule.val_dataset
        with stages(trainer, n_stages=3) as tell:
            if not self._wants_anchor:
                module.set_anchor(None)
            elif may_be_cut(training) or validation is not None:
                attach(module, trainer, training, validation, tell)
            if validation is not None:
                tell("forecasts of the validation windows")
                _log_forecast_loss(module, trainer, datamodule)

    @property
    def _wants_anchor(self) -> bool:
        """Whether an anchor is asked for, and the likelihood has a location for the anchor."""
        head, _ = head_of(self.likelihood)
        return self.linear and has_anchored_center(head)

    def explain(
        self,
        series: TimeSeries,
        past_covariates: TimeSeries | None = None,
        future_covariates: TimeSeries | None = None,
    ) -> DynamicVAR:
        """Read the fitted model as a vector autoregression on a history of a series.

        Parameters
        ----------
        series : TimeSeries
            The history, at least an input chunk long; a longer history gives more origins, and
            residuals. The units are the units of the fitted series: a transformer that was applied
            before the fit must be applied here too.
        past_covariates, future_covariates : TimeSeries, optional
            The covariates of the fit. Future covariates reach an output chunk beyond each origin
            that is asked for.

        Returns
        -------
        DynamicVAR

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        DataError
            If covariates are missing or do not cover the series, or the series is too short.
        ConfigurationError
            If the forecast is not the number of the network itself (a likelihood without location,
            a shifted output chunk, darts' instance norm).
        """
        from samovar_forecast.adapters.darts.explain import explain_model

        return explain_model(self, series, past_covariates, future_covariates)

    @property
    def supports_static_covariates(self) -> bool:
        """Whether static covariates are supported; always True."""
        return True

    @property
    def _ckpt_skipped_params(self) -> list[str]:
        """Parameters in which a model may differ from the model whose weights it loads."""
        return [
            *super()._ckpt_skipped_params,
            *("dropout", "attention", "next_patch_loss_weight", "patch_length", "linear"),
        ]


SAMoVARModel.__init__.__doc__ = SAMoVARModel.__doc__  # darts documents its models there

_PAPER = TrainingConfig()


@torch.no_grad()
def _log_forecast_loss(module: SAMoVARModule, trainer: Any, datamodule: Any) -> None:
    """Put the loss of the forecasts of the validation windows among the metrics of the trainer.

    ``val_loss`` is the loss of the network alone, since the linear forecast follows the training.
    """
    place, precision = trainer.strategy.root_device, trainer.strategy.precision_plugin
    was_training, came_from = module.training, module.device
    module.to(place).eval()
    total = n_windows = 0.0
    for given in datamodule.val_dataloader():
        batch = module.windows_at_place(given, trainer)
        with precision.forward_context():
            total += len(batch.past_target) * float(module.forecast_loss(batch))
        n_windows += len(batch.past_target)
    module.to(came_from).train(was_training)
    metrics = {"val_forecast_loss": torch.tensor(total / n_windows)}
    trainer.callback_metrics.update(metrics)
    for logger in trainer.loggers:
        logger.log_metrics(metrics, step=trainer.global_step)


def _training_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return the paper's optimiser and schedule where the user chose none."""
    if "optimizer_cls" in given:
        return {}
    peak = {"lr": _PAPER.learning_rate, "betas": _PAPER.betas, "weight_decay": _PAPER.weight_decay}
    optimizer = {**peak, **(given.get("optimizer_kwargs") or {})}
    defaults: dict[str, Any] = {
        "optimizer_cls": torch.optim.AdamW,
        "optimizer_kwargs": optimizer,
    }
    if "lr_scheduler_cls" not in given:
        lowest, highest = _PAPER.cycle_beta1 or optimizer["betas"]
        cycle = {
            "max_lr": optimizer["lr"],
            "pct_start": _PAPER.warmup_share,
            "anneal_strategy": "linear",
            "div_factor": _PAPER.initial_division,
            "final_div_factor": _PAPER.final_division,
            "base_momentum": lowest,
            "max_momentum": highest,
            "interval": "step",
        }
        defaults["lr_scheduler_cls"] = OneCycle
        defaults["lr_scheduler_kwargs"] = {**cycle, **(given.get("lr_scheduler_kwargs") or {})}
    return defaults


# darts' safe loading refuses classes that are not darts' own unless they are named here.
add_safe_globals([SAMoVARModel, OneCycle])
