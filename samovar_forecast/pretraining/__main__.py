"""``python -m samovar_forecast.pretraining``: see :mod:`samovar_forecast.pretraining.command`."""

from samovar_forecast.pretraining.command import main

if __name__ == "__main__":
    raise SystemExit(main())
