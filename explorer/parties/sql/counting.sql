-- What is counted of one party's records. {records}: a query of the index's store.sql over that party, which gives each
-- record as it is known at $2; {judged}: one of the queries below, which gives each its status there.
--
-- $1 the party, $2 the epoch, $3 the epoch of nv22, $4 the end of FIL+ (NULL: not known), $5 whether all claims are
-- known; every query names them all, since they are passed to all. The statuses are those of explorer/verdict/rules.py,
-- to be read beside it; tests compare the two.

-- name: claims_judged
-- `changes_epoch` is the first epoch at which time alone changes the status.
SELECT r.id, r.client_id, r.provider_id, r.piece, r.size_bytes, r.term_start_epoch AS began_epoch,
       CASE WHEN $2::bigint < r.term_start_epoch THEN NULL
            WHEN r.removed_epoch <= $2 THEN 'removed'
            WHEN r.sector_terminated_epoch <= $2 THEN 'sector_terminated'
            WHEN $2 - r.term_start_epoch >= r.term_max_epochs THEN 'expired'
            WHEN r.gone_epoch <= $2 THEN 'gone'
            WHEN r.gone_epoch IS NOT NULL AND $2 > r.seen_epoch THEN 'unknown'
            ELSE 'active' END AS status,
       least(CASE WHEN r.term_start_epoch > $2 THEN r.term_start_epoch END,
             CASE WHEN r.removed_epoch > $2 THEN r.removed_epoch END,
             CASE WHEN r.sector_terminated_epoch > $2 THEN r.sector_terminated_epoch END,
             CASE WHEN r.gone_epoch > $2 THEN r.seen_epoch + 1 END,
             CASE WHEN r.gone_epoch > $2 THEN r.gone_epoch END,
             CASE WHEN $2 - r.term_start_epoch < r.term_max_epochs
                  THEN least(r.term_start_epoch::numeric + r.term_max_epochs, 9223372036854775807)::bigint END
       ) AS changes_epoch
FROM ({records}) AS r
WHERE $3::bigint IS NOT NULL OR $4::bigint IS NOT NULL OR $5::boolean IS NOT NULL

-- name: deals_judged
-- Activated deals first, then proposals, as in the rules. A deal that is activated later than $2 is none yet.
SELECT r.id, r.client_id, r.provider_id, r.piece, r.size_bytes, nullif(r.sector_start_epoch, -1) AS began_epoch,
       CASE WHEN r.sector_start_epoch <> -1 THEN
                 CASE WHEN r.sector_start_epoch >= $4::bigint THEN 'unclaimed'
                      WHEN r.terminated_epoch <= $2::bigint THEN 'terminated'
                      WHEN r.slash_epoch BETWEEN 0 AND $2 THEN 'slashed'
                      WHEN r.end_epoch <= $2 THEN 'expired'
                      WHEN r.gone_epoch <= $2 THEN 'gone'
                      WHEN r.gone_epoch IS NOT NULL AND $2 > r.seen_epoch THEN 'unknown'
                      WHEN r.sector_start_epoch >= $3::bigint AND $5::boolean AND NOT EXISTS (
                          SELECT FROM explorer.claims AS c
                          WHERE c.piece = r.piece AND c.client_id = r.client_id AND c.provider_id = r.provider_id
                            AND c.term_start_epoch <= $2
                      ) THEN 'unclaimed'
                      ELSE 'active' END
            WHEN $2 < r.first_seen_epoch THEN NULL
            WHEN r.terminated_epoch <= $2 THEN 'terminated'
            WHEN r.seen_epoch >= r.start_epoch AND r.start_epoch <= $2 THEN 'lapsed'
            WHEN r.gone_epoch <= $2 THEN 'gone'
            WHEN r.gone_epoch IS NOT NULL AND $2 > r.seen_epoch THEN 'unknown'
            WHEN r.start_epoch <= $2 THEN 'lapsed'
            ELSE 'published' END AS status,
       least(CASE WHEN r.first_seen_epoch > $2 THEN r.first_seen_epoch END,
             CASE WHEN r.terminated_epoch > $2 THEN r.terminated_epoch END,
             CASE WHEN r.gone_epoch > $2 THEN r.seen_epoch + 1 END,
             CASE WHEN r.gone_epoch > $2 THEN r.gone_epoch END,
             CASE WHEN r.start_epoch > $2 THEN r.start_epoch END,
             CASE WHEN r.end_epoch > $2 THEN r.end_epoch END) AS changes_epoch
