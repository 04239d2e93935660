"""The tasks: what is forecast from which data set, as fev-bench defines them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import LEVELS

LOADS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
WEATHER = tuple(f"target_{number}" for number in range(21))
POLICY = ("PAYEMS", "CPIAUCSL", "FEDFUNDS")
POLICY_PAST = ("PPICMM", "NONBORRES", "TOTRESNS", "M2REAL")
MACRO = (
    *("INDPRO", "IPFINAL", "IPCONGD", "IPDCONGD", "IPNCONGD", "IPBUSEQ", "IPMAT", "IPDMAT"),
    *("IPNMAT", "IPMANSICS", "CUMFNS", "UNRATE", "UEMPMEAN", "UEMPLT5", "UEMP5TO14", "UEMP15T26"),
    *("UEMP27OV", "PAYEMS", "USGOOD", "USCONS", "MANEMP", "DMANEMP", "NDMANEMP", "SRVPRD"),
    *("USTPU", "USTRADE", "USFIRE", "USGOVT", "AWHMAN", "HOUST", "PERMIT", "BUSINVx", "M2REAL"),
    *("TOTRESNS", "NONBORRES", "S&P 500", "FEDFUNDS", "TB3MS", "TB6MS", "GS1", "GS5", "GS10"),
    *("AAA", "BAA", "EXUSUKx", "PPICMM", "CPIAUCSL", "CPIMEDSL", "UMCSENTx", "INVEST", "VIXCLSx"),
)


@dataclass(frozen=True)
class TaskPlan:
    """One task of fev-bench.

    Attributes
    ----------
    season : int
        Steps in a season, as the scale of MASE and of the scaled quantile loss has it.
    own_season : int
        What a forecaster is told, and what fev-bench's seasonal naive forecast repeats.
    past : tuple of str
        Covariates, known until the origin.
    is_later_vintage : bool
        Whether the data were revised after the published scores.
    """

    dataset: str
    horizon: int
    windows: int
    season: int
    own_season: int
    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    is_later_vintage: bool = False


TASKS = {
    "ETT_1H": TaskPlan("ETT_1H", 168, 20, 24, 24, LOADS),
    "ETT_1D": TaskPlan("ETT_1D", 28, 20, 7, 7, LOADS),
    "ETT_1W": TaskPlan("ETT_1W", 13, 5, 1, 1, LOADS),
    "jena_weather_10T": TaskPlan("jena_weather_10T", 144, 20, 144, 144, WEATHER),
    "jena_weather_1H": TaskPlan("jena_weather_1H", 24, 20, 24, 24, WEATHER),
    "jena_weather_1D": TaskPlan("jena_weather_1D", 28, 11, 1, 7, WEATHER),
    "fred_md_2025/cee": TaskPlan("fred_md_2025", 12, 20, 1, 12, POLICY, POLICY_PAST, True),
    "fred_md_2025/macro": TaskPlan("fred_md_2025", 12, 20, 1, 12, MACRO, (), True),
    "fred_qd_2025/cee": TaskPlan("fred_qd_2025", 8, 20, 1, 4, POLICY, POLICY_PAST, True),
    "fred_qd_2025/macro": TaskPlan("fred_qd_2025", 8, 20, 1, 4, MACRO, (), True),
}


def task_of_fev(name: str, table: Path) -> Any:
    """Return a task as an object of fev, which cuts the windows and scores the forecasts."""
    import fev

    plan = TASKS[name]
    return fev.Task(
        dataset_path=str(table),
        horizon=plan.horizon,
        num_windows=plan.windows,
        seasonality=plan.season,
        eval_metric="SQL",
        extra_metrics=["MASE", {"name": "WAPE", "epsilon": 1.0}, {"name": "WQL", "epsilon": 1.0}],
        quantile_levels=list(LEVELS),
        target=list(plan.targets),
        past_dynamic_columns=list(plan.past),
        task_name=name,
    )
