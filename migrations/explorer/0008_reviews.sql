-- Reviews: a cluster asks, notaries decide.
--
--     open ──► approved                            within a round; the states are those of explorer/reviews/life.py
--      │ ╲───► rejected | expired | withdrawn ──┐
--      ▲                                        │  reopened: the next round, with a grant id of its own
--      └────────────────────────────────────────┘
--
-- Documents of strangers are kept as text: jsonb takes neither \u0000 nor every number, and would not give the same back.

CREATE SCHEMA reviews;
COMMENT ON SCHEMA reviews IS 'Reviews: a cluster asks, notaries decide.';

CREATE TYPE reviews.state AS ENUM (
    'open',       -- waits for notaries
    'approved',   -- as many as the quorum wants have approved; waits for DataCap
    'rejected',   -- by a notary, or by a rule
    'expired',    -- the deadline passed
    'withdrawn'   -- who asked no longer wants it
);
CREATE TYPE reviews.decision AS ENUM ('approve', 'reject', 'ask');

CREATE TABLE reviews.reviews (
    id text COLLATE "C" PRIMARY KEY,
    cluster_id text NOT NULL,
    cluster_name text NOT NULL,
    job_id text NOT NULL,
    job text NOT NULL,
    publisher text NOT NULL,
    requested_bytes numeric(25) NOT NULL CHECK (requested_bytes >= 0),
    digests jsonb NOT NULL,
    inputs_as_of jsonb NOT NULL,
    state reviews.state NOT NULL,
    round integer NOT NULL CHECK (round > 0),
    revision integer NOT NULL DEFAULT 1,
    is_asked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    proof_message text,
    proof_signature text,
    proof_at timestamptz,
    proof_addresses text[],
    UNIQUE (cluster_id, job_id),
    CHECK (num_nulls(proof_message, proof_signature, proof_at, proof_addresses) IN (0, 4))
);
COMMENT ON TABLE reviews.reviews IS 'One job of one cluster that asks for DataCap.';
COMMENT ON COLUMN reviews.reviews.cluster_name IS 'As it was at the intake: what the publisher''s proof names.';
COMMENT ON COLUMN reviews.reviews.job IS 'The cluster''s JSON document.';
COMMENT ON COLUMN reviews.reviews.publisher IS 'f1…, f3… or f410f…, the one spelling.';
COMMENT ON COLUMN reviews.reviews.digests IS 'SHA-256 of each field as it was posted: the same job with another body is told by them.';
COMMENT ON COLUMN reviews.reviews.inputs_as_of IS 'Of which moment the verdicts over the inputs are.';
COMMENT ON COLUMN reviews.reviews.revision IS 'Grows with every change.';
COMMENT ON COLUMN reviews.reviews.is_asked IS 'A notary wants to know more, and the cluster has not answered yet.';
COMMENT ON COLUMN reviews.reviews.proof_addresses IS 'Every address of the key that signed the proof: nobody decides their own under another of them.';
CREATE INDEX reviews_cluster ON reviews.reviews (cluster_id, id);
CREATE INDEX reviews_publisher ON reviews.reviews (publisher, id);
CREATE INDEX reviews_state ON reviews.reviews (state, id);

CREATE TABLE reviews.rounds (
    review_id text COLLATE "C" NOT NULL REFERENCES reviews.reviews,
    round integer NOT NULL,
    grant_id text NOT NULL UNIQUE,
    quorum integer NOT NULL CHECK (quorum > 0),
    findings jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    reminded_at timestamptz,
    ended_at timestamptz,
    outcome reviews.state,
    PRIMARY KEY (review_id, round),
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK (outcome <> 'open')
);
COMMENT ON TABLE reviews.rounds IS 'Each attempt to decide on a review. The newest is the one that counts.';
COMMENT ON COLUMN reviews.rounds.grant_id IS 'What approvals of this round name, and of no other: an old one can never count in a new round.';
COMMENT ON COLUMN reviews.rounds.findings IS 'What the rules found.';
COMMENT ON COLUMN reviews.rounds.expires_at IS 'The deadline.';
CREATE INDEX rounds_running ON reviews.rounds (expires_at) WHERE ended_at IS NULL;

CREATE TABLE reviews.inputs (
    review_id text COLLATE "C" NOT NULL REFERENCES reviews.reviews,
    place integer NOT NULL,
    cid text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('active', 'pending', 'past', 'none', 'unknown')),
    PRIMARY KEY (review_id, place)
);
COMMENT ON TABLE reviews.inputs IS 'The CIDs that the job names, each with the verdict that this explorer gave it at the intake.';

CREATE TABLE reviews.decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    notary text NOT NULL,
    notary_name text NOT NULL,
    addresses text[] NOT NULL,
    decision reviews.decision NOT NULL,
    comment text NOT NULL CHECK (comment <> ''),
    message text UNIQUE,
    signature text,
    at timestamptz NOT NULL,
    FOREIGN KEY (review_id, round) REFERENCES reviews.rounds,
    CHECK ((decision = 'ask') = (message IS NULL)),
    CHECK ((message IS NULL) = (signature IS NULL))
);
COMMENT ON TABLE reviews.decisions IS 'What notaries said, kept for ever: explorer.signatures.verify.verify_record takes each row by itself.';
COMMENT ON COLUMN reviews.decisions.notary IS 'The address whose key signed; of a question, which needs no signature, the session''s.';
COMMENT ON COLUMN reviews.decisions.addresses IS 'Every address of that key, as far as a signature shows it: f1… and f410f… can be one key.';
COMMENT ON COLUMN reviews.decisions.message IS 'The text that was signed. Unique: no text counts twice.';
CREATE UNIQUE INDEX decisions_once ON reviews.decisions (review_id, round, notary) WHERE decision <> 'ask';

CREATE TABLE reviews.comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id text COLLATE "C" NOT NULL REFERENCES reviews.reviews,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    body text NOT NULL CHECK (body <> '')
);
COMMENT ON TABLE reviews.comments IS 'What was said beside the decisions, withdrawing and reopening among it.';
CREATE INDEX comments_review ON reviews.comments (review_id, id);

CREATE TABLE reviews.results (
    review_id text COLLATE "C" NOT NULL REFERENCES reviews.reviews,
    number integer NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL,
    document text NOT NULL,
    size_bytes numeric(30),
    PRIMARY KEY (review_id, number)
);
COMMENT ON TABLE reviews.results IS 'What the job gave, as the cluster told it, each time it did. The newest holds.';
COMMENT ON COLUMN reviews.results.size_bytes IS 'Of all outputs together; NULL where none has a size.';

CREATE FUNCTION reviews.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what was said stays', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION reviews.refuse IS 'Keeps what was written. Who owns the table can switch it off.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reviews.decisions
    FOR EACH STATEMENT EXECUTE FUNCTION reviews.refuse();

ALTER TABLE explorer.feed ADD COLUMN review_id text;
COMMENT ON COLUMN explorer.feed.review_id IS 'Of a review event: told to nobody but those who may see that review and ask for it.';
COMMENT ON COLUMN explorer.feed.type IS 'head: the followed chain moved; cid: the records over a piece changed; import: a file or a state was read; review: a review changed.';
