"""Switches rounding noise on in every Python process that has this folder on PYTHONPATH; no product code knows of it.

Only `make rounding` puts it there. `ROUNDING_SEED` says which noise; without it nothing happens.
"""

import os

if "ROUNDING_SEED" in os.environ:
    import rounding_noise

    rounding_noise.Noise(int(os.environ["ROUNDING_SEED"]), int(os.environ.get("ROUNDING_UNITS", "4"))).at_import()
