-- Comparisons of the index with a node, by `filplus index verify` and each night.

CREATE TABLE explorer.verifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    node text NOT NULL,
    scope jsonb NOT NULL,
    compared jsonb NOT NULL,
    drift jsonb NOT NULL,
    examples jsonb NOT NULL,
    not_compared jsonb NOT NULL,
    seconds double precision NOT NULL
);
COMMENT ON TABLE explorer.verifications IS 'Each comparison of the index with a node that came to its end.';
COMMENT ON COLUMN explorer.verifications.at IS 'When it began.';
COMMENT ON COLUMN explorer.verifications.epoch IS 'The tipset at which the states were compared.';
COMMENT ON COLUMN explorer.verifications.node IS 'The names of the nodes that may have been asked.';
COMMENT ON COLUMN explorer.verifications.scope IS 'What was to be compared: everything, providers, or a sample and its seed.';
COMMENT ON COLUMN explorer.verifications.compared IS 'By kind, how many records the index and the node had in that scope.';
COMMENT ON COLUMN explorer.verifications.drift IS 'By kind, how many are missing in the index, surplus in it, or different.';
COMMENT ON COLUMN explorer.verifications.examples IS 'A few records of each, with their fields and the likely reason.';
COMMENT ON COLUMN explorer.verifications.not_compared IS 'Kinds that could not be compared, and why.';
CREATE INDEX verifications_at ON explorer.verifications (at);

CREATE INDEX allocations_client ON explorer.allocations (client_id, id);
