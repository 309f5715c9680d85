"""The durable memory of every trial of every task, and its exchange with other people's."""

from archwise.experience.experience import Experience
from archwise.experience.exporting import export_file
from archwise.experience.importing import import_file
from archwise.experience.merging import merge, opened_copy
from archwise.experience.records import Amounts, SearchRecord, SpaceRecord, Summary, TaskRecord, TaskSummary

__all__ = [
    "Amounts",
    "Experience",
    "SearchRecord",
    "SpaceRecord",
    "Summary",
    "TaskRecord",
    "TaskSummary",
    "export_file",
    "import_file",
    "merge",
    "opened_copy",
]
