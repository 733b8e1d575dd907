"""What leaves the machine: where it may go, and what may be said about it."""
