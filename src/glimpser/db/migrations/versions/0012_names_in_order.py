"""Lists can be read by name: what they go by, and the indexes in whose order they are read."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

NAMED = ("api_keys", "channels", "templates")


def upgrade() -> None:
    for table in NAMED:
        op.add_column(table, sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
        _fill(table)
        op.create_index(op.f(f"ix_{table}_name_key_id"), table, ["name_key", "id"])
    op.create_index(op.f("ix_templates_updated_at_id"), "templates", ["updated_at", "id"])


def _fill(table: str) -> None:
    """Fold cases in Python, as the program does: databases do it differently."""
    rows = sa.table(table, sa.column("id"), sa.column("name"), sa.column("name_key"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(rows.c.id, rows.c.name)).all():
        key = row.name.casefold()
        connection.execute(sa.update(rows).where(rows.c.id == row.id).values(name_key=key))
