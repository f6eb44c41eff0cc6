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

    code = "malformed_body"


class ChannelRefused(QuestionError):
    """A channel's address can't be used. Its text never shows more of it than the scheme."""

    code = "channel_refused"


class EndpointRefused(QuestionError):
    """The endpoint isn't in a state for that."""

    code = "webhook_refused"


class EndpointUnknown(NotFound):
    """There is no such endpoint."""

    code = "webhook_not_found"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(
            f"there is no webhook {endpoint_id!r}: list the webhooks to see those there are", value=endpoint_id
        )


class DeliveryUnknown(NotFound):
    """There is no such delivery."""

    code = "delivery_not_found"

    def __init__(self, delivery_id: int) -> None:
        super().__init__(f"there is no delivery {delivery_id}: list the deliveries of a webhook", value=delivery_id)


class AddressRefused(OSError):
    """The address isn't public, or the port none for alerts. An OSError, since it is raised inside of connecting."""
