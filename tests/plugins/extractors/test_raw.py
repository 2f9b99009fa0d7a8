import torch

from ganbench.api import Data
from ganbench_plugins.extractors.raw import Raw

CPU = torch.device("cpu")


def test_points_are_their_own_features() -> None:
    points = torch.tensor([[1.5, -2.0], [0.0, 3.0]])
    extractor = Raw()
    extractor.check(Data(points, "all"))
    assert extractor.settings == ("raw",)
    features = extractor.load(CPU)(points)
    assert torch.equal(features.values, points)
    assert features.logits is None


def test_images_are_flattened_from_minus_1_to_1() -> None:
    images = torch.tensor([[[[0, 255]], [[51, 204]]]], dtype=torch.uint8)
    extractor = Raw()
    extractor.check(Data(images, "all"))
    assert extractor.settings == ("raw", "uint8")
    torch.testing.assert_close(
        extractor.load(CPU)(images).values, torch.tensor([[-1.0, 1.0, -0.6, 0.6]])
    )
