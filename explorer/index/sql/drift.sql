-- What the index says of the state at tipset $1, record by record, as a node prints it there. State at a tipset is that
-- before its own messages: what happened at height h is in it where h < $1.
--
-- `in_state`: it was there; of deals also that it was alive, since ended and lapsed ones leave the state at a time that
-- no event tells and that changes no verdict. The rest of the query is filled in for {state}.

-- name: claims_at
SELECT r.id, r.client_id, r.provider_id, r.size_bytes, r.piece, r.data_cid, r.term_min_epochs,
       coalesce(former.term_max_epochs, r.term_max_epochs) AS term_max_epochs, r.term_start_epoch, r.sector,
       r.first_seen_epoch AS since_epoch, least(r.gone_epoch, r.removed_epoch) AS ended_epoch,
       r.first_seen_epoch <= $1 AND coalesce(least(r.gone_epoch, r.removed_epoch) > $1, true) AS in_state
FROM explorer.claims AS r
LEFT JOIN LATERAL (
    SELECT t.term_max_epochs FROM explorer.claim_terms AS t
    WHERE t.claim_id = r.id
    ORDER BY t.since_epoch > $1, abs(t.since_epoch - $1), t.term_max_epochs DESC LIMIT 1
) AS former ON true

-- name: allocations_at
-- An allocation leaves the state when it is claimed, which its claim tells.
SELECT r.id, r.client_id, r.provider_id, r.size_bytes, r.piece, r.data_cid, r.term_min_epochs, r.term_max_epochs,
       r.expiration_epoch, r.first_seen_epoch AS since_epoch, ends.epoch AS ended_epoch,
       r.first_seen_epoch <= $1 AND coalesce(ends.epoch > $1, true) AS in_state
FROM explorer.allocations AS r
LEFT JOIN explorer.claims AS c ON c.id = r.id
CROSS JOIN LATERAL (SELECT least(r.gone_epoch, r.removed_epoch, c.term_start_epoch + 1) AS epoch) AS ends

-- name: deals_at
SELECT r.id, r.client_id, r.provider_id, r.size_bytes, r.piece, r.data_cid, r.start_epoch, r.end_epoch,
       as_of.sector_start_epoch, as_of.slash_epoch, r.verified, r.label, r.label_known,
       life.since_epoch, life.ended_epoch,
       life.since_epoch <= $1 AND coalesce(life.ended_epoch > $1, true) AND as_of.slash_epoch = -1
       AND CASE WHEN as_of.sector_start_epoch = -1 THEN r.start_epoch ELSE r.end_epoch END > $1 AS in_state
FROM explorer.deals AS r
LEFT JOIN LATERAL (
    SELECT min(e.height) FILTER (WHERE e.type = 'published') AS published,
           min(e.height) FILTER (WHERE e.type = 'activated') AS activated,
           min(e.height) FILTER (WHERE e.type = 'terminated') AS terminated
    FROM explorer.deal_events AS e WHERE e.deal_id = r.id
) AS told ON true
CROSS JOIN LATERAL (
    SELECT least(r.first_seen_epoch, told.published + 1) AS since_epoch,
           least(r.gone_epoch, told.terminated + 1) AS ended_epoch,
           coalesce(nullif(r.sector_start_epoch, -1), told.activated) AS sector_start_epoch
) AS life
CROSS JOIN LATERAL (
    SELECT CASE WHEN life.sector_start_epoch < $1 THEN life.sector_start_epoch ELSE -1 END AS sector_start_epoch,
           CASE WHEN r.slash_epoch < $1 THEN r.slash_epoch ELSE -1 END AS slash_epoch
) AS as_of

-- name: by_ids
{state} WHERE r.id = ANY ($2::bigint[])

-- name: page
{state} WHERE r.id > $2 ORDER BY r.id LIMIT $3

-- name: page_of_provider
{state} WHERE r.provider_id = $4 AND (r.sector, r.id) > ($2, $3) ORDER BY r.sector, r.id LIMIT $5

-- name: page_of_client
{state} WHERE r.client_id = $3 AND r.id > $2 ORDER BY r.id LIMIT $4

-- name: alive_near
-- The first that is in the state at $1 among those with ids from $2 to $3.
SELECT s.* FROM ({state} WHERE r.id BETWEEN $2 AND $3 ORDER BY r.id) AS s WHERE s.in_state ORDER BY s.id LIMIT 1

-- name: bounds
SELECT min(id) AS lowest, max(id) AS highest FROM explorer.{table}

-- name: provider_of_claim_from
SELECT provider_id FROM explorer.claims WHERE id >= $1 ORDER BY id LIMIT 1

-- name: claim_providers
-- Every provider with a claim, by hopping from one to the next over the index.
WITH RECURSIVE hop AS (
    (SELECT provider_id FROM explorer.claims ORDER BY provider_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.provider_id FROM explorer.claims AS c WHERE c.provider_id > hop.provider_id
            ORDER BY c.provider_id LIMIT 1)
    FROM hop WHERE hop.provider_id IS NOT NULL
)
SELECT provider_id FROM hop WHERE provider_id IS NOT NULL ORDER BY provider_id
