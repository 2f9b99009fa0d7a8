"""Which shapes an architecture takes, and the refusal of all others."""

from collections.abc import Sequence

from ganbench.api import Shape, Unsupported


def check_points(name: str, shape: Shape) -> None:
    """Refuse all but [features].

    Raises:
        Unsupported: the data are not points.
    """
    if len(shape) != 1:
        raise Unsupported(f"{name} makes points, [features]; the data has the shape {list(shape)}")


def check_images(name: str, shape: Shape, sides: Sequence[int]) -> None:
    """Refuse all but square images of 1 or 3 channels with one of these sides.

    Raises:
        Unsupported: the data are something else.
    """
    if len(shape) != 3 or shape[0] not in (1, 3) or shape[1] != shape[2] or shape[1] not in sides:
        listed = f"{', '.join(map(str, sides[:-1]))} or {sides[-1]}"
        raise Unsupported(
            f"{name} makes square images of 1 or 3 channels with a side of {listed} pixels;"
            f" the data has the shape {list(shape)}"
        )
