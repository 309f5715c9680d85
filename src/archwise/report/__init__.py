"""The report: one HTML file that tells a person what a search found, from the run folder alone."""

from archwise.report.report import write_report

__all__ = ["write_report"]
