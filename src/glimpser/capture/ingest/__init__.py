"""Live capture in worker processes.

`pool` and `process` run in the main process; `serve`, `camera` and what they use run in the workers;
`wire` is what both share. Nothing here imports web or database: a worker starts in a quarter second.
"""
