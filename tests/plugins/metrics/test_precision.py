from collections.abc import Iterator

import pytest
import torch

from ganbench_plugins.metrics.precision import full_precision


@pytest.fixture
def tf32_allowed() -> Iterator[None]:
    convolution, matmul = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = convolution.fp32_precision, matmul.fp32_precision
    convolution.fp32_precision = matmul.fp32_precision = "tf32"
    yield
    convolution.fp32_precision, matmul.fp32_precision = before


def allowed() -> tuple[str, str]:
    return torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision


@pytest.mark.usefixtures("tf32_allowed")
def test_tf32_is_off_within_and_as_it_was_after() -> None:
    with full_precision():
        assert allowed() == ("ieee", "ieee")
    assert allowed() == ("tf32", "tf32")


@full_precision()
def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.usefixtures("tf32_allowed")
def test_an_error_within_leaves_tf32_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        fail()
    assert allowed() == ("tf32", "tf32")


def test_no_graph_is_kept_within() -> None:
    with full_precision():
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
