"""Pictures as strangers give them: recognised by their bytes, measured before they are decoded."""
