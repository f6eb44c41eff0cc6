"""What was learned, kept for a while and in bounded memory. Pure."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values that hold until a time. Beyond `most`, what was not asked for longest is forgotten."""

    __slots__ = ("_held", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Key, tuple[Value, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key, now_s: float) -> Value | None:
        """The value that holds now, None where there is none."""
        value, until_s = self._held.get(key, (None, now_s))
        if until_s <= now_s:
            self._held.pop(key, None)
            return None
        self._held.move_to_end(key)
        return value

    def put(self, key: Key, value: Value, *, until_s: float) -> None:
        """Keeps a value until then."""
        self._held[key] = (value, until_s)
        self._held.move_to_end(key)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
