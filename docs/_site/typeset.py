"""Formulas as docstrings have them, in plain letters, set as formulas: 1/2 log2(1 + P/sigma^2) with its signs.

For text that is Markdown or HTML already, its own signs escaped.
"""

from __future__ import annotations

import re

NAMES = "alpha beta gamma delta epsilon eta theta kappa lambda mu nu rho sigma tau phi chi psi omega pi Sigma Delta"
GREEK = dict(zip(NAMES.split(), "αβγδεηθκλμνρστφχψωπΣΔ", strict=True))
SIGNS = (
    (r"\+-", "±"),
    (r"&lt;-&gt;|&lt;->", "↔"),
    (r"&lt;=", "≤"),
    (r">=|&gt;=", "≥"),
    (r"(?<= )->(?= )", "→"),
    (r"(?<![\w/.])1/2(?= (?:log|sum)|\()", "½"),
    (r"(?<=[\w)]) - (?=[\w(])", " − "),
    (r"(?<=\()-(?=[\w(])", "−"),
    (r"(?<![\w)\-])-(?=(?:log|sum|½))", "−"),
    (r"\bsum(?=\\?_)", "∑"),
    (r"\bprod(?=\\?_)", "∏"),
)
LETTERS = re.compile(r"(?<![A-Za-z\\.])(?<!\w-)(" + "|".join(GREEK) + r")(?![A-Za-z]|\\?_\w{3})")
RAISED = re.compile(r"(?<=[\w)\]>α-ω])\^(-?\w+(?:\.\d+)?|\([^()]*\)|\{[^{}]*\})")
LOWERED = re.compile(r"(?<![\w\\])([A-Za-zα-ωΣΔ∑∏])\\?_(\w{1,2}|\([^()]*\)|\{[^{}]*\}|&lt;\w)(?![\w\\])")
LEFT = re.compile(r"(<(?:pre|code|svg|script|style|h\d)\b.*?</(?:pre|code|svg|script|style|h\d)>|<[^>]+>)", re.DOTALL)
CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
LOG = re.compile(r"\blog2\b")


def typeset(text: str) -> str:
    """Greek letters, signs, raised and lowered parts.

    Args:
        text: without code; `&lt;` for the sign, and in Markdown `\\_` for an underscore.
    """
    for pattern, sign in SIGNS:
        text = re.sub(pattern, sign, text)
    text = LETTERS.sub(lambda found: GREEK[found[1]], text)
    text = LOWERED.sub(lambda found: f"{found[1]}<sub>{found[2].strip('{}()')}</sub>", text)
    text = RAISED.sub(lambda found: f"<sup>{_inner(found[1])}</sup>", text)
    return LOG.sub("log<sub>2</sub>", text)


def typeset_html(html: str) -> str:
    """A page whose formulas are set in all its text, but in no code and no heading."""
    parts = LEFT.split(html)
    return "".join(part if i % 2 else typeset(part) for i, part in enumerate(parts))


def typeset_cells(html: str) -> str:
    """A page whose formulas are set in the cells of its tables."""
    return CELL.sub(lambda found: typeset_html(found[0]), html)


def _inner(part: str) -> str:
    """What is raised, without the brackets that kept it together."""
    return part[1:-1] if part[0] in "({" else part.replace("-", "−")
