"""Stored objects: pictures, segments and clips, there whole or not at all.

`open_store` gives the `core.ports.ObjectStore` that a URL names.
"""

from glimpser.storage.files import FileStore
from glimpser.storage.objects import open_store

__all__ = ["FileStore", "open_store"]
