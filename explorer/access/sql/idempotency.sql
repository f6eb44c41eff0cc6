-- Requests that are to have their effect once, whatever happens to the answer.

-- name: begin
-- No row where another attempt is under way, or has been answered within $5, or was of another request.
INSERT INTO access.idempotency AS i (caller, key, fingerprint, began_at, attempt, leased_until)
VALUES ($1, $2, $3, coalesce($7::timestamptz, clock_timestamp()), $4,
        coalesce($7::timestamptz, clock_timestamp()) + $6::interval)
ON CONFLICT (caller, key) DO UPDATE
SET fingerprint = excluded.fingerprint, began_at = excluded.began_at, attempt = excluded.attempt,
    leased_until = excluded.leased_until, status = NULL, headers = NULL, body = NULL
WHERE i.began_at <= excluded.began_at - $5::interval
   OR (i.leased_until <= excluded.began_at AND i.fingerprint = excluded.fingerprint)
RETURNING true

-- name: found
SELECT fingerprint, status, headers::text AS headers, body FROM access.idempotency WHERE caller = $1 AND key = $2

-- name: answered
-- Nothing where another attempt has taken over meanwhile.
UPDATE access.idempotency SET status = $4, headers = $5::text::jsonb, body = $6, attempt = NULL, leased_until = NULL
WHERE caller = $1 AND key = $2 AND attempt = $3

-- name: failed
DELETE FROM access.idempotency WHERE caller = $1 AND key = $2 AND attempt = $3

-- name: prune
DELETE FROM access.idempotency WHERE began_at < coalesce($2::timestamptz, clock_timestamp()) - $1::interval
