import json
import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganbench.catalogue import EXTRACTOR, METRIC
from ganbench.choices import choose
from ganbench.data import Data
from ganbench.features import Features
from ganbench.reference import References, _digest, default_folder
from ganbench.scores import Scale, Score
from ganbench.specs import parse_one

CPU = torch.device("cpu")
PROBE = 5  # the first batch, which is looked at each time


def images(count: int = 23, seed: int = 0, split: str = "all") -> Data:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (count, 1, 2, 2), generator=generator, dtype=torch.uint8)
    return Data(pixels, split)


@dataclass
class Doubling:
    """Values are twice the pixels; it counts the images that it saw."""

    version: ClassVar[int] = 1
    batch_size: ClassVar[int] = 5
    names_classes: ClassVar[bool] = True

    weights: Annotated[str, "location"] = ""
    factor: int = 2
    digest: ClassVar[str] = "abc"

    @property
    def settings(self) -> tuple[str, ...]:
        return ("doubling", self.digest)

    def check(self, reference: Data) -> None: ...

    def load(self, device):
        self.seen = 0

        def network(samples):
            self.seen += len(samples)
            values = self.factor * samples.flatten(1).float()
            return Features(values, values[:, :3])

        return network


class Other(Doubling):
    version: ClassVar[int] = 2


class Whatever:
    version: ClassVar[int] = 1


Made = Callable[..., Scale]


@pytest.fixture
def scale(toys) -> Made:
    def make(spec: str = "doubling", cls: type = Doubling) -> Scale:
        catalogue = toys((EXTRACTOR, "doubling", cls), (METRIC, "whatever", Whatever))
        extractor = choose(catalogue, EXTRACTOR, parse_one(spec))
        metric = choose(catalogue, METRIC, parse_one("whatever"))
        return Scale(Score(metric, extractor), None, extractor.create())

    return make


def summary(folder: Path, scale: Scale, data: Data, parts=("values",)):
    """The summary, and how many images the extractor saw for it."""
    network = scale.extractor.load(CPU)
    found = References(folder).summary(scale, network, data, parts, CPU)
    return found, scale.extractor.seen


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("reference/*/*.safetensors"))


def test_what_was_seen_once_is_read_from_then_on(tmp_path, scale):
    data = images()
    first, seen = summary(tmp_path, scale(), data)
    assert seen == PROBE + 23
    assert torch.equal(first.values, 2 * data.samples.flatten(1).float())
    again, seen = summary(tmp_path, scale(), data)
    assert seen == PROBE
    assert again.count == first.count == 23
    assert torch.equal(again.values, first.values)


def test_all_parts_survive_to_the_bit(tmp_path, scale):
    parts = ("moments", "values", "logits", "class_counts")
    first, _ = summary(tmp_path, scale(), images(), parts)
    again, seen = summary(tmp_path, scale(), images(), parts)
    assert seen == PROBE
    assert set(again.tensors) == set(first.tensors) == {
        "mean", "covariance", "evenly", "values", "logits", "class_counts",
    }  # fmt: skip
    for name, tensor in first.tensors.items():
        assert torch.equal(again.tensors[name], tensor)
        assert again.tensors[name].dtype == tensor.dtype


def test_only_what_is_missing_is_made(tmp_path, scale):
    summary(tmp_path, scale(), images(), ["moments"])
    both, seen = summary(tmp_path, scale(), images(), ["moments", "values"])
    assert seen == PROBE + 23
    assert {"mean", "values"} <= set(both.tensors)
    assert [path.stem for path in kept(tmp_path)] == ["moments", "values"]
    _, seen = summary(tmp_path, scale(), images(), ["moments"])
    assert seen == PROBE


