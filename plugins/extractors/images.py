"""What extractors ask of images."""

from ganbench.api import Data, Samples, Unsupported

CHANNELS = (1, 3)


def require_images(extractor: str, reference: Data) -> None:
    """Refuse what is neither grey nor colour."""
    if not reference.is_images or reference.shape[0] not in CHANNELS:
        raise Unsupported(
            f"{extractor} needs images with 1 or 3 channels; it was given {kind_of(reference)}"
        )


def kind_of(reference: Data) -> str:
    """Say what was given, for a refusal."""
    kind = "images" if reference.is_images else "points"
    return f"{kind} of shape {reference.shape}"


def in_colour(images: Samples) -> Samples:
    """Repeat grey to three channels; colour stays as it is."""
    return images.expand(-1, 3, -1, -1)
