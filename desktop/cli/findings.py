"""What the doctor finds. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was tested, whether it works, what was seen, what to do."""

    name: str
    ok: bool
    message: str
    mend: str = ""
