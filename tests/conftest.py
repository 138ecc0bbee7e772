"""What every test shares: one BLAS thread, a picture backend without a window, one seed.

Small matrices run fastest on one BLAS thread, and two threads on two busy cores can be a hundred
times slower; the variables must be set before NumPy is imported, so this stands at the very top.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "house",
    deadline=None,  # a busy machine is not a wrong result
    derandomize=True,  # the same run for everybody; widen with --hypothesis-seed
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("house")
