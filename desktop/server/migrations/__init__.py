"""From the schema of an older Watchbell to the present one, by Alembic. On the main thread, before anything else runs.

Imported only when there is something to do: Alembic costs a fifth of a second and 23 MiB. A change of the tables
needs a file in ``versions`` whose ``revision`` is the new ``SCHEMA_VERSION``; a database that is empty gets the
present tables at once.
"""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, update

from desktop.server import schema

log = logging.getLogger(__name__)


def upgrade(connection: Connection, found: int) -> None:
    """Bring the tables from the schema ``found`` to the present one, within the transaction of ``connection``."""
    config = Config(attributes={"connection": connection})
    # The configuration is Python's: a per cent sign begins a reference there.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if not inspect(connection).has_table(schema.revision.name):
        # Schema 1 kept its number in `meta` alone.
        command.stamp(config, str(found))
    command.upgrade(config, str(schema.SCHEMA_VERSION))
    noted = update(schema.meta).where(schema.meta.c.key == schema.VERSION_KEY)
    connection.execute(noted.values(value=str(schema.SCHEMA_VERSION)))
    log.info("database migrated", extra={"fields": {"from": found, "to": schema.SCHEMA_VERSION}})
