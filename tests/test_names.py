"""One word, one meaning; types and docstrings that say something.  `python -m tests.craft -v` prints the same."""

from __future__ import annotations

from collections.abc import Callable

import craft
import pytest


@pytest.mark.parametrize("offenders", craft.COUNTS.values(), ids=craft.COUNTS)
def test_nothing_offends(offenders: Callable[[], list[str]]) -> None:
    assert offenders() == []


def test_few_parameters_may_be_anything() -> None:
    offenders, total = craft.any_parameters()
    assert len(offenders) < craft.MAX_ANY_SHARE * total, "\n".join(offenders)
