-- One party's records, the newest first: those of ids below $2.

-- name: claims
SELECT id FROM explorer.claims WHERE {role}_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: deals
SELECT id FROM explorer.deals WHERE {role}_id = $1 AND verified AND id < $2 ORDER BY id DESC LIMIT $3

-- name: allocations
SELECT id FROM explorer.allocations WHERE {role}_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- name: claimed
-- Who has claimed which of these pieces, of all the claims that had begun at $4: for deals that need a claim.
SELECT DISTINCT c.client_id, c.provider_id, c.piece
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS d (client_id, provider_id, piece)
JOIN explorer.claims AS c ON c.piece = d.piece AND c.client_id = d.client_id AND c.provider_id = d.provider_id
WHERE c.term_start_epoch <= $4
