INSERT INTO browsers (id, user_id, address, agent, created_at, used_at, expires_at) VALUES ('b1', 'u3', '192.0.2.7', 'Firefox', 1767225600000001, 1767225600000002, 1767225600000003);
INSERT INTO mailed_codes (id, user_id, hash, wrong, sent_at, expires_at) VALUES ('m1', 'u3', 'hash', 2, 1767225600000004, 1767225600000005);
