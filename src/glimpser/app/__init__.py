"""The composition root: reads the configuration, opens every adapter, wires the services, runs them.

Each module is one way to run the program or a part of it, and imports what that takes and no more.
"""
