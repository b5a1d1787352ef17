"""`--set`: the choices of a system of one's own, however its annotations are written."""
# Without `from __future__ import annotations`: a field's type is then a class, and not its name.

import sys
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, Optional

import pytest

from capacity.cli.choices import OF_NETWORKS, _called, read_choices
from capacity.runtime.declared import declared_fields
from capacity.systems import SYSTEMS, ChannelSystem
from capacity.systems.networks import NETWORKS

FIELDS = '''
@dataclass(frozen=True)
class Own(ChannelSystem):
    """A system with a choice of every kind."""

    name = "own"
    loud: bool = False
    layers: int | None = None
    label: str = ""
    title: str | None = ""
    share: float = 1.0
    share_or_none: Optional[float] = 1.0
    strength: "float" = 1.0
'''
GIVEN = ("loud=true", "layers=3", "label=3", "title=a", "share=1e-3", "share_or_none=2", "strength=4")
WANTED = dict(loud=True, layers=3, label="3", title="a", share=1e-3, share_or_none=2.0, strength=4.0)


def own(future: bool) -> dict[str, Any]:
    module = ModuleType("own_system")
    sys.modules[module.__name__] = module
    vars(module).update(dataclass=dataclass, ChannelSystem=ChannelSystem, Optional=Optional)
    code = compile("from __future__ import annotations\n" * future + FIELDS, "own_system", "exec", dont_inherit=True)
    exec(code, vars(module))
    return {"own": module.Own}


@pytest.mark.parametrize("future", [False, True])
def test_choices_have_the_types_of_their_fields(future: bool) -> None:
    found = read_choices(own(future), GIVEN)
    assert found == WANTED and {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in WANTED.items()
    }
    assert read_choices(own(future), ("layers=none", "title=none", "share_or_none=none", "label=none")) == dict(
        layers=None, title=None, share_or_none=None, label="none"
    )


@pytest.mark.parametrize("future", [False, True])
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("loud=1", "true or false"),
        ("layers=1.5", "int, or none"),
        ("share=much", "float"),
        ("share=none", "float"),
        ("share_or_none=much", "float, or none"),
    ],
)
def test_other_values_are_refused(future: bool, option: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"Expected --set NAME=VALUE with a value that is {words}; got '{option}'"):
        read_choices(own(future), (option,))


def test_choices_of_a_network() -> None:
    kinds = {"conv": NETWORKS["conv"]}
    found = read_choices(kinds, ("kernel=5", "layout=8x8x1"), "--set-network")
    assert found == {"kernel": 5, "layout": (8, 8, 1)} and read_choices(kinds, ("layout=none",)) == {"layout": None}
    with pytest.raises(
        ValueError, match="Expected --set-network to be one of kernel, layout, read, stride; got 'kernle'"
    ):
        read_choices(kinds, ("kernle=5",), "--set-network")
    with pytest.raises(ValueError, match="value that is none, or sizes as in 32x32x1; got 'layout=8y8'"):
        read_choices(kinds, ("layout=8y8",), "--set-network")
    with pytest.raises(ValueError, match="Expected --set-network NAME=VALUE, of nothing; got 'kernel=5'"):
        read_choices({"mlp": NETWORKS["mlp"]}, ("kernel=5",), "--set-network")


def test_a_type_that_cannot_be_had_is_a_number() -> None:
    kinds = own(True)
    kinds["own"].__annotations__["share"] = "float | Missing"
    kinds["own"].__dataclass_fields__["share"].type = "float | Missing"
    assert read_choices(kinds, ("share=0.5",)) == {"share": 0.5}


def test_fields_read_without_the_classes_are_those_of_the_classes() -> None:
    enrolled = [("capacity.systems", *item) for item in SYSTEMS.items()]
    enrolled += [("capacity.systems.networks", *item) for item in NETWORKS.items()]
    for module, name, kind in enrolled:
        declared = declared_fields(module, name)
        assert set(declared) == {field.name for field in fields(kind)}, name
        own = {field: text for field, text in declared.items() if field not in OF_NETWORKS}
        assert Any not in map(_called, own.values()), (
            own
        )  # what the command line cannot read before the classes are there
