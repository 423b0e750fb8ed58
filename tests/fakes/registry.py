"""A registry in memory, for tests on systems that have none. Any thread."""


class MemoryRegistry:
    """Keeps values by key and name; ``refuse`` makes every change fail as one that a policy forbids."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str | bytes] = {}
        self.refuse = False

    def get(self, key: str, name: str) -> str | bytes | None:
        """Return a value, None when there is none."""
        return self.values.get((key, name))

    def set(self, key: str, name: str, value: str) -> None:
        """Keep a text."""
        self._check()
        self.values[key, name] = value

    def delete(self, key: str, name: str) -> None:
        """Remove a value, if there is one."""
        self._check()
        self.values.pop((key, name), None)

    def _check(self) -> None:
        if self.refuse:
            raise PermissionError(13, "Access is denied")
