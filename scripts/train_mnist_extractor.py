"""Train MNIST's classifier that ships in plugins/extractors/mnist_cnn.safetensors.

    ganbench prepare mnist --data-folder FOLDER
    python scripts/train_mnist_extractor.py FOLDER

One thread and deterministic kernels: the same machine gives the same weights each time. It learns
from the 60,000 training images; the 10,000 test images are looked at once, after the last epoch.
"""

import argparse
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from train_digits_extractor import accuracy, fit

from ganbench.api import Features
from ganbench_plugins.datasets.mnist import Mnist
from ganbench_plugins.extractors.mnist_cnn import MnistCNN


class Jittered(nn.Module):
    """In training, the network sees each batch moved by at most a pixel along each axis."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Features:
        if self.training:
            images = images.roll(torch.randint(-1, 2, (2,)).tolist(), (2, 3))
        return self.network(images)


def train(folder: Path, seed: int, epochs: int) -> tuple[MnistCNN, float]:
    """Return the network trained on the training images, and its accuracy on the test images."""
    torch.manual_seed(seed)
    training, test = Mnist("train").load(folder), Mnist("test").load(folder)
    network = MnistCNN()
    fit(Jittered(network), training.samples, training.labels, epochs)
    return network, accuracy(network, test.samples, test.labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="ganbench's data folder, which holds MNIST/raw")
    weights = Path(__file__).resolve().parents[1] / "plugins" / "extractors" / MnistCNN.weights
    parser.add_argument("--output", type=Path, default=weights, help="the file to write")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, batches and moves")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network, test_accuracy = train(options.folder, options.seed, options.epochs)
    metadata = {
        "test_accuracy": f"{test_accuracy:.6f}",
        "split": "trained on MNIST's 60,000 training images, tested on its 10,000 test images",
        "seed": str(options.seed),
        "epochs": str(options.epochs),
        "script": "scripts/train_mnist_extractor.py",
    }
    safetensors.torch.save_file(network.state_dict(), options.output, metadata)
    print(f"test accuracy {test_accuracy:.4f}, written to {options.output}")


if __name__ == "__main__":
    main()
