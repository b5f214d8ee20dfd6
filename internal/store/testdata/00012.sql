UPDATE applications SET logout = 'https://grafana.example/logout', inside = 1 WHERE id = 'a1';
INSERT INTO logouts (id, application_id, session_id, user_id, tries, next_at) VALUES ('l1', 'a1', 's1', 'u1', 0, 0);
INSERT INTO logouts (id, application_id, session_id, user_id, tries, next_at) VALUES ('l2', 'a1', NULL, 'u9', 2, 1767225600000005);
