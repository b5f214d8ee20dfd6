INSERT INTO applications (id, name, redirects, farewells, roles, public, secret_hash, created_at) VALUES ('a2', 'kubectl', '["http://127.0.0.1/callback"]', '[]', '["administrator"]', 1, '', 1767225600000000);
UPDATE logins SET confirmed = 'jo@shop.example' WHERE user_id = 'u3';
