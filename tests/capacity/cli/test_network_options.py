"""`--network`, `--set-network` and `--parameters`: the architecture that a plan gets of them."""

from __future__ import annotations

from typing import Any

import jax
import pytest

from capacity.cli.curve_options import RunOptions, SizeOptions, SourceOptions
from capacity.cli.request import plans_of
from capacity.systems import Architecture
from capacity.systems.networks import AttentionNetwork, ConvNetwork, MLPNetwork
from synthetic import FairBits

SPRITES = SourceOptions(source="sprites", bits=4, dim=64)
RUN = RunOptions(system=["gaussian"], levels=["0.5"], seeds=1)


def architecture(source: SourceOptions = SPRITES, **sizes: Any) -> Architecture:
    found = plans_of(source=source, size=SizeOptions(units=2, **sizes), run=RUN)["gaussian"].system.architecture
    assert isinstance(found, Architecture)
    return found


def test_a_structure_with_its_choices() -> None:
    found = architecture(network="conv", network_choices=["kernel=5", "layout=16x4"], width=6, depth=1)
    assert found.network == ConvNetwork(kernel=5, layout=(16, 4)) and found.widths == (6,)
    assert architecture(width=6).network == MLPNetwork() and architecture().widths == (112, 112)


def test_parameters_are_shared_out_alike() -> None:
    source = FairBits.build(jax.random.key(0), 4, 8)
    asked = SourceOptions(bits=4, dim=8)
    mlp, residual = (architecture(asked, network=name, parameters=2000).sizes(source) for name in ("mlp", "residual"))
    for sizes in (mlp, residual):
        assert sum(size.parameters for size in sizes.values()) == pytest.approx(2000, rel=0.1)
    assert mlp["encoder"].parameters == pytest.approx(residual["encoder"].parameters, rel=0.15)


def test_what_a_structure_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected a layout .* of 64 numbers; got \(9, 9, 1\)"):
        architecture(network="attention", network_choices=["layout=9x9x1"], width=4)
    with pytest.raises(ValueError, match="Expected heads of at least 1; got 0"):
        architecture(network="attention", network_choices=["heads=0"])
    with pytest.raises(ValueError, match="Expected --parameters alone"):
        architecture(parameters=900, width=4)
    assert architecture(network="attention", network_choices=["heads=2"], width=4).network == AttentionNetwork(heads=2)
