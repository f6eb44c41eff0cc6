-- What was delivered, and delivering it again.

-- name: deliveries
-- The newest first, below the id $4.
SELECT d.id, d.endpoint_id, m.webhook_id, m.type, m.subject_id, m.at, d.state::text AS state, d.tries, d.due_at,
       d.ended_at, d.dead_reason, a.at AS tried_at, a.outcome, a.status, a.duration_ms, a.error, a.excerpt
FROM alerts.deliveries AS d
JOIN alerts.messages AS m ON m.id = d.message_id
LEFT JOIN LATERAL (
    SELECT t.at, t.outcome, t.status, t.duration_ms, t.error, t.excerpt
    FROM alerts.attempts AS t WHERE t.delivery_id = d.id ORDER BY t.id DESC LIMIT 1
) AS a ON true
WHERE ($1::text IS NULL OR d.endpoint_id = $1) AND ($2::text IS NULL OR d.state = $2::text::alerts.delivery_state)
  AND ($3::bigint IS NULL OR d.id = $3) AND ($4::bigint IS NULL OR d.id < $4)
ORDER BY d.id DESC LIMIT $5

-- name: attempts
SELECT at, outcome, status, duration_ms, error, excerpt FROM alerts.attempts WHERE delivery_id = $1 ORDER BY id

-- name: replay
-- Ended deliveries become pending once more: the one named, or an endpoint's dead letters.
UPDATE alerts.deliveries AS d
SET state = 'pending', due_at = coalesce($3::timestamptz, clock_timestamp()),
    waiting_since = coalesce($3::timestamptz, clock_timestamp()), tries = 0, refusals = 0, first_tried_at = NULL,
    tried_at = NULL, ended_at = NULL, dead_reason = NULL
FROM alerts.endpoints AS e
WHERE e.id = d.endpoint_id AND e.removed_at IS NULL AND e.disabled_at IS NULL AND d.state <> 'pending'
  AND (d.id = $1 OR (d.endpoint_id = $2 AND d.state = 'dead'))
RETURNING d.id

-- name: endpoint_of
SELECT e.id, d.state::text AS state, e.removed_at, e.disabled_reason
FROM alerts.deliveries AS d JOIN alerts.endpoints AS e ON e.id = d.endpoint_id WHERE d.id = $1

-- name: wake
SELECT pg_notify('alerts', '')
