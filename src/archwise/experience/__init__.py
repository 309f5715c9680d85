"""The durable memory of every trial of every task."""

from archwise.experience.experience import Experience
from archwise.experience.records import SearchRecord, SpaceRecord, Summary, TaskRecord, TaskSummary

__all__ = ["Experience", "SearchRecord", "SpaceRecord", "Summary", "TaskRecord", "TaskSummary"]
