-- A database of the first schema 4, that had the audit log alone: what migrating 3.postgresql.sql made of it, with a line in the log.

CREATE FUNCTION public.audit_is_fixed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$;

CREATE TABLE public.absences (
    id character varying(20) NOT NULL,
    person_id character varying(255) NOT NULL,
    cover_id character varying(255),
    starts_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    announced_at bigint NOT NULL,
    confirmed_at bigint,
    confirmed_by character varying(300),
    created_at bigint NOT NULL,
    created_by character varying(300) NOT NULL
);

CREATE TABLE public.acknowledgements (
    incident_id character varying(20) NOT NULL,
    person_id character varying(255) NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.assignments (
    incident_id character varying(20) NOT NULL,
    person_id character varying(255) NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor character varying(300) NOT NULL,
    address character varying(80) NOT NULL,
    action character varying(40) NOT NULL,
    target character varying(300) NOT NULL,
    before json,
    after json
);

CREATE SEQUENCE public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;

CREATE TABLE public.counters (
    name character varying(40) NOT NULL,
    value bigint NOT NULL
);

CREATE SEQUENCE public.incident_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.incidents (
    id character varying(20) NOT NULL,
    number bigint NOT NULL,
    service_id character varying(255) NOT NULL,
    dedup_key character varying(255) NOT NULL,
    title text NOT NULL,
    status character varying(20) NOT NULL,
    severity smallint NOT NULL,
    severity_note text NOT NULL,
    urgency character varying(10) NOT NULL,
    link text NOT NULL,
    policy character varying(64) NOT NULL,
    escalates_as smallint,
    progress json NOT NULL,
    next_action_at bigint,
    version bigint NOT NULL,
    pages integer NOT NULL,
    flaps integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    resolved_at bigint,
    changed_by character varying(300) NOT NULL,
    renewed_at bigint,
    overdue_told_at bigint,
    snoozed_until bigint,
    responders json,
    latest_note json
);

CREATE TABLE public.log_entries (
    id bigint NOT NULL,
    incident_id character varying(20) NOT NULL,
    type character varying(40) NOT NULL,
    at bigint NOT NULL,
    actor character varying(300) NOT NULL,
    channel character varying(20) NOT NULL,
    data json NOT NULL
);

CREATE SEQUENCE public.log_entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.log_entries_id_seq OWNED BY public.log_entries.id;

CREATE TABLE public.meta (
    key character varying(40) NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.overrides (
    id character varying(20) NOT NULL,
    number bigint NOT NULL,
    role character varying(20) NOT NULL,
    person_id character varying(255) NOT NULL,
    starts_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    reason text NOT NULL,
    created_at bigint NOT NULL,
    created_by character varying(300) NOT NULL
);

CREATE TABLE public.people (
    id character varying(255) NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    time_zone text NOT NULL,
    access character varying(20) NOT NULL,
    contact boolean NOT NULL,
    active boolean NOT NULL
);

CREATE TABLE public.policies (
    digest character varying(64) NOT NULL,
    document json NOT NULL
);

CREATE TABLE public.services (
    id character varying(255) NOT NULL,
    name text NOT NULL,
    runbook text NOT NULL,
    severity smallint,
    active boolean NOT NULL
);

CREATE TABLE public.team (
    id smallint NOT NULL,
    document text NOT NULL,
    source text NOT NULL,
    digest character varying(64) NOT NULL,
    applied_at bigint NOT NULL,
    applied_by character varying(300) DEFAULT 'file'::character varying NOT NULL
);

CREATE TABLE public.team_files (
    place text NOT NULL,
    digest character varying(64) NOT NULL,
    vouched json NOT NULL,
    loaded_at bigint NOT NULL
);

CREATE SEQUENCE public.team_id_seq
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.team_id_seq OWNED BY public.team.id;

CREATE TABLE public.tokens (
    id bigint NOT NULL,
    hash character varying(64) NOT NULL,
    kind character varying(20) NOT NULL,
    person_id character varying(255),
    service_id character varying(255),
    label character varying(40) NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);

CREATE SEQUENCE public.tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.tokens_id_seq OWNED BY public.tokens.id;

ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);

ALTER TABLE ONLY public.log_entries ALTER COLUMN id SET DEFAULT nextval('public.log_entries_id_seq'::regclass);

ALTER TABLE ONLY public.team ALTER COLUMN id SET DEFAULT nextval('public.team_id_seq'::regclass);

ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);

