"""What the product talks about: articles, passages, answers, events, errors.

Standard library only; every type is frozen; no I/O, no clock, no randomness.
"""
