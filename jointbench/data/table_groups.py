"""Evaluations that belong together, so that none is predicted by models that have seen another."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

#: The name among an evaluation's extras under which a whole number says its group.
GROUP = "group"


def groups_of(extras: pa.ChunkedArray) -> npt.NDArray[np.int64] | None:
    """A number (n,) for each group of a log's column of extras; None where not every evaluation says one."""
    said = [dict(row).get(GROUP) for row in extras.to_pylist()]
    if not said or None in said:
        return None
    return np.unique(np.array(said), return_inverse=True)[1].reshape(-1).astype(np.int64)
