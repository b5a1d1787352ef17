"""Named recipes: encoder, channel, decoder, loss, and which knob is the level.

`gaussian`: units of a fixed power through Gaussian noise of standard deviation sigma, the level.
`vae`: loss = reconstruction + beta KL(q(z|x) || N(0,1)), beta the level (Kingma & Welling 2014; Higgins et al. 2017).

Both end in two decoders.  A message decoder q(m|z) gives the lower bound; it also drives the encoder if
`decode="bits"`.  With `decode="vector"` a vector decoder (normal likelihood of a fixed variance) drives it, and the
message decoder only listens: no gradient passes from it to the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.channels import Gaussian, LearntGaussian, Posterior
from capacity.joint import Joint
from capacity.models import ACTIVATIONS, MLP, AutoregressiveBits, GaussianMessage

Params = dict[str, Any]  # nnx states under "encoder", "message" and, with decode="vector", "vector"
CALIBRATION_SAMPLES = 65536


@dataclass(frozen=True)
class Architecture:
    """Sizes that the systems share.

    Attributes:
        units: how many numbers pass the channel.
        widths: hidden widths of the decoders; () makes encoder and decoders linear.
        encoder_widths: of the encoder; by default two thirds of `widths`: to send takes less than to undo noise.
        activation: one of `ACTIVATIONS`.
        decode: "bits" (the message) or "vector".
        decoder_variance: variance of the vector decoder's normal likelihood.

    Raises:
        ValueError: for any value out of its range.
    """

    units: int = 8
    widths: tuple[int, ...] = (144, 144)
    encoder_widths: tuple[int, ...] | None = None
    activation: str = "silu"
    decode: str = "bits"
    decoder_variance: float = 0.1

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"Expected at least one unit; got units={self.units}.")
        if any(w < 1 for w in (*self.widths, *(self.encoder_widths or ()))):
            raise ValueError(f"Expected widths of at least 1; got {self.widths} and {self.encoder_widths}.")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"Expected an activation among {', '.join(ACTIVATIONS)}; got {self.activation!r}.")
        if self.decode not in ("bits", "vector"):
            raise ValueError(f"Expected decode to be 'bits' or 'vector'; got {self.decode!r}.")
        if not self.decoder_variance > 0:
            raise ValueError(f"Expected a positive decoder_variance; got {self.decoder_variance}.")

    def encoder(self, source: Any, outputs: int) -> Callable[[nnx.Rngs], MLP]:
        """Builder of the encoder, vector (dim,) -> (outputs,)."""
        narrower = tuple(-(-2 * w // 3) for w in self.widths)
        hidden = narrower if self.encoder_widths is None else self.encoder_widths
        return lambda rngs: MLP((source.dim, *hidden, outputs), self.activation, rngs)

    def message(self, source: Any) -> Callable[[nnx.Rngs], AutoregressiveBits | GaussianMessage]:
        """Builder of the message decoder."""
        kind = AutoregressiveBits if source.discrete else GaussianMessage
        return lambda rngs: kind(self.units, source.message_dim, self.widths, self.activation, rngs)

    def vector(self, source: Any) -> Callable[[nnx.Rngs], MLP]:
        """Builder of the vector decoder, (units,) -> (dim,)."""
        return lambda rngs: MLP((self.units, *self.widths, source.dim), self.activation, rngs)

    def init(self, key: jax.Array, source: Any, outputs: int) -> Params:
        """Fresh parameters of all networks."""
        builders = {"encoder": self.encoder(source, outputs), "message": self.message(source)}
        if self.decode == "vector":
            builders["vector"] = self.vector(source)
        keys = jax.random.split(key, 3)
        return {
            name: nnx.split(build(nnx.Rngs(k)))[1] for k, (name, build) in zip(keys, builders.items(), strict=False)
        }

    def log_decoder(self, params: Params, source: Any) -> Callable[[jax.Array, jax.Array], jax.Array]:
        """log q(m | z), nats, of one message and one noisy code."""
        return merge(self.message(source), params["message"]).log_prob

    def reconstruction(self, params: Params, source: Any, batch: Any, z: jax.Array) -> jax.Array:
        """Mean loss of the decoders in nats; the message decoder's only reaches the units with decode="bits"."""
        heard = z if self.decode == "bits" else jax.lax.stop_gradient(z)
        loss = -jax.vmap(self.log_decoder(params, source))(batch.message, heard).mean()
        if self.decode == "vector":
            loss = loss + 0.5 * self.squared_error(params, source, batch.vector, z) / self.decoder_variance
        return loss

    def squared_error(self, params: Params, source: Any, vectors: jax.Array, z: jax.Array) -> jax.Array:
        """Mean over samples of the squared error summed over the vector's entries."""
        decoded = jax.vmap(merge(self.vector(source), params["vector"]))(z)
        return jnp.square(vectors - decoded).sum(1).mean()


