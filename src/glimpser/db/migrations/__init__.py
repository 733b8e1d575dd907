"""Forward-only migrations, one file each, named NNNN_what.py; `glimpser.db.migrate` runs them."""
