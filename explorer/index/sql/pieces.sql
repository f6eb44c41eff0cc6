-- Maps of payloads to pieces, staged in a temporary table.

-- name: add_piece_source
WITH made AS (INSERT INTO explorer.piece_sources (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id)
SELECT id FROM made UNION ALL SELECT id FROM explorer.piece_sources WHERE name = $1 LIMIT 1

-- name: create_piece_stage
CREATE TEMPORARY TABLE piece_stage ON COMMIT DROP AS
SELECT payload, codec, piece, size_bytes FROM explorer.payload_pieces WITH NO DATA

-- name: change_pieces
UPDATE explorer.payload_pieces AS r
SET size_bytes = s.size_bytes
FROM (
    SELECT payload, codec, piece, max(size_bytes) AS size_bytes FROM pg_temp.piece_stage GROUP BY payload, codec, piece
) AS s
WHERE r.payload = s.payload AND r.codec = s.codec AND r.piece = s.piece AND r.source_id = $1
  AND s.size_bytes IS NOT NULL AND r.size_bytes IS DISTINCT FROM s.size_bytes

-- name: add_pieces
INSERT INTO explorer.payload_pieces (payload, codec, piece, source_id, size_bytes)
SELECT payload, codec, piece, $1, max(size_bytes) FROM pg_temp.piece_stage GROUP BY payload, codec, piece
ON CONFLICT (payload, piece, source_id, codec) DO NOTHING
