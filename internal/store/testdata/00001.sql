-- A panel as version 1 left it: one of everything.
INSERT INTO packages (id, name, reseller_id, sites) VALUES ('p1', 'Small', '', 3), ('p2', 'Shop', 'u2', NULL);
INSERT INTO users (id, email, name, role, reseller_id, package_id, suspended, created_at) VALUES
    ('u1', 'boss@provider.example', 'Boss', 'administrator', NULL, NULL, 0, 1767225600000000),
    ('u2', 'seller@sells.example', 'Seller', 'reseller', NULL, 'p1', 0, 1767225600000001),
    ('u3', 'jo@shop.example', 'Jo', 'customer', 'u2', 'p2', 1, 1767225600000002),
    ('u4', 'dev@agency.example', 'Dev', 'collaborator', NULL, NULL, 0, 1767225600000003);
INSERT INTO sites (name, object, owner_id, state, held, suspended, created_at, changed_at, sites, storage, cpu, memory)
    VALUES ('shop.example', 'shop.example', 'u3', 'owned', 1, 0, 1767225600000004, 1767225600000005, 1, 5, 500, 512);
INSERT INTO site_names (name, site) VALUES ('shop.example', 'shop.example'), ('www.shop.example', 'shop.example');
INSERT INTO grants (collaborator_id, customer_id, site, rights) VALUES ('u4', 'u3', 'shop.example', '["site.view","site.files"]');
INSERT INTO logins (user_id, password_hash, totp_step, recovery) VALUES ('u1', 'hash', 7, '["digest"]');
INSERT INTO tokens (id, kind, user_id, name, hash, scopes, created_at, expires_at) VALUES ('t1', 'api', 'u1', 'CI', 'tokenhash', '["site.view"]', 1, 4102444800000000);
