"""What can be wrong with a question about a party.

* QuestionError
  + MalformedAddress     no address, or one of another network
  + AddressUnresolved    an address whose actor id nothing tells: no node is configured
  + ActorUnknown         an address that no actor has
  + NodeSilent           transient: the node that would tell the actor id is not heard
  + TooManyAddresses     transient: the node is asked enough as it is
  + TableUnknown         a table that this party has not
"""

from explorer.errors import QuestionError


class MalformedAddress(QuestionError):
    """The text is no address of this network."""

    code = "malformed_address"


class AddressUnresolved(QuestionError):
    """The chain's records name parties by actor id, and the index does not know whose address this is."""

    code = "address_unresolved"


class ActorUnknown(QuestionError):
    """The node knows no actor with that address."""

    code = "actor_unknown"


class NodeSilent(QuestionError):
    """The node that knows whose address this is does not say so. Transient."""

    code = "node_unavailable"


class TooManyAddresses(QuestionError):
    """So many addresses are looked up that this one is not. Transient."""

    code = "too_many_addresses"


class TableUnknown(QuestionError):
    """There is no such table of such a party."""

    code = "not_found"
