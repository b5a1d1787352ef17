"""A finished curve that is found in a run's directory: whether it is this run's, and agrees with the lanes kept there.

Held against the run: the digest in the file, the configuration, the levels and the key of every lane, and, bit for bit,
the figures of the lanes whose parts are still there.  What cannot be told: figures that somebody changed in the file
and in the parts, and sealed again (see `capacity.runtime.files.seals`), or in the file where no parts are left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax
import numpy as np

from capacity.curves.dataset import stack_lanes
from capacity.curves.files import read_curves
from capacity.curves.parts import load_lanes
from capacity.runtime.files.atomic import OtherRunError, StoreError
from capacity.runtime.files.names import CURVE_FILE
from capacity.runtime.files.seals import digest_of
from capacity.runtime.files.store import Store

if TYPE_CHECKING:
    import xarray as xr

    from capacity.curves.plan import CurvePlan
    from capacity.runtime.files.parts import Arrays


def read_finished(store: Store, plans: Mapping[str, CurvePlan]) -> dict[str, xr.Dataset] | None:
    """The curves that a run of these plans has finished in its directory, or None.

    Raises:
        StoreError: if the file is damaged, of another run, or says something else than the lanes kept beside it.
    """
    path = store.directory / CURVE_FILE
    if not path.exists():
        return None
    try:
        curves = read_curves(path, store.digest)
        if curves.keys() != plans.keys():
            raise OtherRunError(path)
        for name, plan in plans.items():
            lanes = load_lanes(store, name, digest_of(plan.configuration))
            wrong = differs(curves[name], plan, lanes)
            if wrong:
                raise StoreError(f"Expected {path} as this run makes it; got {name} with other {wrong}.")
    except StoreError as error:
        raise StoreError(f"{error} Remove it, and the same command makes it again from the finished lanes.") from error
    return curves


def differs(curve: xr.Dataset, plan: CurvePlan, lanes: Mapping[int, Arrays]) -> str | None:
    """What a dataset has that a run of this plan would not have made, by name; None if nothing is found.

    Args:
        curve: the dataset.
        plan: what it should be of.
        lanes: finished ones by number, as many as there are.
    """
    if json.loads(curve.attrs.get("configuration", "null")) != json.loads(json.dumps(plan.configuration)):
        return "configuration"
    if not np.array_equal(curve.level.values, np.asarray(plan.levels)):
        return "levels"
    keys = np.asarray(jax.random.key_data(plan.keys))
    if "key" not in curve or not np.array_equal(curve.key.values, keys):
        return "keys"
    numbers = sorted(lane for lane in lanes if lane < plan.total)
    expected = stack_lanes([lanes[lane] for lane in numbers]) if numbers else {}
    for name, figures in expected.items():
        found = curve[name].values if name in curve else np.empty((0, 0))
        found = found.reshape(-1, *found.shape[2:])
        if len(found) != plan.total or not np.array_equal(found[numbers], figures, equal_nan=figures.dtype.kind == "f"):
            return name
    return None
