"""What can go wrong with who asks.

* FilplusError
  x QuestionError
    + NameRefused            no name for a cluster, or one that was given out before
    + ScopesRefused
    + PublicKeyRefused
    + NoBearerKey            a cluster that only signs its requests has none to replace
    + ClusterRevoked         it was revoked, for good
    + AddressUnsuited        an address that no text can be signed with
    + NotaryExists
    + TooManyViews
    + ViewExists             a saved view has that name, and nobody said that it may be replaced
    x SignInRefused
      + NonceRefused         not ours, used, or too old
      + NotANotary           a good signature, of nobody who may decide
      + SignInInsecure       the explorer is reached by plain http, from elsewhere
    x NotFound
      + ClusterUnknown
      + KeyUnknown           no key of that cluster
      + NotaryUnknown
"""

from explorer.errors import NotFound, QuestionError


class NameRefused(QuestionError):
    """The text is no name for a cluster, or another one has or had it."""

    code = "name_refused"


class ScopesRefused(QuestionError):
    """The scopes are no scopes, or don't go together."""

    code = "scopes_refused"


class PublicKeyRefused(QuestionError):
    """The file is no Ed25519 public key that could be taken. Its text shows nothing of the file."""

    code = "public_key_refused"


class NoBearerKey(QuestionError):
    """The cluster has no bearer key."""

    code = "no_bearer_key"


class ClusterRevoked(QuestionError):
    """The cluster was revoked."""

    code = "cluster_revoked"


class ClusterUnknown(NotFound):
    """There is no such cluster."""

    def __init__(self, named: str) -> None:
        super().__init__(f"no cluster {named!r}: `filplus cluster list` shows them", value=named)


class AddressUnsuited(QuestionError):
    """The text is no address whose key could sign a text."""

    code = "address_unsuited"


class TooManyViews(QuestionError):
    """A notary saves no more views than so many."""

    code = "too_many_views"


class ViewExists(QuestionError):
    """The notary has a view of that page and name, with other filters."""

    code = "view_exists"


class NotaryExists(QuestionError):
    """The address is a notary's already."""

    code = "notary_exists"


class KeyUnknown(NotFound):
    """The cluster has no such key. Its text says nothing of what was asked for: it may be a key with its secret."""

    def __init__(self, cluster_name: str) -> None:
        super().__init__(f"{cluster_name} has no key of that id: `filplus cluster list` shows them", value=cluster_name)


class NotaryUnknown(NotFound):
    """Nobody of that id or address may decide."""

    def __init__(self, named: str) -> None:
        super().__init__(f"no notary {named!r}: `filplus notary list` shows them", value=named)


class SignInRefused(QuestionError):
    """A sign-in that isn't taken, though the signature may be good."""

    code = "sign_in_refused"


class NonceRefused(SignInRefused):
    """The nonce wasn't given out for this, was used, or its time is over."""

    code = "nonce_refused"


class NotANotary(SignInRefused):
    """The address that signed may not decide."""

    code = "not_a_notary"


class SignInInsecure(SignInRefused):
    """Over plain http from elsewhere a session could be stolen."""

    code = "sign_in_insecure"
