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
T      tokens of one series, 2 N                      --                   --
R      rows asked for: N, or 1 for the last           --                   --
D      token width                                    --                   ``d_model``
H, d   heads and their width, D = H d                 --                   ``n_heads``
M      layers                                         --                   ``num_layers``
K      numbers predicted per step and series          --                   ``nr_params``
====== ============================================== ==================== ===================
"""

from samovar_forecast.network.losses import Loss, samovar_loss
from samovar_forecast.network.samovar import NetworkOutput, SAMoVARNetwork
from samovar_forecast.network.trace import Trace

__all__ = ["Loss", "NetworkOutput", "SAMoVARNetwork", "Trace", "samovar_loss"]
