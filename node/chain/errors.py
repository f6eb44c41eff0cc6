"""Everything that can go wrong between us and the chain. No other error leaves a `Chain`.

* ChainError                    `node`: which node said so, where one did
  + TransientError              the same call may succeed later, or at another node
    - NodeUnreachable           no connection
    - NodeTimeout               no answer in time
    - AnswerCut                 the connection ended inside the answer
    - NodeOverloaded            too busy, or broken inside; `retry_after_s`
      · RateLimited             we ask too much
    - NodeNotSynced             its head is too old; `head_epoch`
    - StreamBroken              a subscription ended
  + GarbledAnswer               an answer that is none; another node may do better
  + WrongNetwork                the node is of another network; never use it
  + PermanentError              asking again changes nothing
    - BadEndpoint               an address that cannot be a node's, that redirects, or a wrong path
    - Unauthorized
      · TokenRefused            the node does not know the token
      · PermissionMissing       the token may not do this; `permission` would
    - NotSupported              this node cannot do it, another might
      · MethodMissing           a gateway, or another version
      · ModuleDisabled          a setting is off; `setting`
      · BeyondLookback          too far back for a gateway
    - NotFound                  the node holds no such thing; another might
      · ActorNotFound
      · DealNotFound
    - BadRequest                what was asked makes no sense to the node
      · EpochAboveHead          `head_epoch`
      · RangeTooWide            ask for events in smaller ranges; `max_epochs`
      · TooManyEvents           the same
    - RequestFailed             an error that is not known to us; another node may do better
    - AnswerTooLarge            more than we agreed to hold
    - RefusedByActor            the message was tried and fails; `exit_code`, `text`
    - MessageReplaced           another message used its nonce; `by`
    - MessageRefused            the mempool did not take a message
      · AlreadyPending          the very same bytes are there: no failure at all, `push` answers as if it had succeeded
      · NonceTooLow             something used the nonce: look at the chain; `expected_nonce`
      · PremiumTooLow           another message has the nonce; `required_premium_attofil`
      · NotEnoughFunds
      · SenderUnknown           the sender has no actor on the chain
      · SignatureRefused
"""

from node.cid import Cid


class ChainError(Exception):
    """Asking the chain failed. `node` names the node that is to blame, without its secrets; None where none is."""

    node: str | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.node is None else f"{self.node}: {text}"


class TransientError(ChainError):
    """The same call may succeed later, or at another node."""


class NodeUnreachable(TransientError):
    """No connection to the node: nobody listens, no such host, a fault in TLS, or it hung up before it answered."""


class NodeTimeout(TransientError):
    """The node did not answer in time. What was asked may still have happened."""


class AnswerCut(TransientError):
    """The connection ended inside the answer. What was asked may still have happened."""


class NodeOverloaded(TransientError):
    """The node is too busy or broken inside. `retry_after_s` is what it asked for, None where it didn't say."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(NodeOverloaded):
    """The node takes no more requests from us for now."""


class NodeNotSynced(TransientError):
    """The node's head is too old for its answers to count. `head_epoch` is that head's."""

    def __init__(self, message: str, *, head_epoch: int) -> None:
        super().__init__(message)
        self.head_epoch = head_epoch


class StreamBroken(TransientError):
    """A subscription ended: the connection broke, or the node closed it."""


class GarbledAnswer(ChainError):
    """An answer that is no answer to what was asked: no JSON, wrong types, missing fields, absurd numbers."""


class WrongNetwork(ChainError):
    """The node is of another network than the one it is asked about."""


class PermanentError(ChainError):
    """Asking the same again changes nothing."""


class BadEndpoint(PermanentError):
    """An address that cannot be a node's, that redirects elsewhere, or at which there is no JSON-RPC."""


class Unauthorized(PermanentError):
    """The node does not let us."""


class TokenRefused(Unauthorized):
    """The node does not know the token: HTTP 401 or 403."""


class PermissionMissing(Unauthorized):
    """The token, or having none, does not allow this. `permission` is what it needs: read, write, sign or admin."""

    def __init__(self, message: str, *, permission: str) -> None:
        super().__init__(message)
        self.permission = permission


class NotSupported(PermanentError):
    """This node cannot do it as it is. Another one might."""


class MethodMissing(NotSupported):
    """The node has no such method: it is a gateway, or of another version."""


class ModuleDisabled(NotSupported):
    """The node could, but a setting of it is off: `setting`, as its configuration names it."""

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


class BeyondLookback(NotSupported):
    """A gateway looks back only so far, and this lies before."""


class NotFound(PermanentError):
    """The node holds no such tipset, message or other object. Another one might."""


class ActorNotFound(NotFound):
    """No actor has that address at that tipset."""


class DealNotFound(NotFound):
    """The market's state at that tipset has no such deal, or no more."""


class BadRequest(PermanentError):
    """The node makes no sense of what was asked."""


class EpochAboveHead(BadRequest):
    """The epoch lies above the tipset that is looked back from. `head_epoch` is that one's."""

    def __init__(self, message: str, *, head_epoch: int) -> None:
        super().__init__(message)
        self.head_epoch = head_epoch


class RangeTooWide(BadRequest):
    """More epochs than the node searches for events at once. `max_epochs` is its limit, None where it didn't say."""

    def __init__(self, message: str, *, max_epochs: int | None) -> None:
        super().__init__(message)
        self.max_epochs = max_epochs


class TooManyEvents(BadRequest):
    """More events than the node gives at once, or as many as an older one cuts its answers to."""


class RequestFailed(PermanentError):
    """The node answered with an error of its own that is not known to us."""


class AnswerTooLarge(PermanentError):
    """The answer has more bytes than were agreed to be held."""


class RefusedByActor(PermanentError):
    """The message was tried and fails. `exit_code` as in `node.exit_codes`, `text` the virtual machine's own words."""

    def __init__(self, message: str, *, exit_code: int, text: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.text = text


class MessageReplaced(PermanentError):
    """Another message used the nonce of the one that is looked for. `by` is its CID."""

    def __init__(self, message: str, *, by: Cid) -> None:
        super().__init__(message)
        self.by = by


class MessageRefused(PermanentError):
    """The mempool did not take a message."""


class AlreadyPending(MessageRefused):
    """The very same message is in the mempool already."""


class NonceTooLow(MessageRefused):
    """The nonce is used: by this message or by another one, only the chain tells."""

    def __init__(self, message: str, *, expected_nonce: int) -> None:
        super().__init__(message)
        self.expected_nonce = expected_nonce


class PremiumTooLow(MessageRefused):
    """Another message with this nonce is pending; to replace it takes a gas premium of `required_premium_attofil`."""

    def __init__(self, message: str, *, required_premium_attofil: int) -> None:
        super().__init__(message)
        self.required_premium_attofil = required_premium_attofil


class NotEnoughFunds(MessageRefused):
    """The sender cannot pay for the message."""


class SenderUnknown(MessageRefused):
    """The sender has no actor on the chain: it never received anything."""


class SignatureRefused(MessageRefused):
    """The signature is not the sender's over this message."""
