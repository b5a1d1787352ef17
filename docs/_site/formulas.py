"""Formulas between dollar signs as drawings that take the page's colour: no script, nothing fetched from elsewhere.

matplotlib's mathtext knows most of TeX's mathematics; what it does not know is put in its words first.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from html import escape

from matplotlib.figure import Figure

WORDS = (
    (r"\\t?d?frac(\d)(\d)", r"\\frac{\1}{\2}"),
    (r"\\[td]frac", r"\\frac"),
    (r"\\[bB]igg?[lrm]?(?=[^a-zA-Z])", ""),
    (r"\\le\b", r"\\leq"),
    (r"\\ge\b", r"\\geq"),
    (r"\\lVert|\\rVert", r"\\|"),
    (r"\s+", " "),
)
FENCE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?! )([^$\n]+?)(?<! )\$(?![\w$])", re.DOTALL)
SIZE = 11.0


def drawn(markdown: str) -> str:
    """The page with its formulas drawn; code is left as it is."""
    parts = FENCE.split(markdown)
    return "".join(part if i % 2 else FORMULA.sub(_replace, part) for i, part in enumerate(parts))


def _replace(match: re.Match[str]) -> str:
    block, inline = match.groups()
    if block is not None:
        return f'\n\n<div style="text-align:center;overflow-x:auto">{svg(block)}</div>\n\n'
    return svg(inline)


def _words(formula: str) -> str:
    """For an attribute inside Markdown, where a bar would end a table's cell."""
    return escape(" ".join(formula.split())).replace("|", "&#124;")


@lru_cache(maxsize=1000)
def svg(formula: str) -> str:
    """A formula as inline SVG, its baseline on the text's.

    Raises:
        ValueError: for what mathtext cannot read, with the formula.
    """
    words = re.sub(r"\\text\{([^}]*)\}", lambda m: r"\mathrm{" + m[1].replace(" ", r"\ ") + "}", formula.strip())
    for pattern, instead in WORDS:
        words = re.sub(pattern, instead, words)
    figure = Figure(figsize=(0.01, 0.01))
    text = figure.text(0, 0, f"${words}$", fontsize=SIZE, math_fontfamily="stix")
    file = io.BytesIO()
    figure.savefig(file, format="svg", bbox_inches="tight", pad_inches=0.01, transparent=True, metadata={"Date": None})
    box = text.get_window_extent()
    depth = max(-box.y0, 0.0) * 72 / figure.dpi
    body = file.getvalue().decode()
    body = body[body.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    width, height = (float(re.search(rf'{side}="([\d.]+)pt"', body)[1]) for side in ("width", "height"))  # type: ignore[index]
    body = re.sub(r"<svg [^>]*>", "", body, count=1)
    key = f"f{abs(hash(formula)) % 10**10}"
    body = re.sub(r'id="', f'id="{key}-', body)
    body = re.sub(r'xlink:href="#', f'href="#{key}-', body)
    body = re.sub(r"\s*\n\s*", " ", body)
    em = 1 / SIZE
    return (
        f'<svg role="img" aria-label="{_words(formula)}" viewBox="0 0 {width:g} {height:g}" fill="currentColor" '
        f'style="width:{width * em:.3f}em;height:{height * em:.3f}em;vertical-align:{-depth * em:.3f}em">{body}'
    )
