-- What is known around reviews: who else names the same data, who a publisher is, how long reviews wait, how they end.
-- Where `owner` is given, only of that cluster's reviews. The clock is `now` where a test gives one, else the database's.

-- name: sharing
-- Of the first $3 inputs of the review $1, which other reviews name the same data, at most $4 for each; a row for each
-- input that has any, and one with no place for all together. Contents $2 say nothing. The owner is $5.
-- `strangers` are publishers other than $6.
SELECT own.place, count(DISTINCT other.review_id) AS reviews, count(DISTINCT v.cluster_id) AS clusters,
       count(DISTINCT v.publisher) AS publishers,
       count(DISTINCT v.publisher) FILTER (WHERE v.publisher <> $6) AS strangers
FROM (
    SELECT i.place, i.content FROM reviews.inputs AS i
    WHERE i.review_id = $1 AND i.content IS NOT NULL AND NOT i.content = ANY ($2::bytea[])
    ORDER BY i.place LIMIT $3
) AS own
CROSS JOIN LATERAL (
    SELECT DISTINCT i.review_id FROM reviews.inputs AS i
    WHERE i.content = own.content AND i.review_id <> $1
      AND ($5::text IS NULL
           OR EXISTS (SELECT FROM reviews.reviews AS o WHERE o.id = i.review_id AND o.cluster_id = $5))
    ORDER BY i.review_id DESC LIMIT $4
) AS other
JOIN reviews.reviews AS v ON v.id = other.review_id
GROUP BY GROUPING SETS ((own.place), ()) ORDER BY own.place

-- name: comparable
-- How many of a review's first $3 inputs name data that others can name too.
SELECT count(*) FROM (
    SELECT i.content FROM reviews.inputs AS i WHERE i.review_id = $1 ORDER BY i.place LIMIT $3
) AS own
WHERE own.content IS NOT NULL AND NOT own.content = ANY ($2::bytea[])

-- name: publisher_states
-- What a publisher has asked for, by state. The owner is $2.
SELECT v.state::text AS state, count(*) AS reviews, sum(v.requested_bytes) AS requested_bytes,
       min(v.created_at) AS first_at, max(v.created_at) AS last_at, count(v.proof_at) AS proofs
FROM reviews.reviews AS v WHERE v.publisher = $1 AND ($2::text IS NULL OR v.cluster_id = $2) GROUP BY v.state

-- name: publisher_clusters
-- Who brought a publisher, the first one first; `total` counts beyond the $3 that are given. The owner is $2.
SELECT v.cluster_id, v.cluster_name, count(*) AS reviews, sum(v.requested_bytes) AS requested_bytes,
       min(v.created_at) AS first_at, max(v.created_at) AS last_at, count(*) OVER () AS total
FROM reviews.reviews AS v WHERE v.publisher = $1 AND ($2::text IS NULL OR v.cluster_id = $2)
GROUP BY v.cluster_id, v.cluster_name ORDER BY min(v.created_at), v.cluster_id LIMIT $3

-- name: publisher_proofs
-- The newest $3 proofs that it gave. The owner is $2.
SELECT v.id, v.job_id, v.cluster_name, v.proof_at, v.proof_addresses FROM reviews.reviews AS v
WHERE v.publisher = $1 AND ($2::text IS NULL OR v.cluster_id = $2) AND v.proof_at IS NOT NULL
ORDER BY v.id DESC LIMIT $3

-- name: ages
-- The open reviews by how long they have waited in this round: the place of the age among the bounds $2, in seconds.
-- `soon` have their deadline within a day, `next` within an hour. The clock is $1, the owner $3.
SELECT width_bucket(extract(epoch FROM t.now - r.opened_at)::float8, $2::float8[]) AS place, count(*) AS reviews,
       count(*) FILTER (WHERE r.expires_at <= t.now + interval '1 day') AS soon,
       count(*) FILTER (WHERE r.expires_at <= t.now + interval '1 hour') AS next
FROM (SELECT coalesce($1::timestamptz, clock_timestamp()) AS now) AS t
JOIN reviews.rounds AS r ON r.ended_at IS NULL AND r.expires_at > t.now
WHERE $3::text IS NULL OR EXISTS (SELECT FROM reviews.reviews AS o WHERE o.id = r.review_id AND o.cluster_id = $3)
GROUP BY 1 ORDER BY 1

-- name: weeks
-- How rounds ended in each of the last $2 weeks, this one among them; a week begins on Monday, in UTC. The clock is $1,
-- the owner $3.
SELECT w.week::date AS week, count(*) FILTER (WHERE r.outcome = 'approved') AS approved,
       count(*) FILTER (WHERE r.outcome = 'rejected') AS rejected,
       count(*) FILTER (WHERE r.outcome = 'expired') AS expired
FROM (SELECT date_trunc('week', coalesce($1::timestamptz, clock_timestamp()) AT TIME ZONE 'UTC') AS this) AS t
CROSS JOIN generate_series(t.this - ($2::int - 1) * interval '1 week', t.this, interval '1 week') AS w (week)
LEFT JOIN reviews.rounds AS r
    ON r.ended_at IS NOT NULL AND r.ended_at >= w.week AT TIME ZONE 'UTC'
   AND r.ended_at < (w.week + interval '1 week') AT TIME ZONE 'UTC'
   AND ($3::text IS NULL OR EXISTS (SELECT FROM reviews.reviews AS o WHERE o.id = r.review_id AND o.cluster_id = $3))
GROUP BY w.week ORDER BY w.week
