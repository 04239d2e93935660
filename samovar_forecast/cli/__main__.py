"""`python -m samovar_forecast.cli`."""

import sys

from samovar_forecast.cli import main

if __name__ == "__main__":
    sys.exit(main())
