"""Modules of somebody's own: trained with their state, measured frozen, the same bits however a run is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy import integrate, stats

from capacity import Architecture, GaussianAutoencoder, Joint, Training, capacity_curve, measure, plan_curve
from capacity.channels import Gaussian
from capacity.runtime.files.checkpoints import Checkpoints
from capacity.runtime.files.store import Store, StoreError
from capacity.systems import VAE, System
from capacity.systems.networks import AutoregressiveBits, Functions, Modules, TrainedModule, frozen_module
from capacity.training import sender
from capacity.training.train import LaneState
from synthetic import FairBits

SOURCE = FairBits.build(jax.random.key(7), 3, 4)
SHORT = Training(steps=8, batch=32, receiver_steps=4, receiver_batch=32)


class Trunk(nnx.Module):
    """Batch statistics and dropout between two layers."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, rate: float = 0.3):
        self.first, self.last = nnx.Linear(inputs, 8, rngs=rngs), nnx.Linear(8, outputs, rngs=rngs)
        self.norm, self.dropout = nnx.BatchNorm(8, rngs=rngs), nnx.Dropout(rate, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(self.dropout(nnx.relu(self.norm(self.first(x)))))


class Listener(nnx.Module):
    """A message decoder with state."""

    def __init__(self, units: int, digits: int, rngs: nnx.Rngs):
        self.trunk, self.head = Trunk(units, 6, rngs), AutoregressiveBits(6, digits, (8,), "silu", rngs)

    def log_prob(self, messages: jax.Array, z: jax.Array) -> jax.Array:
        return jax.vmap(self.head.log_prob)(messages, self.trunk(z))


OWN = Modules(make_encoder=Trunk, make_decoder=Trunk, make_message=Listener)


def system_of(
    kind: Callable[..., System] = GaussianAutoencoder, decode: str = "bits", network: Modules = OWN
) -> System:
    return kind(Architecture(2, (8,), decode=decode, network=network))


def trained(system: System, key: int = 1, training: Training = SHORT) -> LaneState:
    def run(key: jax.Array) -> LaneState:
        begun = training.begin(key, SOURCE, system)
        return training.advance(begun, key, SOURCE, system, jnp.float32(0.5), training.total)

    return jax.jit(run)(jax.random.key(key))


def same(one: Any, other: Any) -> bool:
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in leaves)


