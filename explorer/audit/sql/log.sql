-- The audit log, written and read. Times as text: the database's own spelling where a time has no year of four digits.

-- name: head
-- The log's last entry, and the network that the database holds.
SELECT n.name AS network, e.seq, encode(e.hash, 'hex') AS hash
FROM (SELECT (SELECT name FROM explorer.network) AS name) AS n
LEFT JOIN (SELECT seq, hash FROM audit.entries ORDER BY seq DESC LIMIT 1) AS e ON true

-- name: network
SELECT name FROM explorer.network

-- name: now
SELECT to_char(coalesce($1::timestamptz, clock_timestamp()) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')

-- name: add
INSERT INTO audit.entries (seq, at, actor_kind, actor_id, actor_name, action, subject, facts, previous, hash)
VALUES ($1, $2::text::timestamptz, $3, $4, $5, $6, $7, $8, decode($9, 'hex'), decode($10, 'hex'))

-- name: all_from
-- In the order of the log, from entry $1 on.
SELECT seq, CASE WHEN at BETWEEN '0001-01-01' AND '9999-12-31'
                 THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE at::text END AS at,
       actor_kind, actor_id, actor_name, action, subject, facts,
       encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash
FROM audit.entries WHERE seq >= $1 ORDER BY seq

-- name: first_since
SELECT min(seq) FROM audit.entries WHERE at >= $1

-- name: newest
SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
       actor_kind, actor_id, actor_name, action, subject, facts,
       encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash
FROM audit.entries
WHERE ($1::text IS NULL OR action = $1) AND ($2::text[] IS NULL OR actor_id = ANY ($2)) AND ($3::text IS NULL OR subject = $3)
  AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::bigint IS NULL OR seq < $5)
ORDER BY seq DESC LIMIT $6

-- name: oldest
SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
       actor_kind, actor_id, actor_name, action, subject, facts,
       encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash
FROM audit.entries
WHERE ($1::text IS NULL OR action = $1) AND ($2::text[] IS NULL OR actor_id = ANY ($2)) AND ($3::text IS NULL OR subject = $3)
  AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::bigint IS NULL OR seq > $5)
ORDER BY seq LIMIT $6

-- name: holds_action
SELECT EXISTS (SELECT FROM audit.entries WHERE action = $1)

-- name: actors_named
-- Whose newest entry has the name $1: from one actor to the next by the index, since there are few of them.
WITH RECURSIVE actors (id) AS (
    (SELECT actor_id FROM audit.entries ORDER BY actor_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.actor_id FROM audit.entries AS e WHERE e.actor_id > a.id ORDER BY e.actor_id LIMIT 1)
    FROM actors AS a WHERE a.id IS NOT NULL
)
SELECT a.id FROM actors AS a
CROSS JOIN LATERAL (SELECT e.actor_name FROM audit.entries AS e WHERE e.actor_id = a.id ORDER BY e.seq DESC LIMIT 1) AS n
WHERE lower(n.actor_name) = lower($1)
