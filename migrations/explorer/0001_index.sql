-- The index: what the chain said of deals, claims and allocations, and from when to when it said so.
--
-- Sized for mainnet (80 M deals, 100 M claims): digests as raw bytes, actor ids and epochs as integers, labels as bytes.
-- Every epoch is a chain height; -1 is the chain's own "never".

CREATE SCHEMA explorer;

CREATE TYPE explorer.record_kind AS ENUM ('deals', 'claims', 'allocations', 'events', 'pieces');

CREATE TABLE explorer.network (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name text NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE explorer.network IS 'The one network that this database is an index of; written at first use.';

CREATE TABLE explorer.imports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind explorer.record_kind NOT NULL,
    source text NOT NULL,
    epoch bigint,
    complete boolean NOT NULL,
    records bigint NOT NULL,
    rejected bigint NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE explorer.imports IS 'One row for each file that was imported.';
COMMENT ON COLUMN explorer.imports.epoch IS 'The tipset the file was read at; without one, the largest epoch its records bear. NULL: a map of pieces.';
COMMENT ON COLUMN explorer.imports.complete IS 'The file held every record of its kind at its epoch, and each could be read.';
CREATE INDEX imports_epoch ON explorer.imports (epoch);

CREATE TABLE explorer.coverage (
    kind explorer.record_kind NOT NULL CHECK (kind IN ('deals', 'claims', 'allocations')),
    from_epoch bigint NOT NULL,
    through_epoch bigint NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (kind, from_epoch, through_epoch),
    CHECK (from_epoch <= through_epoch)
);
COMMENT ON TABLE explorer.coverage IS 'At each epoch of a span the index holds every record of that kind.';

CREATE TABLE explorer.claims (
    id bigint PRIMARY KEY,
    client_id bigint NOT NULL,
    provider_id bigint NOT NULL,
    size_bytes bigint NOT NULL,
    term_start_epoch bigint NOT NULL,
    term_min_epochs bigint NOT NULL,
    term_max_epochs bigint NOT NULL,
    sector bigint NOT NULL,
    first_seen_epoch bigint NOT NULL,
    seen_epoch bigint NOT NULL,
    gone_epoch bigint,
    removed_epoch bigint,
    piece bytea,
    data_cid bytea
);
COMMENT ON TABLE explorer.claims IS 'Claims of the verified registry (f06): DataCap was spent on a piece. The id is that of the allocation it came from.';
COMMENT ON COLUMN explorer.claims.size_bytes IS 'Padded piece size.';
COMMENT ON COLUMN explorer.claims.first_seen_epoch IS 'The first epoch at which a source had it in the state.';
COMMENT ON COLUMN explorer.claims.seen_epoch IS 'The newest epoch at which a source that wrote this row had it. A row that has not ended was also in every complete file since.';
COMMENT ON COLUMN explorer.claims.gone_epoch IS 'The epoch of the first complete file without it.';
COMMENT ON COLUMN explorer.claims.removed_epoch IS 'Height + 1 of its claim-removed event.';
COMMENT ON COLUMN explorer.claims.piece IS 'Piece commitment, 32 bytes. NULL: Data is no piece CID, see data_cid.';
COMMENT ON COLUMN explorer.claims.data_cid IS 'The binary CID in Data where it is no piece CID; the registry does not check.';
CREATE INDEX claims_piece ON explorer.claims (piece);
CREATE INDEX claims_sector ON explorer.claims (provider_id, sector);

CREATE TABLE explorer.claim_terms (
    claim_id bigint NOT NULL,
    term_max_epochs bigint NOT NULL,
    since_epoch bigint NOT NULL,
    PRIMARY KEY (claim_id, term_max_epochs)
);
COMMENT ON TABLE explorer.claim_terms IS 'Every TermMax that an extended claim was seen with, the present one too; no rows for the others.';
COMMENT ON COLUMN explorer.claim_terms.since_epoch IS 'The first epoch at which a source had it.';

CREATE TABLE explorer.allocations (
    id bigint PRIMARY KEY,
    client_id bigint NOT NULL,
    provider_id bigint NOT NULL,
    size_bytes bigint NOT NULL,
    term_min_epochs bigint NOT NULL,
    term_max_epochs bigint NOT NULL,
    expiration_epoch bigint NOT NULL,
    first_seen_epoch bigint NOT NULL,
    seen_epoch bigint NOT NULL,
    gone_epoch bigint,
    removed_epoch bigint,
    piece bytea,
    data_cid bytea
);
COMMENT ON TABLE explorer.allocations IS 'Allocations of the verified registry (f06): DataCap set aside for a piece at a provider. Columns as in claims.';
CREATE INDEX allocations_piece ON explorer.allocations (piece);

CREATE TABLE explorer.deals (
    id bigint PRIMARY KEY,
    client_id bigint NOT NULL,
    provider_id bigint NOT NULL,
    size_bytes bigint NOT NULL,
    start_epoch bigint NOT NULL,
    end_epoch bigint NOT NULL,
    sector_start_epoch bigint NOT NULL,
    slash_epoch bigint NOT NULL,
    first_seen_epoch bigint NOT NULL,
    seen_epoch bigint NOT NULL,
    gone_epoch bigint,
    removed_epoch bigint,
    verified boolean NOT NULL,
    label_known boolean NOT NULL,
    piece bytea,
    data_cid bytea,
    label bytea NOT NULL,
    label_key bytea
);
COMMENT ON TABLE explorer.deals IS 'Deals of the storage market (f05). Columns as in claims.';
COMMENT ON COLUMN explorer.deals.removed_epoch IS 'Always NULL: a deal''s events are in deal_events.';
COMMENT ON COLUMN explorer.deals.label IS 'The label''s bytes as the client wrote them; any bytes, not necessarily text.';
COMMENT ON COLUMN explorer.deals.label_known IS 'False: the source gave an empty label, which is also how Lotus prints a label that is no text.';
COMMENT ON COLUMN explorer.deals.label_key IS 'Multihash of the payload CID that the label of a verified deal names; NULL: none.';
CREATE INDEX deals_piece ON explorer.deals (piece);
CREATE INDEX deals_label_key ON explorer.deals (label_key) WHERE label_key IS NOT NULL;
CREATE INDEX deals_label_unknown ON explorer.deals (id) WHERE verified AND NOT label_known;

CREATE TYPE explorer.deal_event AS ENUM (
    'published',   -- in the state from height + 1
    'activated',   -- its sector was proved
    'terminated'   -- its sector ended early
);

CREATE TABLE explorer.deal_events (
    deal_id bigint NOT NULL,
    type explorer.deal_event NOT NULL,
    height bigint NOT NULL,
    PRIMARY KEY (deal_id, type, height)
);
COMMENT ON TABLE explorer.deal_events IS 'What actor events of the market told of a deal; they bear no piece, so they stand beside the deal''s row.';

CREATE TABLE explorer.sector_terminations (
    provider_id bigint NOT NULL,
    sector bigint NOT NULL,
    height bigint NOT NULL,
    PRIMARY KEY (provider_id, sector, height)
);
COMMENT ON TABLE explorer.sector_terminations IS 'sector-terminated events of miners: claims of that sector stay in the state, but their data is gone.';

CREATE TABLE explorer.piece_sources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
COMMENT ON TABLE explorer.piece_sources IS 'Who said that a payload is in a piece; trusted by the operator who imported it.';

CREATE TABLE explorer.payload_pieces (
    payload bytea NOT NULL,
    codec bigint NOT NULL,
    piece bytea NOT NULL,
    source_id integer NOT NULL REFERENCES explorer.piece_sources,
    size_bytes bigint,
    PRIMARY KEY (payload, piece, source_id, codec)
);
COMMENT ON TABLE explorer.payload_pieces IS 'Payload CIDs (multihash) and the pieces (commitment) that hold them, beside what deal labels say.';
COMMENT ON COLUMN explorer.payload_pieces.codec IS 'The codec of the payload CID as the source gave it; the same bytes are found under any.';
