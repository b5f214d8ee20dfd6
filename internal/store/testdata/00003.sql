-- What version 3 brought.
INSERT INTO once (id, actor_id, key, request, first_at, begun_at, made, expires_at) VALUES ('o1', 'u1', 'key', 'digest', 1767225600000006, 1767225600000006, 'u3', 4102444800000000);
