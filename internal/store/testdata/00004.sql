-- What version 4 brought.
INSERT INTO webhooks (id, owner_id, name, url, events, secret, disabled, seq, created_at) VALUES ('w1', 'u3', 'Shop', 'https://hooks.example/', '["site.*"]', '', 1, 7, 1767225600000007);
INSERT INTO deliveries (id, webhook_id, event, body, state, tries, next_at, created_at) VALUES ('d1', 'w1', 'site.create', '{}', 'pending', 2, 1767225600000008, 1767225600000009);
