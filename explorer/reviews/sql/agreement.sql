-- What the audit log is compared with.

-- name: rows
-- Every review as it stands, with all that notaries said: round, notary, decision, comment, text and signature.
SELECT v.id, v.state::text AS state, v.round, r.quorum, r.grant_id, v.job_id, v.publisher,
       v.requested_bytes::text AS requested_bytes, v.proof_message, v.proof_signature,
       (SELECT coalesce(json_agg(json_build_array(d.round, d.notary, d.decision::text, d.comment, d.message, d.signature)),
                        '[]'::json)
        FROM reviews.decisions AS d WHERE d.review_id = v.id)::text AS decisions
FROM reviews.reviews AS v LEFT JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
ORDER BY v.id
