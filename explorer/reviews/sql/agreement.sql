-- What the audit log is compared with. Times as entries spell them; what may have megabytes as its SHA-256.

-- name: rows
-- Every review as it stands, with its rounds, CIDs, results and all that was said. Of a decision: round, notary,
-- decision, comment, text, signature, the notary's name, when, and its key's addresses.
SELECT v.id, v.state::text AS state, v.round, r.quorum, r.grant_id, v.cluster_id, v.cluster_name, v.job_id, v.job,
       v.publisher, v.requested_bytes::text AS requested_bytes, v.proof_message, v.proof_signature, v.proof_addresses,
       v.inputs_as_of::text AS inputs_as_of, r.findings::text AS findings,
       (SELECT coalesce(json_agg(json_build_array(d.round, d.notary, d.decision::text, d.comment, d.message, d.signature,
                                                  d.notary_name,
                                                  to_char(d.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                                  d.addresses)),
                        '[]'::json)
        FROM reviews.decisions AS d WHERE d.review_id = v.id)::text AS decisions,
       (SELECT coalesce(json_agg(json_build_array(o.round, o.grant_id, to_char(o.expires_at AT TIME ZONE 'UTC',
                                                                               'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))),
                        '[]'::json)
        FROM reviews.rounds AS o WHERE o.review_id = v.id)::text AS rounds,
       (SELECT coalesce(json_agg(json_build_array(i.cid, i.verdict) ORDER BY i.place), '[]'::json)
        FROM reviews.inputs AS i WHERE i.review_id = v.id)::text AS inputs,
       (SELECT coalesce(json_agg(json_build_array(s.number, encode(sha256(convert_to(s.document, 'UTF8')), 'hex'),
                                                  s.size_bytes::text)), '[]'::json)
        FROM reviews.results AS s WHERE s.review_id = v.id)::text AS results,
       (SELECT coalesce(json_agg(json_build_array(to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                                  c.actor_kind, c.actor_id, c.actor_name,
                                                  encode(sha256(convert_to(c.body, 'UTF8')), 'hex')) ORDER BY c.id),
                        '[]'::json)
        FROM reviews.comments AS c WHERE c.review_id = v.id)::text AS comments
FROM reviews.reviews AS v LEFT JOIN reviews.rounds AS r ON r.review_id = v.id AND r.round = v.round
ORDER BY v.id
