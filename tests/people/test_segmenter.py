"""What is certain around drawn bodies, and whose a pixel is where two bodies meet."""

from __future__ import annotations

import numpy as np

from backend.people.detect import Figure
from backend.people.labels import BACKGROUND, UNKNOWN, hinted_labels
from backend.people.segmenter import FEATURES, Place, Segmenter, Trainer, odds_of


def test_beside_a_drawn_body_is_background_unless_somebody_else_may_be_there() -> None:
    mask = np.zeros((80, 160), np.float32)
    mask[20:60, 60:76] = 1
    labels = hinted_labels({1: mask}, [], False)
    assert labels[40, 68] == 2 and labels[40, 56] == BACKGROUND and labels[40, 59] == UNKNOWN
    assert labels[40, 10] == UNKNOWN and hinted_labels({1: mask}, [], True)[40, 10] == BACKGROUND
    near = hinted_labels({1: mask}, [Figure(84, 40, 40, 1.0)], True)
    assert near[40, 78] == UNKNOWN and near[40, 56] == BACKGROUND and near[40, 68] == 2


def test_bodies_in_one_place_are_told_by_their_looks() -> None:
    dice = np.random.default_rng(2)
    looks = dice.normal(0, 0.1, (60, 160, FEATURES)).astype(np.float32)
    labels = np.zeros((60, 160), np.int32)
    own = dice.normal(0, 0.7, (2, FEATURES)).astype(np.float32)
    for person, left in enumerate((20, 120)):
        labels[10:50, left : left + 14] = person + 1
        looks[10:50, left : left + 14] += own[person]
    model = Segmenter(2)
    trainer = Trainer(model)
    trainer.add(looks, labels, [Place(27, 30, 40), Place(127, 30, 40)], 500)
    trainer.train(60)
    for person in range(2):
        here = np.broadcast_to(own[person], (60, 80, FEATURES))
        odds = [odds_of(model, np.ascontiguousarray(here), Place(40, 30, 40), other)[30, 40] for other in range(2)]
        assert odds[person] > odds[1 - person] + 1 and odds[person] > 0
