-- The feed: what happened, in the order of the commits.

-- name: changed_pieces
-- What the tipsets from $1 on changed, by piece, as the undo rows remember it. The same change again has the same digest.
WITH changed AS (
    SELECT u.id, u.table_name, u.before, u.after FROM explorer.undo AS u WHERE u.height >= $1
), told AS (
    SELECT c.id, c.before, c.after, (c.after ->> 'piece')::bytea AS piece, (c.after ->> 'label_key')::bytea AS payload,
           (c.after ->> 'client_id')::bigint AS client_id, (c.after ->> 'provider_id')::bigint AS provider_id,
           CASE WHEN c.after ->> 'removed_epoch' IS NOT NULL THEN rtrim(c.table_name, 's') || '-removed'
                WHEN c.table_name = 'deals' THEN 'deal-published'
                WHEN c.before IS NULL THEN rtrim(c.table_name, 's')
                ELSE rtrim(c.table_name, 's') || '-updated' END AS change
    FROM changed AS c
    WHERE c.table_name IN ('claims', 'allocations') OR (c.table_name = 'deals' AND c.before IS NULL)
    UNION ALL
    SELECT c.id, c.before, c.after, d.piece, d.label_key, d.client_id, d.provider_id, 'deal-' || (c.after ->> 'type')
    FROM changed AS c JOIN explorer.deals AS d ON d.id = (c.after ->> 'deal_id')::bigint
    WHERE c.table_name = 'deal_events'
    UNION ALL
    SELECT c.id, c.before, c.after, r.piece, NULL, r.client_id, r.provider_id, 'claim-updated'
    FROM changed AS c JOIN explorer.claims AS r ON r.id = (c.after ->> 'claim_id')::bigint
    WHERE c.table_name = 'claim_terms' AND c.before IS NULL
    UNION ALL
    SELECT c.id, c.before, c.after, r.piece, NULL, r.client_id, r.provider_id, 'sector-terminated'
    FROM changed AS c
    JOIN explorer.claims AS r
      ON r.provider_id = (c.after ->> 'provider_id')::bigint AND r.sector = (c.after ->> 'sector')::bigint
    WHERE c.table_name = 'sector_terminations'
)
SELECT piece, array_agg(DISTINCT change) AS changes, array_remove(array_agg(DISTINCT payload), NULL) AS payloads,
       array_agg(DISTINCT client_id) AS client_ids, array_agg(DISTINCT provider_id) AS provider_ids,
       md5(string_agg(concat(before, after), ',' ORDER BY id, change)) AS digest
FROM told WHERE piece IS NOT NULL GROUP BY piece ORDER BY min(id)

-- name: head
-- The followed head, and what is final below it.
SELECT t.height AS epoch, t.key, f.safe_epoch, f.final_epoch
FROM explorer.tipsets AS t CROSS JOIN explorer.following AS f ORDER BY t.height DESC LIMIT 1

-- name: append
INSERT INTO explorer.feed (type, piece, data)
SELECT e.type, e.piece, e.data FROM unnest($1::text[], $2::bytea[], $3::jsonb[]) WITH ORDINALITY AS e (type, piece, data, place)
ORDER BY e.place

-- name: newest
-- The newest $1 events, from the oldest of them on.
SELECT id, at, type, piece, data, review_id FROM (
    SELECT id, at, type, piece, data::text AS data, review_id FROM explorer.feed ORDER BY id DESC LIMIT $1
) AS f ORDER BY id

-- name: after
SELECT id, at, type, piece, data::text AS data, review_id FROM explorer.feed WHERE id > $1 ORDER BY id LIMIT $2

-- name: prune
-- Forgets what is beyond the newest $1, or older than $2; never the newest of all, which says how far the ids are.
DELETE FROM explorer.feed AS f USING (SELECT max(id) AS id FROM explorer.feed) AS newest
WHERE f.id <= newest.id - $1 OR (f.at < now() - $2::interval AND f.id < newest.id)
