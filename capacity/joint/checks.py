"""What a joint refuses before any work: a source that lacks a member, a channel that compiled programs cannot take."""

from __future__ import annotations

import jax

from capacity.runtime.contracts import refuse_class
from capacity.runtime.pytrees import refuse_mistakable

SOURCE_MEMBERS = (
    "name", "discrete", "bits", "dim", "message_dim", "listable", "sample", "embed", "log_prob", "log_mass", "messages",
    "codebook",
)  # fmt: skip
"""Those of `synthetic.source.Source`, which is imported for types alone."""


def check_source(source: object) -> None:
    """Refuse what is no source.

    Raises:
        TypeError: for a class in place of an instance, naming the members that are missing, and for a class that JAX
            may take for another.
    """
    refuse_class(source, "a source")
    known = dir(source)  # no property is evaluated
    missing = [name for name in SOURCE_MEMBERS if name not in known]
    if missing:
        same = "; log_mass is log_prob unless noise goes with the message" if "log_mass" in missing else ""
        raise TypeError(
            f"Expected a source with {', '.join(missing)}; got {type(source).__name__}: inherit synthetic.NamedSource, "
            f"which gives defaults, or define them{same}."
        )
    refuse_mistakable(source, "a source")


def check_channel(channel: object) -> None:
    """Refuse what is no pytree: compiled programs could not take it.

    Raises:
        TypeError: for a class in place of an instance, for what is not registered as a pytree, and for a class that JAX
            may take for another.
    """
    refuse_class(channel, "a channel")
    if jax.tree_util.all_leaves([channel]):
        raise TypeError(
            f"Expected a channel that is a pytree; got {type(channel).__name__}: decorate its class with "
            "capacity.register_dataclass."
        )
    refuse_mistakable(channel, "a channel")


def is_placeholder(part: object) -> bool:
    """Whether it stands for a part of a pytree, as in the `in_axes` of `jax.vmap`."""
    return part is None or isinstance(part, int)
