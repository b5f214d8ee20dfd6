INSERT INTO samples (site, span, at, n, cpu, memory, storage) VALUES ('shop.example', 300, 1767225600, 2, 100, 200, 300);
