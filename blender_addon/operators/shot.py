"""From the chosen strip to a job: the one button that starts a decomposition."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..backend_process import BackendState
from ..compat import sequencer_scene
from ..found_depth import read_depths
from ..journal import Started, note
from ..mask_render import PersonMasks, people_in_folder
from ..poll_reasons import allowed, chosen_strip, why_not_decompose
from ..preferences import journal_file, user_folder
from ..preparation import ShotPlan, default_folder, plan_search, plan_shot
from ..properties import RetimePeoplePerson, RetimePeopleScene, setting_properties, settings_of
from ..protocol import DecomposeSettings, settings_info
from ..pump import pump_once, session, wait_for
from ..scratch import ShotError
from ..session import Ticket


class RETIME_PEOPLE_OT_decompose(bpy.types.Operator):
    """Split the active strip into one layer per person and a clean background"""

    bl_idname = "retime_people.decompose"
    bl_label = "Decompose"
    bl_options = {"REGISTER"}  # noqa: RUF012  (no UNDO: the layers that come later have an undo step of their own)

    __annotations__ = {
        "out": StringProperty(
            name="Layers Folder",
            description="Where the layers are written; a folder in use is never overwritten, a numbered one is made",
            subtype="DIR_PATH",
        ),
        "masks": StringProperty(
            name="Masks Folder",
            description="Folder with one folder of masks per person; empty to use the list of people",
            subtype="DIR_PATH",
        ),
        **setting_properties(DecomposeSettings),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a strip that can be decomposed, and one shot at a time."""
        return allowed(cls, why_not_decompose(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; without a window stay until the layers are loaded."""
        try:
            plan = self._plan(context)
        except (ShotError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return begin(self, plan)

    def _plan(self, context: bpy.types.Context) -> ShotPlan:
        scene = sequencer_scene(context)
        props = scene.retime_people
        strip = chosen_strip(scene)
        people = people_in_folder(absolute(self.masks)) if self.masks else people_of(props)
        depths = read_depths(absolute(self.masks)) if self.masks else {p.name: p.depth for p in props.people if p.use}
        folder = layers_folder(props, strip, self.out)
        return plan_shot(scene, strip, people, folder, self._settings(props), depths)

    def _settings(self, props: RetimePeopleScene) -> DecomposeSettings:
        """The scene's settings, except for those that were given to the operator."""
        given = [name for name in settings_info(DecomposeSettings) if self.properties.is_property_set(name)]
        return replace(settings_of(props.settings), **{name: getattr(settings_of(self), name) for name in given})


class Search:
    """What operators share that look for people: a folder for the masks, and a job that fills the list."""

    bl_options = {"REGISTER"}  # noqa: RUF012  (no UNDO: who is found later has an undo step of its own)

    out: StringProperty(
        name="Masks Folder",
        description="Where the masks are written; a folder in use is never overwritten, a numbered one is made",
        subtype="DIR_PATH",
    )

    def search(self, scene: bpy.types.Scene, strip: bpy.types.Strip, folder: Path) -> ShotPlan:
        """What to look for, with the masks in a folder; raises ShotError or OSError."""
        return plan_search(scene, strip, folder, settings_of(scene.retime_people.settings))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; without a window stay until the list is filled."""
        scene = sequencer_scene(context)
        strip = chosen_strip(scene)
        folder = layers_folder(scene.retime_people, strip, self.out)
        try:
            # Masks have a folder beside the one that layers will have.
            plan = self.search(scene, strip, folder.with_name(f"{folder.name} people"))
        except (ShotError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return begin(self, plan)


class RETIME_PEOPLE_OT_find_people(Search, bpy.types.Operator):
    """Find the people of the active strip and fill the list, to check before training"""

    bl_idname = "retime_people.find_people"
    bl_label = "Find People"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a strip that can be decomposed, and one shot at a time."""
        return allowed(cls, why_not_decompose(context))


def layers_folder(props: RetimePeopleScene, strip: bpy.types.Strip, given: str) -> Path:
    """Where layers go: where the operator was told, else where the scene was, else beside the file."""
    out = given or props.out
    return absolute(out) if out else default_folder(strip, Path(user_folder("layers")))


def begin(operator: bpy.types.Operator, plan: ShotPlan) -> set[str]:
    """Start a job; without a window start the backend and wait until all is brought in."""
    current = session()
    if not bpy.app.background:
        current.begin(plan)
        _note(plan)
        pump_once(current, 0.0)
        return {"FINISHED"}
    current.backend.start()
    status = current.backend.wait()
    if status.state is not BackendState.RUNNING:
        operator.report({"ERROR"}, status.sentence)
        return {"CANCELLED"}
    ticket = current.begin(plan)
    _note(plan)
    return finish(operator, ticket)


def _note(plan: ShotPlan) -> None:
    """Let the job be found again, though Blender be killed before the file is saved."""
    if bpy.data.filepath:
        source = plan.source
        with contextlib.suppress(OSError):
            note(journal_file(), Started(bpy.data.filepath, source.scene, source.strip, str(plan.out), plan.task))


def people_of(props: RetimePeopleScene) -> tuple[PersonMasks, ...]:
    """The people in the scene's list and where their masks come from."""
    return tuple(masks_of(person) for person in props.people if person.use and not person.from_layers)


def masks_of(person: RetimePeoplePerson) -> PersonMasks:
    """Where the masks of one person come from."""
    if person.source == "FOLDER":
        return PersonMasks(person.name, absolute(person.folder) if person.folder else None)
    if person.source == "STRIP":
        return PersonMasks(person.name, None, strip=person.matte)
    return PersonMasks(person.name, None, person.mask.name if person.mask else "")


def finish(operator: bpy.types.Operator, ticket: Ticket) -> set[str]:
    """Wait for a ticket without a window, and report how it ended."""
    wait_for(ticket)
    if ticket.loaded:
        return {"FINISHED"}
    operator.report({"ERROR"}, ticket.message or f"The job was {ticket.state}.")
    return {"CANCELLED"}


def absolute(path: str) -> Path:
    """A path as the artist chose it, whole."""
    return Path(bpy.path.abspath(path)).absolute()


classes = (RETIME_PEOPLE_OT_decompose, RETIME_PEOPLE_OT_find_people)
