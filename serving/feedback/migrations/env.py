"""What Alembic runs the revisions in: the transaction that `serving.feedback.migrations` has begun."""

from __future__ import annotations

from alembic import context

from serving.feedback.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can change a table only by making it anew
)
with context.begin_transaction():
    context.run_migrations()
