"""Scores of networks that take no training: zero-cost proxies."""

from archwise.evaluators.zero_cost.batch import Batch, random_batch, task_batch
from archwise.evaluators.zero_cost.scores import PROXIES, zero_cost_scores
from archwise.evaluators.zero_cost.zero_cost import ZeroCost

__all__ = ["PROXIES", "Batch", "ZeroCost", "random_batch", "task_batch", "zero_cost_scores"]
