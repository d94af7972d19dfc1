"""What can be done with a job that was started: stop it, go on with it, take it off the list."""

from __future__ import annotations

import contextlib

import bpy

from ..compat import sequencer_scene
from ..journal import forget
from ..poll_reasons import allowed, shown_job, why_not_cancel, why_not_dismiss, why_not_resume
from ..preferences import journal_file
from ..properties import RetimePeopleScene
from ..protocol import JobState, Task
from ..pump import pump_once, session, ticket_of, wait_for
from ..session import PREPARING
from .shot import finish


class RETIME_PEOPLE_OT_cancel(bpy.types.Operator):
    """Stop the decomposition that is shown; what was trained so far is kept"""

    bl_idname = "retime_people.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while a job is under way."""
        return allowed(cls, why_not_cancel(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Cancel; without a window wait until it has stopped."""
        ticket = ticket_of(shown_job(context))
        session().cancel(ticket)
        if bpy.app.background:
            wait_for(ticket)
        pump_once(session(), 0.0)
        return {"FINISHED"}


class RETIME_PEOPLE_OT_resume(bpy.types.Operator):
    """Go on with the decomposition that is shown, from where it stopped"""

    bl_idname = "retime_people.resume"
    bl_label = "Resume"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for a job that stopped, or without a window for any that is not done."""
        return allowed(cls, why_not_resume(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Resume a job that stopped; without a window wait for it, also for one that still runs."""
        ticket, current = ticket_of(shown_job(context)), session()
        if ticket.state == JobState.FINISHED:
            # Done while Blender was closed, or not loaded for a reason that may be mended now.
            ticket.tried = False
        elif ticket.final:
            current.resume(ticket)
            # Otherwise the waiting would end at once.
            ticket.state, ticket.message = PREPARING, ""
        else:
            if bpy.app.background:
                current.backend.start()
                current.backend.wait()
            current.attach(ticket)
        if bpy.app.background:
            return finish(self, ticket)
        pump_once(current, 0.0)
        return {"FINISHED"}


class RETIME_PEOPLE_OT_dismiss(bpy.types.Operator):
    """Take the decomposition that is shown off the list; its layers stay"""

    bl_idname = "retime_people.dismiss"
    bl_label = "Dismiss"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for a job that is over."""
        return allowed(cls, why_not_dismiss(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget it."""
        take_off_list(sequencer_scene(context).retime_people, shown_job(context).out)
        return {"FINISHED"}


def take_off_list(props: RetimePeopleScene, out: str) -> None:
    """Forget the job with this folder, which stays."""
    session().tickets.pop(out, None)
    with contextlib.suppress(OSError):
        forget(journal_file(), out=out)
    props.jobs.remove(next(index for index, job in enumerate(props.jobs) if job.out == out))


def forget_failed_searches(props: RetimePeopleScene) -> None:
    """Tell no longer that nobody was found, once somebody is brought by hand."""
    for out in [job.out for job in props.jobs if job.task == Task.PEOPLE and job.state == JobState.FAILED]:
        take_off_list(props, out)


classes = (RETIME_PEOPLE_OT_cancel, RETIME_PEOPLE_OT_resume, RETIME_PEOPLE_OT_dismiss)
