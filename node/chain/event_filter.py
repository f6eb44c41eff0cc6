"""Which actor events are asked for."""

from dataclasses import dataclass

from node.address import Address
from node.event_types import Payload
from node.events import ActorEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Events of a range of epochs, or of one tipset; both are those that *included* the messages.

    Every condition that is given must hold; within one, any of its values. `event_types` are `$type`s of FIP-0083,
    none: all that are known. With `tipset`, the epochs must be left out, and reverted events come too. Without
    `to_epoch` it is up to the head; in a stream, `from_epoch` asks for what has happened since, before what happens.
    """

    from_epoch: int | None = None
    to_epoch: int | None = None
    tipset: tuple[str, ...] | None = None
    """The tipset's block CIDs, in order: `TipSetKey.texts`."""
    emitters: tuple[Address, ...] = ()
    event_types: tuple[str, ...] = ()
    client_ids: tuple[int, ...] = ()
    provider_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.tipset is not None and (self.from_epoch is not None or self.to_epoch is not None):
            raise ValueError("an event filter has either a tipset or epochs")
        if self.to_epoch is not None and self.from_epoch is None:
            raise ValueError("an event filter with to_epoch needs from_epoch too")

    def matches(self, event: ActorEvent) -> bool:
        """Whether the event is one that was asked for; some nodes pass over conditions that they don't know."""
        return (
            (not self.emitters or event.emitter in self.emitters)
            and (not self.event_types or event.payload.event_type in self.event_types)
            and (self.tipset is None or event.tipset_key == self.tipset)
            and (self.from_epoch is None or event.height >= self.from_epoch)
            and (self.to_epoch is None or event.height <= self.to_epoch)
            and (not self.client_ids or _party(event.payload, "client_id") in self.client_ids)
            and (not self.provider_ids or _party(event.payload, "provider_id") in self.provider_ids)
        )


def _party(payload: Payload, attribute: str) -> object:
    """The client or provider that an event names, None where it names none."""
    return getattr(payload, attribute, None)
