"""What was public in release 0.1 works for one release: modules, their names, methods and keywords, with a warning."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import pytest

import capacity
from capacity.runtime.deprecated import finder, old_method, renamed_keywords
from tests.release_0_1 import DOCUMENTED, OLD_MODULES, OLD_NAMES, table

ROOT = Path(__file__).parents[3]

RENAMED = {
    "capacity.GaussianSystem": "GaussianAutoencoder",
    "capacity.bits.from_values": "from_samples",
    "capacity.bits.interval": "from_normal",
    "capacity.bits.reaching": "widened_to",
    "capacity.bits.share": "rule_of_three_bits",
    "capacity.bits.stretched": "scaled_interval",
    "capacity.bits.sure": "conservative",
    "capacity.bits.unseen": "rule_of_three",
    "capacity.channels.Then": "Chain",
    "capacity.estimators.Gaussian": "GaussianMI",
    "capacity.estimators.estimator.result": "from_nats",
    "capacity.estimators.gaussian.Gaussian": "GaussianMI",
    "capacity.executors.Engine": "ExecutorPool",
    "capacity.executors.engine_of": "executor_pool",
    "capacity.executors.given": "pool_of",
    "capacity.instruments.Bits": "LabelBits",
    "capacity.instruments.Figure": "MeanInterval",
    "capacity.plots.figure": "curve_figure",
    "capacity.plots.plot_units": "plot_unit_bits",
    "capacity.plots_latent.plot_units": "plot_latent_units",
    "capacity.systems.HandmadeSystem": "FixedCode",
    "capacity.systems.Recipe": "ChannelSystem",
    "capacity.systems.recipe.Recipe": "ChannelSystem",
    "capacity.training.front_of": "front",
    "capacity.training.log_decoder_of": "log_decoder",
}
RENAMED |= {
    f"capacity.systems.{name}System": f"{name}Autoencoder"
    for name in (
        "Binary", "Deterministic", "Dropout", "GaussianDropout", "Gaussian", "InformationDropout", "InputNoise",
        "OneToMany", "Quantized", "StochasticDepth", "Uniform", "UselessFeatures", "VariationalDropout",
    )
}  # fmt: skip


MODULES = [f"{package}.{name}".removeprefix("-.") for package, names in table(OLD_MODULES).items() for name in names]
NAMES = [(module, name) for text in (OLD_NAMES, DOCUMENTED) for module, names in table(text).items() for name in names]


def warned(found: list[warnings.WarningMessage], old: str) -> bool:
    return any(issubclass(w.category, DeprecationWarning) and str(w.message).startswith(f"{old} is now") for w in found)


def exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("module", MODULES)
def test_every_old_module_is_there_or_says_where_it_is(module: str) -> None:
    if not exists(module):
        sys.modules.pop(module, None)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        imported = importlib.import_module(module)
    assert imported is sys.modules[module]
    assert warned(found, module) != exists(module)


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[".".join(pair) for pair in NAMES])
def test_every_old_name_is_there_or_says_what_it_is_called(module: str, name: str) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        imported = importlib.import_module(module)
        value = getattr(imported, name)
    old = f"{module}.{name}"
    assert warned(found, old) != (exists(module) and name in {*vars(imported), *dir(imported)})
    if isinstance(value, type | FunctionType | MethodType) and value is not Any:
        assert value.__name__ == RENAMED.get(old, finder.NAMES.get(old, name).rpartition(":")[2])
    assert getattr(value, "__module__", "capacity") not in finder.MODULES


def test_the_table_names_no_module_that_is_there_and_leads_to_none_that_is_gone() -> None:
    assert [module for module in finder.MODULES if exists(module)] == []
    targets = {target for targets in finder.HOLDERS.values() for target in targets}
    targets |= {new.partition(":")[0] for new in finder.NAMES.values()}
    assert [target for target in targets if not exists(target)] == []


def test_every_new_name_of_the_table_is_there() -> None:
    for new in finder.NAMES.values():
        assert finder._resolved(new) is not None


def test_old_calls_by_position_give_the_same() -> None:
    from capacity import Estimate

    with pytest.warns(DeprecationWarning, match=r"capacity.bits.interval is now .*Estimate.from_normal"):
        from capacity.bits import interval
    assert interval(2.0, 0.1, "lower", 2.1) == Estimate.from_normal(bits=2.0, stderr=0.1, kind="lower", limit=2.1)
    with pytest.warns(DeprecationWarning, match="widened_to"):
        from capacity.bits import reaching
    assert float(reaching(interval(2.0, 0.1, "lower"), 1.0).low) == 1.0


def test_a_function_is_not_hidden_by_the_old_module_of_its_name() -> None:
    function = capacity.bounds.measure
    sys.modules.pop("capacity.bounds.measure", None)
    with pytest.warns(DeprecationWarning, match="capacity.bounds.measure is now capacity.bounds.measurement"):
        importlib.import_module("capacity.bounds.measure")
    assert capacity.bounds.measure is function is capacity.measure


def test_the_warning_names_the_line_that_asks() -> None:
    sys.modules.pop("capacity.bits", None)
    with pytest.warns(DeprecationWarning) as found:
        from capacity.bits import Z95  # noqa: F401
    assert {str(w.filename) for w in found} == {__file__}


@pytest.mark.parametrize("old", [old for old in finder.NAMES if old.rpartition(".")[0] in finder.KEPT])
def test_old_names_work_in_modules_that_are_still_there(old: str) -> None:
    module, _, name = old.rpartition(".")
    assert exists(module)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        value = getattr(importlib.import_module(module), name)
    assert [(w.category, w.filename) for w in found] == [(DeprecationWarning, __file__)] and warned(found, old)
    assert value is not None and (value is finder._resolved(finder.NAMES[old]) or isinstance(value, FunctionType))


def test_a_module_with_old_names_is_otherwise_as_it_was() -> None:
    from capacity.systems import gaussian

    assert gaussian.__spec__ is not None and gaussian.__spec__.origin == gaussian.__file__
    assert "class GaussianAutoencoder" in inspect.getsource(gaussian)
    assert not hasattr(gaussian, "nonsense") and not hasattr(gaussian, "__path__")


LINES = [
    "from capacity import GaussianSystem",
    "import capacity; capacity.GaussianSystem",
    "from capacity.systems import GaussianSystem",
    "from capacity.systems.gaussian import GaussianSystem",
    "import capacity.systems.gaussian; capacity.systems.gaussian.GaussianSystem",
    "import synthetic.source; import capacity; from synthetic.source import register",
]

# Each script in a process of its own, which starts with other people's modules alone: those take the time.
RUN = """
import os, runpy, sys
import flax.nnx, jax, optax, scipy.stats, xarray
for script in sys.argv[1:]:
    if not os.fork():
        assert not [name for name in sys.modules if name.startswith(("capacity", "synthetic"))]
        runpy.run_path(script, run_name="__main__")
        sys.stderr.flush()
        os._exit(0)
    assert os.wait()[1] == 0
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], str]:
    """Scripts of one such line each, and what they said, all of them run with Python's own filters."""
    folder = tmp_path_factory.mktemp("scripts")
    written = [folder / f"script-{number}.py" for number in range(len(LINES))]
    for script, line in zip(written, LINES, strict=True):
        script.write_text(f"\n{line}\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    command = [sys.executable, "-c", RUN, *map(str, written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return written, done.stderr


@pytest.mark.parametrize("number", range(len(LINES)), ids=LINES)
def test_a_script_sees_the_warning_at_its_own_line(number: int, scripts: tuple[list[Path], str]) -> None:
    """Python shows a DeprecationWarning of the script that is run and no other."""
    written, said = scripts
    assert f"{written[number]}:2: DeprecationWarning: " in said


def test_a_name_that_never_was_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'capacity' has no attribute 'nonsense'"):
        capacity.nonsense  # noqa: B018
    with pytest.warns(DeprecationWarning), pytest.raises(ImportError, match="nonsense"):
        sys.modules.pop("capacity.bits", None)
        from capacity.bits import nonsense  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("capacity.nonsense")


def test_an_old_keyword_is_taken() -> None:
    @renamed_keywords(budget="budget_gflop")
    def measured(*, budget_gflop: float = 1.0) -> float:
        return budget_gflop

    old: Any = measured
    with pytest.warns(DeprecationWarning, match="budget= is now budget_gflop="):
        assert old(budget=2.0) == 2.0
    with pytest.warns(DeprecationWarning), pytest.raises(TypeError, match="Expected budget_gflop once"):
        old(budget=2.0, budget_gflop=3.0)
    assert measured() == 1.0


def test_an_old_method_calls_the_function_that_it_has_become() -> None:
    class Text(str):
        quoted = old_method("quoted", "json", "dumps")

    with pytest.warns(DeprecationWarning, match=r"Text.quoted is now json.dumps"):
        assert Text("a").quoted() == '"a"'


@pytest.mark.parametrize("function", ["measure", "measure_layers", "capacity_curve", "plan_curve"])
def test_budgets_are_taken_by_their_old_keyword(function: str) -> None:
    """What is missing besides is refused under the new name."""
    with pytest.warns(DeprecationWarning, match="budget= is now budget_gflop="), pytest.raises(TypeError) as refused:
        getattr(capacity, function)(budget=3.0)
    assert "missing" in str(refused.value) and "budget" not in str(refused.value)


def test_a_plan_still_runs_by_its_old_method(monkeypatch: pytest.MonkeyPatch) -> None:
    from capacity.curves import execute, plan

    asked: dict[str, Any] = {}
    monkeypatch.setattr(execute, "run_plan", lambda plan, store=None, **named: asked.update(plan=plan, **named))
    unmade: Any = object.__new__(plan.CurvePlan)
    with pytest.warns(DeprecationWarning, match="CurvePlan.run is now capacity.curves.execute.run_plan"):
        unmade.run(None, engine="mine")
    assert asked == {"plan": unmade, "pool": "mine"}


def test_an_old_name_is_found_before_anything_else_is_imported() -> None:
    code = "import warnings; warnings.simplefilter('ignore'); from capacity.names import check_name; print(check_name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("<function check_name"), done.stderr
