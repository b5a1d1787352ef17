"""Laws of every family of networks: shapes, keys, batches, layouts; message decoders add up to 1; sizes are right."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from capacity.curves.execute import run_plan
from capacity.curves.plan import plan_curve
from capacity.systems import Architecture, GaussianAutoencoder
from capacity.systems.architecture import merge
from capacity.systems.equal import equal_to, with_parameters
from capacity.systems.networks import (
    NETWORKS,
    AttentionNetwork,
    ConvNetwork,
    MixerNetwork,
    RecurrentNetwork,
    layout_of,
)
from capacity.systems.networks.attention import Transformer, attend
from capacity.systems.networks.layout import from_tokens, patch_of, tokens
from capacity.systems.networks.recurrent import Recurrence
from capacity.systems.networks.sizes import count_parameters
from capacity.systems.networks.windows import windows
from capacity.training import Training
from synthetic import FairBits, GaussianVectors, Sprites

UNITS, WIDTHS, BITS = 3, (6, 5), 4
CASES = {name: kind() for name, kind in NETWORKS.items()} | {
    "attention, causal": AttentionNetwork(causal=True),
    "recurrent, causal": RecurrentNetwork(causal=True),
}
BITS_SOURCE = FairBits.build(jax.random.key(1), BITS, 10)
IMAGES = Sprites.build(jax.random.key(1), BITS, 64)
SOURCES = {"bits": BITS_SOURCE, "images": IMAGES}
EVERY = pytest.mark.parametrize("name", CASES)
QUICK = "conv"  # in the quick run: a program takes seconds to compile, and all of them have the same laws
SOME = pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == QUICK else pytest.mark.slow) for n in CASES])
COMPILED = pytest.mark.parametrize(
    ("name", "where"),
    [
        pytest.param(name, where, marks=() if (name, where) == (QUICK, "images") else pytest.mark.slow)
        for name in CASES
        for where in SOURCES
    ],
)


def architecture(name: str, **choices: Any) -> Architecture:
    return Architecture(UNITS, WIDTHS, decode="vector", network=CASES[name], **choices)


class Found(NamedTuple):
    """Of one structure and source, from one compiled program."""

    params: Any
    batch: tuple[jax.Array, jax.Array, jax.Array]
    """Codes (3, units), vectors (3, dim) and log probabilities (3,) of three messages."""
    row: tuple[jax.Array, jax.Array, jax.Array]
    """The same of the second of them by itself."""
    sums: tuple[jax.Array, jax.Array]
    """Probabilities of all messages added up, at the start and away from it."""
    slopes: Any


@cache
def program(name: str, where: str) -> Any:
    sizes, source = architecture(name), SOURCES[where]
    system = GaussianAutoencoder(sizes)
    sent = source.sample(jax.random.key(2), 3)
    messages, code = source.messages(), jnp.asarray([0.3, -2.0, 1.0])

    def networks(params: Any) -> tuple[Any, Any, Any]:
        encoder, message = sizes.encoder(source, UNITS), sizes.message(source)
        builders = {"encoder": encoder, "vector": sizes.vector(source), "message": message}
        made = [merge(build, params[part]) for part, build in builders.items()]
        return made[0], made[1], made[2].log_prob

    def added_up(params: Any) -> jax.Array:
        return jnp.exp(jax.vmap(networks(params)[2], (0, None))(messages, code)).sum()

    def found(key: jax.Array) -> Found:
        params = sizes.init(key, source, UNITS)
        encoder, vector, log_prob = networks(params)
        u = jax.vmap(encoder)(sent.vector)
        batch = u, jax.vmap(vector)(u), jax.vmap(log_prob)(sent.message, u)
        row = encoder(sent.vector[1]), vector(u[1]), log_prob(sent.message[1], u[1])
        slopes = jax.grad(lambda p: system.loss(p, jax.random.key(0), source, 0.5, 8, jnp.zeros(())))(params)
        return Found(params, batch, row, (added_up(params), added_up(moved(params))), slopes)

    return jax.jit(found)


def moved(params: Any) -> Any:
    """Parameters away from their start, where blocks are nothing."""
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(5), len(leaves))
    return tree.unflatten(leaf + 0.5 * jax.random.normal(k, leaf.shape) for leaf, k in zip(leaves, keys, strict=True))


@cache
def found_of(name: str, where: str) -> Found:
    return program(name, where)(jax.random.key(0))


@COMPILED
def test_shapes_and_a_vector_is_a_batchs_row(name: str, where: str) -> None:
    found = found_of(name, where)
    assert [part.shape for part in found.batch] == [(3, UNITS), (3, SOURCES[where].dim), (3,)]
    for one, batch in zip(found.row, found.batch, strict=True):
        np.testing.assert_allclose(one, batch[1], rtol=1e-4, atol=1e-5)


@COMPILED
def test_the_same_key_gives_the_same_parameters(name: str, where: str) -> None:
    first = jax.tree.leaves(found_of(name, where).params)
    for key, same in ((0, True), (1, False)):
        again = jax.tree.leaves(program(name, where)(jax.random.key(key)).params)
        assert all(map(np.array_equal, first, again)) is same


@COMPILED
def test_gradients_are_finite_and_reach_encoder_and_decoders(name: str, where: str) -> None:
    slopes = found_of(name, where).slopes
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes))
    assert all(any(np.any(leaf) for leaf in jax.tree.leaves(slopes[part])) for part in ("encoder", "message", "vector"))


@COMPILED
def test_message_decoders_add_up_to_one(name: str, where: str) -> None:
    """Over all messages, at the start and away from it: else it would be no bound."""
    np.testing.assert_allclose(found_of(name, where).sums, 1, rtol=1e-5)


@EVERY
def test_messages_of_real_numbers_have_a_density(name: str) -> None:
    build = architecture(name).message(GaussianVectors(jnp.ones(6)))
    log_prob = jax.eval_shape(lambda: build(nnx.Rngs(0)).log_prob(jnp.ones(6), jnp.ones(UNITS)))
    assert log_prob.shape == ()


@SOME
def test_without_widths_it_is_linear(name: str) -> None:
    sizes = replace(architecture(name), widths=(), encoder_widths=())
    for build, length in ((sizes.encoder(IMAGES, UNITS), IMAGES.dim), (sizes.vector(IMAGES), UNITS)):
        x, y = jax.random.normal(jax.random.key(1), (2, length))
        inputs = jnp.stack([x + y, 0 * x, x, y])
        both, zero, first, second = jax.jit(lambda b=build, i=inputs: jax.vmap(b(nnx.Rngs(0)))(i))()
        np.testing.assert_allclose(both + zero, first + second, atol=1e-4)


@EVERY
def test_sizes_are_those_of_the_networks(name: str) -> None:
    """Parameters by counting what is made; operations are at least those of a kernel used once."""
    sizes = architecture(name)
    params = jax.eval_shape(lambda: sizes.init(jax.random.key(0), IMAGES, UNITS))
    found = sizes.sizes(IMAGES)
    assert found.keys() == params.keys()
    for part, size in found.items():
        leaves = jax.tree.leaves(params[part])
        assert size.parameters == sum(leaf.size for leaf in leaves)
        assert size.operations >= sum(leaf.size for leaf in leaves if leaf.ndim > 1) - leaves[0].size
        assert size.activations > 0
    assert GaussianAutoencoder(sizes).activations(IMAGES) == sum(size.activations for size in found.values())


def test_operations_are_those_of_the_formulas() -> None:
    """Perceptron: a product for each pair of layers.  Convolution: places x window x channels in and out.

    Attention: three kernels in, one out, tokens with tokens twice, and two layers; a stream of 6 has heads of 2 x 3.
    """
    dim, (first, second) = IMAGES.dim, WIDTHS
    choices: dict[str, Any] = {"widths": WIDTHS, "encoder_widths": WIDTHS, "units": UNITS}
    perceptron = Architecture(**choices).sizes(IMAGES)["encoder"]
    assert perceptron.operations == dim * first + first * second + second * UNITS
    assert perceptron.activations == dim + first + second
    conv = Architecture(**choices, network=ConvNetwork()).sizes(IMAGES)["encoder"]
    assert conv.operations == 16 * 9 * first + 4 * 9 * first * second + 4 * second * UNITS
    narrow = choices | {"encoder_widths": (first,)}
    attention = Architecture(**narrow, network=AttentionNetwork(heads=2)).sizes(BITS_SOURCE)["encoder"]
    n, inner = BITS_SOURCE.dim, 6
    block = 4 * n * first * inner + 2 * n * n * inner + 2 * n * first * first
    assert attention.operations == n * first + block + n * first * UNITS
    recurrent = Architecture(**narrow, network=RecurrentNetwork()).sizes(BITS_SOURCE)["encoder"]
    assert recurrent.operations == n * first + n * 2 * 3 * first * first + n * first * UNITS
    mixer = Architecture(**narrow, network=MixerNetwork()).sizes(BITS_SOURCE)["encoder"]
    assert mixer.operations == n * first + 2 * n * first * first + 2 * n * first * first + n * first * UNITS


@SOME
def test_widths_for_a_number_of_parameters(name: str) -> None:
    """No other width comes nearer, in the encoder or in the decoders."""
    base = Architecture(UNITS, (20, 20))
    mine = equal_to(replace(base, network=CASES[name]), base, IMAGES)
    wanted = count_parameters(base.encoder(IMAGES, UNITS)), count_parameters(base.message(IMAGES))

    def off(widths: tuple[int, int]) -> tuple[int, int]:
        near = replace(mine, widths=(widths[0],) * 2, encoder_widths=(widths[1],) * 2)
        found = count_parameters(near.encoder(IMAGES, UNITS)), count_parameters(near.message(IMAGES))
        return abs(found[0] - wanted[0]), abs(found[1] - wanted[1])

    assert mine.encoder_widths is not None
    widths = mine.widths[0], mine.encoder_widths[0]
    for step in (-1, 1):
        assert all(a <= b for a, b in zip(off(widths), off((widths[0] + step, widths[1] + step)), strict=True))


def test_a_total_is_shared_out_as_perceptrons_share_it() -> None:
    base = Architecture(UNITS, (20, 20))
    total = sum(size.parameters for size in base.sizes(IMAGES).values())
    found = with_parameters(Architecture(UNITS, (1, 1)), IMAGES, total)
    assert (found.widths, found.encoder_widths) == ((20, 20), (14, 14))
    with pytest.raises(ValueError, match="Expected at least .* parameters for the narrowest network; got 5"):
        with_parameters(base, IMAGES, 5)
    with pytest.raises(ValueError, match="Expected a hidden layer, whose width can be chosen; got none"):
        with_parameters(replace(base, widths=()), IMAGES, 500)


@pytest.mark.parametrize("layout", [(12, 1), (4, 3), (4, 6, 2)])
@pytest.mark.parametrize("patch", [1, 2])
def test_tokens_are_patches(layout: tuple[int, ...], patch: int) -> None:
    x = np.arange(np.prod(layout))
    found = np.asarray(tokens(jnp.asarray(x), layout, patch))
    parts = x.reshape(layout)
    corners = np.ndindex(*(axis // patch for axis in layout[:-1]))
    cut = [parts[tuple(slice(patch * i, patch * (i + 1)) for i in corner)].ravel() for corner in corners]
    np.testing.assert_array_equal(found, cut)
    np.testing.assert_array_equal(from_tokens(jnp.asarray(found), layout, patch), x)


def test_layouts_are_the_sources_own_or_asked_for() -> None:
    assert (
        layout_of(BITS_SOURCE) == (10, 1) and layout_of(IMAGES) == (8, 8, 1) and layout_of(IMAGES, (16, 4)) == (16, 4)
    )
    assert [patch_of(layout, None) for layout in ((64, 1), (128, 1), (32, 32, 1), (63, 1), (65, 1))] == [1, 2, 4, 1, 1]
    for layout in ((3, 1), (10,), (1, 1, 10, 1), (-10, -1)):
        with pytest.raises(ValueError, match=r"Expected a layout .* of 10 numbers; got"):
            layout_of(BITS_SOURCE, layout)
    with pytest.raises(ValueError, match=r"Expected a patch that divides the axes \(8, 8\); got 3"):
        patch_of((8, 8, 1), 3)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (lambda: ConvNetwork(kernel=0), "Expected kernel of at least 1; got 0"),
        (lambda: ConvNetwork(stride=0), "Expected stride of at least 1; got 0"),
        (lambda: AttentionNetwork(heads=0), "Expected heads of at least 1; got 0"),
        (lambda: MixerNetwork(patch=0), "Expected patch of at least 1; got 0"),
    ],
)
def test_choices_out_of_range_are_refused(network: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network()


@pytest.mark.parametrize("network", [ConvNetwork(layout=(4, 4, 1)), MixerNetwork(patch=4)])
def test_a_plan_refuses_what_the_structure_cannot_take(network: Any) -> None:
    with pytest.raises(ValueError, match="Expected a (layout|patch)"):
        plan_curve(0, BITS_SOURCE, GaussianAutoencoder(Architecture(network=network)), [0.5])


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_flax(causal: bool) -> None:
    query, key, value = jax.random.normal(jax.random.key(0), (3, 5, 2, 3))
    mask = jnp.tri(5, dtype=bool)[None] if causal else None
    wanted = nnx.dot_product_attention(query, key, value, mask=mask)
    np.testing.assert_allclose(attend(query, key, value, is_causal=causal), wanted, atol=1e-6)


def test_attention_without_places_knows_no_order() -> None:
    stack = Transformer(5, (6, 6), 2, "silu", nnx.Rngs(0))
    graph, state = nnx.split(stack)
    stack = nnx.merge(graph, moved(state))
    stack.places[...] = jnp.zeros((5, 6))
    x, order = jax.random.normal(jax.random.key(1), (5, 6)), jnp.asarray([3, 0, 4, 1, 2])
    np.testing.assert_allclose(stack(x[order]), stack(x)[order], atol=1e-5)
    assert not np.allclose(stack(x.at[4, 0].add(1))[0], stack(x)[0], atol=1e-5)


def test_a_recurrence_says_nothing_of_later_tokens() -> None:
    stack = Recurrence(6, (6, 4), nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (5, 6))
    later = stack(x.at[3].add(1.0))
    np.testing.assert_allclose(later[:3], stack(x)[:3], atol=1e-6)
    assert not np.allclose(later[4], stack(x)[4], atol=1e-5)


@pytest.mark.parametrize(("shape", "stride"), [((7, 2), 1), ((8, 2), 2), ((6, 5, 3), 2), ((8, 8, 1), 3)])
def test_windows_by_a_kernel_are_a_convolution(shape: tuple[int, ...], stride: int) -> None:
    conv = nnx.Conv(shape[-1], 4, (3,) * (len(shape) - 1), stride, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), shape)
    found = windows(x, 3, stride) @ conv.kernel[...].reshape(-1, 4)
    np.testing.assert_allclose(found, conv(x), atol=1e-5)


SHORT = Training(steps=3, batch=8, receiver_steps=2, receiver_batch=8)


@pytest.mark.slow
def test_families_are_programs_of_their_own() -> None:
    digests = [SHORT.program(IMAGES, GaussianAutoencoder(architecture(name))) for name in CASES]
    assert len(set(digests)) == len(digests)


@pytest.mark.slow
@EVERY
def test_lanes_are_trained_and_measured(name: str) -> None:
    plan = plan_curve(0, IMAGES, GaussianAutoencoder(architecture(name)), [0.5, 1.0], 1, training=SHORT, samples=16)
    bits = run_plan(plan)["bits"].values
    assert bits.shape == (2, 1) and np.isfinite(bits).all() and (bits <= BITS + 0.1).all()


@SOME
def test_lanes_are_traced_for_every_structure(name: str) -> None:
    system = GaussianAutoencoder(architecture(name))

    def lane(key: jax.Array, level: jax.Array) -> Any:
        return SHORT.train(key, BITS_SOURCE, system, level)[1]

    keys = jax.random.split(jax.random.key(0), 2)
    assert jax.eval_shape(lambda: jax.vmap(lane)(keys, jnp.ones(2))).shape == (2, 3)
