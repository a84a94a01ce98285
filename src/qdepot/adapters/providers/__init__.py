"""Vendors and simulators."""
