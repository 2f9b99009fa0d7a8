"""What a machine has for ganbench, and what it lacks, line by line."""

import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from ganbench.acceleration import cpu_count, device_name
from ganbench.catalogue import DATASET, EXTRACTOR, METRIC, Catalogue
from ganbench.choices import choose
from ganbench.errors import BadInput, GanbenchError, NotPrepared, Unsupported
from ganbench.planning import load
from ganbench.preparation import try_out
from ganbench.reference import default_folder
from ganbench.specs import Spec
from ganbench.timing import peak_flops

_LABEL = 14
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def diagnose(catalogue: Catalogue, data_folder: Path) -> Iterator[str]:
    """Yield the lines of `ganbench doctor`; measures for about a second."""
    yield _line("Python", platform.python_version())
    yield _line("torch", f"{torch.__version__}, CUDA {torch.version.cuda or 'not in this build'}")
    devices = [torch.device("cpu")]
    devices += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    for device in devices:
        yield _line(str(device), _device(device))
    yield ""
    for plugin in catalogue.plugins:
        yield _line("plugin", f"{plugin.origin}: {plugin.status}")
        if plugin.error:
            yield _line("", plugin.error)
    yield ""
    yield _line("data folder", str(data_folder))
    for component in catalogue.of_kind(DATASET):
        yield _line(
            "data set", f"{component.name}: {_dataset(catalogue, component.name, data_folder)}"
        )
    for component in catalogue.of_kind(EXTRACTOR):
        told = _extractor(catalogue, component.name, data_folder)
        yield _line("extractor", f"{component.name}: {told}")
    for component in catalogue.of_kind(METRIC):
        yield _line("metric", f"{component.name}: {_metric(catalogue, component.name)}")
    yield _line("cache", _cache())


def _line(label: str, text: str) -> str:
    return f"{label:{_LABEL}}" + text.replace("\n", "\n" + " " * _LABEL)


def _device(device: torch.device) -> str:
    speeds = {name: peak_flops(device, dtype) for name, dtype in _DTYPES.items()}
    fast = ", ".join(f"{name} {speed / 1e12:.2f}" for name, speed in speeds.items())
    ratio = speeds["bfloat16"] / speeds["float32"]
    cores = f", {cpu_count()} cores" if device.type == "cpu" else ""
    return (
        f"{device_name(device)}{cores}; matrix product in TFLOP/s: {fast}"
        f" (bfloat16 is {ratio:.1f} times float32)"
    )


def _dataset(catalogue: Catalogue, name: str, folder: Path) -> str:
    try:
        data = load(choose(catalogue, DATASET, Spec(name)), folder)
    except NotPrepared as error:
        return f"absent\n{error}"
    except BadInput as error:
        return f"needs fields: {str(error).splitlines()[0]}"
    except GanbenchError as error:
        return f"broken: {error}"
    return f"ready, {len(data):,} samples of {' x '.join(map(str, data.shape))}"


def _cache() -> str:
    try:
        return str(default_folder())
    except BadInput as error:
        return f"none: {error}"


def _metric(catalogue: Catalogue, name: str) -> str:
    """Whether its code can be had; what it needs of data and extractors is no matter here."""
    try:
        choose(catalogue, METRIC, Spec(name))
    except BadInput as error:
        return f"needs fields: {str(error).splitlines()[0]}"
    except GanbenchError as error:
        return f"broken: {error}"
    return "ready"


def _extractor(catalogue: Catalogue, name: str, folder: Path) -> str:
    try:
        choice = choose(catalogue, EXTRACTOR, Spec(name))
    except BadInput as error:
        return f"needs fields: {str(error).splitlines()[0]}"
    except GanbenchError as error:
        return f"broken: {error}"
    try:
        try_out(catalogue, choice, folder)
    except NotPrepared as error:
        return f"lacks its weights\n{error}"
    except Unsupported as error:
        return f"could not be tried\n{error}"
    except GanbenchError as error:
        return f"broken: {error}"
    return "ready"
