-- Parties: who spent DataCap, and who stores for it. Their records in pages; and of those with very many records a
-- summary that is made ahead, since counting half a million claims takes longer than a page may.
--
--     a row changes ─► its client and provider are noted ─► the refresher makes the summaries of the large ones anew

CREATE TYPE explorer.party_role AS ENUM (
    'client',    -- spends DataCap on data
    'provider'   -- stores it
);

CREATE INDEX claims_client ON explorer.claims (client_id, id);
CREATE INDEX claims_provider ON explorer.claims (provider_id, id);
CREATE INDEX allocations_provider ON explorer.allocations (provider_id, id);
CREATE INDEX deals_client ON explorer.deals (client_id, id) WHERE verified;
CREATE INDEX deals_provider ON explorer.deals (provider_id, id) WHERE verified;

CREATE TABLE explorer.party_summaries (
    role explorer.party_role NOT NULL,
    party_id bigint NOT NULL,
    epoch bigint NOT NULL,
    holds_until_epoch bigint,
    terms jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    summary jsonb NOT NULL,
    PRIMARY KEY (role, party_id)
);
COMMENT ON TABLE explorer.party_summaries IS 'What is counted of parties with so many records that it is counted ahead; the others are counted when asked for.';
COMMENT ON COLUMN explorer.party_summaries.epoch IS 'The head of the index when it was counted.';
COMMENT ON COLUMN explorer.party_summaries.holds_until_epoch IS 'The first epoch at which a record expires, and so another count begins; NULL: none will.';
COMMENT ON COLUMN explorer.party_summaries.terms IS 'What else the statuses rest on: whether all claims are known, and the end of FIL+.';

CREATE TABLE explorer.party_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role explorer.party_role NOT NULL,
    party_id bigint NOT NULL,
    is_seen boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE explorer.party_changes IS 'Parties whose records changed. What changes records only ever adds, so that nobody waits; the refresher forgets what it has seen, but for the newest.';
COMMENT ON COLUMN explorer.party_changes.id IS 'Ascends with the changes: the newest is the revision of what is known of parties.';
CREATE INDEX party_changes_party ON explorer.party_changes (role, party_id) WHERE NOT is_seen;

CREATE FUNCTION explorer.note_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.party_changes (role, party_id)
    SELECT DISTINCT 'client'::explorer.party_role, client_id FROM changed
    UNION ALL
    SELECT DISTINCT 'provider'::explorer.party_role, provider_id FROM changed;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION explorer.note_parties IS 'Notes the clients and providers of rows that a statement added or took away.';

CREATE FUNCTION explorer.note_former_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.party_changes (role, party_id)
    SELECT 'client'::explorer.party_role, client_id FROM (SELECT client_id FROM former UNION SELECT client_id FROM changed) AS c
    UNION ALL
    SELECT 'provider'::explorer.party_role, provider_id
    FROM (SELECT provider_id FROM former UNION SELECT provider_id FROM changed) AS p;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION explorer.note_former_parties IS 'Notes the clients and providers of rows that a statement changed: a deal can become another one.';

CREATE FUNCTION explorer.note_parties_of_deals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.party_changes (role, party_id)
    SELECT DISTINCT party.role, party.id
    FROM changed AS c JOIN explorer.deals AS d ON d.id = c.deal_id
    CROSS JOIN LATERAL (VALUES ('client'::explorer.party_role, d.client_id), ('provider', d.provider_id)) AS party (role, id);
    RETURN NULL;
END
$$;

CREATE FUNCTION explorer.note_parties_of_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.party_changes (role, party_id)
    SELECT DISTINCT party.role, party.id
    FROM changed AS t JOIN explorer.claims AS c ON c.id = t.claim_id
    CROSS JOIN LATERAL (VALUES ('client'::explorer.party_role, c.client_id), ('provider', c.provider_id)) AS party (role, id);
    RETURN NULL;
END
$$;

CREATE FUNCTION explorer.note_parties_of_sectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.party_changes (role, party_id)
    SELECT DISTINCT party.role, party.id
    FROM changed AS s JOIN explorer.claims AS c ON c.provider_id = s.provider_id AND c.sector = s.sector
    CROSS JOIN LATERAL (VALUES ('client'::explorer.party_role, c.client_id), ('provider', c.provider_id)) AS party (role, id);
    RETURN NULL;
END
$$;

CREATE TRIGGER note_added AFTER INSERT ON explorer.claims
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();
CREATE TRIGGER note_changed AFTER UPDATE ON explorer.claims
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_former_parties();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.claims
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();

CREATE TRIGGER note_added AFTER INSERT ON explorer.allocations
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();
CREATE TRIGGER note_changed AFTER UPDATE ON explorer.allocations
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_former_parties();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.allocations
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();

CREATE TRIGGER note_added AFTER INSERT ON explorer.deals
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();
CREATE TRIGGER note_changed AFTER UPDATE ON explorer.deals
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_former_parties();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.deals
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties();

CREATE TRIGGER note_added AFTER INSERT ON explorer.deal_events
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_deals();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.deal_events
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_deals();

CREATE TRIGGER note_added AFTER INSERT ON explorer.claim_terms
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_claims();
CREATE TRIGGER note_changed AFTER UPDATE ON explorer.claim_terms
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_claims();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.claim_terms
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_claims();

CREATE TRIGGER note_added AFTER INSERT ON explorer.sector_terminations
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_sectors();
CREATE TRIGGER note_removed AFTER DELETE ON explorer.sector_terminations
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION explorer.note_parties_of_sectors();

-- What the index held before this migration.
INSERT INTO explorer.party_changes (role, party_id)
SELECT 'client'::explorer.party_role, client_id FROM (
    SELECT client_id FROM explorer.claims UNION SELECT client_id FROM explorer.allocations
    UNION SELECT client_id FROM explorer.deals WHERE verified
) AS clients
UNION ALL
SELECT 'provider'::explorer.party_role, provider_id FROM (
    SELECT provider_id FROM explorer.claims UNION SELECT provider_id FROM explorer.allocations
    UNION SELECT provider_id FROM explorer.deals WHERE verified
) AS providers;
