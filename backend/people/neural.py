"""People found by trained networks: a detector of people, and one that follows an object through a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.core.color import Floats
from backend.errors import InputError
from backend.media.frame_store import FrameStore
from backend.people.detect import Figure
from backend.people.motion import Found, Hints, Stages
from backend.people.scene import Scene, Tell
from backend.people.track import Track
from backend.people.tracks import track_all
from backend.people.weights import DETECTOR, SEGMENTER

_DETECT_SIZE = 640
_LEAST_SCORE = 0.5
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The corners of a box among the labels of points.
_CORNERS = (2, 3)
# Frames whose memory is kept, so that a long film needs no more of it than a short one.
_REMEMBERED = 16


@dataclass(frozen=True)
class Networks:
    """The loaded networks."""

    detector: Any
    segmenter: Any
    session: Callable[..., Any]
    device: torch.device

    @property
    def person(self) -> int:
        """The number of the class of people."""
        names = {str(name).lower(): int(number) for number, name in self.detector.config.id2label.items()}
        return names.get("person", 0)


def load_networks(folder: Path, device: torch.device) -> Networks:
    """Load both networks from a folder; nothing is fetched.

    Raises:
        InputError: the library or the weights are missing or don't fit.
    """
    try:
        from transformers import AutoModelForObjectDetection, Sam2VideoInferenceSession, Sam2VideoModel
    except ImportError as error:
        raise InputError(
            "The neural finder needs the package transformers", 'Install it with pip install "retime-people[neural]"'
        ) from error
    try:
        detector = AutoModelForObjectDetection.from_pretrained(folder / DETECTOR, local_files_only=True)
        segmenter = Sam2VideoModel.from_pretrained(folder / SEGMENTER, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no weights that can be loaded ({error})", "Fetch them again") from error
    return Networks(detector.to(device).eval(), segmenter.to(device).eval(), Sam2VideoInferenceSession, device)


@torch.inference_mode()
def find_by_network(scene: Scene, hints: Hints, networks: Networks, work: Path, stages: Stages) -> Found | None:
    """As ``find_by_motion``, with trained networks."""
    tracks: Sequence[Track] = []
    if not hints:
        detections = []
        for index in range(len(scene)):
            stages.detect(index / len(scene))
            detections.append(_detect(networks, scene.picture(index)))
        everywhere = np.ones((scene.size[1], scene.size[0]), np.float32)
        tracks = track_all(scene, detections, lambda _index: everywhere, stages.track)
        if not tracks:
            return None
    prompts = [_Prompt(dict(masks), {}) for masks in hints.values()] or [_Prompt({}, _surest(t)) for t in tracks]
    return Found(_follow(scene, networks, prompts, work, stages.follow), tracks)


@dataclass(frozen=True)
class _Prompt:
    """What tells the network whom to follow: masks or a box, by frame."""

    masks: Mapping[int, Floats]
    boxes: Mapping[int, Figure]

    @property
    def start(self) -> int:
        """The frame to start from."""
        return min(self.masks or self.boxes)


def _surest(track: Track) -> dict[int, Figure]:
    index = max(track.figures, key=lambda i: track.figures[i].score)
    return {index: track.figures[index]}


def _detect(networks: Networks, picture: Floats) -> list[Figure]:
    height, width = picture.shape[:2]
    small = _resized(picture, _DETECT_SIZE).to(networks.device)
    answer = networks.detector(pixel_values=small[None])
    scores = answer.logits[0].sigmoid()[:, networks.person].float().cpu().numpy()
    boxes = answer.pred_boxes[0].float().cpu().numpy() * np.array([width, height, width, height], np.float32)
    return [
        Figure(float(x), float(y), float(max(h, 4.0)), float(score))
        for (x, y, _, h), score in zip(boxes, scores, strict=True)
        if score > _LEAST_SCORE
    ]


def _resized(picture: Floats, size: int) -> Tensor:
    """A square picture (3, size, size)."""
    square = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1), np.float32))


def _follow(scene: Scene, networks: Networks, prompts: Sequence[_Prompt], work: Path, tell: Tell) -> FrameStore:
    """Masks (T, h, w, N): every person forth and back from where the network is told of her."""
    stores = []
    for number, prompt in enumerate(prompts):
        shape = len(scene), scene.size[1], scene.size[0]
        masks = np.memmap(work / f"person{number}.raw", np.uint8, "w+", shape=shape)
        orders = [(range(prompt.start, len(scene)), False), (range(prompt.start, -1, -1), True)]
        for half, (order, reverse) in enumerate(orders):
            for done, (index, mask) in enumerate(_one_way(scene, networks, prompt, order, reverse)):
                masks[index] = np.round(255 * mask).astype(np.uint8)
                tell((number + 0.5 * half + 0.5 * done / len(order)) / len(prompts))
        stores.append(masks)

    def frames() -> Iterator[Floats]:
        for index in range(len(scene)):
            values = np.stack([store[index] for store in stores], -1).astype(np.float32) / np.float32(255)
            total = np.maximum(1, values.sum(-1, keepdims=True))
            yield np.asarray(np.round(values / total * 255) / 255, np.float32)

    return FrameStore.create(work / "people.raw", frames(), len(scene))


def _one_way(
    scene: Scene, networks: Networks, prompt: _Prompt, order: Sequence[int], reverse: bool
) -> Iterator[tuple[int, Floats]]:
    """The masks (h, w) of one person in the frames of ``order``."""
    width, height = scene.size
    session = networks.session(
        video_height=height, video_width=width, inference_device=networks.device, dtype=torch.float32
    )
    person = session.obj_id_to_idx(1)
    size = int(networks.segmenter.config.image_size)
    mean, spread = (torch.tensor(values)[:, None, None] for values in (_MEAN, _SPREAD))
    for index in order:
        if _prompted(session, person, prompt, index, (width, height), size):
            session.obj_with_new_inputs = [1]
        picture = ((_resized(scene.picture(index), size) - mean) / spread).to(networks.device)
        answer = networks.segmenter(inference_session=session, frame=picture, frame_idx=index, reverse=reverse)
        odds = answer.pred_masks.reshape(1, 1, *answer.pred_masks.shape[-2:]).float()
        large = torch.nn.functional.interpolate(odds, (height, width), mode="bilinear", align_corners=False)
        visible = answer.object_score_logits.float().sigmoid().reshape(-1)[0]
        mask = (large.sigmoid()[0, 0] * visible).cpu().numpy()
        _forget(session, person)
        yield index, prompt.masks.get(index, np.asarray(mask, np.float32))


def _prompted(session: Any, person: int, prompt: _Prompt, index: int, view: tuple[int, int], size: int) -> bool:
    """Tell the network where the person is in this frame, when that is known."""
    if index in prompt.masks:
        mask = torch.from_numpy(np.ascontiguousarray(prompt.masks[index] > 0.5)).float()
        session.add_mask_inputs(person, index, mask[None, None])
        return True
    if index not in prompt.boxes:
        return False
    left, top, right, bottom = prompt.boxes[index].box()
    scale = torch.tensor([size / view[0], size / view[1]])
    corners = torch.tensor([[left, top], [right, bottom]]) * scale
    labels = torch.tensor(_CORNERS, dtype=torch.int32)
    inputs = {"point_coords": corners[None, None].float(), "point_labels": labels[None, None]}
    session.add_point_inputs(person, index, inputs)
    return True


def _forget(session: Any, person: int) -> None:
    """Let go of frames that are too long ago to matter."""
    session.processed_frames.clear()
    remembered = session.output_dict_per_obj[person]["non_cond_frame_outputs"]
    for index in list(remembered)[:-_REMEMBERED]:
        del remembered[index]
