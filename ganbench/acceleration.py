"""Which device a run is on, and how its arithmetic is done there."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ganbench.errors import BadInput


def resolve_device(text: str) -> torch.device:
    """Read `auto`, `cpu`, `cuda` or `cuda:1`; `auto` is the first GPU where there is one.

    Raises:
        BadInput: no such device, or not on this machine.
    """
    if text == "auto":
        text = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(text)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in {"cpu", "cuda"} or (device.type == "cpu" and device.index):
        raise BadInput(f"no device is called '{text}'.\n  Known: auto, cpu, cuda, cuda:1, ...")
    if device.type == "cuda":
        _check_cuda(text, device)
        return torch.device("cuda", device.index or 0)
    return device


def _check_cuda(text: str, device: torch.device) -> None:
    found = gpu_count()
    if (device.index or 0) >= found:
        present = f"torch sees {found} CUDA device{'s' * (found != 1)} on this machine"
        raise BadInput(f"device '{text}' is not here: {present}.\n  `--device cpu` works anywhere.")


def use(device: torch.device, threads: int, *, deterministic: bool = False) -> None:
    """Settle this process on a device: its threads, and float32 that is float32 (no TF32).

    Args:
        deterministic: only kernels that give the same bits each time, on a GPU too.

    Raises:
        BadInput: they can't be had here.
    """
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.fp32_precision = "ieee"
    if deterministic:
        _use_deterministic_kernels(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)


def _use_deterministic_kernels(device: torch.device) -> None:
    """Set every flag that it takes, and read each back: a flag that is misspelt is silent."""
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    settled = {
        "use_deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "no warn_only": not torch.is_deterministic_algorithms_warn_only_enabled(),
        "cudnn.deterministic": bool(torch.backends.cudnn.deterministic),
        "no cudnn.benchmark": not torch.backends.cudnn.benchmark,
    }
    if device.type == "cuda":
        workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG", "")
        settled["CUBLAS_WORKSPACE_CONFIG"] = workspace in {":4096:8", ":16:8"}
    unsettled = [name for name, is_set in settled.items() if not is_set]
    if unsettled:
        raise BadInput(f"arithmetic can't be made deterministic: {', '.join(unsettled)} failed")


def limit_memory(device: torch.device, size: int) -> None:
    """Let this process allocate so many bytes, of the device's memory; more is out of memory."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, size / total), device)
    else:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


@contextmanager
def full_precision() -> Iterator[None]:
    """Within, no graph is kept and float32 is float32, whatever the training is allowed.

    TF32 keeps 10 bits of the mantissa, and moves a Fréchet distance in the third digit.
    """
    backends: Any = torch.backends
    kinds = [
        backends.cudnn.conv,
        backends.cuda.matmul,
        backends.mkldnn.conv,
        backends.mkldnn.matmul,
    ]
    before = [kind.fp32_precision for kind in kinds]
    for kind in kinds:
        kind.fp32_precision = "ieee"
    try:
        with torch.no_grad():
            yield
    finally:
        for kind, precision in zip(kinds, before, strict=True):
            kind.fp32_precision = precision


def device_name(device: torch.device) -> str:
    """The hardware's own name, such as `NVIDIA H200` or the processor's model."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            models = (line.partition(":")[2].strip() for line in lines if "model name" in line)
            return next(models, platform.processor() or platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def gpu_count() -> int:
    """GPUs that this process may use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def cpu_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
