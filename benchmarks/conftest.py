"""One core and one thread for everybody, set before torch and jax start; and the short form of the results."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
if hasattr(os, "sched_setaffinity"):  # Linux: jax sizes its pool of threads by the cores it may use
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import platform
from importlib import metadata

import pytest
import torch
from harness import Race


@pytest.fixture
def race(benchmark) -> Race:
    """Time the kernel of the test against its peers in turns; see :class:`harness.Race`."""
    return Race(benchmark)


def pytest_benchmark_update_json(config, benchmarks, output_json) -> None:
    """Keep the ratios, the bounds and the kind of processor; drop machine, times and user."""
    records = [benchmark["extra_info"] for benchmark in output_json["benchmarks"]]
    # One model of processor may have different instructions from one machine to the next.
    processor = output_json["machine_info"]["cpu"].get("brand_raw", platform.machine())
    processor = f"{processor}, {torch.backends.cpu.get_cpu_capability()}"
    packages = ("torch", "numpy", "jax", "equinox", "hamux", "scikit-learn", "entmax", "pyDVL")
    versions = {name: metadata.version(name) for name in packages}
    output_json.clear()
    output_json.update(processor=processor, threads=1, versions=versions, kernels=records)
