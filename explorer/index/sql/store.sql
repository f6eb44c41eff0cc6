-- What the index holds of pieces and payloads. $2 is the epoch that is asked about, where a row's content depends on it.

-- name: claims
-- The terms are those of the last sight at or before $2, else of the first one after it.
SELECT c.id, c.client_id, c.provider_id, c.size_bytes, c.piece, c.data_cid, c.term_min_epochs,
       coalesce(former.term_max_epochs, c.term_max_epochs) AS term_max_epochs,
       c.term_start_epoch, c.sector, c.seen_epoch, c.removed_epoch, c.gone_epoch,
       terminated.epoch AS sector_terminated_epoch
FROM explorer.claims AS c
LEFT JOIN LATERAL (
    SELECT t.term_max_epochs FROM explorer.claim_terms AS t
    WHERE t.claim_id = c.id
    ORDER BY t.since_epoch > $2, abs(t.since_epoch - $2), t.term_max_epochs DESC LIMIT 1
) AS former ON true
LEFT JOIN LATERAL (
    SELECT min(s.height) + 1 AS epoch FROM explorer.sector_terminations AS s
    WHERE s.provider_id = c.provider_id AND s.sector = c.sector AND s.height >= c.term_start_epoch
) AS terminated ON true
WHERE c.{key} = ANY ($1) ORDER BY c.id

-- name: deals
-- An event that is newer than the row's source tells what the row can't yet know; an older one was in that source.
-- Whether it is activated or slashed is told as of $2. One that vanished while every event was known was there until
-- then: only a deal that has ended or lapsed leaves the state without an event.
SELECT d.id, d.client_id, d.provider_id, d.size_bytes, d.piece, d.data_cid, d.label, d.label_known, d.verified,
       d.start_epoch, d.end_epoch, coalesce(followed.until_epoch, d.seen_epoch) AS seen_epoch, d.gone_epoch,
       CASE WHEN life.started <= $2 THEN life.started ELSE -1 END AS sector_start_epoch,
       CASE WHEN d.slash_epoch <= $2 THEN d.slash_epoch ELSE -1 END AS slash_epoch,
       least(d.first_seen_epoch, told.published + 1) AS first_seen_epoch,
       told.terminated + 1 AS terminated_epoch
FROM explorer.deals AS d
CROSS JOIN (SELECT max(through_epoch) AS covered_through FROM explorer.coverage WHERE kind = 'deals') AS newest
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.gone_epoch IS NULL THEN greatest(d.seen_epoch, newest.covered_through) ELSE d.seen_epoch END AS epoch
) AS standing
LEFT JOIN LATERAL (
    SELECT min(e.height) FILTER (WHERE e.type = 'published') AS published,
           min(e.height) FILTER (WHERE e.type = 'activated' AND e.height >= standing.epoch) AS activated,
           min(e.height) FILTER (WHERE e.type = 'terminated' AND e.height >= standing.epoch) AS terminated
    FROM explorer.deal_events AS e WHERE e.deal_id = d.id
) AS told ON true
CROSS JOIN LATERAL (SELECT coalesce(nullif(d.sector_start_epoch, -1), told.activated) AS started) AS life
LEFT JOIN LATERAL (
    SELECT d.gone_epoch - 1 AS until_epoch FROM explorer.coverage AS c
    WHERE c.kind = 'deals' AND c.from_epoch < c.through_epoch
      AND c.from_epoch <= d.seen_epoch AND c.through_epoch >= d.gone_epoch LIMIT 1
) AS followed ON true
WHERE d.{key} = ANY ($1) ORDER BY d.id

-- name: allocations
SELECT a.id, a.client_id, a.provider_id, a.size_bytes, a.piece, a.data_cid, a.term_min_epochs, a.term_max_epochs,
       a.expiration_epoch, a.first_seen_epoch, a.seen_epoch, a.removed_epoch, a.gone_epoch,
       c.term_start_epoch AS claimed_epoch
FROM explorer.allocations AS a
LEFT JOIN explorer.claims AS c ON c.id = a.id
WHERE a.{key} = ANY ($1) ORDER BY a.id

-- name: pieces_of_payloads
-- A label tells nothing before its deal was there. A map bears no date.
SELECT d.label_key AS payload, d.piece, 'deal label' AS source, NULL::bigint AS codec
FROM explorer.deals AS d
WHERE d.label_key = ANY ($1) AND d.piece IS NOT NULL
  AND least(d.first_seen_epoch, CASE WHEN d.sector_start_epoch >= 0 THEN d.sector_start_epoch END) <= $2
UNION
SELECT p.payload, p.piece, s.name, p.codec
FROM explorer.payload_pieces AS p JOIN explorer.piece_sources AS s ON s.id = p.source_id
WHERE p.payload = ANY ($1)
ORDER BY payload, piece, source, codec

-- name: piece_sizes
SELECT DISTINCT size_bytes FROM (
    SELECT size_bytes FROM explorer.claims WHERE piece = $1
    UNION ALL SELECT size_bytes FROM explorer.deals WHERE piece = $1
    UNION ALL SELECT size_bytes FROM explorer.allocations WHERE piece = $1
) AS sizes LIMIT 10

-- name: examples
-- A piece that was claimed lately, a payload that a deal's label names, and the piece of the oldest verified deal.
(SELECT piece, NULL::bytea AS label FROM explorer.claims WHERE piece IS NOT NULL ORDER BY id DESC LIMIT 1)
UNION ALL
(SELECT NULL, label FROM explorer.deals WHERE label_key IS NOT NULL ORDER BY id DESC LIMIT 1)
UNION ALL
(SELECT piece, NULL FROM explorer.deals WHERE verified AND piece IS NOT NULL ORDER BY id LIMIT 1)

-- name: labels_unknown
SELECT EXISTS (
    SELECT FROM explorer.deals
    WHERE verified AND NOT label_known
      AND least(first_seen_epoch, CASE WHEN sector_start_epoch >= 0 THEN sector_start_epoch END) <= $1
)

-- name: counts
SELECT (SELECT count(*) FROM explorer.deals) AS deals,
       (SELECT count(*) FROM explorer.claims) AS claims,
       (SELECT count(*) FROM explorer.allocations) AS allocations,
       (SELECT count(*) FROM explorer.payload_pieces) AS payload_pieces

-- name: rough_counts
-- Fast on any size: as the last ANALYZE found them.
SELECT max(greatest(reltuples, 0)) FILTER (WHERE relname = 'deals')::bigint AS deals,
       max(greatest(reltuples, 0)) FILTER (WHERE relname = 'claims')::bigint AS claims,
       max(greatest(reltuples, 0)) FILTER (WHERE relname = 'allocations')::bigint AS allocations,
       max(greatest(reltuples, 0)) FILTER (WHERE relname = 'payload_pieces')::bigint AS payload_pieces
FROM pg_class WHERE relnamespace = 'explorer'::regnamespace
