"""Devices, as far as they can be looked at without a GPU."""

import pytest
import torch

from ganbench.acceleration import full_precision, resolve_device
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


_KINDS = (
    torch.backends.cudnn.conv,
    torch.backends.cuda.matmul,
    torch.backends.mkldnn.conv,
    torch.backends.mkldnn.matmul,
)


@pytest.fixture
def reduced_precision():
    before = [kind.fp32_precision for kind in _KINDS]
    for kind, allowed in zip(_KINDS, ("tf32", "tf32", "bf16", "bf16"), strict=True):
        kind.fp32_precision = allowed
    yield
    for kind, precision in zip(_KINDS, before, strict=True):
        kind.fp32_precision = precision


def _allowed():
    return [kind.fp32_precision for kind in _KINDS]


@pytest.mark.usefixtures("reduced_precision")
def test_float32_is_float32_within_and_as_it_was_after():
    with full_precision():
        assert _allowed() == ["ieee"] * 4
        assert not torch.is_grad_enabled()
    assert _allowed() == ["tf32", "tf32", "bf16", "bf16"]
    assert torch.is_grad_enabled()


@full_precision()
def _fail():
    raise ZeroDivisionError


@pytest.mark.usefixtures("reduced_precision")
def test_an_error_within_leaves_precision_as_it_was():
    with pytest.raises(ZeroDivisionError):
        _fail()
    assert _allowed() == ["tf32", "tf32", "bf16", "bf16"]
