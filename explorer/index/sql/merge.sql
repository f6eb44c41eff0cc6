-- A file's rows against the index. What stands in braces is filled in per kind: the table, and its columns beside the id
-- as they stand, behind "s." (staged), behind "r." (current), as "c = s.c" (assigned) and so on.
--
-- A row that has not ended was in every complete file since it was written, though only a change rewrites it. So what an
-- incoming epoch must beat is `standing_epoch`: the larger of the row's own and that of the newest complete file ($2).

-- name: create_stage
CREATE TEMPORARY TABLE stage ON COMMIT DROP AS
SELECT 0::bigint AS ordinal, id, {columns} FROM explorer.{table} WITH NO DATA

-- name: create_kept_stage
-- One that outlives transactions, for what takes an hour to come.
CREATE TEMPORARY TABLE stage AS
SELECT 0::bigint AS ordinal, id, {columns} FROM explorer.{table} WITH NO DATA

-- name: drop_stage
DROP TABLE IF EXISTS pg_temp.stage

-- name: index_stage
CREATE UNIQUE INDEX ON pg_temp.stage (id)

-- name: analyze_stage
ANALYZE pg_temp.stage

-- name: contradicted
-- Rows that a later row of the same id in the file says otherwise, in the order of the file.
SELECT ordinal, id FROM (
    SELECT ordinal, id, ROW({columns})::text <> first_value(ROW({columns})::text) OVER newest_first AS differs
    FROM pg_temp.stage
    WINDOW newest_first AS (PARTITION BY id ORDER BY ordinal DESC)
) AS ranked
WHERE differs ORDER BY ordinal

-- name: drop_repeated
-- The last of several rows with one id stays.
DELETE FROM pg_temp.stage AS s
USING (SELECT id, max(ordinal) AS last FROM pg_temp.stage GROUP BY id HAVING count(*) > 1) AS repeated
WHERE s.id = repeated.id AND s.ordinal < repeated.last

-- name: count_staged
SELECT count(*) FROM pg_temp.stage

-- name: count_held
-- How many rows the index holds at the file's epoch; one that is known to have left the state by then is none.
SELECT count(*) FROM explorer.{table} AS r
WHERE r.first_seen_epoch <= $1 AND coalesce(r.gone_epoch > $1, true) AND coalesce(r.removed_epoch > $1, true)
  AND NOT {left}

-- name: add
-- Left to the key, not to a join: over a table that was empty when last analyzed, a join reads it anew for every row,
-- with all that this very command has written by then.
INSERT INTO explorer.{table} (id, {columns}, first_seen_epoch, seen_epoch, gone_epoch)
SELECT s.id, {staged}, $1, $1, $2
FROM pg_temp.stage AS s
ON CONFLICT (id) DO NOTHING

-- name: update
-- $3: the first complete epoch after $1. A row that has not ended was in it; one that had ended is missing there again.
UPDATE explorer.{table} AS r
SET {assigned}, seen_epoch = $1,
    gone_epoch = CASE WHEN r.gone_epoch > $1 THEN r.gone_epoch WHEN r.removed_epoch > $1 THEN NULL ELSE $3 END,
    removed_epoch = CASE WHEN r.removed_epoch > $1 THEN r.removed_epoch END
FROM pg_temp.stage AS s
WHERE r.id = s.id
  AND $1 >= CASE WHEN coalesce(r.gone_epoch, r.removed_epoch) IS NULL THEN greatest(r.seen_epoch, $2) ELSE r.seen_epoch END
  AND (ROW({current}) IS DISTINCT FROM ROW({staged}) OR r.gone_epoch <= $1 OR r.removed_epoch <= $1)

-- name: extend
-- An older file shows that a row was there before; a partial or an older one that it was there longer.
UPDATE explorer.{table} AS r
SET first_seen_epoch = least(r.first_seen_epoch, $1), seen_epoch = greatest(r.seen_epoch, $1)
FROM pg_temp.stage AS s
WHERE r.id = s.id
  AND ($1 < r.first_seen_epoch
       OR ($1 > r.seen_epoch AND (NOT $2 OR r.gone_epoch > $1 OR r.removed_epoch > $1)))

