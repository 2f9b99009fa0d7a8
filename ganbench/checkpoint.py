"""All that a game is made of at one moment, as named tensors, and back."""

from collections.abc import Mapping

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganbench.batches import Batches
from ganbench.components import Schedule
from ganbench.randomness import Streams
from ganbench.training import Game

# Of these a fresh game has the learning rates only.
_OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")


class DoesNotFit(Exception):
    """A state is not one of the game that it was to be restored to."""


def capture(game: Game, schedule: Schedule) -> dict[str, Tensor]:
    """Copies, on the CPU, of everything that decides how the game goes on.

    Weights and buffers, the optimizers' moments and learning rates, the moving average, what the
    parts of the objective and the schedule keep, where every random stream and the data's order
    are, torch's global generators, and the steps taken.
    """
    state = {
        "steps": torch.tensor([game.discriminator_steps, game.generator_steps]),
        "random/cpu": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        state["random/cuda"] = torch.cuda.get_rng_state()
    for name, module in _modules(game, schedule).items():
        state |= _under(name, module.state_dict())
    for name, optimizer in _optimizers(game).items():
        state |= _under(name, _optimizer_state(optimizer))
    for name, drawn in _drawn(game).items():
        state |= _under(name, drawn.state())
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}


def restore(game: Game, schedule: Schedule, state: Mapping[str, Tensor]) -> None:
    """Make a freshly assembled game of the same recipe go on from where `state` was captured.

    Raises:
        DoesNotFit: the state is another game's; the game is spent by it.
    """
    _check_fit(capture(game, schedule), state)
    try:
        _restore(game, schedule, state)
    except (KeyError, ValueError, RuntimeError, TypeError, IndexError) as error:
        raise DoesNotFit(f"{type(error).__name__}: {error}") from error


def _check_fit(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """A fresh game has everything that the state has, but for what optimizers come to keep."""
    kept = tuple(f"{name}/" for name in _OPTIMIZERS)
    for name in own.keys() | {n for n in state if not n.startswith(kept)}:
        if name not in own or name not in state:
            raise DoesNotFit(f"'{name}' is in one of them only")
        found, expected = (_kind(name, tensors[name]) for tensors in (state, own))
        if found != expected:
            raise DoesNotFit(f"'{name}' is {found}, and not {expected}")


def _kind(name: str, tensor: Tensor) -> str:
    """Its type and shape, where all states of a game have one."""
    shape = "" if name.endswith("/waiting") else f" {list(tensor.shape)}"
    return f"{tensor.dtype}{shape}"


def _restore(game: Game, schedule: Schedule, state: Mapping[str, Tensor]) -> None:
    game.discriminator_steps, game.generator_steps = (int(steps) for steps in state["steps"])
    for name, module in _modules(game, schedule).items():
        module.load_state_dict(_below(name, state))
    for name, optimizer in _optimizers(game).items():
        _restore_optimizer(optimizer, _below(name, state))
    for name, drawn in _drawn(game).items():
        drawn.restore(_below(name, state))
    torch.set_rng_state(state["random/cpu"])
    if "random/cuda" in state:
        torch.cuda.set_rng_state(state["random/cuda"])


def weights_of(network: nn.Module) -> bytes:
    """A network's parameters and buffers, as the content of a safetensors file."""
    state = network.state_dict()
    return safetensors.torch.save({n: t.detach().cpu().clone() for n, t in state.items()})


def _modules(game: Game, schedule: Schedule) -> dict[str, nn.Module]:
    modules = {
        "generator": game.generator.network,
        "discriminator": game.discriminator.network,
        **{f"objective/{place}": part for place, part in game.objective.modules()},
    }
    if game.average:
        modules["average"] = game.average.network
    if isinstance(schedule, nn.Module):
        modules["schedule"] = schedule
    return modules


def _optimizers(game: Game) -> dict[str, Optimizer]:
    optimizers = (game.generator.optimizer, game.discriminator.optimizer)
    return dict(zip(_OPTIMIZERS, optimizers, strict=True))


def _drawn(game: Game) -> dict[str, Streams | Batches]:
    return {
        "streams": game.streams,
        "batches": game.batches,
        "generator_batches": game.generator_batches,
    }


def _optimizer_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """Its state as `place/name` of each parameter, and the learning rates of its groups."""
    content = optimizer.state_dict()
    rates = [
        [group["lr"], group.get("initial_lr", group["lr"])] for group in content["param_groups"]
    ]
    state = {"lr": torch.tensor(rates, dtype=torch.float64)}
    for place, values in content["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):  # SGD without momentum keeps a None
                state[f"{place}/{name}"] = value
    return state


def _restore_optimizer(optimizer: Optimizer, state: Mapping[str, Tensor]) -> None:
    content = optimizer.state_dict()
    for group, (rate, initial) in zip(content["param_groups"], state["lr"].tolist(), strict=True):
        group.update(lr=rate, initial_lr=initial)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        place, _, name = key.partition("/")
        if name:
            if value.dim() and value.shape != parameters[int(place)].shape:
                raise DoesNotFit(f"'{key}' of an optimizer is {list(value.shape)}")
            moments.setdefault(int(place), {})[name] = value
    optimizer.load_state_dict({**content, "state": moments})


def _under(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{name}/{key}": tensor for key, tensor in state.items()}


def _below(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
