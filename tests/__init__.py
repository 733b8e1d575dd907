"""The tests mirror the program: unit/ as src/, integration/ across processes."""
