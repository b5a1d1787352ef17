"""What the site says of the code: public names with docstrings, formulas and sources, doctests, examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import sys
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from curve_examples import made_up
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_site"))

import formulas  # noqa: E402
import pages  # noqa: E402
import typeset  # noqa: E402

from capacity.cli.catalogue import registries  # noqa: E402
from capacity.curves.files import write_curves  # noqa: E402

PACKAGES = ("capacity", "synthetic")
YEAR = re.compile(r"\b(1[89]|20)\d\d\b")


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


PAGES_WITH_CODE = [
    page
    for page in ("README.md", *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")))
    if python_blocks(page)
]


def public_files() -> list[Path]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return [file for file in files if file.name == "__init__.py" or not file.name.startswith("_")]


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_public_name_is_in_the_reference_and_nothing_else() -> None:
    made = pages.reference_pages()
    headed = {name for page in made.values() for name in re.findall(r"^## `(\S+)`", page, re.MULTILINE)}
    assert {"capacity.measure", "capacity.estimate", "capacity.systems.SYSTEMS"} <= headed
    assert headed == {f"{package}.{name}" for package, names in pages.public_names().items() for name in names}
    shown = re.findall(r"^::: (\S+)$", "\n".join(made.values()), re.MULTILINE)
    assert len(shown) == len(set(shown)) and not set(shown) & {module_of(file) for file in public_files()}
    for home in shown:
        module, _, name = home.rpartition(".")
        assert hasattr(importlib.import_module(module), name), home


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_a_docstring(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        tree = ast.parse(file.read_text())
        assert ast.get_docstring(tree), file
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                members = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
                for one in (node, *members):
                    documented = ast.get_docstring(one) or _overload(one)
                    assert documented or _inherited(file, node.name, one.name), f"{file}: {node.name}.{one.name}"
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{file}: {node.name}"


def _inherited(file: Path, kind: str, member: str) -> str | None:
    """The docstring of a method or property, its base classes' where it has none of its own."""
    return inspect.getdoc(getattr(getattr(importlib.import_module(module_of(file)), kind), member, None))


def _overload(node: ast.AST) -> bool:
    names = [d.id for d in getattr(node, "decorator_list", []) if isinstance(d, ast.Name)]
    return bool({"overload", "override"} & set(names))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_offers_is_there(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name).__doc__, name


@pytest.mark.parametrize("kind", ["channel", "bound", "estimator"])
def test_each_has_a_source(kind: str) -> None:
    without = [n for n, member in registries()[kind].items() if not YEAR.search(pages.formula_and_source(member))]
    assert without == []


def test_each_claim_says_whose_it_is() -> None:
    assert [name for name, claim in registries()["claim"].items() if not claim.source] == []


@pytest.mark.parametrize("kind", ["system", "network", "source", "channel", "bound", "estimator", "claim"])
def test_a_table_has_all_of_its_kind(kind: str) -> None:
    page = pages.table_page(kind)
    for name in registries()[kind]:
        assert f"[{name}](#" in page and f"\n## {name} " in page


def test_every_formula_can_be_drawn() -> None:
    files = [*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]
    texts = [file.read_text() for file in files]
    notebooks = (ROOT / "notebooks").glob("*.ipynb")
    texts += [str(pages.notebook_page(file)[f"notebooks/{file.stem}.md"]) for file in notebooks]
    drawn = "".join(formulas.drawn(text) for text in texts)
    assert drawn.count("<svg") >= 3


def test_formulas_are_told_from_prices_and_code() -> None:
    assert formulas.drawn("`$x$` and $5 or $6") == "`$x$` and $5 or $6"
    assert formulas.drawn("```sh\necho $HOME $PATH\n```") == "```sh\necho $HOME $PATH\n```"
    assert formulas.drawn(r"so $\tfrac12\log_2(1+P)$ bits").count("<svg") == 1


def test_doctests() -> None:
    tried = 0
    for name in pages.modules():
        found = doctest.testmod(importlib.import_module(name))
        assert found.failed == 0, name
        tried += found.attempted
    assert tried >= 8


