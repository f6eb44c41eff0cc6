-- The followed chain: its tipsets, what is final, what is not known, and what all of that covers.

-- name: links
-- The newest tipsets, from the top down.
SELECT height, key FROM explorer.tipsets ORDER BY height DESC LIMIT $1

-- name: head
SELECT height, key, parent_weight FROM explorer.tipsets ORDER BY height DESC LIMIT 1

-- name: tipset_at
-- The tipset of an epoch; that of a null round is the one before.
SELECT height, key FROM explorer.tipsets WHERE height <= $1 ORDER BY height DESC LIMIT 1

-- name: add_tipset
INSERT INTO explorer.tipsets (height, key, parent_weight, told) VALUES ($1, $2, $3, $4)

-- name: take_back
SELECT explorer.take_back($1)

-- name: remember_for
-- Has every change of this transaction remembered as one of the tipset at $1; as nobody's for ''.
SELECT set_config('explorer.undo_height', $1, true)

-- name: following
SELECT genesis_cid, genesis_time, start_epoch, final_epoch, final_source, safe_epoch, network_version, retires_at_epoch
FROM explorer.following

-- name: begin_following
INSERT INTO explorer.following
    (genesis_cid, genesis_time, start_epoch, final_epoch, final_source, safe_epoch, network_version)
VALUES ($1, $2, $3, $3, $4, $3, $5)
ON CONFLICT (only_row) DO UPDATE
SET genesis_cid = excluded.genesis_cid, genesis_time = excluded.genesis_time, start_epoch = excluded.start_epoch, final_epoch = excluded.final_epoch, final_source = excluded.final_source,
    safe_epoch = excluded.safe_epoch, network_version = excluded.network_version

-- name: forget_tipsets
DELETE FROM explorer.tipsets

-- name: forget_all_undo
DELETE FROM explorer.undo

-- name: forget_following
DELETE FROM explorer.following

-- name: settle_spans
-- What was covered stays covered.
UPDATE explorer.coverage AS c SET source = $2
WHERE source = $1
  AND NOT EXISTS (
      SELECT FROM explorer.coverage AS o
      WHERE o.kind = c.kind AND o.from_epoch = c.from_epoch AND o.through_epoch = c.through_epoch AND o.source = $2
  )

-- name: forget_holes
DELETE FROM explorer.holes

-- name: set_finality
UPDATE explorer.following
SET final_epoch = greatest(final_epoch, $1), final_source = $2, safe_epoch = greatest(safe_epoch, $3, $1)

-- name: set_programme
UPDATE explorer.following SET network_version = $1, retires_at_epoch = $2

-- name: forget_undo
DELETE FROM explorer.undo WHERE height <= (SELECT final_epoch FROM explorer.following)

-- name: forget_told
UPDATE explorer.tipsets SET told = NULL
WHERE told IS NOT NULL AND height <= (SELECT final_epoch FROM explorer.following)

-- name: not_final
SELECT height, key, parent_weight, told FROM explorer.tipsets
WHERE height > (SELECT final_epoch FROM explorer.following) ORDER BY height

-- name: widen_hole
-- A hole goes on where the one below it ends, for the same reason.
UPDATE explorer.holes SET through_height = greatest(through_height, $3)
WHERE kind = $1 AND reason = $4 AND from_height <= $2 AND through_height >= $2 - 1

-- name: add_hole
INSERT INTO explorer.holes (kind, from_height, through_height, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, from_height) DO UPDATE
SET through_height = greatest(explorer.holes.through_height, excluded.through_height), reason = excluded.reason

-- name: fill_hole
DELETE FROM explorer.holes WHERE kind = $1 AND from_height = $2

-- name: shorten_holes
-- What the tipsets from $1 on did not tell; the last heights of that are those below the first of them.
UPDATE explorer.holes SET through_height = $1 - 2 WHERE from_height <= $1 - 2 AND through_height > $1 - 2

-- name: close_holes
DELETE FROM explorer.holes WHERE from_height > $1 - 2

-- name: holes
SELECT kind::text AS kind, from_height, through_height, reason FROM explorer.holes ORDER BY kind, from_height

-- name: anchors
-- The epochs at which a whole state was read, from the start on.
SELECT kind::text AS kind, from_epoch AS epoch FROM explorer.coverage
WHERE from_epoch = through_epoch AND source <> $1 AND from_epoch >= $2

-- name: drop_spans
DELETE FROM explorer.coverage WHERE source = $1

-- name: add_span
INSERT INTO explorer.coverage (kind, from_epoch, through_epoch, source) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, from_epoch, through_epoch) DO NOTHING

-- name: save_published
-- A deal as it was published at height $1 - 1; what a source knew of it already stays.
INSERT INTO explorer.deals AS r
    (id, client_id, provider_id, size_bytes, piece, data_cid, start_epoch, end_epoch, sector_start_epoch, slash_epoch,
     verified, label, label_known, label_key, first_seen_epoch, seen_epoch)
VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $1, $1)
ON CONFLICT (id) DO UPDATE
SET first_seen_epoch = least(r.first_seen_epoch, excluded.first_seen_epoch),
    seen_epoch = greatest(r.seen_epoch, excluded.seen_epoch),
    label = CASE WHEN r.label_known THEN r.label ELSE excluded.label END,
    label_key = CASE WHEN r.label_known THEN r.label_key ELSE excluded.label_key END,
    label_known = r.label_known OR excluded.label_known
