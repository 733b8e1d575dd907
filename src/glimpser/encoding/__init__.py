"""Videos of stored pictures, made by a process of its own."""
