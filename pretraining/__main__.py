"""``python -m pretraining FOLDER WEIGHTS``: draw clips into FOLDER, then train on them."""

from __future__ import annotations

import math

import torch

from pretraining.common import options
from pretraining.examples import write_examples
from pretraining.train import Course, train_prior


def main() -> None:
    """Draw, train, write the weights."""
    parser = options("that say what shadows usually look like", "clips", 2400, 12000)
    parser.add_argument("--rate", type=float, default=5e-4, help="how fast it learns at most")
    parser.add_argument("--at-once", type=int, default=2, help="clips in a step")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--minutes", type=float, default=math.inf, help="train no longer than this")
    args = parser.parse_args()
    torch.set_flush_denormal(True)  # several times faster on a processor
    if args.clips:
        write_examples(args.folder, args.seed, args.clips, args.device)
    if args.steps:
        train_prior(
            args.folder,
            args.weights,
            Course(args.steps, args.rate, args.seed, args.resume, args.at_once, args.minutes, args.device),
        )


if __name__ == "__main__":
    main()
