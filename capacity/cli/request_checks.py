"""What can be told of a curve's options before JAX is loaded, which takes seconds: names, numbers, levels, sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.cli.catalogue import check_member, constant_names, declared_attribute
from capacity.cli.choices import check_choices
from capacity.cli.curve_options import MachineOptions, RunOptions, SizeOptions, SourceOptions
from capacity.cli.suited import SourceFacts, check_measured, check_network, check_system, checked_source
from capacity.curves.ranges import check_counts, checked_levels
from capacity.curves.sizes import check_bytes, curve_bytes
from capacity.runtime.executors import EXECUTORS
from capacity.runtime.memory import check_fits
from capacity.runtime.names import check_name

if TYPE_CHECKING:
    import numpy as np

WIDTH = 112  # of a hidden layer, where the command line does not say
LARGEST = 2**31 - 1
MAX_DEPTH, MAX_LEVELS = 100, 100_000
FLOAT = 4  # bytes


def check_request(*, source: SourceOptions, size: SizeOptions, run: RunOptions, rows: np.ndarray | None = None) -> None:
    """Refuse options that cannot work, each by itself and together, as far as it can be told without JAX.

    Args:
        source: where messages come from.
        size: of the networks.
        run: what is trained at which noise, how long, and how it is measured.
        rows: of `source.data`, where they have been read.

    Raises:
        ValueError: saying which, and what was expected.
    """
    for system in run.systems:
        check_member(system, "system", "--system")
    check_member(source.source or "bits", "source", "--source")
    check_member(size.network, "network", "--network")
    check_name(size.activation, constant_names("capacity.systems.networks.mlp", "ACTIVATIONS"), "--activation")
    check_name("bits" if size.decode is None else size.decode, ("bits", "vector"), "--decode")
    check_name(run.measure, constant_names("capacity.bounds.measurement", "METHODS"), "--measure")
    check_name("float32" if run.products is None else run.products, ("bfloat16", "float32"), "--products")
    _check_source(source)
    _check_numbers(source, size, run)
    if run.choices and len(run.systems) > 1:
        raise ValueError(f"Expected --set with one --system; got {len(run.systems)} systems.")
    levels = levels_by_system(run)
    facts = checked_source(source, rows) if source.data is None or rows is not None else None
    _check_sizes(size, run, levels, facts)
    check_network(facts, check_choices(size.network, size.network_choices or (), "network", "--set-network"))
    check_measured(facts, size, run)
    names = ("target_vae",) if run.target_bits is not None else run.systems
    choices = check_choices(names[0], run.choices or ())
    for name in names:
        check_system(name, choices, levels.get(name, ()), facts, run.measure)


def check_machine(machine: MachineOptions) -> None:
    """Refuse options of where the work is done that contradict each other.

    Raises:
        ValueError: saying which.
    """
    if machine.executor is not None:
        check_name(machine.executor, EXECUTORS, "--executor")
    elif machine.workers is not None or machine.scheduler is not None:
        raise ValueError("Expected --workers and --scheduler with --executor; got them alone.")
    joined = (machine.coordinator, machine.processes, machine.process)
    if any(option is None for option in joined) and any(option is not None for option in joined):
        raise ValueError("Expected --coordinator HOST:PORT, --processes and --process together; got some of them.")
    if machine.coordinator is None or machine.processes is None or machine.process is None:
        return
    host, _, port = machine.coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port[:6]) < 2**16:
        raise ValueError(f"Expected --coordinator HOST:PORT, a port below 65,536; got {machine.coordinator!r}.")
    if machine.process >= machine.processes:
        raise ValueError(f"Expected --process below --processes {machine.processes}; got {machine.process}.")


def given_rows(source: SourceOptions) -> np.ndarray | None:
    """The rows (N, dim) of --data, read and checked; None where a source of the toolkit is asked for."""
    if source.data is None:
        return None
    from capacity.runtime.files.rows import read_rows

    return read_rows(source.data, [source.columns] if source.columns else None, standardize=source.standardize)


def _check_source(asked: SourceOptions) -> None:
    if asked.data is None:
        if asked.columns or asked.standardize:
            raise ValueError("Expected --data FILE with --columns and --standardize; got none.")
        return
    for name, option in {"source": asked.source, "bits": asked.bits, "dim": asked.dim}.items():
        if option is not None:
            raise ValueError(f"Expected --data alone, which has its own bits and dimensions; got --{name} too.")


def _check_numbers(source: SourceOptions, size: SizeOptions, run: RunOptions) -> None:
    whole = {
        "--bits": source.bits,
        "--dim": source.dim,
        "--units": size.units,
        "--width": size.width,
        "--parameters": size.parameters,
        "--encoder-width": size.encoder_width,
        "--steps": run.steps,
        "--batch": run.batch,
    }
    for option, number in whole.items():
        if number is not None and not 1 <= number <= LARGEST:
            raise ValueError(f"Expected {option} of at least 1, and below 2^31; got {number}.")
    for option, number in {"--seeds": run.seeds, "--samples": run.samples or 0}.items():
        if number > LARGEST:
            raise ValueError(f"Expected {option} below 2^31; got {number}.")
    if size.depth > MAX_DEPTH:
        raise ValueError(f"Expected --depth of at most {MAX_DEPTH}; got {size.depth}.")
    if run.learning_rate is not None and not 0 < run.learning_rate < float("inf"):
        raise ValueError(f"Expected a positive learning_rate, and finite; got {run.learning_rate}.")
    if size.parameters is not None and (size.width, size.encoder_width) != (None, None):
        raise ValueError("Expected --parameters alone, which decides the widths; got --width or --encoder-width too.")
    samples, budget = run.samples, run.budget_gflop
    check_counts(run.seeds, LARGEST if samples is None else samples, 1.0 if budget is None else budget)


def levels_by_system(run: RunOptions) -> dict[str, tuple[float, ...]]:
    """Levels that the command line gives, by system; nothing of a system that keeps its own.

    Raises:
        ValueError: for levels that cannot be, or of several systems at once.
    """
    if run.target_bits is not None:
        if run.levels or set(run.systems) - {"vae", "target_vae"}:
            raise ValueError("Expected --target-bits with --system vae alone, and no --levels; got others beside it.")
        return {"target_vae": checked_levels(parse_levels(run.target_bits, "--target-bits"))}
    found: dict[str, tuple[float, ...]] = {}
    for text in run.levels or ():
        system, named, values = text.rpartition("=")
        if not named and len(run.systems) > 1:
            raise ValueError(
                f"Expected --levels with one --system, or --levels {run.systems[0]}=... for each, as a level means "
                f"another thing in each; got {text!r} and {len(run.systems)} systems."
            )
        of = system if named else run.systems[0]
        check_name(of, run.systems, "the system of --levels")
        if of in found:
            raise ValueError(f"Expected --levels of {of} once; got them twice.")
        found[of] = checked_levels(parse_levels(values, "--levels"))
    return found


def _check_sizes(
    size: SizeOptions, run: RunOptions, levels: dict[str, tuple[float, ...]], facts: SourceFacts | None
) -> None:
    """As much as is known here: the plan, which knows the networks and the devices, asks again."""
    dim, bits, listable = (facts.dim, facts.bits, facts.listable) if facts else (1, 1, False)
    check_fits(float(FLOAT * dim * min(bits, dim)), "a source", "Lower --bits and --dim.")
    counts = [
        len(levels.get(name) or declared_attribute("system", name, "default_levels", (0,))) for name in run.systems
    ]
    first = dim if size.network == "mlp" else 1  # other structures look at less than all of a vector at once
    layers = (first, *(size.width or WIDTH if size.parameters is None else 1,) * size.depth, size.units)
    work: dict[str, Any] = {"batch": run.batch or 0, "steps": run.steps or 0, "parameters": size.parameters}
    if listable and run.measure != "bracket":
        work |= {"samples": run.samples or 0, "messages": 2.0**bits}
    check_bytes(curve_bytes(layers, sum(counts) * run.seeds, **work))


def parse_levels(text: str, option: str) -> tuple[float, ...]:
    """Levels '0.1,0.2', or 'start:stop:count' in equal ratios.

    Examples:
        >>> parse_levels("0.1,0.2", "--levels")
        (0.1, 0.2)
        >>> [round(level, 3) for level in parse_levels("0.1:10:3", "--levels")]
        [0.1, 1.0, 10.0]

    Raises:
        ValueError: for anything else, and for levels that are not finite and greater than 0.
    """
    refusal = ValueError(
        f"Expected {option} as '0.1,0.2' or 'start:stop:count', finite and greater than 0; got {text!r}."
    )
    try:
        if ":" in text:
            start, stop, count = text.split(":")
            numbers, points = [float(start), float(stop)], int(count)
        else:
            numbers, points = [float(part) for part in text.split(",")], 1
    except ValueError:
        raise refusal from None
    if not all(0 < number < float("inf") for number in numbers) or points < 1:
        raise refusal
    if points > MAX_LEVELS:
        raise ValueError(f"Expected at most {MAX_LEVELS:,} levels in {option}; got {points:,}.")
    if ":" in text:
        import numpy as np

        return tuple(np.geomspace(numbers[0], numbers[1], points).tolist())
    return tuple(numbers)
