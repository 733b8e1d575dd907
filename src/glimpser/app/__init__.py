"""The composition root: reads the configuration, opens every adapter, wires the services, runs them.

`composition` is the whole program, on `ground` and of what each `…_wiring` wires. Each other module is one
way to run the program or a part of it, and imports what that takes and no more.
"""
