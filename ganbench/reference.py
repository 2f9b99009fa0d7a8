"""What extractors see in real samples, kept between runs.

    CACHE/reference/KEY/PART.safetensors    one part of a summary; KEY is the sha256 of everything
                                            that decides its numbers

A file's header holds that everything, and the sha256 of its tensors. What can't be read, or does
not hold what its header says, is made again.
"""

import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ganbench.components import Extractor
from ganbench.data import Data
from ganbench.errors import StoreError
from ganbench.experiment import canonical_json
from ganbench.features import PARTS, Network, Part, Pass, Summary
from ganbench.folders import user_cache
from ganbench.scores import Scale
from ganbench.tensor_files import opened

_ANY = -1  # in place of a size
SCHEMA = 1  # rises when the harness computes features or their summaries otherwise


def default_folder() -> Path:
    """`$GANBENCH_CACHE`, else `ganbench` in the user's cache folder."""
    return Path(os.environ.get("GANBENCH_CACHE") or user_cache())


@dataclass(frozen=True)
class References:
    """Summaries of real samples, from the cache where it has them.

    Args:
        folder: of the cache; it need not exist, and where it can't be written nothing is kept.
    """

    folder: Path

    def summary(
        self,
        scale: Scale,
        network: Network,
        data: Data,
        parts: Collection[Part],
        device: torch.device,
    ) -> Summary:
        """The parts of what the scale's extractor sees in `data`, on `device`.

        Another process that wants the same waits for this one, and then reads it.
        """
        recipe = self._recipe(scale, data, device)
        folder = self.folder / "reference" / sha256(recipe.encode()).hexdigest()
        with _locked(folder) as unwritable:
            probe = self._probe(scale, network, data, device)
            found = {part: _read(folder, part, recipe, probe, len(data)) for part in parts}
            missing = [part for part, tensors in found.items() if tensors is None]
            tensors = {n: t.to(device) for kept in found.values() for n, t in (kept or {}).items()}
            if missing:
                assert scale.extractor is not None
                made = _seen(network, scale.extractor, data, missing, device)
                tensors |= made.tensors
                if unwritable is None:
                    _write(folder, made, missing, recipe, probe)
                else:
                    _warn(folder, unwritable)
        return Summary(len(data), tensors)

    def _probe(self, scale: Scale, network: Network, data: Data, device: torch.device) -> Tensor:
        """What the network makes of the first batch: it betrays code that no digest covers."""
        assert scale.extractor is not None
        first = Data(data.samples[: scale.extractor.batch_size], data.split)
        return _seen(network, scale.extractor, first, ["values"], device).values.cpu()

    def _recipe(self, scale: Scale, data: Data, device: torch.device) -> str:
        """Everything that decides the features, as text."""
        assert scale.extractor is not None
        assert scale.score.extractor is not None
        return canonical_json(
            {
                "schema": SCHEMA,
                "data": data.fingerprint(),
                "split": data.split,
                "count": len(data),
                "extractor": scale.score.extractor.key_parts(),
                "settings": list(scale.extractor.settings),
                "batch_size": scale.extractor.batch_size,
                "torch": torch.__version__,
                "device": device.type,
            }
        )


def _seen(
    network: Network, extractor: Extractor, data: Data, parts: Sequence[Part], device: torch.device
) -> Summary:
    one_pass = Pass(network, extractor.batch_size, parts, len(data), type(extractor))
    for batch in torch.split(data.samples, extractor.batch_size):
        one_pass.add(batch.to(device))
    return one_pass.summary()


@contextmanager
def _locked(folder: Path) -> Iterator[OSError | None]:
    """Hold the folder alone; where nothing can be written, say why, and then there is no lock."""
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        yield error
        return
    try:
        yield None
    finally:
        lock.release()


def _read(
    folder: Path, part: Part, recipe: str, probe: Tensor, count: int
) -> dict[str, Tensor] | None:
    """The tensors of a part; None where its file is missing, damaged or of something else."""
    try:
        with opened(folder / f"{part}.safetensors") as file:
            header = file.metadata() or {}
            if header.get("recipe") != recipe:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, StoreError):
        return None
    if not _sound(tensors, part, probe, count) or header.get("sha256") != _digest(tensors):
        return None
    return tensors if _same(tensors.pop("probe"), probe) else None


def _sound(tensors: Mapping[str, Tensor], part: Part, probe: Tensor, count: int) -> bool:
    """Whether they are what `_write` keeps of this part: names, types and shapes, all finite."""
    width = probe.shape[1]
    known: Mapping[str, tuple[torch.dtype, tuple[int, ...]]] = {
        "mean": (torch.float64, (width,)),
        "covariance": (torch.float64, (width, width)),
        "evenly": (torch.float32, (_ANY, width)),
        "values": (torch.float32, (count, width)),
        "logits": (torch.float32, (count, _ANY)),
        "class_counts": (torch.int64, (_ANY,)),
        "probe": (torch.float32, tuple(probe.shape)),
    }
    return tensors.keys() == {*PARTS[part], "probe"} and all(
        _fits(tensor, *known[name]) for name, tensor in tensors.items()
    )


def _fits(tensor: Tensor, dtype: torch.dtype, shape: Sequence[int]) -> bool:
    if tensor.dtype != dtype or tensor.dim() != len(shape) or not tensor.isfinite().all():
        return False
    return all(size in (_ANY, has) for size, has in zip(shape, tensor.shape, strict=True))


def _same(kept: Tensor, probe: Tensor) -> bool:
    """Whether they differ by rounding alone, as between numbers of threads."""
    return torch.allclose(kept, probe, rtol=1e-3, atol=1e-3 * float(probe.abs().max()))


def _write(folder: Path, made: Summary, parts: Sequence[Part], recipe: str, probe: Tensor) -> None:
    for part in parts:
        tensors = {n: made.tensors[n].cpu().contiguous() for n in PARTS[part] if n in made.tensors}
        tensors["probe"] = probe
        sibling = folder / f".{part}.{uuid4().hex}"
        try:
            for leftover in folder.glob(".*"):  # of a process that was killed with the lock
                leftover.unlink(missing_ok=True)
            save_file(tensors, sibling, {"recipe": recipe, "sha256": _digest(tensors)})
            with sibling.open("rb") as file:
                os.fsync(file.fileno())
            sibling.replace(folder / f"{part}.safetensors")
        except (OSError, SafetensorError) as error:
            _warn(folder, error)
        finally:
            sibling.unlink(missing_ok=True)


def _warn(folder: Path, error: Exception) -> None:
    warnings.warn(f"reference features can't be kept in {folder}: {error}", stacklevel=2)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.contiguous().numpy().data.cast("B"))
    return digest.hexdigest()
