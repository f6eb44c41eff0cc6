"""`filplus webhook`: who is told of reviews and grants. Works on the database, and takes effect at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any

import asyncpg
import typer

from explorer.access.actors import OPERATOR
from explorer.alerts.addresses import Policy
from explorer.alerts.deliveries import State
from explorer.alerts.endpoint_url import is_judged_later
from explorer.alerts.endpoints import OVERLAP, TYPES
from explorer.alerts.service import WebhookService
from explorer.cli.administering import administer_pool
from explorer.cli.exits import Exit
from explorer.cli.tables import print_table
from explorer.cli.terminal import Terminal, shown, terminal_of
from explorer.errors import QuestionError
from explorer.ground.settings import Settings

TEST_WAIT_S = 30.0
_LOOK_EVERY_S = 0.25
_OVERLAP_H = OVERLAP.total_seconds() / 3600

webhook = typer.Typer(help="Who is told of reviews and grants: webhooks by Standard Webhooks.", no_args_is_help=True)

Work = Callable[[WebhookService], Awaitable[Exit]]
Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id, as list prints it.")]


@webhook.command("add", epilog="Example: filplus webhook add https://notary.example/hook --types review.requested")
def add_command(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="https, to a public address.")],
    types: Annotated[str | None, typer.Option(metavar="A,B", help=f"Only these of {', '.join(TYPES)}.")] = None,
) -> None:
    """Adds a webhook and prints its secret, once."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        wanted = [part.strip() for part in (types or "").split(",") if part.strip()]
        added = await service.add(url, wanted, actor=OPERATOR)
        _print_secret(terminal, added)
        if is_judged_later(added["url"]):
            terminal.side.print(
                "Plain http, and ports other than 443 and 8443, go only to addresses in FILPLUS_WEBHOOK_ALLOW. Unless "
                f"the name stands for one, nothing is sent; to see it: filplus webhook test {added['id']}"
            )
        return Exit.OK

    _run(terminal, work)


@webhook.command("list", epilog="Example: filplus webhook list")
def list_command(context: typer.Context) -> None:
    """Prints the webhooks and channels, and how they stand."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        document = await service.webhooks()
        terminal.document(document)
        if not document["webhooks"]:
            terminal.people.print("Nobody is told yet: filplus webhook add URL")
            return Exit.OK
        headings = ("id", "state", "url", "types", "waiting", "dead")
        print_table(terminal, headings, [_endpoint_cells(row) for row in document["webhooks"]])
        return Exit.OK

    _run(terminal, work, changes=False)


@webhook.command("remove", epilog="Example: filplus webhook remove wh_01KB0Q3M7P5W9T2ZC8XJ4H6RVN")
def remove_command(context: typer.Context, endpoint_id: Id) -> None:
    """Removes a webhook; what waits for it is not delivered."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        await service.remove(endpoint_id, actor=OPERATOR)
        terminal.document({"id": endpoint_id, "removed": True})
        terminal.people.print(f"removed {shown(endpoint_id)}")
        return Exit.OK

    _run(terminal, work)


@webhook.command("enable", epilog="Example: filplus webhook enable wh_01KB0Q3M7P5W9T2ZC8XJ4H6RVN")
def enable_command(context: typer.Context, endpoint_id: Id) -> None:
    """Enables a webhook that was disabled since it answered 410; what waited for it is sent."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        before = await service.webhook(endpoint_id)
        enabled = await service.enable(endpoint_id, actor=OPERATOR)
        terminal.document(enabled)
        done = "is told again" if before["disabled_at"] else "was enabled already"
        terminal.people.print(f"{shown(endpoint_id)} {done}; {enabled['pending']} waiting, {enabled['dead']} dead")
        if enabled["dead"]:
            terminal.side.print(
                "Dead letters, as the message that was answered 410, are sent by:"
                f" filplus webhook replay --dead {shown(endpoint_id)}"
            )
        return Exit.OK

    _run(terminal, work)


@webhook.command("rotate", epilog="Example: filplus webhook rotate wh_01KB0Q3M7P5W9T2ZC8XJ4H6RVN --overlap-hours 48")
def rotate_command(
    context: typer.Context,
    endpoint_id: Id,
    overlap_hours: Annotated[float, typer.Option(min=0, max=24 * 30, help="How long both secrets hold.")] = _OVERLAP_H,
) -> None:
    """Gives a webhook a new secret and prints it, once; for a while messages are signed with the old one, too."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        overlap = timedelta(hours=overlap_hours)
        _print_secret(terminal, await service.rotate(endpoint_id, overlap, actor=OPERATOR))
        terminal.people.print(f"the one before holds for another {overlap_hours:g} h")
        return Exit.OK

    _run(terminal, work)


