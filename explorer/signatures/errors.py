"""What can be wrong with something that is signed, or with a key that signs.

* FilplusError
  x SignedTextError          `code` is its stable name
    + UnsayableFact          a fact that no text may carry
    + MalformedText          no text of ours; `line` is the first that is wrong, from 1
    x SignatureRefused       a text of ours that doesn't say, or isn't signed by, what it should
      + OtherText            of another kind: a sign-in where a decision is due
      + OtherNetwork
      + OtherDomain
      + OtherReview
      + AlteredText          any other fact differs
      + NotYetValid
      + Expired
      + WrongScheme          signed in another envelope, or by a kind of address that cannot sign here
      + ForgedSignature      of no key, or not of the key of the address that the text names
      + WrongKey             of another key; `recovered` is whose it would be
    x SignedRequestError     an HTTP request that is signed as a whole
      + MalformedField       a header that can't be read
      + RequestRefused       signed in a manner that isn't taken: not all of it, by another algorithm
      + StaleRequest
      + ForgedRequest        not by that key, or not over this body
  x KeyFileError
    + KeyFileExposed         others can read the file
    + MalformedKeyFile
    + WrongPassphrase

`+` is raised, `x` only groups. No message holds a secret.
"""

from explorer.errors import FilplusError


class SignedTextError(FilplusError):
    """A text or a signature that cannot be taken."""

    code = "signed_text"


class UnsayableFact(SignedTextError):
    """A fact that no text may carry: it could be read in two ways, or is out of its bounds."""

    code = "unsayable_fact"


class MalformedText(SignedTextError):
    """No text that this product makes. `line` is the number of the first line that is wrong, from 1."""

    code = "malformed_text"

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.line = line
        self.detail = detail

    def __reduce__(self) -> tuple[type["MalformedText"], tuple[int, str]]:
        return type(self), (self.line, self.detail)


class SignatureRefused(SignedTextError):
    """A text that can be read, but not taken for what it should say, or not from who signed it."""

    code = "signature_refused"


class OtherText(SignatureRefused):
    """A text of another kind than the one that is due."""

    code = "other_text"


class OtherNetwork(SignatureRefused):
    """A text for another network."""

    code = "other_network"


class OtherDomain(SignatureRefused):
    """A text for another explorer."""

    code = "other_domain"


class OtherReview(SignatureRefused):
    """A decision on another review."""

    code = "other_review"


class AlteredText(SignatureRefused):
    """A text that says something else than the one that was given out."""

    code = "altered_text"


class NotYetValid(SignatureRefused):
    """A text of the future: one of the two clocks is wrong."""

    code = "not_yet_valid"


class Expired(SignatureRefused):
    """A text whose time is over."""

    code = "expired"


class WrongScheme(SignatureRefused):
    """Signed in another way than the one for that kind of address."""

    code = "wrong_scheme"


class ForgedSignature(SignatureRefused):
    """A signature that no key made over this text, or not the one that the text names."""

    code = "forged_signature"


class WrongKey(SignatureRefused):
    """The signature of another key than the one that is due. `recovered` is that key's address, where it is told."""

    code = "wrong_key"

    def __init__(self, message: str, recovered: str | None = None) -> None:
        super().__init__(message)
        self.recovered = recovered


class SignedRequestError(SignedTextError):
    """A signed HTTP request that cannot be taken."""

    code = "signed_request"


class MalformedField(SignedRequestError):
    """A header that is no structured field, or not the one that is due."""

    code = "malformed_field"


class RequestRefused(SignedRequestError):
    """Signed in a manner that isn't taken."""

    code = "request_refused"


class StaleRequest(SignedRequestError):
    """Signed too long ago, or in the future."""

    code = "stale_request"


class ForgedRequest(SignedRequestError):
    """Not signed by that key, or not with this body."""

    code = "forged_request"


class KeyFileError(FilplusError):
    """A key file that cannot be used."""


class KeyFileExposed(KeyFileError):
    """A key file that others than its owner can open, or that belongs to somebody else."""


class MalformedKeyFile(KeyFileError):
    """No key file, or one of a kind that isn't known here."""


class WrongPassphrase(KeyFileError):
    """The passphrase doesn't open the key file, or the file was altered."""
