"""The words of the domain: values, errors and ports. Standard library only (and ULIDs)."""
