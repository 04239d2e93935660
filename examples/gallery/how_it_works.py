"""How it works: tokens, weights between them, and a coefficient that follows the recent past.

Run: python examples/gallery/how_it_works.py      # writes how_it_works.png

A simulated series keeps 0.9 of its last value at first and 0.2 later. The pretrained
network has never seen the series; a VAR has a single coefficient for both halves.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import FancyArrowPatch
from statsmodels.tsa.api import AutoReg

from samovar_forecast import read_var

N_ROWS, PATCH, SHOWN = 400, 8, 64
rng = np.random.default_rng(3)
truth = np.where(np.arange(N_ROWS) < N_ROWS // 2, 0.9, 0.2)
values = np.zeros(N_ROWS)
for row in range(1, N_ROWS):
    values[row] = truth[row] * values[row - 1] + rng.normal()
y = pd.DataFrame({"y": values})

var = read_var(y, horizon=1, linear=False)  # the pretrained network alone
local = var.coefficient_paths([1], origins=list(y.index[40::4]), part="dynamics").to_frame()
fixed = AutoReg(values, 1).fit().params[1]

figure = plt.figure(figsize=(8, 7.5), layout="constrained")
top, bottom = figure.subplots(2, 1)
past = values[-SHOWN:]
given = var.attribution(horizon=1).to_frame("y").query("kind == 'series'")
size = given["contribution"].abs().groupby((given["lag"] - 1) // PATCH).sum()
weight = size.reindex(range(SHOWN // PATCH), fill_value=0.0).to_numpy()[::-1]  # newest last
floor = past.min() - 1.2
top.plot(np.arange(SHOWN), past, color="0.15", linewidth=1.3)
for patch, share in enumerate(weight / weight.max()):
    start = patch * PATCH
    top.axvspan(start, start + PATCH - 1, color="C0", alpha=0.06 + 0.3 * share, linewidth=0)
    top.text(start + 3.5, floor, f"patch {patch + 1}", ha="center", fontsize=9)
    ends = (start + 3.5, past.max() + 0.4), (SHOWN + 1.5, past.max() + 0.4)
    top.add_patch(
        FancyArrowPatch(
            *ends,
            connectionstyle="arc3,rad=-0.25",
            arrowstyle="-|>",
            mutation_scale=10,
            linewidth=0.4 + 3 * share,
            color="C0",
        )
    )
top.text(SHOWN + 2.2, past.max() + 0.2, "next\npatch", va="top", fontsize=10, color="C0")
top.set(xlim=(-1, SHOWN + 9), ylim=(floor - 0.4, past.max() + 4.5), xticks=[], yticks=[])
top.set_title("A window becomes tokens; weights between them give what comes next", loc="left")
bottom.step(y.index, truth, where="post", color="0.15", linewidth=1.3, label="truth")
bottom.axhline(fixed, color="C1", linestyle="--", label="an autoregression: one number for all")
bottom.plot(local.index, local.iloc[:, 0], color="C0", linewidth=1.8, label="SAMoVAR, by origin")
bottom.set_title("The coefficient of the last value, at each origin", loc="left")
bottom.set(xlabel="row", ylim=(-0.2, 1.1))
bottom.legend(frameon=False, loc="lower left")
for ax in (top, bottom):
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig("how_it_works.png", dpi=80)
print("figure: how_it_works.png")
