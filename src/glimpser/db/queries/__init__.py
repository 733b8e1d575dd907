"""One module per group of repositories: the program's SQL, built once and cached by SQLAlchemy."""