def test_a_linear_module_in_evaluation_mode_carries_what_the_closed_form_says() -> None:
    """Two bits as signs of two units, through what is the identity once dropout is off: binary input, normal noise."""

    class Linear(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
            self.dropout, self.matrix = nnx.Dropout(0.5, rngs=rngs), nnx.Variable(jnp.eye(inputs, outputs))

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.dropout(x) @ self.matrix[...]

    sigma = 0.8
    noise = stats.norm(1, sigma)
    truth = 1 - integrate.quad(lambda z: noise.pdf(z) * np.log2(1 + np.exp(-2 * z / sigma**2)), -8, 10)[0]
    system = system_of(network=Modules(make_encoder=Linear))
    once, source = replace(SHORT, steps=1, receiver_steps=0), FairBits(jnp.eye(2))
    joint = jax.jit(lambda: once.joint(1, source, system, sigma))()
    found = measure(0, joint).lower
    assert found.low <= 2 * truth <= found.high and found.high - found.low < 0.05


@pytest.mark.slow
def test_statistics_folded_into_the_weights_are_the_same_network() -> None:
    state = trained(system_of()).params["encoder"]
    first, norm, last = (state[name] for name in ("first", "norm", "last"))
    scale: jax.Array = norm["scale"][...] / jnp.sqrt(norm["var"][...] + 1e-5)
    kernel, bias = (
        first["kernel"][...] * scale[None],
        (first["bias"][...] - norm["mean"][...]) * scale + norm["bias"][...],
    )

    def folded(x: jax.Array) -> jax.Array:
        hidden = nnx.relu(x @ kernel + bias)
        units: jax.Array = hidden @ last["kernel"][...] + last["bias"][...]
        return units

    def kept(x: jax.Array) -> jax.Array:
        return system_of().architecture.encode_one(state, SOURCE, x, 2)

    one, other = (measure(0, Joint(SOURCE, encode, Gaussian(0.3))).lower for encode in (folded, kept))
    assert float(one.bits) == pytest.approx(float(other.bits), abs=1e-5) and one.bits > 0.05


def test_running_statistics_are_those_of_the_steps_batches() -> None:
    class Normed(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
            self.norm, self.last = nnx.BatchNorm(inputs, rngs=rngs), nnx.Linear(inputs, outputs, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.last(self.norm(x))

    done = trained(system_of(network=Modules(make_encoder=Normed)))
    mean, key_fit = np.zeros(4), jax.random.split(jax.random.key(1), 5)[1]
    for step in range(SHORT.steps):
        key_source, _ = jax.random.split(jax.random.fold_in(key_fit, step))
        mean = 0.99 * mean + 0.01 * np.asarray(SOURCE.sample(key_source, 16).vector).mean(0)
    np.testing.assert_allclose(done.params["encoder"]["norm"]["mean"][...], mean, atol=1e-6)


def test_only_parameters_are_in_the_optimisers_state() -> None:
    begun = jax.eval_shape(lambda: SHORT.begin(jax.random.key(0), SOURCE, system_of()))
    params = [leaf for part in begun.params.values() for leaf in jax.tree.leaves(nnx.filter_state(part, nnx.Param))]
    assert len(jax.tree.leaves(begun.sent.state)) == 2 * len(params) + 2  # two moments each, and two counts


def test_the_receivers_statistics_go_on_where_the_senders_are_frozen() -> None:
    key, system = jax.random.key(1), system_of()

    @jax.jit
    def advance(lane: LaneState, stop: jax.Array) -> LaneState:
        return SHORT.advance(lane, key, SOURCE, system, jnp.float32(0.5), stop)

    first = advance(jax.jit(lambda: SHORT.begin(key, SOURCE, system))(), jnp.int32(SHORT.steps))
    done = advance(first, jnp.int32(SHORT.total))
    assert same(first.params["encoder"], done.params["encoder"])
    mean, after = (lane.params["message"]["trunk"]["norm"]["mean"][...] for lane in (first, done))
    assert not np.allclose(mean, after)


@pytest.mark.parametrize("kind", [pytest.param(GaussianAutoencoder, marks=pytest.mark.slow), VAE])
def test_steps_in_parts_and_from_a_checkpoint_end_in_the_same_bits(kind: Callable[..., System], tmp_path: Path) -> None:
    system, key = system_of(kind, "vector"), jax.random.key(3)

    @jax.jit
    def advance(lane: LaneState, stop: jax.Array) -> LaneState:
        return SHORT.advance(lane, key, SOURCE, system, jnp.float32(0.5), stop)

    lane = jax.jit(lambda: SHORT.begin(key, SOURCE, system))()
    whole = advance(lane, jnp.int32(SHORT.total))
    for stop in (3, SHORT.steps + 1):
        lane = advance(lane, jnp.int32(stop))
        Checkpoints(tmp_path, "curve", "plan").save(0, stop, lane)
        like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), lane)
        lane = Checkpoints(tmp_path, "curve", "plan").load(0, like)
        assert same(lane, advance(lane, jnp.int32(stop - 2)))  # it was kept further on than another of its group
    assert same(whole, advance(lane, jnp.int32(SHORT.total)))


def test_draws_are_the_steps_keys() -> None:
    class Mask(nnx.Module):
        def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
            self.dropout = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.dropout(jnp.ones((len(x), 2)) * x[:, :2])

    still = Training(steps=2, batch=32, receiver_steps=0, optimiser=optax.set_to_zero())
    system = system_of(network=Modules(make_encoder=Mask))
    runs = [trained(system, key, still).history for key in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])
    assert runs[0][0] != runs[0][1]


