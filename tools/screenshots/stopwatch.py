"""How long the window's main thread is held up: between two beats of a timer, and by every entry into the add-on."""

from __future__ import annotations

import inspect
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

import bpy
from steps import MODULE

METHODS = ("poll", "draw", "draw_header", "draw_item", "filter_items", "execute", "invoke", "modal", "check")
"""What Blender calls in a class."""
FUNCTIONS = ("_tick", "_begin", "_read_wanted", "_draw")
"""What Blender calls of a module: its timers, and what it draws over previews."""
PROPERTIES = ("_chosen_index", "_choose_index", "_redraw")


@dataclass(frozen=True)
class Span:
    """A piece of time of the main thread, in seconds: when, how long by the clock, and how much of it computing."""

    phase: str
    begin: float
    wall: float
    thread: float


@dataclass
class Stopwatch:
    """All that was measured."""

    phase: str = "start"
    beats: list[Span] = field(default_factory=list)
    calls: dict[str, list[Span]] = field(default_factory=dict)
    running: bool = True
    _last: tuple[float, float] = (0.0, 0.0)
    _names: dict[CodeType, str] = field(default_factory=dict)
    _open: list[tuple[CodeType, float, float]] = field(default_factory=list)

    def begin(self) -> None:
        """Watch from now on, by Python's own means for that, which cost nothing where nobody looks."""
        watcher, events = sys.monitoring, sys.monitoring.events
        watcher.use_tool_id(watcher.PROFILER_ID, "stopwatch")
        watcher.register_callback(watcher.PROFILER_ID, events.PY_START, self._enter)
        watcher.register_callback(watcher.PROFILER_ID, events.PY_RETURN, self._leave)
        watcher.register_callback(watcher.PROFILER_ID, events.PY_UNWIND, self._leave)
        self._names = {function.__code__: name for name, function in entries()}
        watcher.set_events(watcher.PROFILER_ID, events.PY_UNWIND)
        for code in self._names:
            watcher.set_local_events(watcher.PROFILER_ID, code, events.PY_START | events.PY_RETURN)
        self._last = time.monotonic(), time.thread_time()
        bpy.app.timers.register(self._beat, persistent=True)

    def _beat(self) -> float | None:
        """Called whenever the window has nothing else to do."""
        now = time.monotonic(), time.thread_time()
        before, self._last = self._last, now
        self.beats.append(Span(self.phase, before[0], now[0] - before[0], now[1] - before[1]))
        return 0.0 if self.running else None

    def _enter(self, code: CodeType, _offset: int) -> None:
        if threading.current_thread() is threading.main_thread():
            self._open.append((code, time.monotonic(), time.thread_time()))

    def _leave(self, code: CodeType, _offset: int, _value: object) -> None:
        if not self._open or self._open[-1][0] is not code:
            return
        _, begin, thread = self._open.pop()
        if not self._open:
            span = Span(self.phase, begin, time.monotonic() - begin, time.thread_time() - thread)
            self.calls.setdefault(self._names[code], []).append(span)


def entries() -> Iterator[tuple[str, FunctionType]]:
    """Every function of the add-on that Blender itself calls, with a name for people."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{MODULE}."):
            continue
        short = name.removeprefix(f"{MODULE}.")
        for function in (*FUNCTIONS, *PROPERTIES):
            if inspect.isfunction(getattr(module, function, None)):
                yield f"{short}.{function}", getattr(module, function)
        for cls in getattr(module, "classes", ()):
            yield from _methods(cls)
    for kind in dir(bpy.app.handlers):
        yield from _handlers(kind)


def _methods(cls: Any) -> Iterator[tuple[str, FunctionType]]:
    for name in METHODS:
        function = inspect.unwrap(getattr(cls, name, None)) if hasattr(cls, name) else None
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and function.__module__.startswith(MODULE):
            yield f"{cls.__name__}.{name}", function


def _handlers(kind: str) -> Iterator[tuple[str, FunctionType]]:
    handlers = getattr(bpy.app.handlers, kind)
    for handler in handlers if isinstance(handlers, list) else ():
        if getattr(handler, "__module__", "").startswith(MODULE):
            yield f"{kind} {handler.__name__}", handler
