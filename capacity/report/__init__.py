"""One self-contained HTML page of a directory of results: verdicts first, figures with values on hover."""

from capacity.report.page import report, write_report

__all__ = ["report", "write_report"]
