"""What a backup is to those who make it, keep it and hand it out."""

BACKUP = "backup"
"""The kind of the job."""
BACKUP_TYPE = "application/vnd.glimpser.backup+tar"
"""The media type of a stored backup. Nothing of this type is given to anybody but admins."""
