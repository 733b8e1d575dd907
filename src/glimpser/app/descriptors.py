"""Open files: connections must never take those that the database, pictures and cameras need."""

import resource

OWN_FILES = 512
"""Kept free of connections: listeners, database, workers, pictures being written, webhooks."""


def room_for(connections: int) -> int:
    """Raise this process's limit of open files so far that so many connections fit; tell how many do.

    Shells allow 1024 files unless told otherwise, but let a process ask for more, up to a hard limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OWN_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return (
        connections if soft == resource.RLIM_INFINITY else min(connections, max(soft - OWN_FILES, soft // 2))
    )
