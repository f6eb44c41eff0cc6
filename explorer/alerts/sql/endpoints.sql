-- Endpoints as they are administered.

-- name: add
INSERT INTO alerts.endpoints (id, kind, url, types, created_at)
VALUES ($1, $2::text::alerts.endpoint_kind, $3, $4::text[], coalesce($5::timestamptz, clock_timestamp()))
ON CONFLICT DO NOTHING RETURNING id

-- name: count_webhooks
SELECT count(*) FROM alerts.endpoints WHERE kind = 'webhook' AND removed_at IS NULL

-- name: add_secret
INSERT INTO alerts.secrets (endpoint_id, secret, not_before)
VALUES ($1, $2, coalesce($3::timestamptz, clock_timestamp()))

-- name: end_secrets
-- The secrets so far hold until $3 at the longest; those that were to begin later never hold.
UPDATE alerts.secrets SET not_after = greatest(not_before, coalesce($2::timestamptz, clock_timestamp()) + $3::interval)
WHERE endpoint_id = $1
  AND (not_after IS NULL OR not_after > coalesce($2::timestamptz, clock_timestamp()) + $3::interval)

-- name: drop_secrets
DELETE FROM alerts.secrets WHERE endpoint_id = $1 AND not_after < coalesce($2::timestamptz, clock_timestamp())

-- name: all
SELECT e.id, e.kind::text AS kind, e.url, e.types, e.created_at, e.disabled_at, e.disabled_reason, e.failures,
       e.failing_since, e.probe_at IS NOT NULL AS is_down,
       count(d.id) FILTER (WHERE d.state = 'pending') AS pending, count(d.id) FILTER (WHERE d.state = 'dead') AS dead
FROM alerts.endpoints AS e LEFT JOIN alerts.deliveries AS d ON d.endpoint_id = e.id AND d.state <> 'delivered'
WHERE e.removed_at IS NULL AND ($1::text IS NULL OR e.id = $1)
GROUP BY e.id ORDER BY e.created_at, e.id

-- name: lock
SELECT id, kind::text AS kind, disabled_at FROM alerts.endpoints WHERE id = $1 AND removed_at IS NULL FOR NO KEY UPDATE

-- name: remove
-- What was still to be delivered is given up. An attempt that is under way finds its lease gone.
WITH gone AS (
    UPDATE alerts.endpoints SET removed_at = coalesce($2::timestamptz, clock_timestamp()) WHERE id = $1 RETURNING id
)
UPDATE alerts.deliveries AS d
SET state = 'dead', dead_reason = 'the endpoint was removed', ended_at = coalesce($2::timestamptz, clock_timestamp()),
    lease = NULL, lease_owner = NULL, leased_until = NULL
FROM gone WHERE d.endpoint_id = gone.id AND d.state = 'pending'

-- name: enable
UPDATE alerts.endpoints
SET disabled_at = NULL, disabled_reason = NULL, failures = 0, failing_since = NULL, probe_at = NULL, held_until = NULL
WHERE id = $1

-- name: wake
SELECT pg_notify('alerts', '')

-- name: channels
SELECT id, removed_at IS NULL AS is_there FROM alerts.endpoints WHERE kind = 'channel'

-- name: bring_back
UPDATE alerts.endpoints SET removed_at = NULL, url = $2 WHERE id = $1
