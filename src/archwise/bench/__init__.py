"""Comparing search strategies on published benchmarks."""
