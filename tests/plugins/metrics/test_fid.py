"""What only the official weights may be called; the numbers are those of `fd`."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from ganbench.api import BadInput, Features, Summary
from ganbench.features import Gatherer
from ganbench_plugins.extractors.inception import SHA256
from ganbench_plugins.metrics.fd import Fd
from ganbench_plugins.metrics.fd_infinity import FdInfinity
from ganbench_plugins.metrics.fid import Fid, FidInfinity


@dataclass
class Weights:
    """An Inception whose weights have been read."""

    digest: str
    weights_path: Path = Path("mine.pth")


def summary(seed: int) -> Summary:
    gatherer = Gatherer({"moments", "values"}, 50)
    gatherer.add(Features(torch.randn(50, 8, generator=torch.Generator().manual_seed(seed))))
    return gatherer.summary()


@pytest.mark.parametrize(("metric", "name"), [(Fid(), "fid"), (FidInfinity(), "fid-infinity")])
def test_only_inception_will_do_and_only_with_the_official_weights(metric, name: str) -> None:
    assert metric.extractor == "inception"
    assert metric.directions == {name.replace("-", "_"): "lower"}
    metric.check(Weights(SHA256))
    with pytest.raises(BadInput) as raised:
        metric.check(Weights("0" * 64))
    said = str(raised.value)
    assert said.startswith(
        f"{name} is defined on the Inception network of 2015-12-05, and mine.pth"
    )
    assert f"{'0' * 64}, not\n  {SHA256}" in said
    assert said.endswith(f"ask for {name.replace('fid', 'fd')} in place of {name}.")


@pytest.mark.parametrize(
    ("ours", "general"),
    [(Fid(), Fd()), (FidInfinity(), FdInfinity()), (FidInfinity(sizes=3), FdInfinity(sizes=3))],
)
def test_the_numbers_and_needs_are_those_of_the_general_distance(ours, general) -> None:
    assert (ours.needs, ours.settings) == (general.needs, general.settings)
    assert ours.least_samples == general.least_samples
    (one,), (two,) = (m.compare(summary(1), summary(2)).values() for m in (ours, general))
    assert one == two
