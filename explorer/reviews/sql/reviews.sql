-- Reviews: what was asked, decided and said.
-- A statement's clock is $1 where a test gives one, else the database's.

-- name: now
SELECT coalesce($1::timestamptz, clock_timestamp())

-- name: find
-- The review of a cluster's job, if there is one.
SELECT id, digests::text AS digests FROM reviews.reviews WHERE cluster_id = $1 AND job_id = $2

-- name: add
-- No row: another request has just added the same job.
INSERT INTO reviews.reviews (id, cluster_id, cluster_name, job_id, job, publisher, requested_bytes, digests,
                             inputs_as_of, state, round, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, 'open', 1, $10, $10)
ON CONFLICT (cluster_id, job_id) DO NOTHING
RETURNING id

-- name: add_inputs
INSERT INTO reviews.inputs (review_id, place, cid, verdict)
SELECT $1, i.place, i.cid, i.verdict FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS i (cid, verdict, place)

-- name: add_round
INSERT INTO reviews.rounds (review_id, round, grant_id, quorum, findings, opened_at, expires_at)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)

-- name: lock
-- Whoever changes a review holds its row: changes take turns.
SELECT id FROM reviews.reviews WHERE id = $1 FOR UPDATE

-- name: head
-- The review as far as its life goes.
SELECT v.id, v.cluster_id, v.cluster_name, v.job_id, v.publisher, v.requested_bytes, v.state::text AS state, v.round,
       v.is_asked, v.proof_addresses, v.proof_signature, v.proof_message,
       r.grant_id, r.quorum, r.findings::text AS findings, r.expires_at, r.reminded_at
FROM reviews.reviews AS v JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
WHERE v.id = $1

-- name: approvals
-- Those that count: of notaries that still are. A revocation ends what was approved before it for good, so that it
-- doesn't come back with a notary that is added again.
SELECT d.notary, d.addresses FROM reviews.decisions AS d
WHERE d.review_id = $1 AND d.round = $2 AND d.decision = 'approve'
  AND EXISTS (SELECT FROM access.notaries AS n WHERE n.address = d.notary AND n.revoked_at IS NULL)
  AND NOT EXISTS (SELECT FROM access.notaries AS n WHERE n.address = d.notary AND n.revoked_at >= d.at)
ORDER BY d.id

-- name: hold_approvers
-- Who has approved in this round can't be revoked until the transaction ends: an approval that is counted is one at the
-- commit. In the order of their ids, as all who lock several of them.
SELECT n.id FROM access.notaries AS n
WHERE n.revoked_at IS NULL AND n.address IN (
    SELECT d.notary FROM reviews.decisions AS d JOIN reviews.reviews AS v ON v.id = d.review_id AND v.round = d.round
    WHERE d.review_id = $1 AND d.decision = 'approve')
ORDER BY n.id FOR SHARE OF n

-- name: has_decided
-- Whether the notary $3 has approved or rejected in this round, whether or not that still counts.
SELECT EXISTS (
    SELECT FROM reviews.decisions WHERE review_id = $1 AND round = $2 AND notary = $3 AND decision <> 'ask')

-- name: save
-- The life after a step.
UPDATE reviews.reviews
SET state = $2::text::reviews.state, round = $3, is_asked = $4, revision = revision + 1, updated_at = $5
WHERE id = $1

-- name: save_round
UPDATE reviews.rounds
SET quorum = $3, findings = $4::jsonb,
    reminded_at = CASE WHEN $5 THEN coalesce(reminded_at, $7) END,
    ended_at = CASE WHEN $6::text = 'open' THEN NULL ELSE coalesce(ended_at, $7) END,
    outcome = CASE WHEN $6::text = 'open' THEN NULL ELSE $6::text::reviews.state END
WHERE review_id = $1 AND round = $2

-- name: save_proof
UPDATE reviews.reviews
SET proof_message = $2, proof_signature = $3, proof_at = $4, proof_addresses = $5
WHERE id = $1

-- name: decision_of_message
SELECT review_id, signature FROM reviews.decisions WHERE message = $1

-- name: add_decision
INSERT INTO reviews.decisions (review_id, round, notary, notary_name, addresses, decision, comment, message, signature, at)
VALUES ($1, $2, $3, $4, $5, $6::text::reviews.decision, $7, $8, $9, $10)

-- name: add_comment
INSERT INTO reviews.comments (review_id, at, actor_kind, actor_id, actor_name, body) VALUES ($1, $2, $3, $4, $5, $6)

-- name: count_comments
SELECT count(*) FROM reviews.comments WHERE review_id = $1

-- name: add_results
INSERT INTO reviews.results (review_id, number, at, document, size_bytes)
SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4 FROM reviews.results WHERE review_id = $1
RETURNING number

-- name: count_results
SELECT count(*) FROM reviews.results WHERE review_id = $1

-- name: results_bytes
-- Of the newest results.
SELECT size_bytes FROM reviews.results WHERE review_id = $1 ORDER BY number DESC LIMIT 1

