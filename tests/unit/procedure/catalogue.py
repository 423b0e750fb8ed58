"""All checkers of the document, and the table that says where each sentence of the procedure went."""

from collections.abc import Iterator

from tests.unit.procedure import acting, escalations, handovers, notices, reviewing, rotas, severities, watchkeeping
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import Wrong
from tests.unit.procedure.world import World

LEFT = "left to people"
_INDEX = ("The procedure's words", "Shown in")


def index(table: Table, world: World) -> Iterator[Answers]:
    """Look for the sections in which a sentence of the procedure is shown; there is nothing else to say of them."""
    numbers = {heading.split(" ")[0] for heading in world.document.headings}
    for row in table.rows:
        unknown = [n for n in row["Shown in"].split(", ") if n not in numbers and n != LEFT]
        if unknown:
            raise Wrong(f"there is no section {', '.join(unknown)}")
        yield {}


CHECKS = (
    *severities.CHECKS,
    *escalations.CHECKS,
    *acting.CHECKS,
    *rotas.CHECKS,
    *notices.CHECKS,
    *handovers.CHECKS,
    *watchkeeping.CHECKS,
    *reviewing.CHECKS,
    Check(_INDEX, index, inputs=_INDEX),
)
