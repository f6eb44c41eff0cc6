"""`filplus check`: which of the components work."""

from collections.abc import AsyncIterator, Sequence

import typer

from explorer.cli.alert_findings import channel_findings, webhook_finding
from explorer.cli.exits import Exit
from explorer.cli.findings import Finding
from explorer.cli.node_findings import node_findings
from explorer.cli.running import run
from explorer.cli.terminal import Terminal, terminal_of
from explorer.errors import FilplusError
from explorer.ground.connection import open_connection
from explorer.ground.database import open_database
from explorer.ground.migrate import pending
from explorer.ground.service_file import running_service
from explorer.ground.settings import Settings
from explorer.index.networks import demand_network
from explorer.index.opening import SERVICE
from explorer.index.spans import load_coverage, load_index_epoch
from explorer.verdict.coverage import Coverage
from explorer.verdict.records import RECORD_KINDS

_MARKS = {"ok": "✓ works", "note": "• note ", "fails": "✗ fails"}
_STYLES = {"ok": None, "note": "yellow", "fails": "red"}


def check_command(context: typer.Context) -> None:
    """Says of each component whether it works, and what to do where it doesn't."""
    terminal = terminal_of(context)

    async def work() -> Exit:
        settings = terminal.settings()
        findings = [finding async for finding in examine(settings)]
        _print_findings(terminal, findings)
        failed = any(one.state == "fails" for one in findings)
        rows = [{"component": f.component, "state": f.state, "fact": f.fact, "remedy": f.remedy} for f in findings]
        settings_rows = {row.name: {"value": row.value, "origin": str(row.origin)} for row in settings.rows()}
        terminal.document({"ok": not failed, "components": rows, "settings": settings_rows})
        return Exit.ERROR if failed else Exit.OK

    run(terminal, work)


def _print_findings(terminal: Terminal, findings: Sequence[Finding]) -> None:
    """A line for each component, and its remedy below it."""
    width = max(len(one.component) for one in findings)
    for one in findings:
        head = f"{_MARKS[one.state]}  {one.component:<{width}}  "
        indent = " " * len(head)
        terminal.tell(head + one.fact, indent=indent, style=_STYLES[one.state])
        if one.remedy:
            terminal.tell(f"{indent}→ {one.remedy}", indent=f"{indent}  ", style=_STYLES[one.state])


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Every component in turn, the ones that others stand on first."""
    yield _settings_finding(settings)
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        yield Finding("database", "note", f"none yet in {settings.data_dir}", "the first import or serve makes it")
    else:
        async for finding in _database_findings(settings):
            yield finding
    url = running_service(settings.data_dir)
    yield (
        Finding("service", "ok", f"answers at {url}")
        if url
        else Finding("service", "note", "none runs on this data directory", "filplus serve")
    )
    async for finding in channel_findings(settings):
        yield finding
    async for finding in node_findings(settings):
        yield finding


def _settings_finding(settings: Settings) -> Finding:
    where = f", {settings.config_file}" if settings.config_file else ""
    fact = f"network {settings.network.name}, data in {settings.data_dir}{where}"
    if settings.unknown_names:
        unknown = ", ".join(settings.unknown_names)
        return Finding("settings", "note", fact, f"no such setting: {unknown}; see docs/operator.md")
    return Finding("settings", "ok", fact)


async def _database_findings(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with open_database(settings) as database, open_connection(database.dsn) as connection:
            server = (await connection.fetchval("SHOW server_version")).split()[0]
            size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
            yield Finding("database", "ok", f"PostgreSQL {server}, {database.described()}, {size}")
            waiting = await pending(connection, SERVICE)
            if waiting:
                yield Finding("schema", "fails", f"{len(waiting)} migrations are missing", "filplus migrate")
                return
            yield Finding("schema", "ok", "at head")
            await demand_network(connection, settings.network.name)
            yield _index_finding(await load_index_epoch(connection), await load_coverage(connection))
            yield await webhook_finding(connection)
    except FilplusError as error:
        yield Finding("database", "fails", str(error), "mend it as the text says, then check again")


def _index_finding(epoch: int | None, coverage: Coverage) -> Finding:
    if epoch is None:
        return Finding("index", "note", "empty", "filplus index import FILE…")
    missing = [kind for kind in RECORD_KINDS if not coverage.covers(kind, epoch)]
    if missing:
        fact = f"to epoch {epoch}, where {' and '.join(missing)} are not complete"
        return Finding("index", "note", fact, f"import complete files with --at-epoch {epoch} or later")
    return Finding("index", "ok", f"complete at epoch {epoch}")
