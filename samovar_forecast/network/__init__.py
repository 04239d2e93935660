"""The SAMoVAR network, free of any host library.

Letters of the shapes in this room, with the host's words for them:

====== ============================================== ==================== ===================
letter meaning                                        sktime               darts
====== ============================================== ==================== ===================
B      windows in a batch                             --                   batch
L      context length, time steps of a window         ``window_length``    ``input_chunk_length``
s      patch length, time steps forecast at once      --                   ``output_chunk_length``
C      target series                                  columns of ``y``     components
P      past covariates                                columns of ``X``     past covariates
F      future covariates                              columns of ``X``     future covariates
S      static covariates                              --                   static covariates
Cin    channels mixed by the exogenous token, P + C   --                   --
N      patches in a window, ceil(L / s)               --                   --
T      tokens of a series, 2 N                        --                   --
R      rows asked for: N, or 1 for the last           --                   --
D      token width                                    --                   ``d_model``
H, d   heads and their width, D = H d                 --                   ``n_heads``
M      layers                                         --                   ``num_layers``
K      numbers predicted per step and series          --                   ``nr_params``
====== ============================================== ==================== ===================

The forward (Lu & Yang, ICML 2025), whose numbers stand beside the lines that compute it.
``rms(x) = gain * x / sqrt(mean(x^2) + epsilon)`` over the last axis; vectors are rows, and
dropout, after (2), (3), (5) and (8), is left out.

 (1) z = (x - location) / scale                          each window and channel by itself
 (2) exo_n = rms(W_x (sum_k A[c, k] z_k,n + a_c) + b_x)  exogenous token of patch n
 (3) endo_n = rms(W_e z_c,n + b_e)                       endogenous token of patch n
 (4) h = rms([exo_0, endo_0, exo_1, endo_1, ...] + position, kind and series)
 (5) h <- h + W_2 gelu(W_1 rms(h) + b_1) + b_2           M times
 (6) x1 = rms(h)                                         input of all VAR layers
 (7) q^m, v^m = rms_head(W^m x1 + b^m)                   head by head, m = 1 ... M
 (8) o^m_t = sum_{i <= t} (q^m_t . k^m_i) v^m_i          with k^1 = x1, k^m = o^{m-1}
 (9) y_n = x1_{2n+1} + (sum_m o^m_{2n+1}) S              S = L U head by head
(10) p_n = W_o rms(y_n) + b_o                            patch n + 1 in units of the window
(11) forecast = scale * p_{N-1} + location
"""

from samovar_forecast.network.losses import Loss, samovar_loss
from samovar_forecast.network.samovar import NetworkOutput, SAMoVARNetwork
from samovar_forecast.network.trace import Trace

__all__ = ["Loss", "NetworkOutput", "SAMoVARNetwork", "Trace", "samovar_loss"]
