"""Train the digits' feature extractor that ships in plugins/extractors/digits_cnn.safetensors.

    python scripts/train_digits_extractor.py

One thread and deterministic kernels: the same machine gives the same weights each time. Nothing
is chosen by the held-out part; it is looked at once, after the last epoch.
"""

import argparse
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganbench_plugins.extractors.digits_cnn import DigitsCNN

BATCH_SIZE = 64
HELD_OUT = 0.2


def digits() -> tuple[Tensor, Tensor]:
    """Return uint8 [1797, 1, 8, 8] and int64 labels, quantised as the data set `digits` is."""
    bunch = load_digits()
    images = np.floor(bunch.images * (255 / 16) + 0.5).astype(np.uint8)
    return torch.from_numpy(images)[:, None], torch.from_numpy(bunch.target).long()


def fit(network: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """Minimise the cross entropy with AdamW and a one-cycle learning rate."""
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    steps_per_epoch = -(-len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=3e-3, epochs=epochs, steps_per_epoch=steps_per_epoch
    )
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):
            loss = cross_entropy(network(images[batch]).logits, labels[batch], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images that the network gives their own class."""
    network.eval()
    return (network(images).logits.argmax(1) == labels).double().mean().item()


def train(seed: int, epochs: int) -> tuple[DigitsCNN, float]:
    """Return the network trained on four fifths of each class, and its held-out accuracy."""
    torch.manual_seed(seed)
    images, labels = digits()
    training, held_out = train_test_split(
        np.arange(len(images)), test_size=HELD_OUT, random_state=seed, stratify=labels
    )
    network = DigitsCNN()
    fit(network, images[training], labels[training], epochs)
    return network, accuracy(network, images[held_out], labels[held_out])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    weights = Path(__file__).resolve().parents[1] / "plugins" / "extractors" / DigitsCNN.weights
    parser.add_argument("--output", type=Path, default=weights, help="the file to write")
    parser.add_argument("--seed", type=int, default=0, help="of the split, weights and batches")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network, held_out_accuracy = train(options.seed, options.epochs)
    metadata = {
        "held_out_accuracy": f"{held_out_accuracy:.6f}",
        "held_out_share": str(HELD_OUT),
        "split": "scikit-learn's load_digits, train_test_split stratified by label",
        "seed": str(options.seed),
        "epochs": str(options.epochs),
        "script": "scripts/train_digits_extractor.py",
    }
    safetensors.torch.save_file(network.state_dict(), options.output, metadata)
    print(f"held-out accuracy {held_out_accuracy:.4f}, written to {options.output}")


if __name__ == "__main__":
    main()
