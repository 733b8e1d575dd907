"""What Alembic runs: the migrations, over the connection and inside the transaction it is given."""

from alembic import context

from glimpser.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