INSERT INTO public.acknowledgements VALUES ('QHLDRPZCP6S3HC', 'ana', 1767808800000000);

INSERT INTO public.alembic_version VALUES ('4');

INSERT INTO public.assignments VALUES ('QHLDRPZCP6S3HC', 'ana', 1767808800000000);
INSERT INTO public.assignments VALUES ('QIUMTAHRINPHYU', 'ana', 1767808800000000);
INSERT INTO public.assignments VALUES ('QICEAJPSDQ7S5I', 'ana', 1767808800000000);
INSERT INTO public.assignments VALUES ('QJZQ4OTZEMKEXY', 'ana', 1767808800000000);
INSERT INTO public.assignments VALUES ('QICEAJPSDQ7S5I', 'ben', 1767809700000000);
INSERT INTO public.assignments VALUES ('QIUMTAHRINPHYU', 'ben', 1767809700000000);
INSERT INTO public.assignments VALUES ('QHLDRPZCP6S3HC', 'ben', 1767809670000000);

INSERT INTO public.audit VALUES (1, 1767809670000000, 'person:cho', '127.0.0.1', 'override', 'manager', NULL, NULL);

INSERT INTO public.counters VALUES ('incident', 4);
INSERT INTO public.counters VALUES ('version', 12);
INSERT INTO public.counters VALUES ('team', 2);

