"""A hand that drives a tool without a window: what is proposed is worked out at once."""

from __future__ import annotations

from app.domain.tools import Gesture, Pointer, Scene, Tool, ToolSettings


def answer(gesture: Gesture) -> None:
    """Works out what the gesture waits for."""
    if (proposal := gesture.proposal) is not None and not gesture.over:
        gesture.take(proposal, proposal.compute())


def drag(tool: Tool, scene: Scene, settings: ToolSettings, *way: Pointer) -> Gesture:
    """Press at the first place, along the others, let go at the last."""
    gesture = tool.begin(scene, way[0], settings)
    answer(gesture)
    for pointer in way[1:]:
        gesture.move(pointer)
        answer(gesture)
    gesture.release(way[-1])
    answer(gesture)
    return gesture


def click(tool: Tool, scene: Scene, settings: ToolSettings, *places: Pointer) -> Gesture:
    """Press and let go at each place, moving from one to the next."""
    gesture = tool.begin(scene, places[0], settings)
    answer(gesture)
    gesture.release(places[0])
    answer(gesture)
    for place in places[1:]:
        gesture.move(place)
        gesture.press(place)
        answer(gesture)
        gesture.release(place)
        answer(gesture)
    return gesture


def drive(tool: Tool, scene: Scene, settings: ToolSettings, *way: Pointer) -> Gesture:
    """Whatever the tool wants: a drag, and if it goes on after that, clicks at the same places, and Enter."""
    gesture = drag(tool, scene, settings, *way)
    if not gesture.over and gesture.proposal is None:
        for place in way[1:]:
            gesture.press(place)
            answer(gesture)
            gesture.release(place)
    if not gesture.over:
        gesture.confirm()
        answer(gesture)
    return gesture
