"""Servers of object stores, for the tests that ask for them."""

from tests.servers.buckets import azure, fake, weed

__all__ = ["azure", "fake", "weed"]
