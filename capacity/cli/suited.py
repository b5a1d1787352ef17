"""What of a curve's options does not go together, told before JAX is loaded: a source's sizes, a system's ranges.

The plan asks all of it again, and of whatever installed packages bring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.cli.catalogue import check_member, declared_attribute, is_declared
from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.runtime.allowed import check_allowed
from capacity.runtime.layouts import check_layout, check_patch
from capacity.runtime.whole import whole
from synthetic.sizes import CONTINUOUS, MAX_LISTED, SIZE_CHECKS

if TYPE_CHECKING:
    import numpy as np

BITS, DIM = 16, 32  # of a source, where the command line does not say


class SourceFacts(NamedTuple):
    """What is known of a source before it is made.

    Attributes:
        bits: at most so many a message.
        dim: of a vector.
        discrete: whether a message is digits.
        layout: of a vector: axes, then channels.
    """

    bits: float
    dim: int
    discrete: bool
    layout: tuple[int, ...]

    @property
    def listable(self) -> bool:
        """Whether all messages may be listed."""
        return self.discrete and self.bits <= math.log2(MAX_LISTED)


def checked_source(asked: SourceOptions, rows: np.ndarray | None) -> SourceFacts | None:
    """What is asked for, of a size that it can have; None of a source that an installed package brings.

    Raises:
        ValueError: in the source's words.
    """
    if rows is not None:
        return SourceFacts(math.log2(len(rows)), rows.shape[1], True, (rows.shape[1], 1))
    name = asked.source or "bits"
    bits, dim = (default if given is None else given for given, default in ((asked.bits, BITS), (asked.dim, DIM)))
    if name not in SIZE_CHECKS or not is_declared("source"):
        return None
    SIZE_CHECKS[name](bits, dim)
    side = math.isqrt(dim)
    return SourceFacts(bits, dim, name not in CONTINUOUS, (side, side, 1) if name == "sprites" else (dim, 1))


def check_network(source: SourceFacts | None, choices: Mapping[str, Any]) -> None:
    """Refuse counts below 1, and layouts and patches that the source's vector does not have.

    Raises:
        ValueError: saying which.
    """
    for name, value in choices.items():
        if isinstance(value, int) and not isinstance(value, bool):
            whole(value, name, most=None)
    if source is None:
        return
    layout = choices.get("layout") or source.layout
    check_layout(layout, source.dim)
    if choices.get("patch") is not None:
        check_patch(layout[:-1], choices["patch"])


def check_measured(source: SourceFacts | None, size: SizeOptions, run: RunOptions) -> None:
    """Refuse to enumerate what cannot be listed, and digits of a source that has none.

    Raises:
        ValueError: as the plan does.
    """
    if source is None:
        return
    if run.measure == "enumeration" and not source.listable:
        held = f"{source.bits:g} bits" if source.discrete else "infinite bits, continuous"
        raise ValueError(f"Expected at most 2**20 messages to enumerate; got a source of {held}.")
    if size.decode == "bits" and not source.discrete:
        raise ValueError("Expected decode='vector' for a continuous source; got decode='bits'.")


def check_system(
    name: str, choices: Mapping[str, Any], levels: tuple[float, ...], source: SourceFacts | None, measure: str
) -> None:
    """Refuse levels that a system does not have, and brackets of noise that rules messages out.

    Args:
        name: of the system.
        choices: of its own.
        levels: those asked for; none are its own.
        source: what is known of the source.
        measure: how.

    Raises:
        ValueError: saying which.
    """
    for level in levels:
        check_allowed(declared_attribute("system", name, "allowed", {}), {"level": level})
    if "code" in choices:
        check_member(choices["code"], "code", "code")
    if source is None:
        return
    if name == "target_vae" and levels and max(levels) >= source.bits and source.discrete:
        raise ValueError(f"Expected fewer bits asked for than the source's {source.bits:g}; got {max(levels):g}.")
    support = declared_attribute("system", name, "full_support", "always")
    if (measure == "bracket" or not source.listable) and not (
        support == "always" or (support == "with a floor" and choices.get("floor", 0.0) > 0)
    ):
        raise ValueError(
            f"Expected noise that leaves every message possible, for a bracket; got that of {name}, which rules "
            "messages out. A source of at most 2**20 messages can be enumerated instead"
            + (", and a floor of Gaussian noise makes it fit: --set floor=0.1." if support != "never" else ".")
        )
