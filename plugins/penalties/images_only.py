"""For what has no meaning but on images."""

from ganbench.api import Shape, Unsupported


def check_images(name: str, shape: Shape) -> None:
    """Refuse points.

    Raises:
        Unsupported: the data is no images.
    """
    if len(shape) != 3:
        raise Unsupported(
            f"{name} works on images, [channels, height, width]; the data has the shape"
            f" {list(shape)}"
        )
