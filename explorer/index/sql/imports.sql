-- What was read into the index, and when.

-- name: log_import
INSERT INTO explorer.imports (kind, source, epoch, complete, records, rejected) VALUES ($1, $2, $3, $4, $5, $6)
