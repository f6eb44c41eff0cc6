-- How far the events from before the start of following were asked for.

-- name: load
SELECT start_epoch, reached_epoch, is_done, reason FROM explorer.backfill WHERE start_epoch = $1

-- name: save
INSERT INTO explorer.backfill (start_epoch, reached_epoch, is_done, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (start_epoch) DO UPDATE
SET reached_epoch = excluded.reached_epoch, is_done = excluded.is_done, reason = excluded.reason

-- name: forget
DELETE FROM explorer.backfill
