"""What networks carry through training beside what they learn: running statistics, counters, memories.

Of a flax module's state `nnx.Param` is learnt; every other variable in it is carried: it has no gradient and no state
of an optimiser, and each step leaves it as the step's own batch made it.

How new state leaves a loss.  `System.loss` gives a number, and should go on doing so for everybody's systems; to pass
state in and out of it by hand would be a line in each, forgotten without a word.  So a training step opens a
`training_pass` around the loss.  Within it networks run in training mode, draw from the step's key, and put down what
state they are left with; the step hands it on.  Outside of any pass, networks are as they are measured: in evaluation
mode, frozen.  JAX could not hand a value of an inner program (`jax.jit`, `jax.vmap`, `jax.lax.scan`) to the step,
so that state which is put down inside one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import jax
from flax import nnx
from jax.extend.core import get_opaque_trace_state
from jaxtyping import PyTree

from capacity.runtime.shapes import Key

P = TypeVar("P")
ModuleState: TypeAlias = nnx.State[Any, Any]
"""Variables of one module, learnt and carried."""
NETWORK_DRAWS = 2**31 - 1  # of a step's key: no system splits it into as many

_in_training = jax.make_user_context(False)  # so that no program of evaluation is taken for one of training


def learnt(params: P) -> P:
    """The same tree with None where a state's variable is carried: what gradients and optimisers see.

    Args:
        params: any tree; in each `nnx.State` in it only `nnx.Param` is learnt, outside of them everything is.
    """
    return _chosen(params, True)


def carried(params: P) -> P:
    """The same tree with None wherever something is learnt.

    Args:
        params: as of `learnt`.
    """
    return _chosen(params, False)


def joined(one: P, other: P) -> P:
    """The whole tree from its two parts."""
    whole: P = jax.tree.map(lambda a, b: b if a is None else a, one, other, is_leaf=_is_variable_or_none)
    return whole


def _chosen(params: P, wanted: bool) -> P:
    def of_state(state: Any) -> Any:
        if not isinstance(state, nnx.State):
            return state if wanted else None
        return jax.tree.map(lambda v: v if isinstance(v, nnx.Param) is wanted else None, state, is_leaf=_is_variable)

    chosen: P = jax.tree.map(of_state, params, is_leaf=lambda node: isinstance(node, nnx.State))
    return chosen


def _is_variable(node: object) -> bool:
    return isinstance(node, nnx.Variable)


def _is_variable_or_none(node: object) -> bool:
    return node is None or isinstance(node, nnx.Variable)


@dataclass
class TrainingPass:
    """One evaluation of a loss: where networks draw from, and what state they were left with.

    Attributes:
        key: the step's.
        states: of every network that has run, by its name in the parameters, learnt variables as they were.
        draws: how many keys have been handed out.
        checking: whether arrays are numbers, not traced, and networks shall be held against what is asked of them.
    """

    key: Key
    checking: bool = False
    states: dict[str, ModuleState] = field(default_factory=dict)
    draws: int = 0
    _level: object = field(default_factory=lambda: get_opaque_trace_state(convention="nnx"), repr=False)

    def next_key(self) -> Key:
        """A key for one run of one network: the same ones in the same order for the same key."""
        self.draws += 1
        return jax.random.fold_in(jax.random.fold_in(self.key, NETWORK_DRAWS), self.draws)

    def put(self, name: str, state: ModuleState) -> None:
        """Leave the state of a network.

        Args:
            name: in the parameters.
            state: whole.

        Raises:
            ValueError: inside a program within the loss.
        """
        if get_opaque_trace_state(convention="nnx") != self._level:
            raise ValueError(
                f"Expected a network with state to run in the loss itself; got one ({name}) that runs inside jax.jit, "
                "jax.vmap, jax.lax.scan or jax.checkpoint there, from where its state cannot get out. Call "
                "architecture.encode or reconstruction outside of it, on the whole batch."
            )
        self.states[name] = state

    def whole(self, params: dict[str, PyTree]) -> dict[str, PyTree]:
        """The parameters, with every network's state as the pass left it.

        Args:
            params: what the loss was called with.

        Raises:
            ValueError: if a network that carries state has not run in the pass.
        """
        for name, part in params.items():
            if name not in self.states and isinstance(part, nnx.State) and jax.tree.leaves(carried(part)):
                raise ValueError(
                    f"Expected the loss to run the network {name!r}, which carries state, by architecture.encode, "
                    "reconstruction, message_loss or squared_error; got a loss that does not, and would leave its "
                    "state as it was made."
                )
        return params | {name: state for name, state in self.states.items() if name in params}


_PASS: ContextVar[TrainingPass | None] = ContextVar("training_pass", default=None)


@contextmanager
def training_pass(key: Key, checking: bool = False) -> Iterator[TrainingPass]:
    """Run the networks within as a training step does.

    Args:
        key: the step's.
        checking: as of `TrainingPass`.
    """
    opened = TrainingPass(key, checking)
    token = _PASS.set(opened)
    try:
        with _in_training(True):
            yield opened
    finally:
        _PASS.reset(token)


def open_pass() -> TrainingPass | None:
    """The pass that is under way; None outside of any."""
    return _PASS.get()
