"""`filplus cluster`: who may ask, with which keys. Works on the database, and takes effect at once."""

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from explorer.access import clusters
from explorer.access.errors import PublicKeyRefused
from explorer.access.keys import parse_public_key
from explorer.cli.administering import administer
from explorer.cli.exits import Exit
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.reviews.reading import count_open_of

_LARGEST_FILE_BYTES = 16_384
_OVERLAP_H = int(clusters.OVERLAP.total_seconds() // 3600)
_LONGEST_OVERLAP_H = int(clusters.LONGEST_OVERLAP.total_seconds() // 3600)

cluster = typer.Typer(help="Who may ask for reviews: clusters, and operators, with their keys.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="ID|NAME", help="As list prints it.")]
PublicKey = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="An Ed25519 public key (PEM or OpenSSH) that requests are signed with."),
]


Bearer = Annotated[
    bool, typer.Option("--bearer", help="A bearer key, too, for a cluster that signs its requests: it has none else.")
]


@cluster.command("add", epilog="Example: filplus cluster add berlin --public-key berlin.pub.pem")
def add_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it; nobody else gets it again.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="reviews:write and reviews:read, the default; or admin, for an operator."),
    ] = None,
    public_key: PublicKey = None,
    bearer: Bearer = False,
) -> None:
    """Adds a cluster and prints its bearer key, once; with --public-key it signs its requests, and has none."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        scopes = clusters.parse_scopes(scope or [])
        raw = _read_public_key(public_key)
        _print_keys(terminal, await clusters.add_cluster(connection, name, scopes, public_key=raw, bearer=bearer))
        return Exit.OK

    administer(terminal, work, what="clusters")


@cluster.command("list", epilog="Example: filplus cluster list")
def list_command(context: typer.Context) -> None:
    """Prints the clusters and their keys, never a secret."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        rows = await clusters.list_clusters(connection)
        terminal.document({"clusters": [row.document() for row in rows]})
        if not rows:
            terminal.people.print("Nobody may ask yet: filplus cluster add NAME")
            return Exit.OK
        _print_table(terminal, rows)
        return Exit.OK

    administer(terminal, work, what="clusters", changes=False)


@cluster.command("revoke", epilog="Example: filplus cluster revoke berlin")
def revoke_command(
    context: typer.Context,
    named: Named,
    key: Annotated[
        str | None, typer.Option(metavar="KEY_ID", help="Only this key of it, as list prints it; the others stay.")
    ] = None,
) -> None:
    """Ends all keys of a cluster at once, and for good. Its reviews stay. With --key it ends that key alone."""
    terminal = terminal_of(context)

    async def work(connection: asyncpg.Connection) -> Exit:
        if key is not None:
            _print_ended(terminal, await clusters.revoke_key(connection, named, key))
            return Exit.OK
        cluster_id = await clusters.revoke_cluster(connection, named)
        still_open = await count_open_of(connection, cluster_id)
        terminal.document({"id": cluster_id, "revoked": True, "open_reviews": still_open})
        terminal.people.print(f"revoked {shown(named)}: its keys hold no more")
        if still_open:
            terminal.side.print(f"{still_open} of its reviews are open, and can be approved: withdraw what may not")
        return Exit.OK

    administer(terminal, work, what="clusters")


@cluster.command("rotate", epilog="Example: filplus cluster rotate berlin --overlap-hours 72")
def rotate_command(
    context: typer.Context,
    named: Named,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=_LONGEST_OVERLAP_H, help="How long the key before still holds.")
    ] = _OVERLAP_H,
    public_key: PublicKey = None,
    bearer: Bearer = False,
) -> None:
    """Gives a cluster a new key and prints it, once; with --public-key the one that it signs with."""
    terminal = terminal_of(context)
    if bearer and public_key is not None:
        raise typer.BadParameter("one key at a time: --bearer, or --public-key FILE", param_hint="--bearer")

    async def work(connection: asyncpg.Connection) -> Exit:
        overlap = timedelta(hours=overlap_hours)
        raw = _read_public_key(public_key)
        made = await clusters.rotate_key(connection, named, public_key=raw, bearer=bearer, overlap=overlap)
        _print_keys(terminal, made)
        return Exit.OK

    administer(terminal, work, what="clusters")


def _read_public_key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE_BYTES + 1).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PublicKeyRefused(f"{path} can't be read as a public key: {why}") from error
    return parse_public_key(text)


def _print_keys(terminal: Terminal, made: clusters.NewKeys) -> None:
    terminal.document(made.document())
    terminal.people.print(f"[bold]{made.id}[/] {shown(made.name)}: {', '.join(made.scopes)}")
    if made.signing_key_id is not None:
        terminal.people.print(f"signs its requests with keyid {made.signing_key_id}")
    if made.key is not None and not terminal.as_json:
        terminal.people.print(f"key, shown this once: {made.key}")
    if made.former_keys_end_at is not None:
        terminal.people.print(f"the key before holds until {made.former_keys_end_at:%Y-%m-%d %H:%M} UTC")


def _print_ended(terminal: Terminal, ended: clusters.KeyEnded) -> None:
    terminal.document({"id": ended.id, "key_id": ended.key_id, "revoked": True, "keys_left": ended.keys_left})
    whose = f"the key {ended.key_id} of {shown(ended.name)}"
    terminal.people.print(f"{whose} had ended already" if ended.had_ended else f"revoked {whose}")
    if ended.is_cluster_revoked:
        terminal.side.print(f"{shown(ended.name)} was revoked, for good, with all of its keys")
    elif not ended.keys_left:
        rotate = f"filplus cluster rotate {shlex.quote(ended.name)} --bearer"
        terminal.side.print(f"{shown(ended.name)} has no key left; `{shown(rotate)}` gives it one")


def _print_table(terminal: Terminal, rows: list[clusters.ClusterRow]) -> None:
    table = []
    for row in rows:
        for key in row.keys:
            used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:00}"
            table.append((row.id, row.name, key.id, ", ".join(key.scopes), used, _state(row, key)))
    print_table(terminal, ("id", "name", "key", "scopes", "last used", "state"), table)


def _state(row: clusters.ClusterRow, key: clusters.KeyRow) -> str:
    ended = key.revoked_at or row.revoked_at
    if ended is not None:
        return f"revoked {ended:%Y-%m-%d %H:%M}"
    return "holds" if key.not_after is None else f"until {key.not_after:%Y-%m-%d %H:%M}"
