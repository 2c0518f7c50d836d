"""Fixtures of these tests."""

from tests.parts.tools import sdist, wheel

__all__ = ["sdist", "wheel"]
