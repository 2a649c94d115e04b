"""Run the migrations on the connection that `fairlead.store.migration` hands over.

The transaction is the caller's: all steps happen in one commit or not at all.
"""

from alembic import context

from fairlead.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
context.run_migrations()
