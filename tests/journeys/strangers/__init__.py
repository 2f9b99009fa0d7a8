"""A package of losses and penalties that do harm, each in its own way."""

from ganbench.api import hookimpl

_LOSSES = {
    "raises": "Raises",
    "in-torch": "InTorch",
    "spoils": "Spoils",
    "exits": "Exits",
    "vanishes": "Vanishes",
    "killed": "Killed",
    "segfaults": "Segfaults",
    "nan": "NotANumber",
    "loops": "Loops",
    "holds-the-gil": "HoldsTheGil",
    "allocates": "Allocates",
    "reseeds": "Reseeds",
    "changes-logits": "ChangesLogits",
    "prints": "Prints",
    "vector": "Vector",
    "number": "Number",
    "detached": "Detached",
    "complex": "Complex",
    "integer": "Integer",
    "meta": "Meta",
    "elsewhere": "Elsewhere",
    "counts": "Counts",
    "stays": "Stays",
}


@hookimpl
def ganbench_losses():
    return {name: f"strangers.losses:{cls}" for name, cls in _LOSSES.items()} | {
        "only-there": "strangers.only_there:OnlyThere",
        "patches": "strangers.patches:Patches",
    }


@hookimpl
def ganbench_penalties():
    return {
        "changes-real": "strangers.penalties:ChangesReal",
        "changes-fake": "strangers.penalties:ChangesFake",
    }
