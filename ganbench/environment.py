"""The machine, the packages and the plugins that a result was made with."""

import importlib.metadata as metadata
import platform
import sys
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import torch

from ganbench.acceleration import cpu_count, device_name
from ganbench.catalogue import Catalogue

_PACKAGES = ("ganbench", "torch", "torchvision", "numpy", "scipy", "pytorch-fid")
_MACHINE = ("device", "device_type", "cores", "threads", "torch")


def describe(device: torch.device, threads: int, catalogue: Catalogue) -> dict[str, Any]:
    """All of it as JSON; `machine` is the digest of what decides speed."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "device": device_name(device),
        "device_type": device.type,
        "cores": cpu_count(),
        "threads": threads,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "torch": torch.__version__,
        "packages": {name: _version(name) for name in _PACKAGES},
        "plugins": [
            {
                "name": plugin.origin.plugin,
                "distribution": plugin.origin.distribution,
                "version": plugin.origin.version,
                "status": plugin.status,
            }
            for plugin in catalogue.plugins
        ],
    }
    return {**found, "machine": machine_key(found)}


def machine_key(environment: Mapping[str, Any]) -> str:
    """Equal for two processes whose speeds can be compared."""
    return sha256(repr([environment[name] for name in _MACHINE]).encode()).hexdigest()[:12]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
