-- What notaries' pages show: what waits for one of them, what else there is, and what is known around a review.

-- name: waiting
-- Open reviews that the notary $1 can decide, the nearest deadline first, behind the deadline $3 and the id $4.
-- $9: those where it asked and no answer came since, else all others.
-- The clock is $2 where a test gives one.
SELECT v.id, v.cluster_id, v.cluster_name, v.job_id, v.publisher, v.requested_bytes, v.state::text AS state,
       v.round, v.revision, v.is_asked, v.created_at, v.updated_at, v.proof_at,
       r.grant_id, r.quorum, r.findings::text AS findings, r.expires_at,
       coalesce((SELECT max(i.place) FROM reviews.inputs AS i WHERE i.review_id = v.id), 0) AS inputs_total
FROM reviews.rounds AS r JOIN reviews.reviews AS v ON v.id = r.review_id AND v.round = r.round
WHERE r.ended_at IS NULL AND v.state = 'open' AND r.expires_at > coalesce($2::timestamptz, clock_timestamp())
  AND ($3::timestamptz IS NULL OR (r.expires_at, r.review_id) > ($3, $4::text))
  AND v.publisher <> $1 AND NOT $1 = ANY (coalesce(v.proof_addresses, '{}'))
  AND NOT EXISTS (
      SELECT FROM reviews.decisions AS d
      WHERE d.review_id = v.id AND d.round = v.round AND d.decision = 'approve' AND $1 = ANY (d.addresses)
  )
  AND ($5::text[] IS NULL OR v.cluster_id = ANY ($5) OR v.cluster_name = ANY ($5))
  AND ($6::text[] IS NULL OR NOT (v.cluster_id = ANY ($6) OR v.cluster_name = ANY ($6)))
  AND ($7::text[] IS NULL OR v.publisher = ANY ($7))
  AND ($8::text[] IS NULL OR NOT v.publisher = ANY ($8))
  AND $9::boolean = (v.is_asked AND EXISTS (
      SELECT FROM reviews.unanswered AS q WHERE q.review_id = v.id AND q.round = v.round AND q.notary = $1
  ))
ORDER BY r.expires_at, r.review_id LIMIT $10

-- name: count_waiting
-- How many need a decision, not counting those where $1 waits for an answer, up to $3: a page says "more than" beyond.
SELECT count(*) FROM (
    SELECT FROM reviews.rounds AS r JOIN reviews.reviews AS v ON v.id = r.review_id AND v.round = r.round
    WHERE r.ended_at IS NULL AND v.state = 'open' AND r.expires_at > coalesce($2::timestamptz, clock_timestamp())
      AND v.publisher <> $1 AND NOT $1 = ANY (coalesce(v.proof_addresses, '{}'))
      AND NOT EXISTS (
          SELECT FROM reviews.decisions AS d
          WHERE d.review_id = v.id AND d.round = v.round AND d.decision = 'approve' AND $1 = ANY (d.addresses)
      )
      AND ($4::text[] IS NULL OR v.cluster_id = ANY ($4) OR v.cluster_name = ANY ($4))
      AND ($5::text[] IS NULL OR NOT (v.cluster_id = ANY ($5) OR v.cluster_name = ANY ($5)))
      AND ($6::text[] IS NULL OR v.publisher = ANY ($6))
      AND ($7::text[] IS NULL OR NOT v.publisher = ANY ($7))
      AND NOT (v.is_asked AND EXISTS (
          SELECT FROM reviews.unanswered AS q WHERE q.review_id = v.id AND q.round = v.round AND q.notary = $1
      ))
    LIMIT $3
) AS waiting

-- name: queue
-- How many reviews are open, and since when the oldest of them is.
SELECT count(*) AS open, min(created_at) AS oldest_at FROM reviews.reviews WHERE state = 'open'

