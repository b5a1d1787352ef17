"""The networks that every system shares, how they are run, and their losses: encoder, message and vector decoder.

Every system ends in two decoders.  A message decoder q(m|z) gives the lower bound; it also drives the encoder if
`decode="bits"`.  With `decode="vector"` a vector decoder (normal likelihood of a fixed variance) drives it, and the
message decoder only listens: no gradient passes from it to the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.channels import Posterior
from capacity.runtime.shapes import Key, Message, Scalar, Units, Vector
from capacity.runtime.whole import whole
from capacity.systems.networks import ACTIVATIONS, MLPNetwork, Network
from capacity.systems.networks.network import Build, BuildMessage, Mapped, MessageDecoder
from capacity.systems.networks.refusals import check_made, named
from capacity.systems.networks.running import fresh, merge, run_batch, run_one
from capacity.systems.networks.sizes import NetworkSize, network_size
from capacity.training.carried import ModuleState
from capacity.training.system import Params

if TYPE_CHECKING:
    from synthetic.source import Draws, Source

__all__ = ["DEFAULT", "Architecture", "merge"]

PERCEPTRONS = MLPNetwork()


@dataclass(frozen=True)
class Architecture:
    """Networks that the systems share: their sizes, and the structure that all of them have.

    A system runs them by `encode`, `encode_one`, `reconstruction` and the other methods here, never by a builder of its
    own, so that whatever a structure needs is done in one place.

    Attributes:
        units: how many numbers pass the channel.
        widths: hidden widths of the decoders; () makes encoder and decoders linear.
        encoder_widths: of the encoder; by default two thirds of `widths`: to send takes less than to undo noise.
        activation: one of `ACTIVATIONS`.
        decode: "bits" (the message) or "vector".
        decoder_variance: variance of the vector decoder's normal likelihood.
        network: their structure; multilayer perceptrons unless one is given.

    Raises:
        ValueError: for any value out of its range.
    """

    units: int = 8
    widths: tuple[int, ...] = (112, 112)
    encoder_widths: tuple[int, ...] | None = None
    activation: str = "silu"
    decode: str = "bits"
    decoder_variance: float = 0.1
    network: Network = PERCEPTRONS

    def __post_init__(self) -> None:
        if whole(self.units, "units", None, None) < 1:
            raise ValueError(f"Expected at least one unit; got units={self.units}.")
        if any(whole(w, "widths", None, None) < 1 for w in (*self.widths, *(self.encoder_widths or ()))):
            raise ValueError(f"Expected widths of at least 1; got {self.widths} and {self.encoder_widths}.")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"Expected an activation among {', '.join(ACTIVATIONS)}; got {self.activation!r}.")
        if self.decode not in ("bits", "vector"):
            raise ValueError(f"Expected decode to be 'bits' or 'vector'; got {self.decode!r}.")
        if not self.decoder_variance > 0:
            raise ValueError(f"Expected a positive decoder_variance; got {self.decoder_variance}.")

    def encoder(self, source: Source, outputs: int) -> Build:
        """Builder of the encoder, vector (dim,) -> (outputs,)."""
        narrower = tuple(-(-2 * w // 3) for w in self.widths)
        hidden = narrower if self.encoder_widths is None else self.encoder_widths
        return self.network.encoder(source, outputs, hidden, self.activation)

    def message(self, source: Source) -> BuildMessage:
        """Builder of the message decoder."""
        return self.network.message(source, self.units, self.widths, self.activation)

    def vector(self, source: Source) -> Build:
        """Builder of the vector decoder, (units,) -> (dim,)."""
        return self.network.decoder(source, self.units, self.widths, self.activation)

    def encode(self, state: ModuleState, source: Source, vectors: jax.Array, outputs: int) -> jax.Array:
        """What the encoder gives for a batch, (n, dim) -> (n, outputs), as a loss has it.

        Args:
            state: the encoder's.
            source: of the vectors.
            vectors: a batch.
            outputs: as the encoder was made with.
        """
        return run_batch("encoder", self.encoder(source, outputs), state, _mapped("encoder", outputs), vectors)

    def encode_one(self, state: ModuleState, source: Source, vector: Vector, outputs: int) -> jax.Array:
        """What the trained encoder gives for one vector, (dim,) -> (outputs,).

        Args: as of `encode`.
        """
        return run_one(self.encoder(source, outputs), state, _mapped("encoder", outputs), vector)

    def posteriors(self, state: ModuleState, source: Source, vectors: jax.Array) -> Posterior:
        """Mean and log standard deviation of the codes of a batch, each (n, units), as a loss has them."""
        return Posterior(*jnp.split(self.encode(state, source, vectors, 2 * self.units), 2, axis=1))

    def posterior(self, source: Source, state: ModuleState, x: Vector) -> Posterior:
        """Mean and log standard deviation of the code of one vector, by an encoder of twice the units."""
        return Posterior(*jnp.split(self.encode_one(state, source, x, 2 * self.units), 2))

    def sizes(self, source: Source, outputs: int | None = None) -> dict[str, NetworkSize]:
        """Parameters, multiply-adds and activations of every network, by the names that `init` gives them.

        Args:
            source: what is sent.
            outputs: of the encoder; by default the units.

        Raises:
            ValueError: for a source that the structure cannot take.
        """
        units = self.units
        encoder, message, vector = self.encoder(source, outputs or units), self.message(source), self.vector(source)
        found = {
            "encoder": network_size(encoder, lambda network, x: network(x), source.dim),
            "message": network_size(message, lambda network, m, z: network.log_prob(m, z), source.message_dim, units),
        }
        if self.decode == "vector":
            found["vector"] = network_size(vector, lambda network, z: network(z), units)
        return found

    def activations(self, source: Source, outputs: int | None = None) -> int:
        """How many numbers of one message training keeps, of all networks.

        Args: as of `sizes`.
        """
        short, architecture = self.rehearsal(source)
        outputs = outputs and outputs * architecture.units // self.units
        return sum(size.activations for size in architecture.sizes(short, outputs).values())

    def rehearsal(self, source: Source) -> tuple[Source, Architecture]:
        """Shorter messages, and the architecture that has the same parameters for them, to train on where there are."""
        short, units = self.network.rehearsal(source, self.units)
        return short, self if units == self.units else replace(self, units=units)

    def init(self, key: Key, source: Source, outputs: int) -> Params:
        """Fresh parameters of all networks: states under "encoder", "message" and, with decode="vector", "vector".

        Args:
            key: decides them.
            source: its lengths of vector and message are those of the networks.
            outputs: of the encoder.
        """
        builders: dict[str, Callable[[nnx.Rngs], object]] = {}
        builders["encoder"], builders["message"] = self.encoder(source, outputs), self.message(source)
        if self.decode == "vector":
            builders["vector"] = self.vector(source)
        keys = jax.random.split(key, 3)
        return {name: fresh(name, build, k) for k, (name, build) in zip(keys, builders.items(), strict=False)}

    def log_decoder(self, params: Params, source: Source) -> Callable[[Message, Units], Scalar]:
        """log q(m | z), nats, of one message and one noisy code."""
        build = self.message(source)
        return lambda message, z: run_one(build, params["message"], _log_prob, message, z)

    def log_probs(self, params: Params, source: Source, messages: jax.Array, z: jax.Array) -> jax.Array:
        """log q(m | z), nats, (n,), of a batch of messages (n, message_dim) and noisy codes (n, units)."""
        return run_batch("message", self.message(source), params["message"], _log_prob, messages, z)

    def reconstruction(self, params: Params, source: Source, batch: Draws, z: jax.Array) -> Scalar:
        """Mean loss of the decoders in nats; the message decoder's only reaches the units with decode="bits"."""
        loss = self.message_loss(params, source, batch, z)
        if self.decode == "vector":
            loss = loss + 0.5 * self.squared_error(params, source, batch.vector, z) / self.decoder_variance
        return loss

    def message_loss(self, params: Params, source: Source, batch: Draws, z: jax.Array) -> Scalar:
        """Mean of -log q(m|z) in nats; it reaches the units with decode="bits" alone."""
        received = z if self.decode == "bits" else jax.lax.stop_gradient(z)
        return -self.log_probs(params, source, batch.message, received).mean()

    def squared_error(self, params: Params, source: Source, vectors: jax.Array, z: jax.Array) -> Scalar:
        """Mean over samples of the squared error summed over the vector's entries."""
        decoded = run_batch("vector", self.vector(source), params["vector"], _mapped("vector", source.dim), z)
        return jnp.square(vectors - decoded).sum(1).mean()


DEFAULT = Architecture()


def _mapped(name: str, outputs: int) -> Callable[[Mapped, jax.Array], jax.Array]:
    """Calls a module on an item or a batch, and looks at what comes out."""

    def call(module: Mapped, x: jax.Array) -> jax.Array:
        with named(name, x):
            found = module(x)
        return check_made(found, name, (*x.shape[:-1], outputs), x)

    return call


def _log_prob(module: MessageDecoder, message: jax.Array, z: jax.Array) -> jax.Array:
    with named("message", message, z):
        found = module.log_prob(message, z)
    return check_made(found, "message", z.shape[:-1], z)
