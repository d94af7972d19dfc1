"""``python -m pretraining FOLDER WEIGHTS``: draw clips into FOLDER, then train on them."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from pretraining.examples import write_examples
from pretraining.train import train_prior

_SIZE = (112, 64)


def main() -> None:
    """Draw, train, write the weights."""
    parser = argparse.ArgumentParser(description="Make the weights that ship with the product.")
    parser.add_argument("folder", type=Path, help="drawn clips go here; those already there are used")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--clips", type=int, default=2400)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # several times faster on a processor
    if args.clips:
        write_examples(args.folder, args.seed, args.clips, _SIZE)
    train_prior(args.folder, args.weights, args.steps, args.seed)


if __name__ == "__main__":
    main()