@dataclass(frozen=True)
class GaussianSystem:
    """Autoencoder whose units have mean 0 and mean square `power` each, through noise of standard deviation `level`.

    In training the units are normalised over the batch; afterwards by the exact mean and power over all messages
    (over 65,536 samples where they cannot be listed), and frozen.  `power=None` leaves them free: the encoder then
    buys back any fixed noise.

    Training starts from a noise stronger than asked, where only half of the source's bits fit (but at most
    `noise_start` times the noise asked), and lowers it over the first 70 % of the steps: a code that once
    had to share all units among all bits keeps some of that, where one trained in weak noise only settles on separate
    levels per unit.
    """

    architecture: Architecture = Architecture()
    power: float | None = 1.0
    noise_start: float = 1.25
    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "autoencoder, units of fixed power through Gaussian noise of standard deviation sigma"
    level_name: ClassVar[str] = "noise standard deviation"
    level_symbol: ClassVar[str] = "σ"
    default_levels: ClassVar[tuple[float, ...]] = (
        0.1,
        0.13,
        0.17,
        0.23,
        0.3,
        0.4,
        0.5,
        0.7,
        0.9,
        1.2,
        1.5,
        2.0,
    )

    def __post_init__(self) -> None:
        if self.power is not None and not self.power > 0:
            raise ValueError(f"Expected a positive power, or None for no constraint; got {self.power}.")
        if not self.noise_start >= 1:
            raise ValueError(f"Expected noise_start of at least 1; got {self.noise_start}.")

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        return self.architecture.init(key, source, self.architecture.units)

    def channel(self, level: jax.Array) -> Gaussian:
        """The noise at this level."""
        return Gaussian(level)

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """Standard deviation of r(z), from the code's mean power a unit."""
        return jnp.sqrt(power + jnp.square(level))

    def loss(
        self,
        params: Params,
        key: jax.Array,
        level: jax.Array,
        source: Any,
        n: int,
        progress: jax.Array,
    ) -> jax.Array:
        """Mean loss in nats of n fresh samples; progress runs from 0 to 1."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        u = jax.vmap(merge(self.architecture.encoder(source, self.architecture.units), params["encoder"]))(batch.vector)
        if self.power is not None:
            centred = u - u.mean(0, keepdims=True)
            u = centred * jnp.sqrt(self.power / (jnp.square(centred).mean(0, keepdims=True) + 1e-8))
            level = self._annealed(level, source, progress)
        z = u + level * jax.random.normal(key_noise, u.shape)
        return self.architecture.reconstruction(params, source, batch, z)

    def _annealed(self, level: jax.Array, source: Any, progress: jax.Array) -> jax.Array:
        half = self.power / (2 ** (source.bits / self.architecture.units) - 1) if source.discrete else 0.0
        start = jnp.clip(jnp.sqrt(half), level, self.noise_start * level)
        return level + (start - level) * jnp.clip(1 - progress / 0.7, 0, 1)

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The trained sender: encoder with its normalisation frozen, and the channel."""
        shift, scale = jnp.zeros(self.architecture.units), jnp.ones(self.architecture.units)
        if self.power is not None:
            vectors, probs = _calibration(key, source)
            raw = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
            u = jax.lax.map(raw, vectors, batch_size=min(8192, len(vectors)))
            shift = (probs[:, None] * u).sum(0)
            scale = jnp.sqrt(self.power / ((probs[:, None] * jnp.square(u - shift[None])).sum(0) + 1e-8))
        encoder = jax.tree_util.Partial(self._encode, source, params["encoder"], shift, scale)
        return Joint(source, encoder, self.channel(level))

    def _encode(self, source: Any, state: Any, shift: jax.Array, scale: jax.Array, x: jax.Array) -> jax.Array:
        encode = merge(self.architecture.encoder(source, self.architecture.units), state)
        return (encode(x) - shift) * scale