INSERT INTO public.incidents VALUES ('QIUMTAHRINPHYU', 2, 'payments', 'resolved', 'resolved: 100 % – „quoted“ it''s \ 🚨', 'resolved', 0, '', 'high', '', 'f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8', 0, '{"base": 1767808800000000, "step": 2, "round": 0, "paged": ["ana", "ben"], "ever": ["ana", "ben"], "again_at": 1767810600000000, "emergency_at": null, "exhausted": false}', NULL, 8, 3, 0, 1767808800000000, 1767809700000000, 1767809700000000, 1767809700000000, 'person:ben', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.incidents VALUES ('QICEAJPSDQ7S5I', 3, 'payments', 'open', 'open: 100 % – „quoted“ it''s \ 🚨', 'triggered', 0, '', 'high', '', 'f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8', 0, '{"base": 1767808800000000, "step": 2, "round": 0, "paged": ["ana", "ben"], "ever": ["ana", "ben"], "again_at": 1767810600000000, "emergency_at": null, "exhausted": false}', 1767810600000000, 9, 3, 0, 1767808800000000, 1767809700000000, 1767808800000000, NULL, 'service:payments', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.incidents VALUES ('QJZQ4OTZEMKEXY', 4, 'payments', 'low', 'low: 100 % – „quoted“ it''s \ 🚨', 'triggered', 3, '', 'low', '', 'f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8', 3, '{"base": 1767808800000000, "step": 1, "round": 0, "paged": ["ana"], "ever": ["ana"], "again_at": 1767823200000000, "emergency_at": null, "exhausted": false}', 1767823200000000, 4, 1, 0, 1767808800000000, 1767808800000000, 1767808800000000, NULL, 'service:payments', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.incidents VALUES ('QHLDRPZCP6S3HC', 1, 'payments', 'acknowledged', 'acknowledged: 100 % – „quoted“ it''s \ 🚨', 'acknowledged', 1, '', 'high', '', 'f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8', 1, '{"base": 1767808800000000, "step": 1, "round": 0, "graces": 0, "paged": ["ana"], "ever": ["ana", "ben"], "exhausted": false, "again_at": 1767810600000000, "emergency_at": null, "next_at": null, "fired_at": null}', 1767816870000000, 12, 2, 0, 1767808800000000, 1767809670000000, 1767808800000000, NULL, 'person:ana', 1767809670000000, NULL, 1767816870000000, '[{"person": "ben", "requester": "ana", "message": "help", "at": 1767809670000000, "state": "pending", "answered_at": null}]', '{"id": "QGANVBY7PAHSSK", "person": "ana", "text": "it''s the \u201edisk\u201c: 100 %", "at": 1767809670000000}');

INSERT INTO public.log_entries VALUES (1, 'QHLDRPZCP6S3HC', 'trigger', 1767808800000000, 'service:payments', 'api', '{"event": {"event_action": "trigger", "dedup_key": "acknowledged", "payload": {"summary": "acknowledged: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "error"}}}');
INSERT INTO public.log_entries VALUES (2, 'QHLDRPZCP6S3HC', 'assign', 1767808800000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO public.log_entries VALUES (3, 'QIUMTAHRINPHYU', 'trigger', 1767808800000000, 'service:payments', 'api', '{"event": {"event_action": "trigger", "dedup_key": "resolved", "payload": {"summary": "resolved: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "critical"}}}');
INSERT INTO public.log_entries VALUES (4, 'QIUMTAHRINPHYU', 'assign', 1767808800000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO public.log_entries VALUES (5, 'QICEAJPSDQ7S5I', 'trigger', 1767808800000000, 'service:payments', 'api', '{"event": {"event_action": "trigger", "dedup_key": "open", "payload": {"summary": "open: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "critical"}}}');
INSERT INTO public.log_entries VALUES (6, 'QICEAJPSDQ7S5I', 'assign', 1767808800000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO public.log_entries VALUES (7, 'QJZQ4OTZEMKEXY', 'trigger', 1767808800000000, 'service:payments', 'api', '{"event": {"event_action": "trigger", "dedup_key": "low", "payload": {"summary": "low: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "info"}}}');
INSERT INTO public.log_entries VALUES (8, 'QJZQ4OTZEMKEXY', 'assign', 1767808800000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO public.log_entries VALUES (9, 'QHLDRPZCP6S3HC', 'acknowledge', 1767808800000000, 'person:ana', 'api', '{}');
INSERT INTO public.log_entries VALUES (10, 'QICEAJPSDQ7S5I', 'escalate', 1767809700000000, 'engine', 'auto', '{"assignees": ["ben"], "step": 2, "reason": "step"}');
INSERT INTO public.log_entries VALUES (11, 'QICEAJPSDQ7S5I', 'notify', 1767809700000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 2, "reason": "again"}');
INSERT INTO public.log_entries VALUES (12, 'QIUMTAHRINPHYU', 'escalate', 1767809700000000, 'engine', 'auto', '{"assignees": ["ben"], "step": 2, "reason": "step"}');
INSERT INTO public.log_entries VALUES (13, 'QIUMTAHRINPHYU', 'notify', 1767809700000000, 'engine', 'auto', '{"assignees": ["ana"], "step": 2, "reason": "again"}');
INSERT INTO public.log_entries VALUES (14, 'QIUMTAHRINPHYU', 'resolve', 1767809700000000, 'person:ben', 'api', '{}');
INSERT INTO public.log_entries VALUES (15, 'QICEAJPSDQ7S5I', 'trigger', 1767809700000000, 'service:payments', 'api', '{"event": {"event_action": "trigger", "dedup_key": "open", "payload": {"summary": "db down", "source": "db1", "severity": "critical"}}, "repeated": true}');
INSERT INTO public.log_entries VALUES (16, 'QHLDRPZCP6S3HC', 'annotate', 1767809670000000, 'person:ana', 'note', '{"note": "QGANVBY7PAHSSK", "content": "it''s the \u201edisk\u201c: 100 %"}');
INSERT INTO public.log_entries VALUES (17, 'QHLDRPZCP6S3HC', 'renew', 1767809670000000, 'person:ana', 'api', '{"by": "note"}');
INSERT INTO public.log_entries VALUES (18, 'QHLDRPZCP6S3HC', 'snooze', 1767809670000000, 'person:ana', 'api', '{"changed_actions": [{"type": "unacknowledge", "at": "2026-01-07T20:14:30Z"}]}');
INSERT INTO public.log_entries VALUES (19, 'QHLDRPZCP6S3HC', 'responder_request', 1767809670000000, 'person:ana', 'api', '{"message": "help", "targets": [{"type": "user", "id": "ben", "people": ["ben"]}]}');
INSERT INTO public.log_entries VALUES (20, 'QHLDRPZCP6S3HC', 'notify', 1767809670000000, 'person:ana', 'api', '{"assignees": ["ben"], "reason": "asked to help"}');

INSERT INTO public.meta VALUES ('schema_version', '4');

INSERT INTO public.overrides VALUES ('QLNBF2AKRQLEAG', 2, 'manager', 'cho', 1769904000000000, 1769990400000000, 'dentist', 1767809670000000, 'person:cho');

INSERT INTO public.people VALUES ('ana', 'Ana Ruiz', 'ana@example.com', '', 'America/Los_Angeles', 'engineer', false, true);
INSERT INTO public.people VALUES ('ben', 'Ben Okafor', '', '', 'America/Los_Angeles', 'engineer', false, true);
INSERT INTO public.people VALUES ('cho', 'Cho Lee', '', '', 'America/Los_Angeles', 'manager', false, true);
INSERT INTO public.people VALUES ('contact-1', 'Duty director', '', '', 'America/Los_Angeles', 'engineer', true, true);

INSERT INTO public.policies VALUES ('f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8', '{"sev0": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 900000000, "roles": ["secondary"], "business": false}, {"after": 1800000000, "roles": ["manager"], "business": false}, {"after": 3600000000, "roles": ["emergency"], "business": false}], "page_again": 900000000, "repeats": 9, "acknowledge_timeout": 1800000000}, "sev1": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 1800000000, "roles": ["secondary"], "business": false}, {"after": 3600000000, "roles": ["manager"], "business": false}, {"after": 7200000000, "roles": ["emergency"], "business": false}], "page_again": 1800000000, "repeats": 9, "acknowledge_timeout": 3600000000}, "sev2": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 3600000000, "roles": ["secondary"], "business": false}, {"after": 7200000000, "roles": ["manager"], "business": true}], "page_again": 3600000000, "repeats": 0, "acknowledge_timeout": null}, "sev3": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 14400000000, "roles": ["secondary"], "business": false}, {"after": 28800000000, "roles": ["manager"], "business": true}], "page_again": 14400000000, "repeats": 0, "acknowledge_timeout": null}}');
INSERT INTO public.policies VALUES ('774162128627270678c5aafd8392418dc7c354cb137862e2334bea86040ac2d3', '{"sev0": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 900000000, "roles": ["secondary"], "business": false}, {"after": 1800000000, "roles": ["manager"], "business": false}, {"after": 3600000000, "roles": ["emergency"], "business": false}], "page_again": 900000000, "repeats": 9, "acknowledge_timeout": 1800000000, "resolve": 3600000000}, "sev1": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 1800000000, "roles": ["secondary"], "business": false}, {"after": 3600000000, "roles": ["manager"], "business": false}, {"after": 7200000000, "roles": ["emergency"], "business": false}], "page_again": 1800000000, "repeats": 9, "acknowledge_timeout": 3600000000, "resolve": 14400000000}, "sev2": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 3600000000, "roles": ["secondary"], "business": false}, {"after": 7200000000, "roles": ["manager"], "business": true}], "page_again": 3600000000, "repeats": 0, "acknowledge_timeout": null, "resolve": 28800000000}, "sev3": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 14400000000, "roles": ["secondary"], "business": false}, {"after": 28800000000, "roles": ["manager"], "business": true}], "page_again": 14400000000, "repeats": 0, "acknowledge_timeout": null, "resolve": 86400000000}}');

INSERT INTO public.services VALUES ('payments', 'Payments', 'https://runbooks.example.com/payments', NULL, true);
INSERT INTO public.services VALUES ('batch', 'Nightly batch', '', 3, true);

INSERT INTO public.team VALUES (1, '
time_zone = "America/Los_Angeles"
[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
[[people]]
id = "ben"
name = "Ben Okafor"
[[people]]
id = "cho"
name = "Cho Lee"
access = "manager"
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.secondary]
members = ["ben", "ana"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.manager]
members = ["cho"]
start = 2026-01-05T09:00:00
every = "1 week"
[[emergency_contacts]]
name = "Duty director"
[[services]]
id = "payments"
name = "Payments"
runbook = "https://runbooks.example.com/payments"
[[services]]
id = "batch"
name = "Nightly batch"
severity = "sev3"
', 'team.toml', '5d411319ddde6afeb2757880f439e650a0874beab34efd19948d661a076c7327', 1767809670000000, 'file');

INSERT INTO public.tokens VALUES (2, '10d8abdd9795f56109b0ba84fef214a97f14713e48700b0f10a781c924ceaf81', 'user', 'ana', NULL, '', 1795451666928080, NULL, NULL);
INSERT INTO public.tokens VALUES (3, '747e44b23f06776d88059635e8f3e143b8338d0dfab78830b105c74efcfc1e22', 'user', 'ben', NULL, '', 1795451667008667, NULL, NULL);
INSERT INTO public.tokens VALUES (4, 'f1179491053a65cb40ec0a4ef99b8a9b73d348619c0c69f088c76a1fb52f8717', 'user', 'cho', NULL, '', 1795451667080374, NULL, NULL);
INSERT INTO public.tokens VALUES (5, '5c83b0fb22a9989ced1a15a9fb39c846e6a417cdf10ac8c4f13f9ee157b63d59', 'integration', NULL, 'payments', '', 1795451667136227, NULL, NULL);

SELECT pg_catalog.setval('public.audit_id_seq', 1, true);

SELECT pg_catalog.setval('public.incident_numbers', 4, true);

SELECT pg_catalog.setval('public.log_entries_id_seq', 20, true);

SELECT pg_catalog.setval('public.team_id_seq', 1, false);

SELECT pg_catalog.setval('public.tokens_id_seq', 5, true);

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_pkey PRIMARY KEY (incident_id, person_id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_pkey PRIMARY KEY (incident_id, person_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_number_key UNIQUE (number);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.log_entries
    ADD CONSTRAINT log_entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_number_key UNIQUE (number);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.people
    ADD CONSTRAINT people_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.services
    ADD CONSTRAINT services_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.team_files
    ADD CONSTRAINT team_files_pkey PRIMARY KEY (place);

ALTER TABLE ONLY public.team
    ADD CONSTRAINT team_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

CREATE INDEX ix_assignments_person ON public.assignments USING btree (person_id);

CREATE INDEX ix_audit_at ON public.audit USING btree (at, id);

CREATE INDEX ix_incidents_created ON public.incidents USING btree (created_at);

CREATE INDEX ix_incidents_due ON public.incidents USING btree (next_action_at);

CREATE INDEX ix_incidents_key ON public.incidents USING btree (service_id, dedup_key, resolved_at);

CREATE INDEX ix_incidents_status ON public.incidents USING btree (status, created_at);

CREATE INDEX ix_incidents_version ON public.incidents USING btree (version);

CREATE INDEX ix_log_entries_at ON public.log_entries USING btree (at, id);

CREATE INDEX ix_log_entries_incident ON public.log_entries USING btree (incident_id, id);

CREATE UNIQUE INDEX ux_incidents_open_key ON public.incidents USING btree (service_id, dedup_key) WHERE ((status)::text <> 'resolved'::text);

CREATE TRIGGER audit_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_fixed();

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_cover_id_fkey FOREIGN KEY (cover_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incidents(id);

ALTER TABLE ONLY public.acknowledgements
    ADD CONSTRAINT acknowledgements_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incidents(id);

ALTER TABLE ONLY public.assignments
    ADD CONSTRAINT assignments_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_policy_fkey FOREIGN KEY (policy) REFERENCES public.policies(digest);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.services(id);

ALTER TABLE ONLY public.log_entries
    ADD CONSTRAINT log_entries_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incidents(id);

ALTER TABLE ONLY public.overrides
    ADD CONSTRAINT overrides_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.people(id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.services(id);
