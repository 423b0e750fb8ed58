-- A database of schema 2: what migrating 1.sqlite.sql made of it.
BEGIN TRANSACTION;
CREATE TABLE absences (
	id VARCHAR(20) NOT NULL, 
	person_id VARCHAR(255) NOT NULL, 
	cover_id VARCHAR(255), 
	starts_at BIGINT NOT NULL, 
	ends_at BIGINT NOT NULL, 
	announced_at BIGINT NOT NULL, 
	confirmed_at BIGINT, 
	confirmed_by VARCHAR(300), 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(300) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(person_id) REFERENCES people (id), 
	FOREIGN KEY(cover_id) REFERENCES people (id)
);
CREATE TABLE acknowledgements (
	incident_id VARCHAR(20) NOT NULL, 
	person_id VARCHAR(255) NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (incident_id, person_id), 
	FOREIGN KEY(incident_id) REFERENCES incidents (id), 
	FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "acknowledgements" VALUES('QHLDRPZCP6S3HC','ana',1767808800000000);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('2');
CREATE TABLE assignments (
	incident_id VARCHAR(20) NOT NULL, 
	person_id VARCHAR(255) NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (incident_id, person_id), 
	FOREIGN KEY(incident_id) REFERENCES incidents (id), 
	FOREIGN KEY(person_id) REFERENCES people (id)
);
INSERT INTO "assignments" VALUES('QHLDRPZCP6S3HC','ana',1767808800000000);
INSERT INTO "assignments" VALUES('QIUMTAHRINPHYU','ana',1767808800000000);
INSERT INTO "assignments" VALUES('QICEAJPSDQ7S5I','ana',1767808800000000);
INSERT INTO "assignments" VALUES('QJZQ4OTZEMKEXY','ana',1767808800000000);
INSERT INTO "assignments" VALUES('QICEAJPSDQ7S5I','ben',1767809700000000);
INSERT INTO "assignments" VALUES('QIUMTAHRINPHYU','ben',1767809700000000);
CREATE TABLE counters (
	name VARCHAR(40) NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "counters" VALUES('version',9);
INSERT INTO "counters" VALUES('incident',4);
INSERT INTO "counters" VALUES('team',0);
CREATE TABLE incidents (
	id VARCHAR(20) NOT NULL, 
	number BIGINT NOT NULL, 
	service_id VARCHAR(255) NOT NULL, 
	dedup_key VARCHAR(255) NOT NULL, 
	title TEXT NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	severity SMALLINT NOT NULL, 
	severity_note TEXT NOT NULL, 
	urgency VARCHAR(10) NOT NULL, 
	link TEXT NOT NULL, 
	policy VARCHAR(64) NOT NULL, 
	escalates_as SMALLINT, 
	progress JSON NOT NULL, 
	next_action_at BIGINT, 
	version BIGINT NOT NULL, 
	pages INTEGER NOT NULL, 
	flaps INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	changed_at BIGINT NOT NULL, 
	resolved_at BIGINT, 
	changed_by VARCHAR(300) NOT NULL, renewed_at BIGINT, overdue_told_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	FOREIGN KEY(service_id) REFERENCES services (id), 
	FOREIGN KEY(policy) REFERENCES policies (digest)
);
INSERT INTO "incidents" VALUES('QHLDRPZCP6S3HC',1,'payments','acknowledged','acknowledged: 100 % – „quoted“ it''s \ 🚨','acknowledged',1,'','high','','f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8',1,'{"base": 1767808800000000, "step": 1, "round": 0, "paged": ["ana"], "ever": ["ana"], "again_at": 1767810600000000, "emergency_at": null, "exhausted": false}',1767812400000000,5,1,0,1767808800000000,1767808800000000,1767808800000000,NULL,'person:ana',NULL,NULL);
INSERT INTO "incidents" VALUES('QIUMTAHRINPHYU',2,'payments','resolved','resolved: 100 % – „quoted“ it''s \ 🚨','resolved',0,'','high','','f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8',0,'{"base": 1767808800000000, "step": 2, "round": 0, "paged": ["ana", "ben"], "ever": ["ana", "ben"], "again_at": 1767810600000000, "emergency_at": null, "exhausted": false}',NULL,8,3,0,1767808800000000,1767809700000000,1767809700000000,1767809700000000,'person:ben',NULL,NULL);
INSERT INTO "incidents" VALUES('QICEAJPSDQ7S5I',3,'payments','open','open: 100 % – „quoted“ it''s \ 🚨','triggered',0,'','high','','f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8',0,'{"base": 1767808800000000, "step": 2, "round": 0, "paged": ["ana", "ben"], "ever": ["ana", "ben"], "again_at": 1767810600000000, "emergency_at": null, "exhausted": false}',1767810600000000,9,3,0,1767808800000000,1767809700000000,1767808800000000,NULL,'service:payments',NULL,NULL);
INSERT INTO "incidents" VALUES('QJZQ4OTZEMKEXY',4,'payments','low','low: 100 % – „quoted“ it''s \ 🚨','triggered',3,'','low','','f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8',3,'{"base": 1767808800000000, "step": 1, "round": 0, "paged": ["ana"], "ever": ["ana"], "again_at": 1767823200000000, "emergency_at": null, "exhausted": false}',1767823200000000,4,1,0,1767808800000000,1767808800000000,1767808800000000,NULL,'service:payments',NULL,NULL);
CREATE TABLE log_entries (
	id INTEGER NOT NULL, 
	incident_id VARCHAR(20) NOT NULL, 
	type VARCHAR(40) NOT NULL, 
	at BIGINT NOT NULL, 
	actor VARCHAR(300) NOT NULL, 
	channel VARCHAR(20) NOT NULL, 
	data JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(incident_id) REFERENCES incidents (id)
);
INSERT INTO "log_entries" VALUES(1,'QHLDRPZCP6S3HC','trigger',1767808800000000,'service:payments','api','{"event": {"event_action": "trigger", "dedup_key": "acknowledged", "payload": {"summary": "acknowledged: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "error"}}}');
INSERT INTO "log_entries" VALUES(2,'QHLDRPZCP6S3HC','assign',1767808800000000,'engine','auto','{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO "log_entries" VALUES(3,'QIUMTAHRINPHYU','trigger',1767808800000000,'service:payments','api','{"event": {"event_action": "trigger", "dedup_key": "resolved", "payload": {"summary": "resolved: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "critical"}}}');
INSERT INTO "log_entries" VALUES(4,'QIUMTAHRINPHYU','assign',1767808800000000,'engine','auto','{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO "log_entries" VALUES(5,'QICEAJPSDQ7S5I','trigger',1767808800000000,'service:payments','api','{"event": {"event_action": "trigger", "dedup_key": "open", "payload": {"summary": "open: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "critical"}}}');
INSERT INTO "log_entries" VALUES(6,'QICEAJPSDQ7S5I','assign',1767808800000000,'engine','auto','{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO "log_entries" VALUES(7,'QJZQ4OTZEMKEXY','trigger',1767808800000000,'service:payments','api','{"event": {"event_action": "trigger", "dedup_key": "low", "payload": {"summary": "low: 100 % \u2013 \u201equoted\u201c it''s \\ \ud83d\udea8", "source": "db1", "severity": "info"}}}');
INSERT INTO "log_entries" VALUES(8,'QJZQ4OTZEMKEXY','assign',1767808800000000,'engine','auto','{"assignees": ["ana"], "step": 1, "reason": "step"}');
INSERT INTO "log_entries" VALUES(9,'QHLDRPZCP6S3HC','acknowledge',1767808800000000,'person:ana','api','{}');
INSERT INTO "log_entries" VALUES(10,'QICEAJPSDQ7S5I','escalate',1767809700000000,'engine','auto','{"assignees": ["ben"], "step": 2, "reason": "step"}');
INSERT INTO "log_entries" VALUES(11,'QICEAJPSDQ7S5I','notify',1767809700000000,'engine','auto','{"assignees": ["ana"], "step": 2, "reason": "again"}');
INSERT INTO "log_entries" VALUES(12,'QIUMTAHRINPHYU','escalate',1767809700000000,'engine','auto','{"assignees": ["ben"], "step": 2, "reason": "step"}');
INSERT INTO "log_entries" VALUES(13,'QIUMTAHRINPHYU','notify',1767809700000000,'engine','auto','{"assignees": ["ana"], "step": 2, "reason": "again"}');
INSERT INTO "log_entries" VALUES(14,'QIUMTAHRINPHYU','resolve',1767809700000000,'person:ben','api','{}');
INSERT INTO "log_entries" VALUES(15,'QICEAJPSDQ7S5I','trigger',1767809700000000,'service:payments','api','{"event": {"event_action": "trigger", "dedup_key": "open", "payload": {"summary": "db down", "source": "db1", "severity": "critical"}}, "repeated": true}');
CREATE TABLE meta (
	"key" VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
CREATE TABLE overrides (
	id VARCHAR(20) NOT NULL, 
	number BIGINT NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	person_id VARCHAR(255) NOT NULL, 
	starts_at BIGINT NOT NULL, 
	ends_at BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(300) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	FOREIGN KEY(person_id) REFERENCES people (id)
);
CREATE TABLE people (
	id VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT NOT NULL, 
	phone TEXT NOT NULL, 
	time_zone TEXT NOT NULL, 
	access VARCHAR(20) NOT NULL, 
	contact BOOLEAN NOT NULL, 
	active BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "people" VALUES('ana','Ana Ruiz','ana@example.com','','America/Los_Angeles','engineer',0,1);
INSERT INTO "people" VALUES('ben','Ben Okafor','','','America/Los_Angeles','engineer',0,1);
INSERT INTO "people" VALUES('cho','Cho Lee','','','America/Los_Angeles','manager',0,1);
INSERT INTO "people" VALUES('contact-1','Duty director','','','America/Los_Angeles','engineer',1,1);
CREATE TABLE policies (
	digest VARCHAR(64) NOT NULL, 
	document JSON NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "policies" VALUES('f2c0c77ed348ba7ecf7ec958f6b83d4201ecb84d1e4daedc675e407de550cbb8','{"sev0": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 900000000, "roles": ["secondary"], "business": false}, {"after": 1800000000, "roles": ["manager"], "business": false}, {"after": 3600000000, "roles": ["emergency"], "business": false}], "page_again": 900000000, "repeats": 9, "acknowledge_timeout": 1800000000}, "sev1": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 1800000000, "roles": ["secondary"], "business": false}, {"after": 3600000000, "roles": ["manager"], "business": false}, {"after": 7200000000, "roles": ["emergency"], "business": false}], "page_again": 1800000000, "repeats": 9, "acknowledge_timeout": 3600000000}, "sev2": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 3600000000, "roles": ["secondary"], "business": false}, {"after": 7200000000, "roles": ["manager"], "business": true}], "page_again": 3600000000, "repeats": 0, "acknowledge_timeout": null}, "sev3": {"steps": [{"after": 0, "roles": ["primary"], "business": false}, {"after": 14400000000, "roles": ["secondary"], "business": false}, {"after": 28800000000, "roles": ["manager"], "business": true}], "page_again": 14400000000, "repeats": 0, "acknowledge_timeout": null}}');
CREATE TABLE services (
	id VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	runbook TEXT NOT NULL, 
	severity SMALLINT, 
	active BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "services" VALUES('payments','Payments','https://runbooks.example.com/payments',NULL,1);
INSERT INTO "services" VALUES('batch','Nightly batch','',3,1);
CREATE TABLE team (
	id SMALLINT NOT NULL, 
	document TEXT NOT NULL, 
	source TEXT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	applied_at BIGINT NOT NULL, applied_by VARCHAR(300) DEFAULT 'file' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "team" VALUES(1,'
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
integration_key = "env:WB_TEST_KEY"
name = "Payments"
runbook = "https://runbooks.example.com/payments"
[[services]]
id = "batch"
name = "Nightly batch"
severity = "sev3"
','team.toml','89deac708c2a0e40dcc8c229b90265e8916f3e1ac8286734b9853d47a00e1c0a',1767808800000000,'file');
CREATE TABLE team_files (
	place TEXT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	vouched JSON NOT NULL, 
	loaded_at BIGINT NOT NULL, 
	PRIMARY KEY (place)
);
CREATE TABLE tokens (
	id INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	person_id VARCHAR(255), 
	service_id VARCHAR(255), 
	label VARCHAR(40) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	revoked_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (hash), 
	FOREIGN KEY(person_id) REFERENCES people (id), 
	FOREIGN KEY(service_id) REFERENCES services (id)
);
INSERT INTO "tokens" VALUES(1,'3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9','integration',NULL,'payments','team',1767808800000000,NULL,NULL);
CREATE INDEX ix_incidents_key ON incidents (service_id, dedup_key, resolved_at);
CREATE INDEX ix_incidents_created ON incidents (created_at);
CREATE UNIQUE INDEX ux_incidents_open_key ON incidents (service_id, dedup_key) WHERE status != 'resolved';
CREATE INDEX ix_incidents_due ON incidents (next_action_at);
CREATE INDEX ix_incidents_status ON incidents (status, created_at);
CREATE INDEX ix_assignments_person ON assignments (person_id);
CREATE INDEX ix_log_entries_incident ON log_entries (incident_id, id);
CREATE INDEX ix_incidents_version ON incidents (version);
COMMIT;