def curve(tmp_path: Path | None = None, seeds: int = 2, network: Modules = OWN, stop: bool = False) -> Any:
    plan = plan_curve(0, SOURCE, system_of(network=network), (0.4,), seeds, training=SHORT, samples=64)
    if tmp_path is None:
        return capacity_curve(0, SOURCE, plan.system, (0.4,), seeds, training=SHORT, samples=64)

    def progress(share: float, what: str) -> None:
        if stop:
            raise KeyboardInterrupt

    with Store.open(tmp_path, plan.configuration) as store:
        options = {"training": SHORT, "samples": 64, "store": store, "progress": progress}
        return capacity_curve(0, SOURCE, plan.system, (0.4,), seeds, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_curve_that_was_broken_off_goes_on_and_lanes_know_nothing_of_each_other(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        curve(tmp_path, stop=True)
    whole, resumed, alone = curve(), curve(tmp_path), curve(seeds=1)
    assert resumed.equals(whole)
    assert float(alone.bits[0, 0]) == float(whole.bits[0, 0])
    np.testing.assert_array_equal(alone.loss[0, 0], whole.loss[0, 0])


@pytest.mark.slow
def test_another_network_of_the_same_name_and_sizes_is_refused(tmp_path: Path) -> None:
    def own(slope: float) -> Modules:
        class Trunk(nnx.Module):  # of one name
            def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
                self.layer = nnx.Linear(inputs, outputs, rngs=rngs)

            def __call__(self, x: jax.Array) -> jax.Array:
                return slope * self.layer(x)

        return Modules(make_encoder=Trunk)

    def configured(network: Modules) -> dict[str, Any]:
        plan = plan_curve(0, SOURCE, system_of(network=network), (0.4,), 1, training=SHORT, samples=64)
        return plan.configuration

    with Store.open(tmp_path / "run", configured(own(1.0))):
        pass
    with Store.open(tmp_path / "run", configured(own(1.0))):
        pass
    with pytest.raises(StoreError, match=r"Expected a directory of the same configuration; got .*system.program="):
        Store.open(tmp_path / "run", configured(own(2.0)))


def test_two_plain_functions_are_a_network() -> None:
    def init(key: jax.Array) -> dict[str, jax.Array]:
        return {"kernel": jax.random.normal(key, (4, 2)), "bias": jnp.zeros(2)}

    def apply(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
        return x @ params["kernel"] + params["bias"][None]

    system = system_of(network=Modules(make_encoder=Functions(init, apply)))
    done = trained(system)
    assert np.isfinite(done.history).all() and float(jnp.abs(done.params["encoder"]["leaves"][0][...]).max()) > 0


def test_a_loss_that_hides_its_networks_in_a_program_is_refused() -> None:
    class Hidden(GaussianAutoencoder):
        def loss(self, *args: Any) -> Any:
            params, key, source, level, n, progress = args
            inner = jax.jit(lambda p: super(Hidden, self).loss(p, key, source, level, n, progress))
            return inner(params)

    with pytest.raises(ValueError, match="from where its state cannot get out"):
        jax.eval_shape(lambda: trained(system_of(Hidden)))


def test_a_sender_is_the_same_whoever_asks() -> None:
    done, system = trained(system_of()), system_of()
    vectors = SOURCE.codebook()[0]
    joint = sender(jax.random.key(1), done.params, SOURCE, system, jnp.float32(0.5))
    together, alone = jax.vmap(joint.encoder)(vectors), [joint.encoder(x) for x in vectors]
    np.testing.assert_allclose(together, jnp.stack(alone), atol=1e-5)


def trained_elsewhere() -> nnx.Module:
    """Batch statistics and dropout, as a loop of somebody's own leaves them: in training mode."""
    module = Trunk(4, 2, nnx.Rngs(3))
    for step in range(3):
        module(SOURCE.sample(jax.random.key(step), 64).vector)
    return module


def test_a_module_trained_elsewhere_is_measured_as_it_is_in_evaluation_mode() -> None:
    module = trained_elsewhere()
    encoder = frozen_module(module)
    vectors = SOURCE.codebook()[0]
    found = measure(0, Joint(SOURCE, encoder, Gaussian(0.2))).lower
    module.eval()
    codes = module(vectors)  # type: ignore[operator]
    np.testing.assert_allclose(jax.vmap(encoder)(vectors), codes, atol=1e-6)
    truth = measure(0, Joint(SOURCE, lambda x: codes[jnp.argmin(jnp.abs(vectors - x[None]).sum(1))], Gaussian(0.2)))
    assert float(found.bits) == pytest.approx(float(truth.lower.bits), abs=1e-5)


def test_a_curve_of_a_trained_module_trains_decoders_alone() -> None:
    module = trained_elsewhere()
    system = system_of(network=Modules(make_encoder=TrainedModule(module)))
    done = trained(system)
    joint = sender(jax.random.key(1), done.params, SOURCE, system, jnp.float32(0.5))
    module.eval()
    vectors = SOURCE.codebook()[0]
    codes, units = np.asarray(module(vectors)), np.asarray(jax.vmap(joint.encoder)(vectors))  # type: ignore[operator]
    np.testing.assert_allclose(units, (codes - codes.mean(0)) / codes.std(0), atol=1e-4)
    assert not np.allclose(done.history[0], done.history[-1])
