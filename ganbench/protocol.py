"""The fixed part of the harness: what is the same for every loss of a study."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator

from ganbench.budget import Budget
from ganbench.errors import BadInput


def _canonical(budget: str) -> str:
    """80.0kimg is 80kimg."""
    return str(Budget.parse(budget))


@dataclass(frozen=True, kw_only=True)
class TrainingProtocol:
    """The base of all protocols: a frozen dataclass whose fields a subclass gives values.

    A subclass assigns them in its body (`batch_size = 128`), and a user settles one by
    `name:batch_size=32`. Every field is in the run's recipe, and so in its key; `datasets`,
    `architectures` and `schedules` are only what it is used with unless the user asks otherwise.

    Args:
        budget: how long to train, as `Budget.parse` reads it.
        batch_size: real images, and fakes, in a step; batch norm needs 2.
        optimizer: of both players.
        generator_lr: the learning rate of G.
        discriminator_lr: the learning rate of D.
        beta1: Adam's decay of the first moment, for both; the momentum of the others.
        beta2: Adam's decay of the second moment, for both; RMSProp's alpha.
        epsilon: what Adam and RMSProp add to the denominator.
        lr_decay: `linear` lowers both learning rates to 0 at the end of the budget.
        ema_half_life_kimg: a moving average of G's weights is what is evaluated; an old weight
            counts half after this many thousand fakes of G's steps. 0 evaluates G itself.
        ema_burn_in_kimg: thousand fakes over which the half-life rises from 0, along a cosine.
        latents: z is N(0, 1) or U(-1, 1).
        horizontal_flip: mirror each real image that D is shown with probability 1/2.
        evaluations: evaluations after the untrained one, evenly over the budget, the last at
            its end.
        evaluation_samples: fakes in each evaluation.
    """

    version: ClassVar[int]
    datasets: ClassVar[str]
    architectures: ClassVar[str] = ""  # those of the data set
    schedules: ClassVar[str] = "k-step"

    budget: Annotated[str, AfterValidator(_canonical)]
    batch_size: Annotated[int, Ge(2)] = 64
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    generator_lr: Annotated[float, Gt(0)]
    discriminator_lr: Annotated[float, Gt(0)]
    beta1: Annotated[float, Ge(0), Lt(1)]
    beta2: Annotated[float, Ge(0), Lt(1)]
    epsilon: Annotated[float, Gt(0)] = 1e-8
    lr_decay: Literal["none", "linear"] = "none"
    ema_half_life_kimg: Annotated[float, Ge(0)] = 0.0
    ema_burn_in_kimg: Annotated[float, Ge(0)] = 0.0
    latents: Literal["normal", "uniform"] = "normal"
    horizontal_flip: bool = False
    evaluations: Annotated[int, Ge(1), Le(10_000)] = 10
    evaluation_samples: Annotated[int, Ge(2)] = 10_000

    def __init_subclass__(cls) -> None:
        """Make what the class body assigns the fields' defaults, of the types declared here."""
        super().__init_subclass__()
        fields = cls.__dataclass_fields__
        for name in {*vars(cls), *cls.__annotations__}:
            if not (name.startswith("_") or name in {*fields, *_FACTS} or _is_code(cls, name)):
                raise TypeError(f"protocol {cls.__name__}: '{name}' is no field of a protocol")
        cls.__annotations__ = {name: fields[name].type for name in vars(cls) if name in fields}
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        if self.ema_burn_in_kimg and not self.ema_half_life_kimg:
            raise ValueError("ema_burn_in_kimg is without effect where ema_half_life_kimg is 0")

    @property
    def clock(self) -> Budget:
        return Budget.parse(self.budget)

    @property
    def drawn(self) -> tuple[str, ...]:
        """How the fakes of an evaluation are generated, where not by G's own weights."""
        return ("ema",) if self.ema_half_life_kimg else ()

    def lr_scale(self, share: float) -> float:
        """What both learning rates are multiplied with when this share of the budget is spent."""
        return _DECAYS[self.lr_decay](min(share, 1.0))


_FACTS = ("version", "datasets", "architectures", "schedules")


def _is_code(cls: type, name: str) -> bool:
    value = vars(cls).get(name)
    return callable(value) or isinstance(value, (property, staticmethod, classmethod))


_DECAYS: Mapping[str, Callable[[float], float]] = {
    "none": lambda _: 1.0,
    "linear": lambda share: 1.0 - share,
}


def check_class(cls: type) -> None:
    """Refuse what is registered as a protocol and is none.

    Raises:
        BadInput: it says what is missing.
    """
    if not issubclass(cls, TrainingProtocol) or not hasattr(cls, "datasets"):
        raise BadInput(
            f"protocol class '{cls.__name__}' has to be a subclass of ganbench.api.TrainingProtocol"
            " with `datasets`"
        )
