"""Measurements, each beside a named alternative in the same run, and the fits made from them."""
