INSERT INTO samples (site, span, at, n, cpu, memory, storage, blind, unstored) VALUES ('shop.example', 300, 1767225900, 2, 100, 200, 300, 1, 0);
