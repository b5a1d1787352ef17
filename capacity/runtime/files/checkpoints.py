"""Lanes under way, on disk: a checkpoint of orbax for each lane, whole or not there.

A lane is kept by its own number, not with the group that it trained in, so that a run on another number of devices goes
on from it too.  What a checkpoint holds decides no figure: a lane trained in parts ends in the same bits.  A file in it
is the checksum of all others, and of whose they are: the configuration, the lane and the step.  It is written last, and
asked first: what orbax finds damaged it reports with tracebacks of its threads.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from capacity.runtime.files.atomic import not_written, write_atomic

SEAL_FILE = "sha256"
StateLeaf: TypeAlias = jax.Array | np.ndarray | jax.ShapeDtypeStruct


class Checkpoints:
    """A directory with one checkpoint for each lane of one configuration, the last one saved.

    Args:
        directory: of the run.
        name: of the curve.
        made_for: digest of the run's configuration; a checkpoint of another one is not used.
    """

    def __init__(self, directory: Path, name: str, made_for: str = ""):
        self.directory = directory / f"{name}-checkpoints"
        self.made_for = made_for

    def save(self, lane: int, step: int, state: object) -> None:
        """Keep a lane's state after `step` steps, and drop what was kept of it before.

        Raises:
            StoreError: if the disk is full, or does not take it for another reason; what was kept before stays.
        """
        import orbax.checkpoint as ocp  # here, as it takes seconds to import and short runs never need it

        place = self._lane(lane).absolute()
        leaves = {str(i): np.asarray(_plain(leaf)) for i, leaf in enumerate(jax.tree.leaves(state))}
        try:
            with _told_once(), ocp.StandardCheckpointer() as checkpointer:  # writes beside, and renames
                checkpointer.save(place / f"step-{step}", leaves, force=True)
            seal = self._seal(place / f"step-{step}", lane)
            write_atomic(place / f"step-{step}" / SEAL_FILE, lambda target: _write_text(target, seal))
        except (OSError, ValueError, RuntimeError) as error:  # by the library that writes, a full disk is any of these
            for half in place.glob("step-*"):
                if not _done(half):
                    shutil.rmtree(half, ignore_errors=True)
            raise not_written(place, str(error).rsplit(": ", 1)[-1]) from error
        for old in place.glob("step-*"):
            if old.name != f"step-{step}":
                shutil.rmtree(old, ignore_errors=True)

    def load(self, lane: int, like: object) -> Any | None:
        """The last state kept of a lane, of the structure, shapes and types of `like`; None if there is none whole."""
        found = sorted(filter(_done, self._lane(lane).glob("step-*")), key=_step)
        if not found:
            return None
        import orbax.checkpoint as ocp

        shapes, structure = jax.tree.flatten(like)
        target = {str(i): _blank(leaf) for i, leaf in enumerate(shapes)}
        try:
            if (found[-1] / SEAL_FILE).read_text() != self._seal(found[-1], lane):
                raise ValueError("its checksum differs, or it is of another run")
            with ocp.StandardCheckpointer() as checkpointer:
                leaves = checkpointer.restore(found[-1].absolute(), target)
        except (ValueError, OSError, KeyError) as error:
            warnings.warn(f"{found[-1]} is damaged; the lane starts again ({error!r:.80}).", stacklevel=2)
            return None
        return jax.tree.unflatten(structure, [_like(leaf, leaves[str(i)]) for i, leaf in enumerate(shapes)])

    def clear(self, lane: int) -> None:
        """Drop what is kept of a lane that has finished."""
        shutil.rmtree(self._lane(lane), ignore_errors=True)
        if self.directory.exists() and not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _seal(self, place: Path, lane: int) -> str:
        """SHA-256 of whose a checkpoint is and of all its files, in hexadecimal."""
        digest = hashlib.sha256(f"{self.made_for} {lane} {_step(place)}".encode())
        for path in sorted(path for path in place.rglob("*") if path.is_file() and path.name != SEAL_FILE):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(place)} {len(content)} ".encode() + content)
        return digest.hexdigest()

    def _lane(self, lane: int) -> Path:
        return self.directory / f"lane-{lane:04d}"


@contextmanager
def _told_once() -> Iterator[None]:
    """What orbax raises it also logs, thread by thread, with every traceback."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _is_key(leaf: StateLeaf) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))


def _plain(leaf: jax.Array | np.ndarray) -> jax.Array | np.ndarray:
    """The leaf, or the numbers of a random key."""
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _blank(leaf: StateLeaf) -> np.ndarray:
    """Zeros of a leaf's shape and type, or of the numbers of a random key; the leaf may be only a shape and a type."""
    plain = jax.eval_shape(_plain, leaf)
    return np.zeros(plain.shape, plain.dtype)


def _like(leaf: StateLeaf, numbers: np.ndarray) -> jax.Array | np.ndarray:
    """The numbers again as what the leaf is."""
    return jax.random.wrap_key_data(jnp.asarray(numbers)) if _is_key(leaf) else np.asarray(numbers)


def _done(path: Path) -> bool:
    """Whether a checkpoint is sealed and bears its own name: orbax writes under another until it is whole."""
    return path.name.removeprefix("step-").isdigit() and (path / SEAL_FILE).exists()


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)
