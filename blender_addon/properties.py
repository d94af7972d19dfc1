"""What is stored in the .blend: the choices for a decomposition, the people, and the jobs that were started."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .protocol import DecomposeSettings, SettingInfo, Task, settings_info
from .strips import active_person, select_person

INT_MAX = 2**31 - 1
"""The largest whole number a Blender property holds."""
FLOAT_DIGITS = 6
"""Blender stores floats in 32 bits; beyond this many decimals there is only noise."""

PERSON_TAGS = (1, 4, 5, 3, 6, 2, 7)
"""Numbers of Blender's strip colors, in the order in which people get them."""


def setting_property(default: Any, info: SettingInfo) -> Any:
    """The Blender property for one declared setting."""
    texts = {"name": info.label, "description": info.tooltip, "default": default}
    if info.choices:
        return EnumProperty(items=info.choices, **texts)
    if isinstance(default, bool):
        return BoolProperty(**texts)
    if isinstance(default, str):
        return StringProperty(**texts)
    limits = {name: value for name, value in (("min", info.minimum), ("max", info.maximum)) if value is not None}
    if isinstance(default, int):
        limits = {name: int(min(value, INT_MAX)) for name, value in limits.items()}
        return IntProperty(**texts, **limits)
    return FloatProperty(**texts, **limits)


def setting_properties(settings_type: type) -> dict[str, Any]:
    """One Blender property for each declared setting of a dataclass, by name."""
    return {
        name: setting_property(getattr(settings_type, name), info)
        for name, info in settings_info(settings_type).items()
    }


class RetimePeopleSettings(bpy.types.PropertyGroup):
    """Everything an artist may choose about one decomposition."""

    __annotations__ = setting_properties(DecomposeSettings)


class RetimePeoplePerson(bpy.types.PropertyGroup):
    """One person of the shot, and where the masks of this person come from."""

    # `name` comes with every PropertyGroup and becomes the layer's name.
    tag: IntProperty(
        name="Color", description="Number of the strip color of this person", default=PERSON_TAGS[0], min=0, max=9
    )
    thumbnail: StringProperty(name="Thumbnail", description="Small picture of this person", subtype="FILE_PATH")
    found: BoolProperty(name="Found", description="The masks were found by the backend")
    use: BoolProperty(
        name="Use", description="Give this person a layer; else the person stays in the background", default=True
    )
    drawn: StringProperty(
        name="Drawn Frames", description="Frames of the strip, counted from 1, on which the drawing is the truth"
    )
    first: IntProperty(name="First Frame", description="First frame of the strip in which the person is to be seen")
    last: IntProperty(name="Last Frame", description="Last frame of the strip in which the person is to be seen")
    depth: StringProperty(name="Depth", description="Places in the depth order, as frame and place")
    from_layers: BoolProperty(name="From Layers", description="The person came with loaded layers, and goes with them")
    source: EnumProperty(
        name="Masks From",
        description="Where the masks of this person come from",
        items=(
            ("FOLDER", "Folder", "Pictures in a folder, white where the person is, one per frame"),
            ("MASK", "Mask", "A mask drawn in Blender"),
            ("STRIP", "Strip", "A strip that shows a matte, white where the person is"),
        ),
    )
    folder: StringProperty(
        name="Masks Folder",
        description="Folder with one black and white PNG per frame, white where the person is",
        subtype="DIR_PATH",
    )
    mask: PointerProperty(
        name="Mask", description="Mask drawn in Blender, in the time of the sequencer", type=bpy.types.Mask
    )
    matte: StringProperty(name="Matte Strip", description="Strip that shows a matte, in the time of the sequencer")


class RetimePeopleJob(bpy.types.PropertyGroup):
    """One decomposition that was started from this scene; it is found again after Blender was closed."""

    # The folder is the identity: it is chosen before the backend gives a number, and no two jobs share one.
    out: StringProperty(name="Layers Folder", description="Where the layers are written", subtype="DIR_PATH")
    job_id: StringProperty(name="Job", description="Name of the job in the backend")
    strip: StringProperty(name="Source Strip", description="Strip that is decomposed")
    state: StringProperty(name="State", description="How the job stands")
    stage: StringProperty(name="Stage", description="What is being done")
    message: StringProperty(name="Message", description="What the job has to say")
    fraction: FloatProperty(
        name="Progress", description="How much of the stage is done, below zero where unknown", default=-1.0, max=1.0
    )
    seconds_left: FloatProperty(
        name="Time Left", description="Seconds until the stage is done, below zero where unknown", default=-1.0
    )
    layers: StringProperty(name="Layers", description="File that describes the finished layers", subtype="FILE_PATH")
    people: StringProperty(
        name="People Found", description="File that lists the people who were found", subtype="FILE_PATH"
    )
    task: StringProperty(name="Task", description="What the job is for", default=Task.DECOMPOSE.value)
    loaded: BoolProperty(name="Loaded", description="The layers have been loaded into the sequencer")


