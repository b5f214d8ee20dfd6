INSERT INTO mails (id, kind, recipient, user_id, language, address, created_at, expires_at, next_at, tries)
    VALUES ('m1', 'invite', '', 'u4', 'de', '192.0.2.1', 1767225600000000, 4102444800000000, 1767225600000006, 2);