-- name: others
-- The newest that don't wait for the notary $1: closed ones, those it approved, its own. At most $2 of each are looked at.
SELECT v.id, v.cluster_id, v.cluster_name, v.job_id, v.publisher, v.requested_bytes, v.state::text AS state,
       v.round, v.revision, v.is_asked, v.created_at, v.updated_at, v.proof_at,
       r.grant_id, r.quorum, r.findings::text AS findings, r.expires_at,
       coalesce((SELECT max(i.place) FROM reviews.inputs AS i WHERE i.review_id = v.id), 0) AS inputs_total
FROM reviews.reviews AS v JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
WHERE v.id IN (
    SELECT c.id FROM unnest('{approved,rejected,expired,withdrawn}'::reviews.state[]) AS s (state)
    CROSS JOIN LATERAL (SELECT id FROM reviews.reviews WHERE state = s.state ORDER BY id DESC LIMIT $2) AS c
    UNION
    (SELECT d.review_id FROM reviews.decisions AS d
     JOIN reviews.reviews AS o ON o.id = d.review_id AND o.round = d.round AND o.state = 'open'
     WHERE d.notary = $1 AND d.decision = 'approve' ORDER BY d.id DESC LIMIT $2)
    UNION
    (SELECT o.id FROM reviews.reviews AS o WHERE o.publisher = $1 AND o.state = 'open' ORDER BY o.id DESC LIMIT $2)
)
ORDER BY v.id DESC LIMIT $2

-- name: publisher
-- What else a publisher has asked for: the newest of its reviews but $2, $3 at most; of the cluster $4, or of all.
SELECT v.id, v.state::text AS state, v.cluster_name, v.job_id, v.requested_bytes, v.created_at
FROM reviews.reviews AS v WHERE v.publisher = $1 AND v.id <> $2 AND ($4::text IS NULL OR v.cluster_id = $4) ORDER BY v.id DESC LIMIT $3

-- name: said
-- What a notary said, the newest first, behind the decision $2.
SELECT d.id, d.review_id, d.round, d.decision::text AS decision, d.comment, d.signature IS NOT NULL AS is_signed, d.at,
       v.job_id, v.cluster_name, v.publisher, v.requested_bytes, v.state::text AS state
FROM reviews.decisions AS d JOIN reviews.reviews AS v ON v.id = d.review_id
WHERE d.notary = $1 AND ($2::bigint IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3

-- name: same_key
-- The other notaries' addresses of the notary $1's key, as far as a signature of either has shown them. A key signs
-- under one address as it does under another, so that the newest signature of each tells all.
WITH shown AS (
    SELECT n.address, n.name, n.id, newest.addresses
    FROM access.notaries AS n LEFT JOIN LATERAL (
        SELECT d.addresses FROM reviews.decisions AS d
        WHERE d.notary = n.address AND d.signature IS NOT NULL ORDER BY d.id DESC LIMIT 1
    ) AS newest ON true
)
SELECT DISTINCT ON (o.address) o.address, o.name FROM shown AS o
WHERE o.address <> $1 AND ($1 = ANY (o.addresses)
    OR EXISTS (SELECT FROM shown AS s WHERE s.address = $1 AND o.address = ANY (s.addresses)))
ORDER BY o.address, o.id DESC

-- name: said_by_month
-- How often in each of the last twelve months, by decision. The clock is $2 where a test gives one.
SELECT to_char(date_trunc('month', d.at AT TIME ZONE 'UTC'), 'YYYY-MM') AS month, d.decision::text AS decision,
       count(*) AS number
FROM reviews.decisions AS d
WHERE d.notary = $1
  AND d.at >= date_trunc('month', coalesce($2::timestamptz, clock_timestamp()), 'UTC') - interval '11 months'
GROUP BY 1, 2 ORDER BY 1, 2

-- name: jobs
-- The job of each of the reviews $1 that there are.
SELECT id, job_id FROM reviews.reviews WHERE id = ANY ($1::text[])
