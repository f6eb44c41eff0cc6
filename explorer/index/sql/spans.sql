-- name: coverage
SELECT kind::text AS kind, from_epoch, through_epoch, source FROM explorer.coverage ORDER BY kind, from_epoch, through_epoch

-- name: coverage_at
SELECT kind::text AS kind, from_epoch, through_epoch, source FROM explorer.coverage
WHERE from_epoch <= $1 AND through_epoch >= $1 ORDER BY kind, source, from_epoch

-- name: index_epoch
SELECT coalesce((SELECT max(height) FROM explorer.tipsets), (SELECT max(epoch) FROM explorer.imports))
