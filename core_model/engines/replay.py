"""Which sizes of picture get a recording of the work, and which are computed afresh."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

Run = Callable[[Tensor], tuple[Tensor, ...]]

_RECORDINGS = 4
_REMEMBERED = 64


class Replays:
    """Computes `run`; a size that comes a second time is recorded, and replayed from then on.

    record: gives a function that does what `run` does, for inputs of the same size; it may fail with RuntimeError, then
    nothing is recorded any more. The `limit` sizes used last keep their recording.
    """

    def __init__(self, run: Run, record: Callable[[Tensor], Run], limit: int = _RECORDINGS) -> None:
        self._run, self._record, self._limit = run, record, limit
        self._records = True
        self._recordings: OrderedDict[tuple[int, ...], Run] = OrderedDict()
        self._seen: OrderedDict[tuple[int, ...], None] = OrderedDict()

    def __call__(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute it for x; what `run` raises goes up."""
        size = tuple(x.shape)
        if size not in self._recordings and self._records and size in self._seen:
            self._remember(size, x)
        self._seen[size] = None
        self._seen.move_to_end(size)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if size not in self._recordings:
            return self._run(x)
        self._recordings.move_to_end(size)
        return self._recordings[size](x)

    def _remember(self, size: tuple[int, ...], x: Tensor) -> None:
        if len(self._recordings) == self._limit:
            self._recordings.popitem(last=False)
        try:
            self._recordings[size] = self._record(x)
        except RuntimeError:
            self._recordings.clear()  # their memory is wanted
            self._records = False
