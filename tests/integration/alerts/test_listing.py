"""Lists of deliveries find what is rare without reading all that is common."""

import asyncpg

from explorer.alerts.deliveries import list_deliveries
from explorer.ground.queries import load_queries
from tests.integration.alerts.conftest import World
from tests.plans import rows_read

DELIVERED = 20_000
QUERY = load_queries("explorer.alerts.sql", "deliveries.sql")["deliveries"]


async def three_dead_among_many(world: World, connection: asyncpg.Connection) -> None:
    """The three oldest deliveries are dead, all behind them delivered."""
    added = await world.add("http://127.0.0.1:9/")
    await connection.execute(
        """INSERT INTO alerts.messages (webhook_id, type, subject_id, body, at)
           SELECT 'msg_' || n, 'review.requested', 'rev_' || n, '{}', $1 FROM generate_series(1, $2::int) AS n""",
        world.now,
        DELIVERED,
    )
    await connection.execute(
        """INSERT INTO alerts.deliveries
               (message_id, endpoint_id, subject_id, state, due_at, waiting_since, ended_at, dead_reason)
           SELECT id, $1, subject_id, (CASE WHEN id <= 3 THEN 'dead' ELSE 'delivered' END)::alerts.delivery_state,
                  at, at, at, CASE WHEN id <= 3 THEN 'given up' END
           FROM alerts.messages ORDER BY id""",
        added.endpoint_id,
    )
    await connection.execute("ANALYZE alerts.messages, alerts.deliveries, alerts.attempts")


async def test_the_dead_are_found_without_reading_the_delivered(world: World) -> None:
    async with world.pool.acquire() as connection:
        await three_dead_among_many(world, connection)
        for _ in range(10):  # from the sixth on a statement may keep one plan for every state
            assert await rows_read(connection, QUERY, None, "dead", None, None, 101) < 100
            assert [row.id for row in await list_deliveries(connection, state="dead")] == [3, 2, 1]


async def test_each_state_lists_its_own_the_newest_first(world: World) -> None:
    async with world.pool.acquire() as connection:
        await three_dead_among_many(world, connection)
        delivered = await list_deliveries(connection, state="delivered", limit=2)
        assert [row.id for row in delivered] == [DELIVERED, DELIVERED - 1]
        assert [row.id for row in await list_deliveries(connection, state="dead", below=3)] == [2, 1]
        assert await list_deliveries(connection, state="pending") == []
