"""Devices, as far as they can be looked at without a GPU."""

import pytest
import torch

from ganbench.acceleration import resolve_device
from ganbench.errors import BadInput


@pytest.fixture
def gpus(monkeypatch):
    def pretend(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


@pytest.mark.parametrize(
    ("text", "device"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_a_gpu_has_an_index_for_torch_sets_no_device_without_one(gpus, text, device):
    gpus(2)
    assert str(resolve_device(text)) == device


def test_auto_without_a_gpu_is_the_cpu(gpus):
    gpus(0)
    assert str(resolve_device("auto")) == "cpu"


@pytest.mark.parametrize(("text", "count"), [("cuda", 0), ("cuda:2", 2)])
def test_a_gpu_that_is_not_here_is_refused(gpus, text, count):
    gpus(count)
    with pytest.raises(BadInput, match=f"device '{text}' is not here: torch sees {count} CUDA"):
        resolve_device(text)


@pytest.mark.parametrize("text", ["tpu", "mps", "cpu:3", "", "cuda:x"])
def test_other_devices_are_unknown(text):
    with pytest.raises(BadInput, match="no device is called"):
        resolve_device(text)
