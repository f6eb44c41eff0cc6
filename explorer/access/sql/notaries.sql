-- Notaries, their nonces and sessions. A statement's clock is `now` where a test gives one, else the database's.

-- name: add_notary
INSERT INTO access.notaries (id, address, name, added_at)
VALUES ($1, $2, $3, coalesce($4::timestamptz, clock_timestamp()))
ON CONFLICT DO NOTHING RETURNING id, address, name, added_at, revoked_at

-- name: find_notary
-- Locked against being revoked until the transaction ends: who was a notary at its check is one at its commit.
SELECT id, address, name, added_at, revoked_at FROM access.notaries
WHERE address = $1 AND revoked_at IS NULL FOR SHARE

-- name: list_notaries
SELECT id, address, name, added_at, revoked_at FROM access.notaries ORDER BY added_at, id

-- name: revoke_notary
UPDATE access.notaries SET revoked_at = coalesce($2::timestamptz, clock_timestamp())
WHERE (id = $1 OR address = $1) AND revoked_at IS NULL RETURNING id, address, name, added_at, revoked_at

-- name: nonce_key
SELECT key, coalesce($1::timestamptz, clock_timestamp()) AS now FROM access.nonce_key

-- name: take_nonce
INSERT INTO access.taken_nonces (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true

-- name: forget_nonces
-- A day later than they hold, whatever the clocks; those that another transaction forgets are left to it.
DELETE FROM access.taken_nonces WHERE nonce IN (
    SELECT nonce FROM access.taken_nonces WHERE expires_at < $1::timestamptz - interval '1 day'
    LIMIT 100 FOR UPDATE SKIP LOCKED
)

-- name: end_sessions_of
DELETE FROM access.sessions WHERE notary_id = $1

-- name: begin_session
INSERT INTO access.sessions (token_hash, notary_id, began_at, seen_at)
SELECT $1, $2, t.now, t.now FROM (SELECT coalesce($3::timestamptz, clock_timestamp()) AS now) AS t

-- name: find_session
SELECT n.id, n.address, n.name, n.added_at, n.revoked_at, s.seen_at < t.now - $5::interval AS is_stale
FROM (SELECT coalesce($2::timestamptz, clock_timestamp()) AS now) AS t, access.sessions AS s
JOIN access.notaries AS n ON n.id = s.notary_id
WHERE s.token_hash = $1 AND n.revoked_at IS NULL
  AND s.seen_at > t.now - $3::interval AND s.began_at > t.now - $4::interval

-- name: see_session
UPDATE access.sessions SET seen_at = greatest(seen_at, coalesce($2::timestamptz, clock_timestamp()))
WHERE token_hash = $1

-- name: end_session
DELETE FROM access.sessions AS s USING access.notaries AS n WHERE s.token_hash = $1 AND n.id = s.notary_id
RETURNING n.id, n.address, n.name, n.added_at, n.revoked_at

-- name: sessions_of
-- The sessions of the notary of an address that still hold, the newest first.
SELECT s.token_hash, s.began_at, s.seen_at, least(s.seen_at + $3::interval, s.began_at + $4::interval) AS ends_at
FROM (SELECT coalesce($2::timestamptz, clock_timestamp()) AS now) AS t, access.sessions AS s
JOIN access.notaries AS n ON n.id = s.notary_id
WHERE n.address = $1 AND n.revoked_at IS NULL
  AND s.seen_at > t.now - $3::interval AND s.began_at > t.now - $4::interval
ORDER BY s.began_at DESC

-- name: forget_sessions
-- Those that have ended by time; those that another transaction forgets are left to it.
DELETE FROM access.sessions WHERE token_hash IN (
    SELECT token_hash FROM access.sessions
    WHERE seen_at <= coalesce($1::timestamptz, clock_timestamp()) - $2::interval
       OR began_at <= coalesce($1::timestamptz, clock_timestamp()) - $3::interval
    LIMIT 100 FOR UPDATE SKIP LOCKED
)

-- name: now
SELECT coalesce($1::timestamptz, clock_timestamp())

-- name: load_notary
-- The notary of an address, revoked ones too: the newest, where it was added again.
SELECT id, address, name, added_at, revoked_at FROM access.notaries
WHERE address = $1 ORDER BY revoked_at IS NULL DESC, added_at DESC LIMIT 1
