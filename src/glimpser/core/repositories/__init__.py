"""What is kept, as the services see it: one repository per kind of thing, all inside one transaction."""

from glimpser.core.repositories.transaction import Transaction

__all__ = ["Transaction"]
