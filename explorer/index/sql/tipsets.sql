-- The followed chain: its tipsets, what is final, what is not known, and what all of that covers.

-- name: links
-- The tipsets that are not final, from the top down, and the newest that is: one step down the index, not all below.
SELECT height, key FROM explorer.tipsets
WHERE height >= (
    SELECT max(t.height) FROM explorer.tipsets AS t WHERE t.height <= (SELECT f.final_epoch FROM explorer.following AS f)
)
ORDER BY height DESC

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
SET genesis_cid = excluded.genesis_cid, genesis_time = excluded.genesis_time, start_epoch = excluded.start_epoch,
    final_epoch = excluded.final_epoch, final_source = excluded.final_source, safe_epoch = excluded.safe_epoch,
    network_version = excluded.network_version

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
-- Of the tipsets that become final through $1; it was forgotten of those that are.
UPDATE explorer.tipsets SET told = NULL
WHERE height > (SELECT final_epoch FROM explorer.following) AND height <= $1

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
-- What was not told by tipsets that were taken back: the heights from the head on that is left.
UPDATE explorer.holes SET through_height = head.height - 1
FROM (SELECT max(height) AS height FROM explorer.tipsets) AS head
WHERE from_height < head.height AND through_height >= head.height

-- name: close_holes
DELETE FROM explorer.holes WHERE from_height >= (SELECT max(height) FROM explorer.tipsets)

-- name: links_over
-- The followed tipsets of heights $1 through $2 and the one that tells of the last of them, upward; $3 at most.
SELECT height, key FROM explorer.tipsets
WHERE height BETWEEN $1 AND (SELECT min(height) FROM explorer.tipsets WHERE height > $2) ORDER BY height LIMIT $3

-- name: tell_again
-- Of a tipset that is not final, what its parent did: to be applied again by that.
UPDATE explorer.tipsets SET told = $2
WHERE height = $1 AND height > (SELECT final_epoch FROM explorer.following)

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
-- A deal as it was published at height $1 - 1; what a source knew of it already stays. $16: the first later epoch whose
-- deals are all known, where it is missing if it isn't here.
INSERT INTO explorer.deals AS r
    (id, client_id, provider_id, size_bytes, piece, data_cid, start_epoch, end_epoch, sector_start_epoch, slash_epoch,
     verified, label, label_known, label_key, first_seen_epoch, seen_epoch, gone_epoch)
VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $1, $1, $16)
ON CONFLICT (id) DO UPDATE
SET first_seen_epoch = least(r.first_seen_epoch, excluded.first_seen_epoch),
    seen_epoch = greatest(r.seen_epoch, excluded.seen_epoch),
    label = CASE WHEN r.label_known THEN r.label ELSE excluded.label END,
    label_key = CASE WHEN r.label_known THEN r.label_key ELSE excluded.label_key END,
    label_known = r.label_known OR excluded.label_known

-- name: told_later
-- What was told before of deals that were published at $2.
SELECT deal_id, type::text AS type, height FROM explorer.deal_events
WHERE deal_id = ANY ($1::bigint[]) AND height >= $2 AND type <> 'published'

-- name: told_since
-- What was told of deals at heights from $1 on.
SELECT deal_id, type::text AS type, height FROM explorer.deal_events WHERE height >= $1 AND type <> 'published'

-- name: activate_deals
UPDATE explorer.deals AS r SET sector_start_epoch = told.height
FROM unnest($1::bigint[], $2::bigint[]) AS told (id, height)
WHERE r.id = told.id AND r.sector_start_epoch = -1

-- name: end_deals
-- Terminated deals leave the state at once. $3: the last epoch whose deals are all known; one that is there still has
-- not ended before it.
UPDATE explorer.deals AS r
SET gone_epoch = told.height + 1, seen_epoch = greatest(r.seen_epoch, told.height)
FROM unnest($1::bigint[], $2::bigint[]) AS told (id, height)
WHERE r.id = told.id AND coalesce(r.gone_epoch > told.height + 1, true)
  AND CASE WHEN r.gone_epoch IS NULL THEN greatest(r.seen_epoch, $3) ELSE r.seen_epoch END <= told.height
