-- Views that notaries saved. A statement's clock is `now` where a test gives one, else the database's.

-- name: hold_notary
-- One saves at a time, so that nobody saves more than may be.
SELECT id FROM access.notaries WHERE address = $1 AND revoked_at IS NULL FOR NO KEY UPDATE

-- name: others
-- How many views a notary has besides that one.
SELECT count(*) FROM access.saved_views WHERE notary_id = $1 AND (page, name) <> ($2, $3)

-- name: query_of
SELECT query FROM access.saved_views WHERE notary_id = $1 AND page = $2 AND name = $3

-- name: save
INSERT INTO access.saved_views (notary_id, page, name, query, saved_at)
VALUES ($1, $2, $3, $4, coalesce($5::timestamptz, clock_timestamp()))
ON CONFLICT (notary_id, page, name) DO UPDATE SET query = excluded.query, saved_at = excluded.saved_at

-- name: remove
DELETE FROM access.saved_views AS v USING access.notaries AS n
WHERE n.id = v.notary_id AND n.address = $1 AND n.revoked_at IS NULL AND v.page = $2 AND v.name = $3

-- name: views
-- The oldest first, so that a link keeps its place.
SELECT v.page, v.name, v.query FROM access.saved_views AS v JOIN access.notaries AS n ON n.id = v.notary_id
WHERE n.address = $1 AND n.revoked_at IS NULL ORDER BY v.page DESC, v.saved_at, v.name
