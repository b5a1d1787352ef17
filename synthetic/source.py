"""What every source promises: messages with known entropy, and the vectors that carry them.

A source draws a message M and embeds it as a vector X = embed(M), injectively, so that
H(X) = H(M) = `bits`, exactly. Discrete messages are always binary digits (most significant first),
also where the messages are only numbered: one decoder of bits then serves every source.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

import jax

MAX_LISTED = 2**20
"""The most messages that `messages` and `codebook` will list."""


class Batch(NamedTuple):
    """Independent draws: `message` (n, message_dim) and the `vector` (n, dim) that carries it."""

    message: jax.Array
    vector: jax.Array


@runtime_checkable
class Source(Protocol):
    """A distribution of messages and the vectors that carry them, with its exact entropy.

    `name` is what the command line calls it, `summary` one line of help. A source is a frozen
    dataclass and a pytree (see `register`). Every check is made at construction, outside `jax.jit`;
    the methods below, but for `build`, can be traced.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    discrete: ClassVar[bool]

    @property
    def bits(self) -> float:
        """Entropy of the message in bits, exact; `inf` where it is continuous."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def message_dim(self) -> int:
        """Length of a message: binary digits, or `dim` where it is continuous."""
        ...

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages, so that `codebook` can list them."""
        ...

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n, independently; `n` is static. Messages int8 (float32 if continuous)."""
        ...

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) float32 of one message (message_dim,)."""
        ...

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass, or log density where continuous, of one message (message_dim,), in nats."""
        ...

    def messages(self) -> jax.Array:
        """All possible messages, (M, message_dim) int8; ValueError where too many or continuous."""
        ...

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (M, dim) and log masses (M,) in nats, in the order of `messages`."""
        ...

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """The command line's constructor: `bits` bits in `dim` dimensions."""
        ...


T = TypeVar("T")


def register(*static: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: make a dataclass a pytree whose `static` fields are configuration.

    All other fields are data, so that sources of one shape stack and pass through `jax.jit`.
    `jax.tree_util.register_dataclass` is not used because it rebuilds through `__init__`, whose
    checks must not run on tracers, on stacked leaves, or again at each crossing of a `jit`.
    """

    def enrol(cls: type[T]) -> type[T]:
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        unknown = sorted(set(static) - set(names))
        if unknown:
            raise ValueError(f"Expected static fields among {names}; got {unknown}.")
        data = [name for name in names if name not in static]

        def flatten(source: Any) -> tuple[list[Any], tuple[Any, ...]]:
            return [getattr(source, k) for k in data], tuple(getattr(source, k) for k in static)

        def flatten_with_keys(source: Any) -> tuple[list[Any], tuple[Any, ...]]:
            leaves, configuration = flatten(source)
            keys = [jax.tree_util.GetAttrKey(name) for name in data]
            return list(zip(keys, leaves, strict=True)), configuration

        def unflatten(configuration: Any, leaves: Any) -> T:
            source = object.__new__(cls)
            for name, value in zip([*data, *static], [*leaves, *configuration], strict=True):
                object.__setattr__(source, name, value)
            return source

        jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
        return cls

    return enrol


def check_listing(count: int) -> None:
    """Raise ValueError where `count` messages are too many to list."""
    if count > MAX_LISTED:
        power = count.bit_length() - 1
        # A count past 2**64 has too many digits to read, and Python refuses to print some of them.
        shown = f"2**{power}" if count == 2**power else f"{count}" if power < 64 else f"> 2**{power}"
        raise ValueError(f"Expected at most 2**20 = {MAX_LISTED} messages to list; got {shown}.")


def check_size(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` and `dim` are whole numbers of at least one."""
    for label, value in (("bits", bits), ("dim", dim)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"Expected {label} to be a whole number of at least 1; got {value!r}.")


def check_linear(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` amplitudes fit into `dim` dimensions one to one."""
    check_size(bits, dim)
    if dim < bits:
        raise ValueError(f"Expected dim of at least bits = {bits} for an injective linear embedding; got {dim}.")
