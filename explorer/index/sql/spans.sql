-- name: coverage
SELECT kind::text AS kind, from_epoch, through_epoch, source FROM explorer.coverage ORDER BY kind, from_epoch, through_epoch

-- name: coverage_at
SELECT kind::text AS kind, from_epoch, through_epoch, source FROM explorer.coverage
WHERE from_epoch <= $1 AND through_epoch >= $1 ORDER BY kind, source, from_epoch

-- name: index_epoch
SELECT coalesce((SELECT max(height) FROM explorer.tipsets), (SELECT max(epoch) FROM explorer.imports))

-- name: thin
-- Of the whole states that $1 told at single epochs older than $2 epochs, seen from the newest: all but the first of each
-- stretch of $3 epochs, and those that what was followed since stands on.
DELETE FROM explorer.coverage AS c
USING (
    SELECT kind, max(through_epoch) - $2 AS epoch FROM explorer.coverage
    WHERE source = $1 AND from_epoch = through_epoch GROUP BY kind
) AS recent
WHERE c.kind = recent.kind AND c.source = $1 AND c.from_epoch = c.through_epoch AND c.from_epoch < recent.epoch
  AND EXISTS (
      SELECT FROM explorer.coverage AS e
      WHERE e.kind = c.kind AND e.source = c.source AND e.from_epoch = e.through_epoch
        AND e.from_epoch >= c.from_epoch - c.from_epoch % $3 AND e.from_epoch < c.from_epoch
  )
  AND NOT EXISTS (
      SELECT FROM explorer.coverage AS s
      WHERE s.kind = c.kind AND s.from_epoch < s.through_epoch AND c.from_epoch BETWEEN s.from_epoch AND s.through_epoch
  )
