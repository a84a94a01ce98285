"""What Alembic runs around the migrations, on the connection that ``schema.py`` hands in."""

from alembic import context

from qdepot.adapters.ledgers.sql.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite can do that too
)
context.run_migrations()
