"""Stored objects: pictures, segments and clips, there whole or not at all.

`open_store` gives the `core.ports.ObjectStore` that the settings name, `open_files` that of one directory.
"""

from glimpser.storage.files import FileStore, open_files
from glimpser.storage.objects import open_store

__all__ = ["FileStore", "open_files", "open_store"]
