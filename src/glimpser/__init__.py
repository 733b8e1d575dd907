"""Glimpser watches many kinds of views and tells people what happened in them."""

__version__ = "0.1.0"
