"""``python -m pretraining FOLDER WEIGHTS``: draw clips into FOLDER, then train on them."""

from __future__ import annotations

import torch

from pretraining.common import options
from pretraining.examples import write_examples
from pretraining.train import train_prior

_SIZE = (112, 64)


def main() -> None:
    """Draw, train, write the weights."""
    args = options("that say what shadows usually look like", "clips", 2400, 12000).parse_args()
    torch.set_flush_denormal(True)  # several times faster on a processor
    if args.clips:
        write_examples(args.folder, args.seed, args.clips, _SIZE)
    train_prior(args.folder, args.weights, args.steps, args.seed, args.resume)


if __name__ == "__main__":
    main()
