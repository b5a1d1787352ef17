"""Flax modules of one's own as encoder, decoder and message decoder, whatever is inside them.

    network = Modules(make_encoder=Encoder, make_decoder=Decoder)
    system = GaussianAutoencoder(Architecture(units=8, network=network))

Parameters (`nnx.Param`) are learnt; batch statistics and other variables are carried from step to step and frozen where
bits are measured; dropout draws from each step's key.  What is measured is the module in evaluation mode.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from flax import nnx

from capacity.systems.networks.network import Build, BuildMessage, Network
from capacity.systems.networks.perceptron import MLPNetwork
from capacity.systems.networks.running import OnBatches

if TYPE_CHECKING:
    from synthetic.source import Source

Make: TypeAlias = Callable[..., Any]
"""(inputs, outputs, rngs=...) -> a module: a class whose instances are made so, as `nnx.Linear`, or a function."""
REST = MLPNetwork()


@dataclass(frozen=True)
class Modules(Network):
    """Networks of one's own, each made from (inputs, outputs, rngs=nnx.Rngs); what is left out is a perceptron.

    Attributes:
        make_encoder: a module from vectors (n, dim) to (n, outputs).
        make_decoder: a module from noisy codes (n, units) to vectors (n, dim), for decode="vector".
        make_message: a module whose method `log_prob(messages, z)` gives log q(m | z) in nats, (n,), of messages
            (n, message_dim) and noisy codes (n, units); it is made from (units, message_dim, rngs=nnx.Rngs).
        single: whether the modules take one item, (dim,) and the like, instead of a batch; then they keep no state but
            their parameters.

    Raises:
        TypeError: for what cannot be called so.
    """

    make_encoder: Make | None = None
    make_decoder: Make | None = None
    make_message: Make | None = None
    single: bool = False
    name = "modules"
    summary = "flax modules of one's own"

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name.startswith("make_") and getattr(self, one.name) is not None:
                _check_call(one.name, getattr(self, one.name))

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        if self.make_encoder is None:
            return REST.encoder(source, outputs, widths, activation)
        return self._made(self.make_encoder, source.dim, outputs)

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        if self.make_decoder is None:
            return REST.decoder(source, inputs, widths, activation)
        return self._made(self.make_decoder, inputs, source.dim)

    def message(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> BuildMessage:
        if self.make_message is None:
            return REST.message(source, inputs, widths, activation)
        return self._made(self.make_message, inputs, source.message_dim)

    def _made(self, make: Make, inputs: int, outputs: int) -> Callable[[nnx.Rngs], Any]:
        def build(rngs: nnx.Rngs) -> Any:
            return make(inputs, outputs, rngs=rngs)

        return build if self.single else OnBatches(build)


def _check_call(name: str, make: Make) -> None:
    """Refuse what cannot be called with two numbers and streams of random numbers."""
    if isinstance(make, nnx.Module) or not callable(make):
        raise TypeError(
            f"Expected {name} as a class of modules, or a function (inputs, outputs, rngs) that makes one, so that "
            f"every lane starts with one of its own; got {type(make).__name__}."
        )
    try:
        inspect.signature(make).bind(1, 1, rngs=None)
    except TypeError as error:
        raise TypeError(f"Expected {name} to be called as {name}(inputs, outputs, rngs=...); got {error}.") from None
    except ValueError:  # a callable without a signature says so itself when it is called
        return
