"""What a part of an objective has to return, and that it changes nothing that it is given."""

from typing import cast

import torch
from torch import Tensor, nn

from ganbench.components import Images, Logits, Scalar
from ganbench.errors import ContractBroken

_CPU = torch.device("cpu")


class Given:
    """What parts of an objective are given, one after another; what they return is checked here.

    Every operation in place counts up a tensor's version, through views and `detach` too. What
    autograd does not see, such as `tensor.data`, is not seen here either.

    Each method raises ContractBroken, with the part, for what its contract does not allow.

    Args:
        tensors: the logits, or whatever else the answer has to be like, come first.
    """

    def __init__(self, *tensors: Tensor | None) -> None:
        self._tensors = [tensor for tensor in tensors if tensor is not None]
        self._versions = [tensor._version for tensor in self._tensors]

    def check(self, part: object) -> None:
        """Whether all of it is as it was."""
        if [tensor._version for tensor in self._tensors] != self._versions:
            message = "changes its input in place; it has to work on a clone"
            raise ContractBroken(type(part), message)

    def scalar(self, term: object, part: object) -> Scalar:
        """A term that can be added to a loss."""
        self.check(part)
        if not isinstance(term, Tensor) or term.dim() or not term.is_floating_point():
            message = f"has to return a scalar tensor; it returned {_kind(term)}"
            raise ContractBroken(type(part), message)
        if term.device not in (self._first.device, _CPU):
            raise self._elsewhere(term, part)
        return term

    def descendable(self, term: object, part: object) -> Scalar:
        """A loss that a network can descend."""
        loss = self.scalar(term, part)
        if loss.device != self._first.device:
            raise self._elsewhere(loss, part)
        if not loss.requires_grad:
            message = "has to return a loss that depends on the logits' graph"
            raise ContractBroken(type(part), message)
        return loss

    def images(self, augmented: object, part: object) -> Images:
        """A batch that D can see in place of the one given, and that G can learn through."""
        self.check(part)
        images = self._first
        sound = isinstance(augmented, Tensor) and augmented.shape == images.shape
        if not sound or (images.requires_grad and not cast("Images", augmented).requires_grad):
            message = "has to return images of the shape given, and gradients have to pass"
            raise ContractBroken(type(part), message)
        return cast("Images", augmented)

    def logits(self, selected: object, part: object) -> Logits:
        """Some of the logits."""
        self.check(part)
        if not isinstance(selected, Tensor) or selected.dim() != 1 or not len(selected):
            message = "has to return one or more of the logits, [count]"
            raise ContractBroken(type(part), message)
        return selected

    @property
    def _first(self) -> Tensor:
        return self._tensors[0]

    def _elsewhere(self, term: Tensor, part: object) -> ContractBroken:
        message = f"has to return a tensor on {self._first.device}; it returned one on"
        return ContractBroken(type(part), f"{message} {term.device}")


def _kind(term: object) -> str:
    """What it is, as far as it is not what it should be."""
    if not isinstance(term, Tensor):
        return type(term).__name__
    shape, kind = f"{list(term.shape)}", str(term.dtype).removeprefix("torch.")
    return shape if term.is_floating_point() else f"{shape} of {kind}"


def check_state(module: nn.Module, part: object) -> None:
    """Refuse a state that no checkpoint can hold.

    Args:
        part: what brought the module; it may be the module itself.

    Raises:
        ContractBroken: something in it is no tensor.
    """
    for name, value in module.state_dict().items():
        if not isinstance(value, Tensor):
            raise ContractBroken(
                type(part),
                f"keeps '{name}' in its state, of the type {type(value).__name__}; a checkpoint"
                " holds tensors only (buffers and parameters)",
            )