-- name: vanish
-- Rows that a complete file lacks. $2: the last complete epoch before, at which an open row was still there;
-- $3: a newer complete file exists, and has every open row.
UPDATE explorer.{table} AS r
SET gone_epoch = $1,
    seen_epoch = CASE WHEN r.gone_epoch IS NULL THEN greatest(r.seen_epoch, $2) ELSE r.seen_epoch END
WHERE r.first_seen_epoch < $1 AND r.seen_epoch < $1 AND coalesce(r.removed_epoch > $1, true)
  AND CASE WHEN r.gone_epoch IS NULL THEN NOT $3 ELSE r.gone_epoch > $1 END
  AND NOT EXISTS (SELECT FROM pg_temp.stage AS s WHERE s.id = r.id)

-- name: keep_labels
-- Lotus leaves out labels that are no text: such an entry must not erase one that is known.
UPDATE pg_temp.stage AS s
SET label = r.label, label_key = r.label_key, label_known = true
FROM explorer.deals AS r
WHERE r.id = s.id AND r.label_known AND NOT s.label_known

-- name: fill_labels
UPDATE explorer.deals AS r
SET label = s.label, label_key = s.label_key, label_known = true
FROM pg_temp.stage AS s
WHERE r.id = s.id AND s.label_known AND NOT r.label_known

-- name: keep_terms
-- A claim that is seen with a second TermMax: until now every source had the present one. What is known is read once,
-- apart from what this command writes.
WITH known AS MATERIALIZED (SELECT DISTINCT claim_id FROM explorer.claim_terms),
seen AS (
    SELECT r.id, r.first_seen_epoch, r.term_max_epochs AS held, s.term_max_epochs AS staged, k.claim_id IS NULL AS is_new
    FROM pg_temp.stage AS s JOIN explorer.claims AS r ON r.id = s.id LEFT JOIN known AS k ON k.claim_id = r.id
)
INSERT INTO explorer.claim_terms AS t (claim_id, term_max_epochs, since_epoch)
SELECT id, held, first_seen_epoch FROM seen WHERE held <> staged AND is_new
UNION ALL
SELECT id, staged, $1 FROM seen WHERE held <> staged OR NOT is_new
ON CONFLICT (claim_id, term_max_epochs) DO UPDATE SET since_epoch = excluded.since_epoch
WHERE excluded.since_epoch < t.since_epoch

-- name: cover
INSERT INTO explorer.coverage (kind, from_epoch, through_epoch, source) VALUES ($1, $2, $2, $3)
ON CONFLICT (kind, from_epoch, through_epoch) DO NOTHING

-- name: load_lives
SELECT id, {columns}, first_seen_epoch, seen_epoch, gone_epoch, removed_epoch
FROM explorer.{table} WHERE id = ANY ($1::bigint[])

-- name: save_life
INSERT INTO explorer.{table} AS r (id, first_seen_epoch, seen_epoch, gone_epoch, removed_epoch, {columns})
VALUES ($1, $2, $3, $4, $5, {places})
ON CONFLICT (id) DO UPDATE
SET first_seen_epoch = excluded.first_seen_epoch, seen_epoch = excluded.seen_epoch,
    gone_epoch = excluded.gone_epoch, removed_epoch = excluded.removed_epoch, {replaced}

-- name: load_terms
SELECT claim_id, term_max_epochs, since_epoch FROM explorer.claim_terms
WHERE claim_id = ANY ($1::bigint[]) ORDER BY claim_id, term_max_epochs

-- name: save_terms
INSERT INTO explorer.claim_terms (claim_id, term_max_epochs, since_epoch) VALUES ($1, $2, $3)
ON CONFLICT (claim_id, term_max_epochs) DO UPDATE SET since_epoch = excluded.since_epoch
