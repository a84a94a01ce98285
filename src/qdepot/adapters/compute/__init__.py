"""Compute pools."""
