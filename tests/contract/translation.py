"""What stands for what: the recorded chain's CIDs, hashes and addresses, and ours of the same things."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Translation:
    """A one-to-one map between the recorded node's names and ours."""

    ours: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)

    def name(self, recorded: str, ours: str) -> bool:
        """Takes note that two names mean the same thing; False where either already means something else."""
        known = self.ours.setdefault(recorded, ours)
        return known == ours and self.recorded.setdefault(ours, recorded) == recorded

    def rename(self, recorded: str, ours: str) -> None:
        """Has a recorded name mean another thing of ours from now on."""
        self.ours[recorded] = ours
        self.recorded[ours] = recorded

    def to_ours(self, value: Any) -> Any:
        """A recorded document with our names in it."""
        return _replaced(value, self.ours)


def _replaced(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
