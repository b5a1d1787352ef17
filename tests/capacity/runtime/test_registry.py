"""Somebody else's package, installed with a record of its own: in the command line by itself; broken ones named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from capacity.runtime.names import check_name
from capacity.runtime.registry import PluginWarning, Registry

CLASSES = {
    "channels": "Laplace", "sources": "Dice", "estimators": "Sign", "systems": "Loud", "claims": "Sure",
}  # fmt: skip
RUN = """
import runpy, sys, tiny_bits  # imported before the toolkit has looked for it
for words in sys.argv[1:]:
    sys.argv = ["capacity", *words.split()]
    try:
        runpy.run_module("capacity", run_name="__main__")
    except SystemExit as left:
        print("status", left.code)
"""


def install(folder: Path, points: dict[str, str]) -> Path:
    """The package and its record, as an installer leaves them."""
    code = Path(__file__).parent / "plugin_example" / "tiny_bits.py"
    (folder / "tiny_bits.py").write_text(code.read_text())
    record = folder / "tiny_bits-0.1.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-bits\nVersion: 0.1\n")
    lines = [f"[infocapacity.{group}]\n{value}\n" for group, value in points.items()]
    (record / "entry_points.txt").write_text("\n".join(lines))
    return folder


def run(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", RUN, *commands], env=environment, cwd=folder, capture_output=True, text=True, timeout=600
    )


def test_an_installed_package_stands_in_the_command_line(tmp_path: Path) -> None:
    points = {group: f"mine = tiny_bits:{kind}" for group, kind in CLASSES.items()}
    points["estimators"] += "\nbroken = tiny_bits:Missing\nclash = capacity.estimators:CLUB"
    folder = install(tmp_path, points)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1))
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", x + 0.1 * rng.normal(size=(500, 1)))
    done = run(
        folder, "list", "estimate x.npy y.npy --method tiny_sign --json", "claims tiny_claim --out claims",
        "curve --system tiny_sistem --out no", "curve --source tiny_dice --levels nonsense --system tiny_system",
    )  # fmt: skip
    assert done.stdout.count("status 0") == 3 and done.stdout.count("status 2") == 2, done.stdout + done.stderr
    for name in ("tiny_channel", "tiny_dice", "tiny_sign", "tiny_system", "tiny_claim"):
        assert name in done.stdout
    assert json.JSONDecoder().raw_decode(done.stdout, done.stdout.index("{"))[0]["bits"] > 0.7
    assert "Did you mean 'tiny_system'" in done.stderr and "Expected --levels" in done.stderr
    warned = [line for line in done.stderr.splitlines() if line.startswith("Warning")]
    assert len(warned) == 1 and "'broken' of tiny-bits" in warned[0] and "AttributeError" in warned[0]
    assert (folder / "claims" / "tiny_claim" / "verdict.json").exists()


class Own:
    """The toolkit's."""

    name = "own"


class Other:
    """Somebody else's, of the same name."""

    name = "own"
    takes, size = "any", 1
    __call__ = None


class Half:
    """It lacks most."""

    name = "half"


NOT_A_CLASS = 3


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("no_such_module_here:A", "fails to load, ModuleNotFoundError"),
        (f"{__name__}:Other", f"a new name; got 'own', which is taken by {__name__}.Own"),
        (f"{__name__}:Half", "Expected a class with takes, size, __call__, as"),
        (f"{__name__}:NOT_A_CLASS", "Expected a class; got 3"),
    ],
)
def test_what_cannot_be_enrolled_is_named_and_left_out(value: str, sentence: str) -> None:
    point = EntryPoint("mine", value, "infocapacity.estimators")
    registry = Registry("estimators", [Own], [point], contract=Contract)
    with pytest.warns(PluginWarning, match=sentence):
        assert list(registry) == ["own"]
    assert registry["own"] is Own and len(registry) == 1


def test_a_registry_takes_more_by_hand_and_lets_go() -> None:
    registry = Registry("estimators", [Own], [])
    registry["other"] = Other
    assert dict(registry) == {"own": Own, "other": Other} and "other" in repr(registry)
    del registry["other"]
    assert list(registry) == ["own"]


class Contract(ABC):
    """What is asked of a class."""

    name: ClassVar[str]
    takes: ClassVar[str] = "any"
    size: int

    @abstractmethod
    def __call__(self) -> float:
        """The figure."""


class Inherits(Contract):
    """It inherits the default."""

    name = "inherits"
    size = 3

    def __call__(self) -> float:
        return 1.0


@dataclass
class Alone:
    """It inherits nothing, and has it all the same."""

    size: int
    name: ClassVar[str] = "alone"
    takes: ClassVar[str] = "continuous"

    def __call__(self) -> float:
        return 1.0


class Lacks(Contract):
    """It has a name alone."""

    name = "lacks"


class Unnamed(Inherits):
    """Its name is no text."""

    name = 3  # type: ignore[assignment]


def test_a_class_is_refused_with_what_it_lacks_of_the_contract() -> None:
    registry = Registry("things", (), (), contract=Contract)
    assert registry.register(Inherits) is Inherits and registry.register(Alone) is Alone
    with pytest.raises(TypeError, match=rf"a class with size, __call__, as {__name__}.Contract says; got .*Lacks"):
        registry.register(Lacks)
    with pytest.raises(TypeError, match=r"a class with name, takes, size, __call__, as .* \(which gives defaults"):
        registry["int"] = int
    with pytest.raises(TypeError, match=r"a class with name, as"):
        registry.register(Unnamed)
    assert list(registry) == ["inherits", "alone"]


def test_a_class_defined_anew_takes_its_own_place_and_no_others() -> None:
    registry = Registry("things", [Own], ())
    anew = type("Own", (), {"name": "own", "__module__": __name__})
    registry.register(anew)
    assert registry["own"] is anew
    with pytest.raises(ValueError, match="a new name; got 'own', which is taken by"):
        registry.register(Other)


def test_an_old_name_is_found_but_not_listed() -> None:
    registry = Registry("things", [Own], (), aliases={"old": "own"})
    with pytest.warns(DeprecationWarning, match="'old' is now called 'own'") as warned:
        assert registry["old"] is Own
    assert warned[0].filename == __file__
    assert list(registry) == ["own"] and len(registry) == 1 and "old" in registry
    check_name("old", registry, "--thing")
    with pytest.raises(ValueError, match="Expected --thing to be one of own; got 'odl'"):
        check_name("odl", registry, "--thing")


def test_the_toolkits_own_classes_have_what_is_asked_of_others() -> None:
    from capacity.cli.catalogue import registries

    kinds = {"system", "network", "source", "channel", "code", "bound", "estimator", "claim"}
    assert registries().keys() == kinds
    for registry in registries().values():
        assert isinstance(registry, Registry) and registry.contract is not None
        for kind in registry.values():
            registry.check(kind)


@pytest.mark.parametrize("kind", ["system", "channel", "bound", "estimator", "claim"])
def test_a_class_that_has_a_name_alone_is_refused(kind: str) -> None:
    """Of each kind: a subclass of the contract misses what is abstract, any other class the rest too."""
    from capacity.cli.catalogue import registries

    registry = registries()[kind]
    assert isinstance(registry, Registry) and registry.contract is not None
    for bases in ((registry.contract,), ()):
        with pytest.raises(TypeError, match="Expected a class with .*(information|run|loss|__call__)"):
            registry.register(type("Half", bases, {"name": "half"}))
    assert "half" not in registry
