-- What notaries asked, and no cluster has answered since: by a comment, or by results.

CREATE VIEW reviews.unanswered AS
SELECT d.review_id, d.round, d.notary
FROM reviews.decisions AS d
WHERE d.decision = 'ask'
  AND NOT EXISTS (SELECT FROM reviews.comments AS c
                  WHERE c.review_id = d.review_id AND c.actor_kind = 'cluster' AND c.at > d.at)
  AND NOT EXISTS (SELECT FROM reviews.results AS s WHERE s.review_id = d.review_id AND s.at > d.at);

COMMENT ON VIEW reviews.unanswered IS 'Each question of a notary that no cluster has answered since, by comment or results.';
