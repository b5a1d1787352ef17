"""The nonlinear embedding: undone in closed form, curved, and honest about what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from synthetic import Embedded, FairBits, GaussianVectors
from synthetic.algebra import matmul

KEY = jax.random.key(11)


def undone(source: Embedded, vector: jax.Array) -> jax.Array:
    """Base vector (source.dim,) of one vector (dim,) on the surface, in closed form.

    y = x + c sqrt(1 + x^2) has the solution x = (y - c sqrt(y^2 + 1 - c^2)) / (1 - c^2).
    """
    c = source.bend

    def layer(x: jax.Array, rotation: jax.Array) -> tuple[jax.Array, None]:
        y = x + c
        x = (y - c * jnp.sqrt(y**2 + (1.0 - c**2))) / (1.0 - c**2)
        return matmul(x, rotation.T), None

    lifted = jax.lax.scan(layer, vector, source.rotations, reverse=True)[0]
    return matmul(lifted, source.injection.T)


@pytest.mark.parametrize(("dim", "depth", "bend"), [(20, 5, 0.5), (8, 0, 0.8)])
def test_inverts(dim: int, depth: int, bend: float) -> None:
    source = Embedded.wrap(KEY, FairBits.build(KEY, 8, 8), dim, depth, bend)
    message, vector = jax.jit(source.sample, static_argnums=1)(KEY, 200)
    base = jax.jit(jax.vmap(lambda one: undone(source, one)))(vector)
    # Each layer can multiply float32 rounding by 1 / (1 - bend).
    np.testing.assert_allclose(base, jax.vmap(source.source.embed)(message), atol=2e-3)


def test_is_curved() -> None:
    source = Embedded.build(KEY, 4, 8)
    one, two = source.source.codebook()[0][:2]
    middle = source.bent(0.5 * (one + two))
    chord = 0.5 * (source.bent(one) + source.bent(two))
    assert float(jnp.linalg.norm(middle - chord)) > 0.05


def test_distances_keep_their_bounds() -> None:
    source = Embedded.build(KEY, 6, 9)
    base, vectors = (np.asarray(jax.jit(s.codebook)()[0]) for s in (source.source, source))
    upper = np.triu_indices(64, 1)
    before, after = (np.linalg.norm(v[:, None] - v[None], axis=-1)[upper] for v in (base, vectors))
    assert (after / before).min() > 0.2**3 and (after / before).max() < 1.8**3


def test_refusals() -> None:
    base = FairBits(jnp.eye(2))
    with pytest.raises(ValueError, match="Expected a discrete source to embed; got 'gaussian'"):
        Embedded.wrap(KEY, GaussianVectors(jnp.ones(2)), 3)
    with pytest.raises(ValueError, match="Expected dim of at least source.dim = 2; got 1"):
        Embedded.wrap(KEY, base, 1)
    with pytest.raises(ValueError, match=r"Expected bend in \[0, 1\); got 1.0"):
        Embedded.wrap(KEY, base, 3, bend=1.0)
    with pytest.raises(ValueError, match="Expected depth of at least 0"):
        Embedded.wrap(KEY, base, 3, depth=-1)
    with pytest.raises(ValueError, match=r"rotations of shape \(depth, 2, 2\)"):
        Embedded(base, jnp.eye(2), jnp.eye(2))
    with pytest.raises(ValueError, match="source.dim = 2 rows; got 3"):
        Embedded(base, jnp.eye(3), jnp.eye(3)[None])
