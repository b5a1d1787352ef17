"""Records of options: a field each, so that a name is written once; and options that take several values by commas."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from itertools import product
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from capacity.cli.refusals import refusals

BY_COMMAS = "several by commas"


def with_records(*several: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose parameters that are dataclasses stand for options, one for each of their fields.

    Typer wants a flat list of parameters; the command is called with the records made of them.  A parameter that is a
    list of a dataclass gets a record for each combination of the values of its options.

    Args:
        several: fields of such a record, whole numbers or text, that take several values by commas.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        records = {name: kind for name, kind in hints.items() if _record(kind) is not None}
        options: list[inspect.Parameter] = []
        for parameter in inspect.signature(command).parameters.values():
            kind = records.get(parameter.name)
            if kind is None:
                options.append(parameter.replace(annotation=hints[parameter.name]))
            else:
                options += _options(_record(kind), several if kind is not _record(kind) else ())

        @wraps(command)
        def flat(**given: Any) -> None:
            made: dict[str, Any] = {}
            for name, kind in records.items():
                record = _record(kind)
                values = {field.name: given.pop(field.name) for field in fields(record)}
                if record is kind:
                    made[name] = record(**values)
                else:
                    with refusals():
                        made[name] = [record(**one) for one in _crossed(record, values, several)]
            command(**made, **given)

        flat.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        return flat

    return decorate


def _record(kind: Any) -> Any:
    """The dataclass, or that of a list of them; None for anything else."""
    inner = get_args(kind)[0] if get_origin(kind) is list else kind
    return inner if isinstance(inner, type) and is_dataclass(inner) else None


def _options(kind: Any, several: tuple[str, ...]) -> list[inspect.Parameter]:
    """Its fields as options, in a group of help that its first line names."""
    hints = get_type_hints(kind, include_extras=True)
    group = str(kind.__doc__).splitlines()[0].rstrip(".")
    found = []
    for field in fields(kind):
        hint, default = hints[field.name], field.default
        if field.name in several:
            option = copy.copy(get_args(hint)[1])
            words, _, ends = option.help.partition(".")
            option.help, option.min = f"{words}; {BY_COMMAS}.{ends}", None
            hint, default = Annotated[str | None, option], None if default is None else str(default)
        for said in get_args(hint)[1:]:  # what is annotated beside the type
            said.rich_help_panel = said.rich_help_panel or group
        found.append(
            inspect.Parameter(field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=hint)
        )
    return found


def _crossed(kind: Any, values: dict[str, Any], several: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The values of each record, the first field outermost."""
    hints = get_type_hints(kind)
    own = {name: values[name] for name in values if name in several and values[name] is not None}
    lists = [_read(text, int in (hints[name], *get_args(hints[name])), name) for name, text in own.items()]
    for chosen in product(*lists):
        yield values | dict(zip(own, chosen, strict=True))


def _read(text: str, whole: bool, name: str) -> list[Any]:
    parts = [part.strip() for part in text.split(",")]
    wanted = f"Expected --{name.replace('_', '-')} of {'whole numbers' if whole else 'names'}, {BY_COMMAS}"
    if "" in parts:
        raise ValueError(f"{wanted}; got {text!r}.")
    if len(set(parts)) < len(parts):
        raise ValueError(f"{wanted}, each once; got {text!r}.")
    if whole and not all(part.isdecimal() and part.isascii() and len(part) < 19 for part in parts):
        raise ValueError(f"{wanted}; got {text!r}.")
    return [int(part) for part in parts] if whole else parts
