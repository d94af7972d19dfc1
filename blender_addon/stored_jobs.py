"""Jobs as scenes keep them, so that a closed file, an undo and another Blender find them again."""

from __future__ import annotations

import bpy

from .properties import RetimePeopleJob
from .session import PREPARING, Ticket


def stored_ticket(entry: RetimePeopleJob) -> Ticket:
    """What a scene knows of a job, as it was when it was last written down."""
    return Ticket(
        out=entry.out,
        scene=entry.id_data.name,
        strip=entry.strip,
        job_id=entry.job_id,
        state=entry.state or PREPARING,
        message=entry.message,
        layers=entry.layers,
        people=entry.people,
        task=entry.task,
        loaded=entry.loaded,
    )


def entry_of(ticket: Ticket) -> RetimePeopleJob | None:
    """The stored job of a ticket, in whatever scene; added again when an undo has taken it away meanwhile."""
    for scene in bpy.data.scenes:
        for entry in scene.retime_people.jobs:
            if entry.out == ticket.out:
                return entry
    scene = bpy.data.scenes.get(ticket.scene)
    if scene is None or ticket.settled:
        return None
    entry = scene.retime_people.jobs.add()
    entry.out = ticket.out
    return entry


def store(ticket: Ticket, entry: RetimePeopleJob) -> None:
    """Write down how a job stands."""
    fields = {
        "strip": ticket.strip,
        "job_id": ticket.job_id,
        "state": str(ticket.state),
        "stage": ticket.stage,
        "message": ticket.message,
        "fraction": -1.0 if ticket.fraction is None else ticket.fraction,
        "seconds_left": -1.0 if ticket.seconds_left is None else ticket.seconds_left,
        "layers": ticket.layers,
        "people": ticket.people,
        "task": ticket.task,
        "loaded": ticket.loaded,
    }
    for name, value in fields.items():
        # Writing what is there already would still mark the file as changed.
        if getattr(entry, name) != value:
            setattr(entry, name, value)
