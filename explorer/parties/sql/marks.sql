-- Whose records changed, and what was counted ahead.

-- name: summary
SELECT epoch, summary::text AS summary
FROM explorer.party_summaries WHERE role = $1 AND party_id = $2

-- name: save_summary
INSERT INTO explorer.party_summaries (role, party_id, epoch, holds_until_epoch, terms, summary, made_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7)
ON CONFLICT (role, party_id) DO UPDATE
SET epoch = excluded.epoch, holds_until_epoch = excluded.holds_until_epoch, terms = excluded.terms,
    summary = excluded.summary, made_at = excluded.made_at

-- name: drop_summary
DELETE FROM explorer.party_summaries WHERE role = $1 AND party_id = $2

-- name: changed
-- Parties with changes that nobody has looked at; the longest waiting first.
SELECT role::text AS role, party_id FROM explorer.party_changes WHERE NOT is_seen
GROUP BY role, party_id ORDER BY min(id) LIMIT $1

-- name: outdated
-- Counted parties, the oldest count first, that time has changed at head $1, that rest on other terms than $2, that were
-- counted beyond the head, or before $3.
SELECT role::text AS role, party_id FROM explorer.party_summaries
WHERE holds_until_epoch <= $1 OR terms <> $2::jsonb OR epoch > $1 OR made_at < $3
ORDER BY made_at LIMIT $4

-- name: mark_seen
-- What this snapshot sees of a party's changes; those of a later change stay unseen.
UPDATE explorer.party_changes SET is_seen = true WHERE role = $1 AND party_id = $2 AND NOT is_seen

-- name: forget_seen
DELETE FROM explorer.party_changes WHERE is_seen AND id < (SELECT max(id) FROM explorer.party_changes)

-- name: revision
-- Grows with every change of a record.
SELECT coalesce(max(id), 0) FROM explorer.party_changes
