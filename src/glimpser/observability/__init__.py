"""What the program says about itself: logs, metrics, health. Import the modules, not the package.

The ingest workers take `logs` alone, without the cost of the metrics' library.
"""
