INSERT INTO identity_providers (id, name, issuer, client_id, secret, domains, role, package_id, asks_factor)
    VALUES ('i1', 'Agency', 'https://login.agency.example', 'panel', '', '["agency.example"]', 'customer', 'p1', 1);
INSERT INTO identities (provider_id, subject, user_id, created_at) VALUES ('i1', 'dev', 'u4', 1767225600000000);
