INSERT INTO once (id, actor_id, key, request, first_at, begun_at, made, expires_at) VALUES ('o2', 'u1', 'older key', 'digest', 1767225600000006, 1767225600000006, 'u3', 4102444800000000);