@pytest.mark.parametrize(
    "change",
    [
        {"data": images(seed=1)},
        {"data": images(count=22)},
        {"data": images(split="train")},
        {"spec": "doubling:factor=3"},
        {"cls": Other},
        {"digest": "abd"},
        {"batch_size": 6},
        {"torch": "9.9"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_the_numbers_is_kept_apart(tmp_path, scale, monkeypatch, change):
    summary(tmp_path, scale(), images())
    for name in ("digest", "batch_size"):
        if name in change:
            monkeypatch.setattr(Doubling, name, change[name])
    if "torch" in change:
        monkeypatch.setattr(torch, "__version__", change["torch"])
    given = {name: change[name] for name in ("spec", "cls") if name in change}
    _, seen = summary(tmp_path, scale(**given), change.get("data", images()))
    assert seen > 6
    assert len(kept(tmp_path)) == 2


def test_code_that_no_digest_covers_is_found_out(tmp_path, scale):
    """The same key, and other features."""
    first, _ = summary(tmp_path, scale(), images())

    class Changed(Doubling):
        def load(self, device):
            network = super().load(device)
            return lambda samples: Features(network(samples).values + 9)

    again, seen = summary(tmp_path, scale(cls=Changed), images())
    assert seen == PROBE + 23
    torch.testing.assert_close(again.values, first.values + 9)


def test_rounding_is_no_change(tmp_path, scale):
    summary(tmp_path, scale(), images())

    class Rounding(Doubling):
        def load(self, device):
            network = super().load(device)
            return lambda samples: Features(network(samples).values * (1 + 1e-5))

    _, seen = summary(tmp_path, scale(cls=Rounding), images())
    assert seen == PROBE


def test_where_the_weights_lie_changes_nothing(tmp_path, scale):
    summary(tmp_path, scale(), images())
    _, seen = summary(tmp_path, scale("doubling:weights=/elsewhere"), images())
    assert seen == PROBE


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def with_a_bit_flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def of_other_settings(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    header["recipe"] = json.dumps({**json.loads(header["recipe"]), "count": 5})
    save_file(load_file(path), path, header)


def without_a_header(path: Path) -> None:
    save_file(load_file(path), path)


def huge_header(path: Path) -> None:
    path.write_bytes((2**63 - 1).to_bytes(8, "little") + b"{}")


def pickled(path: Path) -> None:
    torch.save({"values": torch.zeros(23, 4)}, path)


def forged(path: Path, **tensors: torch.Tensor) -> None:
    """A sound file with the right header, but of other tensors."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = {**load_file(path), **tensors}
    with suppress(TypeError):  # of a type that numpy has not, or without any number
        header["sha256"] = _digest(tensors)
    save_file(tensors, path, header)


def with_another_part(path: Path) -> None:
    forged(path, mean=torch.zeros(4, dtype=torch.float64))


def with_a_path_for_a_name(path: Path) -> None:
    forged(path, **{"../../x": torch.zeros(1)})


def of_doubles(path: Path) -> None:
    forged(path, values=torch.zeros(23, 4, dtype=torch.float64))


def of_a_type_that_numpy_has_not(path: Path) -> None:
    forged(path, values=torch.zeros(23, 4, dtype=torch.bfloat16))


def of_fewer(path: Path) -> None:
    forged(path, values=torch.zeros(22, 4))


def of_more_dimensions(path: Path) -> None:
    forged(path, values=torch.zeros(23, 4, 1))


def of_none(path: Path) -> None:
    forged(path, values=torch.zeros(0, 4))


def of_no_numbers(path: Path) -> None:
    forged(path, values=torch.full((23, 4), float("nan")))


def of_a_probe_of_another_type(path: Path) -> None:
    forged(path, probe=torch.zeros(5, 4, dtype=torch.int8))


def without_a_probe(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    save_file({"values": load_file(path)["values"]}, path, header)


def nested(path: Path) -> None:
    header = b'{"a":' * 50_000
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        truncated, emptied, with_a_bit_flipped, of_other_settings, without_a_header, huge_header,
        pickled, with_another_part, with_a_path_for_a_name, of_doubles,
        of_a_type_that_numpy_has_not, of_fewer, of_more_dimensions, of_none, of_no_numbers,
        of_a_probe_of_another_type, without_a_probe, nested, a_link, a_pipe,
    ],
)  # fmt: skip
def test_what_is_damaged_is_made_again(tmp_path, scale, damage):
    first, _ = summary(tmp_path, scale(), images())
    damage(kept(tmp_path)[0])
    again, seen = summary(tmp_path, scale(), images())
    assert seen == PROBE + 23
    assert torch.equal(again.values, first.values)
    _, seen = summary(tmp_path, scale(), images())
    assert seen == PROBE


def test_where_a_file_can_not_be_replaced_the_numbers_are_right_and_it_is_said(tmp_path, scale):
    first, _ = summary(tmp_path, scale(), images())
    made_a_folder(kept(tmp_path)[0])
    with pytest.warns(UserWarning, match="reference features can't be kept"):
        again, seen = summary(tmp_path, scale(), images())
    assert seen == PROBE + 23
    assert torch.equal(again.values, first.values)


@pytest.mark.parametrize("where", ["a file", "under a file"])
def test_without_a_folder_to_write_to_nothing_is_kept_and_it_is_said(tmp_path, scale, where):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.warns(UserWarning, match="reference features can't be kept"):
        found, seen = summary(blocked if where == "a file" else blocked / "x", scale(), images())
    assert seen == PROBE + 23
    assert found.count == 23


def test_a_cache_that_can_not_be_written_is_read_and_nothing_is_said(tmp_path, scale):
    summary(tmp_path, scale(), images())
    lock = kept(tmp_path)[0].parent / "lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # as of a read-only folder, which would stop every user but root
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, seen = summary(tmp_path, scale(), images())
    assert seen == PROBE
    with pytest.warns(UserWarning, match="reference features can't be kept"):
        _, seen = summary(tmp_path, scale(), images(), ["moments"])
    assert seen == PROBE + 23


def test_an_interrupted_write_leaves_no_file_of_that_name(tmp_path, scale, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        summary(tmp_path, scale(), images())
    monkeypatch.undo()
    assert kept(tmp_path) == []
    assert list(tmp_path.glob("reference/*/.*")) == []
    _, seen = summary(tmp_path, scale(), images())
    assert seen == PROBE + 23


def test_what_a_killed_process_left_is_removed(tmp_path, scale):
    summary(tmp_path, scale(), images())
    leftover = kept(tmp_path)[0].parent / ".moments.f00d"
    leftover.write_text("half")
    summary(tmp_path, scale(), images(), ["moments"])
    assert not leftover.exists()


def test_two_at_once_do_the_work_once(tmp_path, scale):
    scales = [scale() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: summary(tmp_path, each, images()), scales))
    assert sorted(seen for _, seen in found) == [PROBE, PROBE, PROBE, PROBE + 23]
    assert all(torch.equal(each.values, found[0][0].values) for each, _ in found)


def test_two_processes_at_once_read_the_same(tmp_path):
    """Each sees all, or waits and reads: their numbers are equal, and one file is left."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        import torch
        from ganbench.catalogue import EXTRACTOR, METRIC
        from ganbench.choices import choose
        from ganbench.data import Data
        from ganbench.plugins import discover
        from ganbench.reference import References
        from ganbench.scores import Scale, Score
        from ganbench.specs import Spec
        choice = choose(discover(), EXTRACTOR, Spec("raw"))
        data = Data(torch.arange(40_000.0).view(20_000, 2), "all")
        extractor = choice.create()
        extractor.check(data)
        scale = Scale(Score(choice, choice), None, extractor)
        cpu = torch.device("cpu")
        network = extractor.load(cpu)
        found = References(Path(sys.argv[1])).summary(scale, network, data, ["moments"], cpu)
        print(found.mean.tolist(), found.covariance.tolist())
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1] != ""
    assert len(kept(tmp_path)) == 1


def test_the_folder_is_the_users_cache(monkeypatch):
    monkeypatch.setenv("GANBENCH_CACHE", "/somewhere")
    assert default_folder() == Path("/somewhere")
    monkeypatch.delenv("GANBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_folder() == Path("/xdg/ganbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path.home() / ".cache" / "ganbench"