-- name: load
SELECT v.id, v.cluster_id, v.cluster_name, v.job_id, v.job, v.publisher, v.requested_bytes, v.state::text AS state,
       v.round, v.revision, v.is_asked, v.created_at, v.updated_at, v.inputs_as_of::text AS inputs_as_of,
       v.proof_message, v.proof_signature, v.proof_at,
       (SELECT c.revoked_at FROM access.clusters AS c WHERE c.id = v.cluster_id) AS cluster_revoked_at,
       r.grant_id, r.quorum, r.findings::text AS findings, r.expires_at,
       r.expires_at <= coalesce($2::timestamptz, clock_timestamp()) AS is_overdue
FROM reviews.reviews AS v JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
WHERE v.id = $1

-- name: count_open_of
-- How many of a cluster's reviews can still be approved.
SELECT count(*) FROM reviews.reviews WHERE cluster_id = $1 AND state = 'open'

-- name: inputs
SELECT cid, verdict FROM reviews.inputs WHERE review_id = $1 ORDER BY place

-- name: decisions
SELECT d.review_id, d.round, r.grant_id, d.notary, d.notary_name, d.decision::text AS decision, d.comment, d.message,
       d.signature, d.at,
       EXISTS (SELECT FROM access.notaries AS n WHERE n.address = d.notary AND n.revoked_at IS NULL)
       AND NOT EXISTS (SELECT FROM access.notaries AS n WHERE n.address = d.notary AND n.revoked_at >= d.at) AS counts
FROM reviews.decisions AS d JOIN reviews.rounds AS r ON r.review_id = d.review_id AND r.round = d.round
WHERE d.review_id = ANY ($1::text[]) ORDER BY d.id

-- name: comments
SELECT at, actor_kind, actor_id, actor_name, body FROM reviews.comments WHERE review_id = $1 ORDER BY id

-- name: results
-- The newest alone, whose number is how many there are: each may have megabytes, and no page shows another.
SELECT number, at, document, size_bytes FROM reviews.results WHERE review_id = $1 ORDER BY number DESC LIMIT 1

-- name: count_questions
SELECT count(*) FROM reviews.decisions WHERE review_id = $1 AND decision = 'ask'

-- name: rounds
SELECT round, grant_id, quorum, opened_at, expires_at, ended_at, outcome::text AS outcome
FROM reviews.rounds WHERE review_id = $1 ORDER BY round

-- name: page
-- The newest first, behind the review $1. A filter that is NULL takes all; each has its negation, `…_not`.
SELECT v.id, v.cluster_id, v.cluster_name, v.job_id, v.publisher, v.requested_bytes, v.state::text AS state,
       v.round, v.revision, v.is_asked, v.created_at, v.updated_at, v.proof_at,
       r.grant_id, r.quorum, r.findings::text AS findings, r.expires_at,
       r.expires_at <= coalesce($12::timestamptz, clock_timestamp()) AS is_overdue,
       coalesce((SELECT max(i.place) FROM reviews.inputs AS i WHERE i.review_id = v.id), 0) AS inputs_total
FROM reviews.reviews AS v JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
WHERE ($1::text IS NULL OR v.id < $1)
  AND ($2::text IS NULL OR v.cluster_id = $2)
  AND ($3::text[] IS NULL OR v.state = ANY ($3::text[]::reviews.state[]))
  AND ($4::text[] IS NULL OR v.cluster_id = ANY ($4) OR v.cluster_name = ANY ($4))
  AND ($5::text[] IS NULL OR NOT (v.cluster_id = ANY ($5) OR v.cluster_name = ANY ($5)))
  AND ($6::text[] IS NULL OR v.publisher = ANY ($6))
  AND ($7::text[] IS NULL OR NOT v.publisher = ANY ($7))
  AND ($8::timestamptz IS NULL OR v.created_at >= $8)
  AND ($9::timestamptz IS NULL OR v.created_at < $9)
  AND ($10::text IS NULL OR v.job_id = $10)
ORDER BY v.id DESC LIMIT $11

-- name: due
-- Running rounds whose reminder or deadline has come, the oldest deadline first.
SELECT r.review_id AS id FROM reviews.rounds AS r
WHERE r.ended_at IS NULL
  AND (r.expires_at <= coalesce($1::timestamptz, clock_timestamp())
       OR (r.reminded_at IS NULL AND r.expires_at <= coalesce($1::timestamptz, clock_timestamp()) + $2::interval))
ORDER BY r.expires_at LIMIT 100

-- name: next_due
-- Seconds until that is so of another one; NULL: none runs.
SELECT extract(epoch FROM min(CASE WHEN r.reminded_at IS NULL THEN r.expires_at - $2::interval ELSE r.expires_at END)
               - coalesce($1::timestamptz, clock_timestamp()))::float8
FROM reviews.rounds AS r WHERE r.ended_at IS NULL

-- name: tell
-- For those who watch this review. Appended last: writers of the feed take turns from here on.
INSERT INTO explorer.feed (type, review_id, data) VALUES ('review', $1, $2::jsonb)
