"""Very many reviews, as copies of one."""

import asyncpg

INPUTS = 3


async def copy_review(connection: asyncpg.Connection, review_id: str, count: int, *, cid: str) -> None:
    """Adds so many open reviews like that one, as the jobs j-1, j-2, …: each opened a second before the one before it,
    and due a second after it. All read that CID, and two that nobody else reads."""
    await connection.execute(
        "INSERT INTO reviews.reviews (id, job_id, cluster_id, cluster_name, job, publisher, requested_bytes,"
        " digests, inputs_as_of, state, round, created_at, updated_at)"
        " SELECT 'rev_' || lpad(n::text, 26, '0'), 'j-' || n, cluster_id, cluster_name, job, publisher,"
        " requested_bytes, digests, inputs_as_of, state, round, created_at, updated_at"
        " FROM reviews.reviews, generate_series(1, $2::int) AS n WHERE id = $1",
        review_id, count,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO reviews.rounds (review_id, round, grant_id, quorum, findings, opened_at, expires_at)"
        " SELECT 'rev_' || lpad(n::text, 26, '0'), 1, 'gra_' || n, 1, '[]', opened_at - n * interval '1 s',"
        " expires_at + n * interval '1 s'"
        " FROM reviews.rounds, generate_series(1, $2::int) AS n WHERE review_id = $1",
        review_id, count,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO reviews.inputs SELECT 'rev_' || lpad(n::text, 26, '0'), p, CASE WHEN p = 1 THEN $2 ELSE"
        " 'f01701220' || encode(sha256((n * 10 + p)::text::bytea), 'hex') END, 'active'"
        " FROM generate_series(1, $1::int) AS n, generate_series(1, $3::int) AS p",
        count, cid, INPUTS,
    )  # fmt: skip
    await connection.execute("ANALYZE reviews.reviews, reviews.rounds, reviews.inputs, reviews.decisions")
