-- The outbox: messages written, and their deliveries leased and settled.
-- A statement's clock is $1 where a test gives one, else the database's, so that processes need not agree on the time.

-- name: take_turn
-- Until the transaction ends: ids of a subject ascend in the order of the commits.
SELECT pg_advisory_xact_lock(hashtextextended('alerts:' || $1, 0))

-- name: now
SELECT coalesce($1::timestamptz, clock_timestamp())

-- name: add_message
INSERT INTO alerts.messages (webhook_id, type, subject_id, body, at) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- name: add_deliveries
-- To every endpoint that is there and wants the type; what is for a disabled one waits until it is enabled.
INSERT INTO alerts.deliveries (message_id, endpoint_id, subject_id, due_at, waiting_since)
SELECT $1, e.id, $2, $4::timestamptz, $4::timestamptz FROM alerts.endpoints AS e
WHERE e.removed_at IS NULL AND (e.types IS NULL OR $3 = ANY (e.types))
RETURNING id

-- name: add_delivery
INSERT INTO alerts.deliveries (message_id, endpoint_id, subject_id, due_at, waiting_since)
VALUES ($1, $2, $3, $4::timestamptz, $4::timestamptz)
RETURNING id

-- name: hold_owner
-- The session's sign of life: while it holds this lock, the leases of that owner are respected.
SELECT pg_try_advisory_lock($1::integer, $2::integer)

-- name: free_leases
-- Of owners that have died, and of attempts that never ended.
UPDATE alerts.deliveries AS d SET lease = NULL, lease_owner = NULL, leased_until = NULL
WHERE d.lease IS NOT NULL AND (d.leased_until <= coalesce($1::timestamptz, clock_timestamp()) OR NOT EXISTS (
    SELECT FROM pg_locks AS l JOIN pg_database AS b ON b.oid = l.database
    WHERE b.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
      AND l.classid = $2::bigint::oid AND l.objid = d.lease_owner::bigint::oid
))

-- name: start_health
-- At a start nothing is held against any endpoint.
UPDATE alerts.endpoints SET failures = 0, failing_since = NULL, probe_at = NULL, held_until = NULL
WHERE failures > 0 OR held_until IS NOT NULL

-- name: start_due
-- At a start everything undelivered is due.
UPDATE alerts.deliveries SET due_at = coalesce($1::timestamptz, clock_timestamp())
WHERE state = 'pending' AND due_at > coalesce($1::timestamptz, clock_timestamp())

-- name: lock_endpoints
-- Those that something may be sent to now. One process at a time leases of an endpoint; the others go on to the next.
-- No key is locked: a transaction that has enqueued, and isn't at its end, would bar its endpoints.
SELECT e.id FROM alerts.endpoints AS e
WHERE e.removed_at IS NULL AND e.disabled_at IS NULL AND NOT (e.kind = ANY ($2::text[]::alerts.endpoint_kind[]))
  AND (e.held_until IS NULL OR e.held_until <= coalesce($1::timestamptz, clock_timestamp()))
  AND EXISTS (SELECT FROM alerts.deliveries AS d WHERE d.endpoint_id = e.id AND d.state = 'pending')
ORDER BY e.id FOR NO KEY UPDATE SKIP LOCKED

-- name: lease
-- Of each of the endpoints $2 up to $5 deliveries at once: new ones first, then those tried longest ago; of a subject
-- only the first. Of an endpoint that is down one, as its probe; a new one needs no more than $6 since the last.
WITH clock AS MATERIALIZED (
    SELECT coalesce($1::timestamptz, clock_timestamp()) AS now
), open AS MATERIALIZED (
    SELECT e.id, e.tried_at, e.probe_at,
           CASE WHEN e.probe_at IS NULL THEN $5::integer ELSE 1 END
           - (SELECT count(*) FROM alerts.deliveries AS d WHERE d.endpoint_id = e.id AND d.lease IS NOT NULL) AS free
    FROM alerts.endpoints AS e WHERE e.id = ANY ($2::text[])
), chosen AS MATERIALIZED (
    SELECT c.id, o.id AS endpoint_id, o.probe_at IS NOT NULL AS is_probe
    FROM open AS o CROSS JOIN clock CROSS JOIN LATERAL (
        SELECT first.id FROM (
            SELECT DISTINCT ON (d.subject_id) d.id, d.message_id, d.lease, d.due_at, d.tried_at
            FROM alerts.deliveries AS d WHERE d.endpoint_id = o.id AND d.state = 'pending'
            ORDER BY d.subject_id, d.message_id
        ) AS first
        WHERE first.lease IS NULL AND CASE
            WHEN o.probe_at IS NULL THEN first.due_at <= clock.now
            ELSE o.probe_at <= clock.now OR (first.tried_at IS NULL AND o.tried_at <= clock.now - $6::interval) END
        ORDER BY first.tried_at NULLS FIRST, first.message_id LIMIT greatest(o.free, 0)
    ) AS c
), probed AS (
    UPDATE alerts.endpoints AS e SET tried_at = clock.now, probe_at = clock.now + $7::interval
    FROM chosen AS c, clock WHERE e.id = c.endpoint_id AND c.is_probe
), leased AS (
    UPDATE alerts.deliveries AS d
    SET lease = nextval('alerts.leases'), lease_owner = $3, leased_until = clock.now + $4::interval
    FROM chosen AS c, clock WHERE d.id = c.id AND d.lease IS NULL AND d.state = 'pending'
    RETURNING d.id, d.message_id, d.endpoint_id, d.lease
)
SELECT l.id, l.lease, l.endpoint_id, e.kind::text AS kind, e.url, m.webhook_id, m.type, m.body
FROM leased AS l JOIN alerts.messages AS m ON m.id = l.message_id JOIN alerts.endpoints AS e ON e.id = l.endpoint_id
ORDER BY l.message_id

