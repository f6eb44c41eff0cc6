-- Clusters and their keys.

-- name: add_cluster
INSERT INTO access.clusters (id, name, created_at) VALUES ($1, $2, coalesce($3::timestamptz, clock_timestamp()))
ON CONFLICT DO NOTHING RETURNING id

-- name: add_bearer_key
INSERT INTO access.keys (id, cluster_id, kind, secret_hash, scopes, created_at)
VALUES ($1, $2, 'bearer', $3, $4::text[]::access.scope[], coalesce($5::timestamptz, clock_timestamp()))

-- name: add_public_key
INSERT INTO access.keys (id, cluster_id, kind, public_key, scopes, created_at)
VALUES ($1, $2, 'ed25519', $3, $4::text[]::access.scope[], coalesce($5::timestamptz, clock_timestamp()))
ON CONFLICT DO NOTHING RETURNING id

-- name: clusters
SELECT id, name, created_at, revoked_at FROM access.clusters ORDER BY created_at, id

-- name: keys
SELECT cluster_id, id, kind::text AS kind, scopes::text[] AS scopes, created_at, last_used_at, not_after, revoked_at
FROM access.keys ORDER BY created_at, id

-- name: lock_cluster
SELECT id, name, created_at, revoked_at FROM access.clusters WHERE id = $1 OR name = $1 FOR NO KEY UPDATE

-- name: revoke_cluster
UPDATE access.clusters SET revoked_at = coalesce($2::timestamptz, clock_timestamp()) WHERE id = $1

-- name: revoke_keys
UPDATE access.keys SET revoked_at = coalesce($2::timestamptz, clock_timestamp())
WHERE cluster_id = $1 AND revoked_at IS NULL

-- name: find_key_of
SELECT revoked_at,
       revoked_at IS NOT NULL OR coalesce(not_after <= coalesce($3::timestamptz, clock_timestamp()), false) AS has_ended
FROM access.keys WHERE cluster_id = $1 AND id = $2

-- name: revoke_key
UPDATE access.keys SET revoked_at = coalesce($3::timestamptz, clock_timestamp())
WHERE cluster_id = $1 AND id = $2 AND revoked_at IS NULL

-- name: count_holding
-- How many keys of a cluster hold.
SELECT count(*) FROM access.keys
WHERE cluster_id = $1 AND revoked_at IS NULL
  AND (not_after IS NULL OR not_after > coalesce($2::timestamptz, clock_timestamp()))

-- name: newest_scopes
SELECT scopes::text[] FROM access.keys WHERE cluster_id = $1 ORDER BY created_at DESC, id LIMIT 1

-- name: has_bearer_key
SELECT EXISTS (SELECT FROM access.keys WHERE cluster_id = $1 AND kind = 'bearer' AND revoked_at IS NULL)

-- name: end_keys
-- Those of the kind, but for the new one, hold until $3 from now at the longest. Gives when the last of them ends.
WITH ended AS (
    UPDATE access.keys
    SET not_after = least(not_after, coalesce($2::timestamptz, clock_timestamp()) + $3::interval)
    WHERE cluster_id = $1 AND kind = $4::text::access.key_kind AND revoked_at IS NULL AND id <> $5
      AND (not_after IS NULL OR not_after > coalesce($2::timestamptz, clock_timestamp()))
    RETURNING not_after
)
SELECT max(not_after) FROM ended

-- name: find_key
-- One key with its cluster, and whether it holds. Read anew for every request, so that a revocation holds at once.
SELECT k.id, k.kind::text AS kind, k.secret_hash, k.public_key, k.scopes::text[] AS scopes, c.id AS cluster_id, c.name,
       k.revoked_at IS NOT NULL OR c.revoked_at IS NOT NULL AS is_revoked,
       coalesce(k.not_after <= coalesce($2::timestamptz, clock_timestamp()), false) AS is_over,
       k.last_used_at IS NULL
         OR k.last_used_at < coalesce($2::timestamptz, clock_timestamp()) - interval '1 hour' AS is_rarely_used
FROM access.keys AS k JOIN access.clusters AS c ON c.id = k.cluster_id WHERE k.id = $1

-- name: used
UPDATE access.keys SET last_used_at = coalesce($2::timestamptz, clock_timestamp()) WHERE id = $1

-- name: take_signature
INSERT INTO access.used_signatures (digest, expires_at)
VALUES ($1, coalesce($3::timestamptz, clock_timestamp()) + $2::interval)
ON CONFLICT DO NOTHING RETURNING true

-- name: prune_signatures
DELETE FROM access.used_signatures WHERE expires_at < coalesce($1::timestamptz, clock_timestamp())
