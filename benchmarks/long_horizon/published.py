"""Published numbers that the targets are set by. None of them was run here.

Test MSE under the same protocol (every window, look-back searched), as reported with X. Qiu et al.,
DUET: Dual Clustering Enhanced Multivariate Time Series Forecasting, KDD 2025 (arXiv:2412.10859).
Taken over, and not checked against the tables of the papers.
"""

from __future__ import annotations

SOURCE = "Qiu et al., KDD 2025 (arXiv:2412.10859)"
HORIZONS = (96, 192, 336, 720)


def _by_horizon(*values: float) -> dict[int, float]:
    return dict(zip(HORIZONS, values, strict=True))


MSE: dict[str, dict[str, dict[int, float]]] = {
    "DUET": {
        "ETTh1": _by_horizon(0.352, 0.398, 0.414, 0.429),
        "ETTh2": _by_horizon(0.270, 0.332, 0.353, 0.382),
    },
    "PatchTST": {
        "ETTh1": _by_horizon(0.377, 0.409, 0.431, 0.457),
        "ETTh2": _by_horizon(0.274, 0.348, 0.377, 0.406),
    },
    "DLinear": {
        "ETTh1": _by_horizon(0.379, 0.408, 0.440, 0.471),
        "ETTh2": _by_horizon(0.300, 0.387, 0.490, 0.704),
    },
}
BEST = "DUET"
FIRST_RUNG = ("PatchTST", "DLinear")
