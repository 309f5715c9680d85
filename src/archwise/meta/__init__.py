"""Learning across tasks."""
