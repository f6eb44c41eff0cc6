-- Who may ask and decide: clusters and their keys, notaries, nonces and sessions.

CREATE SCHEMA access;
COMMENT ON SCHEMA access IS 'Who may ask and decide: clusters with keys, notaries with addresses, nonces and sessions.';
