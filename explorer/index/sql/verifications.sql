-- What comparisons of the index with a node found.

-- name: save
INSERT INTO explorer.verifications (at, epoch, node, scope, compared, drift, examples, not_compared, seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: last
SELECT at, epoch, node, scope, compared, drift, examples, not_compared, seconds
FROM explorer.verifications ORDER BY at DESC, id DESC LIMIT 1

-- name: prune
-- The newest $2 stay whatever their age.
DELETE FROM explorer.verifications
WHERE at < $1 AND id NOT IN (SELECT id FROM explorer.verifications ORDER BY at DESC, id DESC LIMIT $2)
