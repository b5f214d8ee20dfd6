INSERT INTO trail_sent (server, seq, hash, confirmed_at, tries, fault, next_at) VALUES ('logs.example:6514', 3, 'beef', 1767225600000006, 2, 'unreachable', 1767225600000007);
