"""Files whose publisher's md5 sums torchvision knows, and checks before it opens them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torchvision.datasets.utils import check_integrity

from ganbench.api import BadInput, NotPrepared


@contextmanager
def published(sums: Mapping[Path, str]) -> Iterator[None]:
    """Within, torchvision reads the files in `sums`; the one that lacks or is damaged is named."""
    missing = next((path for path in sums if not path.is_file()), None)
    if missing:
        raise NotPrepared(f"there is no {missing.name} in {missing.parent}")
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise BadInput(_damage(sums, error)) from error


def _damage(sums: Mapping[Path, str], error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error)
    damaged = [str(path) for path, md5 in sums.items() if not check_integrity(path, md5)]
    return (
        f"not the published file, by its md5 sum: {', '.join(damaged)}\n"
        "  Delete it and prepare the data set again."
    )
