"""What each preset means for training; the numbers and why they are what they are, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of ``losses.LossTerms``."""

    reconstruction: float = 1.0
    shadow_sparsity: float = 0.001
    reflection_sparsity: float = 0.03
    distance: float = 5.0
    """How much dearer an effect gets one body height away from its person; let go as training proceeds."""
    unusual: float = 8.0
    """How much dearer an effect gets where such a person has usually none."""
    range: float = 0.02


@dataclass(frozen=True)
class TrainSettings:
    """One training run. All sizes are in pixels of the training pictures."""

    steps: int
    batch_frames: int = 4
    pixels: int = 160 * 272
    """Area of a training picture when people are large: six tenths of 448x256 in each direction."""
    body_pixels: int = 30
    """How tall people should be; for smaller ones the pictures grow, ..."""
    most_growth: float = 1.5
    """... to at most so many times the area, while fewer frames go into a step."""
    networks: int = 1
    """So many begin differently and learn side by side; the mean of their answers counts."""
    width: int = 24
    levels: int = 4
    learning_rate: float = 3e-3
    warm_up_steps: int = 20
    refits: tuple[float, ...] = (0.3, 0.5, 0.7, 0.9)
    """Moments (share of the run) at which the background is estimated anew with the effects undone."""
    rehearsals: int = 4
    """How often it is tried on known ground how to make up what no frame shows, see ``core.inpaint.textured``."""
    weights: LossWeights = field(default_factory=LossWeights)


PRESETS: dict[str, TrainSettings] = {
    # What is usual, without any training.
    "draft": TrainSettings(steps=0, rehearsals=1),
    # 800 are hardly better (docs/method.md), and for three people take over eight minutes without 16-bit floats.
    "standard": TrainSettings(steps=500),
    # Another start makes as much of a difference as more steps do; see docs/method.md.
    "best": TrainSettings(steps=500, batch_frames=8, networks=2, rehearsals=8),
}
