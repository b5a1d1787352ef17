"""What a curve has, whoever wrote its file: without it no table, figure or page can be made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import xarray as xr

LANE = ("level", "seed")
ORDER = (*LANE, "unit", "step", "word")
_OVER: tuple[tuple[tuple[str, ...], str], ...] = (
    ((), "source_bits trend_share trend_p_value reversal reversal_p_value"),
    (("level",), "level ceiling pam_bits random_coding_bits closed_form"),
    (("seed",), "seed"),
    (LANE, "diverged snr power distortion inside bits bits_low bits_high lower upper decoder_bits rate"),
    ((*LANE, "unit"), "marginal_bits increment_bits unit_power"),
    ((*LANE, "step"), "loss"),
    ((*LANE, "word"), "key"),
)
DIMENSIONS = {name: dims for dims, names in _OVER for name in names.split()}
NEEDED = ("level", "seed", "source_bits", "loss", "diverged", "snr")
TEXTS, RECORDS = ("title", "system"), ("configuration", "versions")


def lacks(curve: xr.Dataset) -> str:
    """What a dataset has not, or has in another way, that a curve has; empty where it is one."""
    return next(_lacks(curve), "")


def _lacks(curve: xr.Dataset) -> Iterator[str]:
    figures = ("bits", "bits_low", "bits_high") if "bits" in curve.variables else ("lower", "upper")
    missing = [name for name in (*NEEDED, *figures) if name not in curve.variables]
    if missing:
        yield f"without {', '.join(missing)}"
    for name, variable in curve.variables.items():
        wanted = DIMENSIONS.get(str(name), tuple(d for d in ORDER if d in variable.dims))
        if variable.dims != wanted:
            yield f"with {name} over {', '.join(map(str, variable.dims)) or 'nothing'}"
        if variable.dtype.kind not in "fiub":
            yield f"with {name} of {variable.dtype}"
        if not variable.size and set(variable.dims) <= set(LANE):
            yield f"with {name} of no lane"
    for name in TEXTS:
        if not isinstance(curve.attrs.get(name), str):
            yield f"without a text {name}"
    for name in RECORDS:
        if not _is_record(curve.attrs.get(name)):
            yield f"without {name} in JSON"
    if "trend_p_value" in curve and curve.attrs.get("trend") not in ("falls", "rises"):
        yield "without a trend that falls or rises"
    for name in ("level", "loss"):
        about = curve[name].attrs
        if "units" not in about or not all(isinstance(text, str) for text in about.values()):
            yield f"without units of {name}, in words"


def _is_record(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False
