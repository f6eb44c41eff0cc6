-- Alerts: what is to be told to whom, until it was told.
--
--     a fact and its message, one transaction ─► COMMIT ─► NOTIFY alerts ─► a process leases a delivery ─► POST
--
--     pending ──2xx──► delivered          a failed attempt leaves it pending, due later
--        │  ▲              │
--        │  └────replay────┤
--        └──given up──► dead

CREATE SCHEMA alerts;
COMMENT ON SCHEMA alerts IS 'The outbox of alerts: endpoints, messages, their deliveries and every attempt.';

CREATE TYPE alerts.endpoint_kind AS ENUM (
    'webhook',  -- Standard Webhooks over HTTP
    'channel'   -- chat or mail, named by the operator's settings
);

CREATE TABLE alerts.endpoints (
    id text PRIMARY KEY,
    kind alerts.endpoint_kind NOT NULL,
    url text NOT NULL,
    types text[],
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since timestamptz,
    tried_at timestamptz,
    probe_at timestamptz,
    held_until timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL)),
    CHECK (probe_at IS NULL OR failures > 0)
);
COMMENT ON TABLE alerts.endpoints IS 'Who is told. A removed endpoint stays as long as its deliveries do.';
COMMENT ON COLUMN alerts.endpoints.url IS 'Where to; of a channel only its scheme, since its URL holds secrets.';
COMMENT ON COLUMN alerts.endpoints.types IS 'The types it wants; NULL: all.';
COMMENT ON COLUMN alerts.endpoints.failures IS 'Attempts that failed in a row, whatever the message.';
COMMENT ON COLUMN alerts.endpoints.tried_at IS 'When the last probe of an endpoint that is down was leased, or its last attempt failed.';
COMMENT ON COLUMN alerts.endpoints.probe_at IS 'It is down: nothing but one probe at a time, from then on. NULL: it is up.';
COMMENT ON COLUMN alerts.endpoints.held_until IS 'It asked (Retry-After) to be sent nothing before then.';
CREATE UNIQUE INDEX endpoints_url ON alerts.endpoints (url) WHERE kind = 'webhook' AND removed_at IS NULL;

CREATE TABLE alerts.secrets (
    endpoint_id text NOT NULL REFERENCES alerts.endpoints ON DELETE CASCADE,
    secret text NOT NULL,
    not_before timestamptz NOT NULL,
    not_after timestamptz,
    PRIMARY KEY (endpoint_id, secret),
    CHECK (not_after >= not_before)
);
COMMENT ON TABLE alerts.secrets IS 'What an endpoint''s messages are signed with: every secret that holds at the time of the attempt.';
COMMENT ON COLUMN alerts.secrets.secret IS 'whsec_…, as the receiver has it: a symmetric signature can''t be made from a hash of it.';

CREATE TABLE alerts.messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id text NOT NULL UNIQUE,
    type text NOT NULL,
    subject_id text NOT NULL,
    body text NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE alerts.messages IS 'The outbox: written in the transaction of the fact that it tells.';
COMMENT ON COLUMN alerts.messages.id IS 'Of one subject ascending in the order of the commits: writers of a subject take turns.';
COMMENT ON COLUMN alerts.messages.subject_id IS 'The review or grant that it is about; per endpoint, its messages go one after the other.';
COMMENT ON COLUMN alerts.messages.body IS 'The JSON as it is sent and signed, byte for byte the same at every attempt.';
CREATE INDEX messages_at ON alerts.messages (at);

CREATE TYPE alerts.delivery_state AS ENUM ('pending', 'delivered', 'dead');

CREATE TABLE alerts.deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES alerts.messages ON DELETE CASCADE,
    endpoint_id text NOT NULL REFERENCES alerts.endpoints ON DELETE CASCADE,
    subject_id text NOT NULL,
    state alerts.delivery_state NOT NULL DEFAULT 'pending',
    due_at timestamptz NOT NULL,
    waiting_since timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    refusals integer NOT NULL DEFAULT 0,
    first_tried_at timestamptz,
    tried_at timestamptz,
    ended_at timestamptz,
    dead_reason text,
    lease bigint,
    lease_owner integer,
    leased_until timestamptz,
    UNIQUE (message_id, endpoint_id),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK ((state = 'dead') = (dead_reason IS NOT NULL)),
    CHECK (lease IS NULL OR (state = 'pending' AND lease_owner IS NOT NULL AND leased_until IS NOT NULL))
);
COMMENT ON TABLE alerts.deliveries IS 'One message to one endpoint.';
COMMENT ON COLUMN alerts.deliveries.waiting_since IS 'When it was made, or replayed.';
COMMENT ON COLUMN alerts.deliveries.tries IS 'Attempts that came to an end, since it was made or replayed.';
COMMENT ON COLUMN alerts.deliveries.refusals IS 'Those of them that the endpoint answered as refused for good.';
COMMENT ON COLUMN alerts.deliveries.tried_at IS 'When the last of them ended; NULL: none has.';
COMMENT ON COLUMN alerts.deliveries.lease IS 'The fencing token of the attempt under way: whoever holds another one writes nothing.';
COMMENT ON COLUMN alerts.deliveries.lease_owner IS 'The process: while it lives it holds the advisory lock of this number.';
CREATE INDEX deliveries_waiting ON alerts.deliveries (endpoint_id, subject_id, message_id) WHERE state = 'pending';
CREATE INDEX deliveries_leased ON alerts.deliveries (endpoint_id) WHERE lease IS NOT NULL;
CREATE INDEX deliveries_undelivered ON alerts.deliveries (endpoint_id) WHERE state <> 'delivered';
CREATE INDEX deliveries_endpoint ON alerts.deliveries (endpoint_id, id);
CREATE SEQUENCE alerts.leases;

CREATE TABLE alerts.attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES alerts.deliveries ON DELETE CASCADE,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    status integer,
    duration_ms integer NOT NULL,
    error text,
    excerpt text
);
COMMENT ON TABLE alerts.attempts IS 'The log: every attempt that came to its end.';
COMMENT ON COLUMN alerts.attempts.at IS 'When it ended.';
COMMENT ON COLUMN alerts.attempts.outcome IS 'delivered, transient, refused or gone.';
COMMENT ON COLUMN alerts.attempts.status IS 'HTTP status; NULL where there was no answer.';
COMMENT ON COLUMN alerts.attempts.excerpt IS 'The beginning of the answer''s body.';
CREATE INDEX attempts_delivery ON alerts.attempts (delivery_id, id);

CREATE FUNCTION alerts.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('alerts', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION alerts.tell IS 'Wakes the delivering processes once the transaction commits.';
CREATE TRIGGER tell AFTER INSERT ON alerts.deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION alerts.tell();