@dataclass(frozen=True)
class VAE:
    """Variational autoencoder: reconstruction + beta KL(q(z|x) || N(0, 1)), in nats; the level is beta.

    rate = I(M;Z) + KL(q(z) || N(0,1)): asked bits are paid for by the rate.
    """

    architecture: Architecture = Architecture()
    name: ClassVar[str] = "vae"
    summary: ClassVar[str] = "variational autoencoder with learnt sigma(x); the level is the weight beta of the rate"
    level_name: ClassVar[str] = "weight of the rate"
    level_symbol: ClassVar[str] = "β"
    default_levels: ClassVar[tuple[float, ...]] = (
        0.02,
        0.04,
        0.08,
        0.15,
        0.25,
        0.35,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        1.0,
    )

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        return self.architecture.init(key, source, 2 * self.architecture.units)

    def channel(self, level: jax.Array) -> LearntGaussian:
        """The same at every level: beta acts through the loss."""
        return LearntGaussian()

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """1: the prior is standard normal."""
        return jnp.ones(())

    def loss(
        self,
        params: Params,
        key: jax.Array,
        level: jax.Array,
        source: Any,
        n: int,
        progress: jax.Array,
    ) -> jax.Array:
        """Mean loss in nats of n fresh samples."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        encode = jax.tree_util.Partial(self._encode, source, params["encoder"])
        posterior = jax.vmap(encode)(batch.vector)
        z = posterior.mean + jnp.exp(posterior.log_std) * jax.random.normal(key_noise, posterior.mean.shape)
        variance = jnp.exp(2 * posterior.log_std)
        rate = (0.5 * (jnp.square(posterior.mean) + variance - 1) - posterior.log_std).sum(1).mean()
        return self.architecture.reconstruction(params, source, batch, z) + level * rate

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The trained sender: the encoder's posterior, and the channel that draws from it."""
        return Joint(
            source,
            jax.tree_util.Partial(self._encode, source, params["encoder"]),
            self.channel(level),
        )

    def _encode(self, source: Any, state: Any, x: jax.Array) -> Posterior:
        out = merge(self.architecture.encoder(source, 2 * self.architecture.units), state)(x)
        return Posterior(*jnp.split(out, 2))


def merge(build: Callable[[nnx.Rngs], Any], state: Any) -> Any:
    """A module of known structure around given parameters; nothing is initialised."""
    return nnx.merge(nnx.graphdef(nnx.eval_shape(lambda: build(nnx.Rngs(0)))), state)


def _calibration(key: jax.Array, source: Any) -> tuple[jax.Array, jax.Array]:
    """Vectors and their probabilities: all of them where they can be listed, else a sample."""
    if source.listable:
        vectors, log_probs = source.codebook()
        return vectors, jnp.exp(log_probs)
    vectors = source.sample(key, CALIBRATION_SAMPLES).vector
    return vectors, jnp.full(CALIBRATION_SAMPLES, 1 / CALIBRATION_SAMPLES)


SYSTEMS: dict[str, type] = {s.name: s for s in (GaussianSystem, VAE)}
