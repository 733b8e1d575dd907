"""Processes of the operating system: ours, and those we run."""