-- name: secrets_of
SELECT endpoint_id, secret, not_before, not_after FROM alerts.secrets WHERE endpoint_id = ANY ($1::text[])

-- name: next_in
-- Seconds until something may be leased, as far as it can be told now; NULL: nothing waits.
SELECT extract(epoch FROM min(greatest(w.at, coalesce(e.held_until, w.at))) - coalesce($1::timestamptz, clock_timestamp()))
FROM alerts.endpoints AS e CROSS JOIN LATERAL (
    SELECT CASE
        WHEN e.probe_at IS NULL THEN min(first.due_at)
        WHEN bool_or(first.tried_at IS NULL) THEN least(e.probe_at, e.tried_at + $2::interval)
        ELSE e.probe_at END AS at
    FROM (
        SELECT DISTINCT ON (d.subject_id) d.lease, d.due_at, d.tried_at
        FROM alerts.deliveries AS d WHERE d.endpoint_id = e.id AND d.state = 'pending'
        ORDER BY d.subject_id, d.message_id
    ) AS first
    WHERE first.lease IS NULL HAVING count(*) > 0
) AS w
WHERE e.removed_at IS NULL AND e.disabled_at IS NULL AND NOT (e.kind = ANY ($3::text[]::alerts.endpoint_kind[]))
  AND (e.probe_at IS NULL OR NOT EXISTS (
      SELECT FROM alerts.deliveries AS d WHERE d.endpoint_id = e.id AND d.lease IS NOT NULL))

-- name: health
SELECT failures, probe_at IS NOT NULL AS is_down FROM alerts.endpoints WHERE id = $1

-- name: lock_health
SELECT failures, probe_at IS NOT NULL AS is_down FROM alerts.endpoints WHERE id = $1 FOR NO KEY UPDATE

-- name: leased
-- What is known of a delivery, if its lease still is the one that was given.
SELECT tries, refusals,
       coalesce(extract(epoch FROM coalesce($1::timestamptz, clock_timestamp()) - first_tried_at), 0)::float8 AS tried_for_s
FROM alerts.deliveries WHERE id = $2 AND lease = $3 FOR UPDATE

-- name: settle
UPDATE alerts.deliveries
SET lease = NULL, lease_owner = NULL, leased_until = NULL, tries = tries + 1, refusals = $4,
    first_tried_at = coalesce(first_tried_at, $1::timestamptz, clock_timestamp()),
    tried_at = coalesce($1::timestamptz, clock_timestamp()),
    state = (CASE WHEN $6::text IS NOT NULL THEN 'dead' WHEN $5::float8 IS NULL THEN 'delivered' ELSE 'pending' END)
            ::alerts.delivery_state,
    due_at = coalesce($1::timestamptz, clock_timestamp()) + make_interval(secs => coalesce($5::float8, 0)),
    ended_at = CASE WHEN $5::float8 IS NULL THEN coalesce($1::timestamptz, clock_timestamp()) END,
    dead_reason = $6::text
WHERE id = $2 AND lease = $3

-- name: log
INSERT INTO alerts.attempts (delivery_id, at, outcome, status, duration_ms, error, excerpt)
VALUES ($2, coalesce($1::timestamptz, clock_timestamp()), $3, $4, $5, $6, $7)

-- name: settle_endpoint
UPDATE alerts.endpoints
SET failures = $3,
    failing_since = CASE WHEN $3 > 0 THEN coalesce(failing_since, $1::timestamptz, clock_timestamp()) END,
    tried_at = coalesce($1::timestamptz, clock_timestamp()),
    probe_at = coalesce($1::timestamptz, clock_timestamp()) + make_interval(secs => $4::float8),
    held_until = coalesce($1::timestamptz, clock_timestamp()) + make_interval(secs => $5::float8),
    disabled_at = CASE WHEN $6::text IS NULL THEN disabled_at
                       ELSE coalesce(disabled_at, $1::timestamptz, clock_timestamp()) END,
    disabled_reason = coalesce(disabled_reason, $6::text)
