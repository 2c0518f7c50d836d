"""Servers of other projects that tests talk to: installed, started and stopped by the tests."""