FROM ({records}) AS r
WHERE r.verified

-- name: allocations_judged
SELECT r.id, r.client_id, r.provider_id, r.piece, r.size_bytes, NULL::bigint AS began_epoch,
       CASE WHEN $2::bigint < r.first_seen_epoch THEN NULL
            WHEN r.claimed_epoch <= $2 THEN 'claimed'
            WHEN r.removed_epoch <= $2 OR r.gone_epoch <= $2 THEN 'removed'
            WHEN r.expiration_epoch <= $2 THEN 'expired'
            WHEN $2 >= $4::bigint THEN 'pending'
            WHEN r.claimed_epoch IS NULL AND r.gone_epoch IS NOT NULL AND $2 > r.seen_epoch THEN 'unknown'
            ELSE 'pending' END AS status,
       least(CASE WHEN r.first_seen_epoch > $2 THEN r.first_seen_epoch END,
             CASE WHEN r.claimed_epoch > $2 THEN r.claimed_epoch END,
             CASE WHEN r.removed_epoch > $2 THEN r.removed_epoch END,
             CASE WHEN r.gone_epoch > $2 THEN r.seen_epoch + 1 END,
             CASE WHEN r.gone_epoch > $2 THEN r.gone_epoch END,
             CASE WHEN r.expiration_epoch > $2 THEN r.expiration_epoch END) AS changes_epoch
FROM ({records}) AS r
WHERE $3::bigint IS NOT NULL OR $5::boolean IS NOT NULL

-- name: groups
-- By status (where the period and the other side are NULL), by the other side, and by period: $6 holds their first
-- epochs. `grouped` says which of the three.
SELECT GROUPING(j.status, j.other_id, j.period) AS grouped, j.status, j.other_id, j.period,
       count(j.status) AS records, coalesce(sum(j.size_bytes) FILTER (WHERE j.status IS NOT NULL), 0) AS bytes,
       count(*) FILTER (WHERE j.status = 'active') AS active_records,
       coalesce(sum(j.size_bytes) FILTER (WHERE j.status = 'active'), 0) AS active_bytes,
       min(j.changes_epoch) AS changes_epoch
FROM (
    SELECT judged.status, judged.{other}_id AS other_id, judged.size_bytes, judged.changes_epoch,
           width_bucket(judged.began_epoch, $6::bigint[]) AS period
    FROM ({judged}) AS judged
) AS j
GROUP BY GROUPING SETS ((j.status), (j.other_id), (j.period))

-- name: pieces
-- How many distinct pieces there are, by their copies that are active: 0 for those that have none, at most $6.
SELECT least(p.copies, $6::bigint) AS copies, count(*) AS pieces, sum(p.size_bytes) AS bytes,
       count(*) FILTER (WHERE p.shared) AS shared, coalesce(sum(p.size_bytes) FILTER (WHERE p.shared), 0) AS shared_bytes
FROM (
    SELECT one.copies, one.size_bytes, {shared} AS shared
    FROM (
        SELECT judged.piece, max(judged.size_bytes) AS size_bytes, {copies} AS copies,
               count(DISTINCT judged.client_id) AS clients
        FROM ({judged}) AS judged
        WHERE judged.piece IS NOT NULL AND judged.status IS NOT NULL
        GROUP BY judged.piece
    ) AS one
) AS p
GROUP BY least(p.copies, $6::bigint) ORDER BY 1

-- name: is_large
-- Whether a party has more than $2 records of any kind, without counting further.
SELECT EXISTS (SELECT FROM explorer.claims WHERE {role}_id = $1 ORDER BY id OFFSET $2)
    OR EXISTS (SELECT FROM explorer.deals WHERE {role}_id = $1 AND verified ORDER BY id OFFSET $2)
    OR EXISTS (SELECT FROM explorer.allocations WHERE {role}_id = $1 ORDER BY id OFFSET $2)
