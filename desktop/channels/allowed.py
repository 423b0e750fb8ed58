"""Which addresses of Apprise's may be used, and what may stand in them: the choice is docs/decisions/0011. Pure."""

from collections.abc import Mapping

from desktop.team.schemas import SCHEMAS

# What would read files, fetch more, or make less of a check; what only decides how often and how long is ours.
_REFUSED = frozenset({"template", "attach", "filename", "wkd", "emojis", "blocks", "rich"})
_REFUSED_PREFIXES = ("pgp", "pem", "smime")
_FIXED = {"verify": True, "redirect": False}
_YES, _NO = frozenset({"yes", "true", "1", "on", "y", "t"}), frozenset({"no", "false", "0", "off", "n", "f"})


def objection(schema: str, parameters: Mapping[str, str]) -> str:
    """Return what is wrong with an address of ``schema`` with these ``parameters``, in words; nothing when it is good.

    Never with any value of it: an address is a secret.
    """
    if schema not in SCHEMAS:
        return "messages are not sent to addresses of this kind: see docs/decisions/0011"
    for name, value in parameters.items():
        key, said = name.lower(), str(value).strip().lower()
        if key in _REFUSED or key.startswith(_REFUSED_PREFIXES):
            return f"the address must not have the parameter {key}"
        if key in _FIXED and said not in (_YES if _FIXED[key] else _NO):
            return f"the address must not say {key}={'no' if _FIXED[key] else 'yes'}"
        if key == "format" and said != "text":
            return "messages are plain text: the address must not say another format"
    return ""
