"""Stand-ins for the outside world, for this project's tests and for those of its plugins.

Nothing is imported here: each module is used by its own name and brings only what it needs.
"""
