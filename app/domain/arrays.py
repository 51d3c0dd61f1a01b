"""Names for the arrays that cross the program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
