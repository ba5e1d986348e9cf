from collections.abc import Buffer

import numpy as np
from numpy.typing import NDArray

def decimals(text: Buffer) -> NDArray[np.float64]: ...
def integers(text: Buffer) -> NDArray[np.int64]: ...
