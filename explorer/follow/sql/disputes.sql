-- The disputes that stand, by node.

-- name: load
SELECT node, height, key, detail, since FROM explorer.disputes ORDER BY since, node

-- name: save
-- Since when it stands is said once.
INSERT INTO explorer.disputes (node, height, key, detail, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (node) DO UPDATE SET height = excluded.height, key = excluded.key, detail = excluded.detail

-- name: forget
DELETE FROM explorer.disputes WHERE node = $1
