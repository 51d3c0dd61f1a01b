"""What a linear head reads, by name."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from core_model.reading import Reading, taps_read, widths


def test_a_name_is_a_tap_or_a_mean_of_one() -> None:
    assert Reading.of("low_level") == ("low_level", 1)
    assert Reading.of("middle_mean9") == ("middle", 9)
    assert taps_read(("middle", "middle_mean9", "stem")) == ("middle", "stem")
    assert widths(("stem", "stem_mean3"), {"stem": 5}) == {"stem": 5, "stem_mean3": 5}


@pytest.mark.parametrize("name", ["middle_mean4", "middle_mean", "middle_meanx"])
def test_a_window_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="odd number"):
        Reading.of(name)


def test_a_tap_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="there is no tap roof; there are stem"):
        widths(("roof_mean3",), {"stem": 5})


@pytest.mark.parametrize("size", [(7, 12), (1, 1), (2, 20)])
def test_the_mean_is_over_what_there_is(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    wanted = F.avg_pool2d(x, 5, 1, 2, count_include_pad=False)
    torch.testing.assert_close(Reading("x", 5).see(x), wanted)
    assert Reading("x", 1).see(x) is x
