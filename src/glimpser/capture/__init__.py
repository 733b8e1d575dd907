"""How views are captured: the kinds of view, and the ingest workers that run the live ones."""
