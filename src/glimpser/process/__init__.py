"""Processes of the operating system: ours, and later those we run."""
