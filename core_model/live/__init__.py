"""Live learning: a child that stays, takes in each picture as it is corrected, and has a new head at once."""

from core_model.live.album import Album
from core_model.live.linear import LiveLinear
from core_model.live.loop import Live, LiveSettings
from core_model.live.pace import Pace
from core_model.live.quick import LiveQuick

__all__ = ["Album", "Live", "LiveLinear", "LiveQuick", "LiveSettings", "Pace"]
