-- Who may ask and decide: clusters and their keys, notaries, nonces and sessions.

CREATE SCHEMA access;
COMMENT ON SCHEMA access IS 'Who may ask and decide: clusters with keys, notaries with addresses, nonces and sessions.';

-- Clusters, their keys, and what was asked once.
--
--     cluster ──< keys: bearer (a hash of it) or ed25519 (the public half)
--     a key holds until it is revoked, its cluster is, or not_after has passed: rotation lets old and new overlap

CREATE TYPE access.scope AS ENUM ('reviews:write', 'reviews:read', 'admin');

CREATE TYPE access.key_kind AS ENUM (
    'bearer',  -- sent with every request
    'ed25519'  -- signs every request, and never leaves the cluster
);

CREATE TABLE access.clusters (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE access.clusters IS 'Who asks: clusters, and operators with keys. A revoked one stays, since reviews name it.';
COMMENT ON COLUMN access.clusters.name IS 'Nobody gets it a second time, so that what was signed for it stays the first one''s.';

CREATE TABLE access.keys (
    id text PRIMARY KEY,
    cluster_id text NOT NULL REFERENCES access.clusters,
    kind access.key_kind NOT NULL,
    secret_hash bytea CHECK (octet_length(secret_hash) = 32),
    public_key bytea UNIQUE CHECK (octet_length(public_key) = 32),
    scopes access.scope[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    not_after timestamptz,
    revoked_at timestamptz,
    CHECK ((kind = 'bearer') = (secret_hash IS NOT NULL)),
    CHECK ((kind = 'ed25519') = (public_key IS NOT NULL))
);
COMMENT ON TABLE access.keys IS 'What clusters prove themselves with. No secret is kept.';
COMMENT ON COLUMN access.keys.id IS 'Public. Of a bearer key its first 12 characters, of an Ed25519 key its JWK thumbprint (RFC 7638).';
COMMENT ON COLUMN access.keys.secret_hash IS 'SHA-256 of the whole key, which has 256 random bits: nothing slower is needed.';
COMMENT ON COLUMN access.keys.last_used_at IS 'To the hour.';
COMMENT ON COLUMN access.keys.not_after IS 'When it ends, after a rotation; NULL: not by time.';
CREATE INDEX keys_cluster ON access.keys (cluster_id);

CREATE TABLE access.used_signatures (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE access.used_signatures IS 'Signed requests that were taken and would still be in time, so that none is taken twice.';
COMMENT ON COLUMN access.used_signatures.digest IS 'SHA-256 of what was signed, not of the signature, which has several spellings.';
CREATE INDEX used_signatures_expires_at ON access.used_signatures (expires_at);

-- no row ─begin─► under way ─answered─► answered ─24 h─► gone
--                     │ └─failed─► no row
--                     └─lease over (its process died)─► the next attempt takes it over
CREATE TABLE access.idempotency (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    began_at timestamptz NOT NULL,
    attempt uuid,
    leased_until timestamptz,
    status smallint,
    headers jsonb,
    body bytea,
    PRIMARY KEY (caller, key),
    CHECK ((status IS NULL) = (attempt IS NOT NULL)),
    CHECK ((attempt IS NULL) = (leased_until IS NULL)),
    CHECK ((status IS NULL) = (headers IS NULL)),
    CHECK ((status IS NULL) = (body IS NULL))
);
COMMENT ON TABLE access.idempotency IS 'Requests with an Idempotency-Key: under way, or with the answer that is given again.';
COMMENT ON COLUMN access.idempotency.caller IS 'The kind and id of who asked: keys of different callers have nothing to do with each other.';
COMMENT ON COLUMN access.idempotency.fingerprint IS 'SHA-256 of method, address and body.';
COMMENT ON COLUMN access.idempotency.attempt IS 'Who works on it; another value, and its answer comes too late to be kept.';
CREATE INDEX idempotency_began_at ON access.idempotency (began_at);

-- Notaries, nonces and sessions.

CREATE TABLE access.notaries (
    id text PRIMARY KEY,
    address text NOT NULL,
    name text NOT NULL,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE access.notaries IS 'Who decides on reviews. A revoked one stays, since decisions name it.';
COMMENT ON COLUMN access.notaries.address IS 'f1…, f3… or f410f…, the one spelling: whose key signs.';
CREATE UNIQUE INDEX notaries_address ON access.notaries (address) WHERE revoked_at IS NULL;

CREATE TABLE access.nonce_key (
    the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);
COMMENT ON TABLE access.nonce_key IS 'What nonces are authenticated with, so that those given out need not be kept.';
INSERT INTO access.nonce_key (key)
VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

CREATE TABLE access.taken_nonces (
    nonce text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE access.taken_nonces IS 'Nonces that were used and could still be shown again. Only a good signature brings one here.';
CREATE INDEX taken_nonces_expires_at ON access.taken_nonces (expires_at);

CREATE TABLE access.sessions (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    notary_id text NOT NULL REFERENCES access.notaries ON DELETE CASCADE,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
COMMENT ON TABLE access.sessions IS 'Notaries that are signed in to the pages.';
COMMENT ON COLUMN access.sessions.token_hash IS 'SHA-256 of the cookie''s 256 random bits, which are kept nowhere.';
COMMENT ON COLUMN access.sessions.seen_at IS 'When it was last used, to the minute.';
CREATE INDEX sessions_notary ON access.sessions (notary_id);
