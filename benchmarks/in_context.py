"""``python -m benchmarks.in_context``: can a network infer a VAR from a single window?

The synthetic experiment of the paper: networks trained on windows of VARs of orders 1 and 2, each
window from another process, forecast processes of orders 1 to 4 beside least squares on the same
64 observations. The question is settled; the records stay, and the table is made of them here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.command import Benchmark, settled_at
from benchmarks.pages import markdown_table
from benchmarks.records import Entry, Records

CODE_AT = "17f1e3b"
"""The last commit that holds the code of the measurements."""

TRAINING_ORDERS = (1, 2)
TEST_ORDERS = (1, 2, 3, 4)
NETWORKS = {"samovar": "SAMoVAR", "lintrans": "LinTrans", "fixedvar": "FixedVAR"}
REFERENCES = {
    "ols": "OLS, order known",
    "ols 2": "OLS, 2 lags",
    "ridge": "ridge, 4 lags, penalty by leave-one-out",
    "ridge, trained": "ridge, 2 lags, penalty from the training processes",
}


def captured(records: Records, case: str) -> dict[int, list[float]]:
    """Return the share of what can be known beyond the window's mean, by order and training."""
    nothing = records.entries["references"]["errors"]["excess"]["mean"]
    entry: Entry = records.entries[case]
    trainings = [entry[key] for key in entry if key.startswith("seed ")]
    return {
        order: [1 - run["excess"][str(order)] / nothing[str(order)] for run in trainings]
        for order in TEST_ORDERS
    }


def mean_and_spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation over seeds."""
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"


def sections(records: Records) -> dict[str, str]:
    """Return the shares captured, from 0 (mean of the window) to 1 (true coefficients)."""
    rows = []
    for case, title in NETWORKS.items():
        shares = captured(records, case)
        rows.append([title, *(mean_and_spread(shares[order]) for order in TEST_ORDERS)])
    errors = records.entries["references"]["errors"]["excess"]
    for name, title in REFERENCES.items():
        shares_of = [1 - errors[name][str(o)] / errors["mean"][str(o)] for o in TEST_ORDERS]
        rows.append([title, *(f"{share:.2f}" for share in shares_of)])
    unseen = {order: "" if order in TRAINING_ORDERS else ", not trained" for order in TEST_ORDERS}
    header = ["share captured", *(f"order {order}{unseen[order]}" for order in TEST_ORDERS)]
    return {"in context": markdown_table(header, rows)}


BENCHMARK = Benchmark("in_context", __doc__, settled_at(CODE_AT), sections)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
