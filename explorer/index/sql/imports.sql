-- What was read into the index, and when.

-- name: log_import
INSERT INTO explorer.imports (kind, source, epoch, complete, records, rejected) VALUES ($1, $2, $3, $4, $5, $6)

-- name: newest
SELECT coalesce(max(id), 0) FROM explorer.imports

-- name: kinds_since
SELECT DISTINCT kind::text AS kind FROM explorer.imports WHERE id > $1