WHERE id = $2

-- name: release
-- An endpoint is up again, or enabled: all that waits for it is due.
UPDATE alerts.deliveries SET due_at = coalesce($1::timestamptz, clock_timestamp())
WHERE endpoint_id = $2 AND state = 'pending' AND due_at > coalesce($1::timestamptz, clock_timestamp())

-- name: give_up
-- What has waited for a failing endpoint for too long.
UPDATE alerts.deliveries AS d
SET state = 'dead', dead_reason = 'the endpoint failed for five days', ended_at = coalesce($1::timestamptz, clock_timestamp())
FROM alerts.endpoints AS e
WHERE e.id = $2 AND d.endpoint_id = e.id AND d.state = 'pending' AND d.lease IS NULL
  AND greatest(d.waiting_since, e.failing_since)
      <= coalesce($1::timestamptz, clock_timestamp()) - make_interval(secs => $3::float8)

-- name: give_up_disabled
-- What has waited for too long for endpoints that are disabled: for all of them, or for the one of $2.
UPDATE alerts.deliveries AS d
SET state = 'dead', dead_reason = 'the endpoint was disabled, and five days went by',
    ended_at = coalesce($1::timestamptz, clock_timestamp())
WHERE d.id IN (
    SELECT late.id FROM alerts.endpoints AS e JOIN alerts.deliveries AS late ON late.endpoint_id = e.id
    WHERE e.disabled_at IS NOT NULL AND e.removed_at IS NULL AND ($2::text IS NULL OR e.id = $2)
      AND late.state = 'pending' AND late.lease IS NULL
      AND late.waiting_since <= coalesce($1::timestamptz, clock_timestamp()) - make_interval(secs => $3::float8)
    FOR UPDATE OF late SKIP LOCKED)

-- name: figures
-- What waits, by endpoint: of those that are there, the disabled ones too.
SELECT e.id, e.failures, e.probe_at IS NOT NULL AS is_down, e.disabled_at IS NOT NULL AS is_disabled,
       count(d.id) FILTER (WHERE d.state = 'pending') AS pending, count(d.id) FILTER (WHERE d.state = 'dead') AS dead,
       coalesce(extract(epoch FROM coalesce($1::timestamptz, clock_timestamp())
                               - min(d.waiting_since) FILTER (WHERE d.state = 'pending')), 0)::float8 AS age_s
FROM alerts.endpoints AS e LEFT JOIN alerts.deliveries AS d ON d.endpoint_id = e.id AND d.state <> 'delivered'
WHERE e.removed_at IS NULL
GROUP BY e.id

-- name: queue
-- What waits for any endpoint, and since when the oldest has; what was given up.
SELECT count(*) FILTER (WHERE state = 'pending') AS waiting,
       min(waiting_since) FILTER (WHERE state = 'pending') AS oldest_at,
       count(*) FILTER (WHERE state = 'dead') AS dead
FROM alerts.deliveries WHERE state <> 'delivered'

-- name: end_orphans
-- What a transaction enqueued while its endpoint was being removed.
UPDATE alerts.deliveries AS d SET state = 'dead', dead_reason = 'the endpoint was removed', ended_at = $1::timestamptz
FROM alerts.endpoints AS e
WHERE e.id = d.endpoint_id AND e.removed_at IS NOT NULL AND d.state = 'pending' AND d.lease IS NULL

-- name: prune_attempts
DELETE FROM alerts.attempts AS a USING alerts.deliveries AS d
WHERE d.id = a.delivery_id AND a.at < $1::timestamptz AND a.id NOT IN (
    SELECT max(last.id) FROM alerts.attempts AS last WHERE last.delivery_id = d.id)

-- name: prune_messages
-- Told to everybody long ago, or given up even longer ago; their deliveries and attempts go with them.
DELETE FROM alerts.messages AS m WHERE m.at < $1::timestamptz AND NOT EXISTS (
    SELECT FROM alerts.deliveries AS d
    WHERE d.message_id = m.id AND (d.state = 'pending' OR d.ended_at >= $1::timestamptz
          OR (d.state = 'dead' AND d.ended_at >= $2::timestamptz)))

-- name: prune_endpoints
DELETE FROM alerts.endpoints AS e WHERE e.removed_at < $1::timestamptz AND NOT EXISTS (
    SELECT FROM alerts.deliveries AS d WHERE d.endpoint_id = e.id)
