"""What can be wrong with a question about a party.

* QuestionError
  + MalformedAddress     no address, or one of another network
  + AddressUnresolved    an address whose actor id nothing tells
  + TableUnknown         a table that this party has not
"""

from explorer.errors import QuestionError


class MalformedAddress(QuestionError):
    """The text is no address of this network."""

    code = "malformed_address"


class AddressUnresolved(QuestionError):
    """The chain's records name parties by actor id, and the index does not know whose address this is."""

    code = "address_unresolved"


class TableUnknown(QuestionError):
    """There is no such table of such a party."""

    code = "not_found"
