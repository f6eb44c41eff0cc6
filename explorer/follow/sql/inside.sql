-- What is in the state at $1, as far as the index knows, for a simulated chain to begin with.

-- name: claims
SELECT id, client_id, provider_id, piece, data_cid, size_bytes, term_min_epochs, term_max_epochs, term_start_epoch, sector
FROM explorer.claims
WHERE first_seen_epoch <= $1 AND coalesce(removed_epoch > $1, true) AND coalesce(gone_epoch > $1, true)

-- name: allocations
SELECT a.id, a.client_id, a.provider_id, a.piece, a.data_cid, a.size_bytes, a.term_min_epochs, a.term_max_epochs,
       a.expiration_epoch
FROM explorer.allocations AS a
WHERE a.first_seen_epoch <= $1 AND coalesce(a.removed_epoch > $1, true) AND coalesce(a.gone_epoch > $1, true)
  AND NOT EXISTS (SELECT FROM explorer.claims AS c WHERE c.id = a.id)

-- name: deals
SELECT d.id, d.client_id, d.provider_id, d.piece, d.data_cid, d.size_bytes, d.verified, d.label, d.label_known,
       d.start_epoch, d.end_epoch, d.slash_epoch,
       coalesce(nullif(d.sector_start_epoch, -1),
                (SELECT min(e.height) FROM explorer.deal_events AS e WHERE e.deal_id = d.id AND e.type = 'activated'),
                -1) AS sector_start_epoch
FROM explorer.deals AS d
WHERE d.first_seen_epoch <= $1 AND coalesce(d.gone_epoch > $1, true)
  AND NOT EXISTS (SELECT FROM explorer.deal_events AS e WHERE e.deal_id = d.id AND e.type = 'terminated')
