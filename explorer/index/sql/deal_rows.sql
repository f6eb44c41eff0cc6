-- name: replace_other
-- A row under the id of a published deal, $2, that is another deal: it was imported from a tipset that was reverted. The
-- parameters are those of save_published, the label's with it.
UPDATE explorer.deals AS r
SET client_id = $3, provider_id = $4, size_bytes = $5, piece = $6, data_cid = $7, start_epoch = $8, end_epoch = $9,
    sector_start_epoch = $10, slash_epoch = $11, verified = $12, label = $13, label_known = $14, label_key = $15,
    first_seen_epoch = $1, seen_epoch = $1, gone_epoch = $16
WHERE r.id = $2
  AND ROW(r.client_id, r.provider_id, r.size_bytes, r.piece, r.data_cid, r.start_epoch, r.end_epoch, r.verified)
      IS DISTINCT FROM ROW($3::bigint, $4::bigint, $5::bigint, $6::bytea, $7::bytea, $8::bigint, $9::bigint, $12::boolean)