def test_the_readme_is_short_and_has_both_commands() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 200
    first = lines.index("```sh")
    assert lines[first + 1 : first + 4] == ["make curve", "make test", "```"]


def test_the_version_is_the_same_everywhere() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    latest = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert cited and latest and stated == cited[1] == latest[1]


def test_every_page_by_task_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [file.name for file in (ROOT / "docs").glob("*.md") if f"(docs/{file.name})" not in readme] == []
    assert [page for page in re.findall(r"\]\(([\w./]+)\)", readme) if not (ROOT / page).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES_WITH_CODE)
def test_a_pages_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "markov").mkdir(parents=True)
    write_curves(tmp_path / "runs" / "markov" / "curve.nc", {"gaussian": made_up("gaussian", levels=2, seeds=1)})
    for block in sorted(python_blocks(page), key=lambda block: "import torch" in block):
        if "import torch" in block:
            pytest.importorskip("torch")
        exec(block, {})


def test_pages_have_python() -> None:
    assert sum(len(python_blocks(page)) for page in PAGES_WITH_CODE) >= 10


def test_the_channel_of_contributing_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (block,) = re.findall(r"^ *```python\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    example: Any = ModuleType("example_of_contributing")
    monkeypatch.setitem(sys.modules, example.__name__, example)  # where `dataclass` looks for it
    exec(textwrap.dedent(block), vars(example))
    laplace = example.Laplace(0.5)
    assert float(laplace.log_noise(example.jnp.float32(0.0))) == pytest.approx(0.0)
    assert float(laplace.noise_moments()[1]) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("plain", "set_"),
    [
        ("1/2 log2(1 + P/sigma^2)", "½ log<sub>2</sub>(1 + P/σ<sup>2</sup>)"),
        ("H(1 - p^units), E[u^2] &lt;= 1", "H(1 − p<sup>units</sup>), E[u<sup>2</sup>] ≤ 1"),
        (r"-sum\_i p\_i log2 p\_i", "−∑<sub>i</sub> p<sub>i</sub> log<sub>2</sub> p<sub>i</sub>"),
        (r"h\_(l+1), (1 + t)^0.55, 2^(n-1)", "h<sub>l+1</sub>, (1 + t)<sup>0.55</sup>, 2<sup>n-1</sup>"),
        ("units of +-1, digits of pi", "units of ±1, digits of π"),
        ("p_value, max_size, sigma_max and digamma(x)", "p_value, max_size, sigma_max and digamma(x)"),
    ],
)
def test_formulas_of_docstrings_are_set_and_names_are_not(plain: str, set_: str) -> None:
    assert typeset.typeset(plain) == set_


def test_code_and_headings_of_a_page_are_left_as_they_are() -> None:
    page = '<h2 id="sigma">sigma</h2><p>sigma <code class="n">sigma^2</code><a href="#sigma">sigma</a></p>'
    assert typeset.typeset_html(page) == page.replace("<p>sigma", "<p>σ").replace(">sigma</a>", ">σ</a>")


def test_a_formula_with_a_bar_stays_in_its_cell() -> None:
    row = formulas.drawn(r"| bits | $I(M;Z_j \mid Z_k)$ | $p(z|u)$ |")
    assert row.count("<svg") == 2 and row.count("|") == 4


def test_names_that_share_a_line_are_kept_together() -> None:
    pytest.importorskip("griffe", reason="the extra docs is not installed")
    from sections import together

    lines = ("Attributes:", "    low, high: ends.", "    *args, **kw: others, too: yes.", "    one: a, b: c.")
    text = "What.\n\n" + "\n".join(f"    {line}" for line in lines)
    shared = text.replace("low, high", "low,\u00a0high").replace("*args, **kw", "*args,\u00a0**kw")
    assert together(text) == shared


def test_the_start_figure_has_a_narrow_form() -> None:
    with Image.open(ROOT / "docs/curve.png") as wide, Image.open(ROOT / "docs/curve_narrow.png") as narrow:
        assert wide.width > narrow.width < narrow.height
    start = pages.from_root(ROOT, "README.md")
    assert 'srcset="curve_narrow.png"' in start and 'src="curve.png"' in start and "](docs/" not in start