@webhook.command("test", epilog="Example: filplus webhook test wh_01KB0Q3M7P5W9T2ZC8XJ4H6RVN")
def try_command(
    context: typer.Context,
    endpoint_id: Id,
    wait_s: Annotated[float, typer.Option("--wait", min=0, metavar="S", help="For the first attempt.")] = TEST_WAIT_S,
) -> None:
    """Sends a test message by the running service, and prints what came of the first attempt."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        delivery = await _tried(service, (await service.test(endpoint_id))["id"], wait_s)
        terminal.document(delivery)
        if delivery["last_attempt"] is None:
            terminal.side.print(f"not tried within {wait_s:g} s: is the service running (filplus serve)?")
        else:
            terminal.people.print(f"{delivery['last_attempt']['outcome']}: {shown(_result(delivery))}")
        return Exit.OK if delivery["state"] == State.DELIVERED else Exit.ERROR

    _run(terminal, work, kept="The test message waits for the service.")


@webhook.command("deliveries", epilog="Example: filplus webhook deliveries wh_01KB0Q3M7P5W9T2ZC8XJ4H6RVN --state dead")
def deliveries_command(
    context: typer.Context,
    endpoint_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one webhook only.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="next_cursor of the page before.")] = None,
) -> None:
    """Prints deliveries with their last attempts, the newest first."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        page = await service.deliveries(endpoint_id, state=state, cursor=cursor, limit=limit)
        terminal.document(page)
        _print_deliveries(terminal, page)
        return Exit.OK

    _run(terminal, work, changes=False)


@webhook.command("replay", epilog="Example: filplus webhook replay 17")
def replay_command(
    context: typer.Context,
    delivery_id: Annotated[
        int | None, typer.Argument(metavar="[DELIVERY]", min=0, max=2**63 - 1, help="As deliveries prints it.")
    ] = None,
    dead_of: Annotated[str | None, typer.Option("--dead", metavar="ID", help="Every dead letter of a webhook.")] = None,
) -> None:
    """Delivers again, with the same webhook-id: one delivery, or a webhook's dead letters."""
    terminal = terminal_of(context)

    async def work(service: WebhookService) -> Exit:
        replayed = await _replayed(service, delivery_id, dead_of)
        terminal.document({"replayed": replayed})
        terminal.people.print(f"{len(replayed)} will be delivered again")
        return Exit.OK

    _run(terminal, work)


async def _replayed(service: WebhookService, delivery_id: int | None, dead_of: str | None) -> list[int]:
    match delivery_id, dead_of:
        case int(), None:
            return [(await service.replay(delivery_id, actor=OPERATOR))["id"]]
        case None, str():
            return await service.replay_dead(dead_of, actor=OPERATOR)
        case _:
            raise QuestionError("name one delivery, or a webhook with --dead")


def _run(terminal: Terminal, work: Work, *, changes: bool = True, kept: str = "") -> None:
    """Runs work over the service of webhooks, on the database."""

    async def over_pool(pool: asyncpg.Pool, settings: Settings) -> Exit:
        return await work(WebhookService(pool, Policy(settings.webhook_allow)))

    administer_pool(terminal, over_pool, what="webhooks", changes=changes, kept=kept)


async def _tried(service: WebhookService, delivery_id: int, wait_s: float) -> Mapping[str, Any]:
    """The delivery once it was tried, or as it stands after so long."""
    until = asyncio.get_running_loop().time() + wait_s
    while True:
        delivery = await service.delivery(delivery_id)
        if delivery["last_attempt"] is not None or asyncio.get_running_loop().time() >= until:
            return delivery
        await asyncio.sleep(_LOOK_EVERY_S)


def _print_secret(terminal: Terminal, made: Mapping[str, Any]) -> None:
    terminal.document(made)
    wanted = "all types" if made["types"] is None else ", ".join(made["types"])
    terminal.people.print(f"[bold]{made['id']}[/] {shown(made['url'])}, {wanted}")
    if not terminal.as_json:
        terminal.people.print(f"secret, shown this once: {made['secret']}")


def _print_deliveries(terminal: Terminal, page: Mapping[str, Any]) -> None:
    if not page["deliveries"]:
        terminal.people.print("No such delivery yet.")
        return
    headings = ("id", "webhook", "type", "subject", "state", "tries", "last attempt")
    print_table(terminal, headings, [_delivery_cells(row) for row in page["deliveries"]])
    if page["next_cursor"]:
        terminal.people.print(f"older ones: --cursor {page['next_cursor']}")


def _endpoint_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = "all" if row["types"] is None else ", ".join(row["types"])
    state = row["state"] if row["disabled_reason"] is None else f"disabled: {row['disabled_reason']}"
    return (row["id"], state, row["url"], wanted, str(row["pending"]), str(row["dead"]))


def _delivery_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    told = (row["endpoint"], row["type"], row["subject"], row["state"], str(row["tries"]))
    return (str(row["id"]), *told, row["dead_reason"] or _result(row))


def _result(delivery: Mapping[str, Any]) -> str:
    """The last attempt in a few words."""
    last = delivery["last_attempt"]
    if last is None:
        return ""
    facts = (last["status"], last["error"], f"{last['duration_ms']} ms")
    return ", ".join(str(fact) for fact in facts if fact is not None)
