"""Every figure: each function takes a result and returns Axes; nothing is computed here.

Without a ``figure`` or ``ax``, a function draws on a new pyplot figure, so that a notebook shows
it. Colours are Okabe and Ito's, safe for colour-blind readers; markers and line styles tell the
models apart in print without colour too.

A figure is a function in the module of its subject, named in that module's ``__all__``: this
package hands on what stands there.
"""

from samovar_forecast.plots import (
    attribution,
    coefficients,
    connectedness,
    fan,
    forecasts,
    layout,
    responses,
    scores,
)
from samovar_forecast.plots.attribution import *
from samovar_forecast.plots.coefficients import *
from samovar_forecast.plots.connectedness import *
from samovar_forecast.plots.fan import *
from samovar_forecast.plots.forecasts import *
from samovar_forecast.plots.layout import *
from samovar_forecast.plots.responses import *
from samovar_forecast.plots.scores import *

__all__: list[str] = []
__all__ += attribution.__all__
__all__ += coefficients.__all__
__all__ += connectedness.__all__
__all__ += fan.__all__
__all__ += forecasts.__all__
__all__ += layout.__all__
__all__ += responses.__all__
__all__ += scores.__all__
