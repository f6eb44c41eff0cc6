"""What can go wrong with alerts.

* FilplusError
  x QuestionError
    + UrlRefused            an address that no alert may be sent to, as it is written
    + TypesRefused          a filter that names no type of message
    + ChannelRefused        a chat's or mail's address of a scheme that isn't allowed, or that can't be read
    + EndpointRefused       it can't be done with this endpoint as it stands
    x NotFound
      + EndpointUnknown
      + DeliveryUnknown
* OSError
  + AddressRefused          where a connection would have gone, found out when it was to be opened
"""

from explorer.errors import NotFound, QuestionError


class UrlRefused(QuestionError):
    """The text is no address that an alert may be sent to."""

    code = "url_refused"


class TypesRefused(QuestionError):
    """A filter names something that is no type of message."""

    code = "types_refused"


class ChannelRefused(QuestionError):
    """A channel's address can't be used. Its text never shows more of it than the scheme."""

    code = "channel_refused"


class EndpointRefused(QuestionError):
    """The endpoint is there, but not in a state for that."""

    code = "endpoint_refused"


class EndpointUnknown(NotFound):
    """There is no such endpoint."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"no endpoint {endpoint_id!r}: `filplus webhook list` shows them", value=endpoint_id)


class DeliveryUnknown(NotFound):
    """There is no such delivery."""

    def __init__(self, delivery_id: object) -> None:
        super().__init__(f"no delivery {delivery_id}: `filplus webhook deliveries` shows them", value=delivery_id)


class AddressRefused(OSError):
    """The address isn't public, or the port none for alerts. An OSError, since it is raised inside of connecting."""
