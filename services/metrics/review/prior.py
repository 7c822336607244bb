"""What an organisation learns: an option's expected effect, updated by what was observed (normal-normal)."""

from __future__ import annotations

from math import sqrt

from services.metrics.review.options import Effect


def updated(prior: Effect, observed: float, error: float) -> Effect:
    """Precision 1/sd² + 1/se²; the mean weighted by precision."""
    before, seen = 1 / (prior.deviation * prior.deviation), 1 / (error * error)
    mean = (before * prior.mean + seen * observed) / (before + seen)
    return Effect(mean=mean, deviation=1 / sqrt(before + seen), source="own results")