def _chosen_index(props: RetimePeopleScene) -> int:
    """Whose strip is active is chosen, else who was clicked last in the list."""
    index = props.people.find(active_person(props.id_data)) if len(props.people) else -1
    return index if index >= 0 else max(0, min(props.people_chosen, len(props.people) - 1))


def _choose_index(props: RetimePeopleScene, index: int) -> None:
    """Clicking a person in the list is as good as clicking the person's strip."""
    props.people_chosen = index
    if index < len(props.people):
        select_person(props.id_data, props.people[index].name)


def _redraw(_props: RetimePeopleScene, context: bpy.types.Context) -> None:
    """Have the previews drawn again."""
    for area in context.screen.areas if context.screen else ():
        area.tag_redraw()


class RetimePeopleScene(bpy.types.PropertyGroup):
    """Everything that the extension stores with a scene."""

    settings: PointerProperty(
        name="Settings", description="Choices for the next decomposition", type=RetimePeopleSettings
    )
    people: CollectionProperty(type=RetimePeoplePerson, name="People", description="People to get layers of their own")
    people_index: IntProperty(
        name="Active Person",
        description="Person that is chosen in the list",
        min=0,
        get=_chosen_index,
        set=_choose_index,
    )
    people_chosen: IntProperty(name="Chosen Person", description="Place in the list of who was clicked last", min=0)
    out: StringProperty(
        name="Layers Folder",
        description="Where layers are written; empty means a folder beside the .blend file",
        subtype="DIR_PATH",
    )
    show_masks: BoolProperty(
        name="Show Masks", description="Outline each person of the list in the preview", default=True, update=_redraw
    )
    mark_person: StringProperty(name="Marked Person", description="Person whose moment is marked; empty for none")
    mark_frame: IntProperty(name="Marked Frame", description="Frame of the timeline of the marked moment")
    jobs: CollectionProperty(type=RetimePeopleJob, name="Jobs", description="Decompositions started from this scene")


def settings_of(group: RetimePeopleSettings) -> DecomposeSettings:
    """The stored choices as the backend knows them."""
    values = {name: getattr(group, name) for name in settings_info(DecomposeSettings)}
    rounded = {name: round(value, FLOAT_DIGITS) if type(value) is float else value for name, value in values.items()}
    return DecomposeSettings(**rounded)


def add_person(props: RetimePeopleScene, name: str) -> RetimePeoplePerson:
    """A new person at the end of the list, made the active one, in the next color."""
    person = props.people.add()
    person.name = name
    person.tag = PERSON_TAGS[(len(props.people) - 1) % len(PERSON_TAGS)]
    props.people_chosen = len(props.people) - 1
    return person


def has_masks(person: RetimePeoplePerson) -> bool:
    """Whether it is said where the masks of a person come from."""
    return bool({"FOLDER": person.folder, "MASK": person.mask, "STRIP": person.matte}[person.source])


def chosen_person(props: RetimePeopleScene) -> RetimePeoplePerson | None:
    """The person that is chosen in the list."""
    return props.people[props.people_index] if props.people_index < len(props.people) else None


def job_of_strip(props: RetimePeopleScene, strip: str) -> RetimePeopleJob | None:
    """The newest job of a strip, else the newest job of the scene, else None."""
    jobs = list(props.jobs)
    return next((job for job in reversed(jobs) if job.strip == strip), jobs[-1] if jobs else None)


classes = (RetimePeopleSettings, RetimePeoplePerson, RetimePeopleJob, RetimePeopleScene)


def register() -> None:
    """Give every scene our properties, under one name."""
    bpy.types.Scene.retime_people = PointerProperty(type=RetimePeopleScene)


def unregister() -> None:
    """Take our properties from the scenes."""
    del bpy.types.Scene.retime_people
