"""HTTP: requests become calls of services, values become answers."""
