UPDATE sites SET written = '4711', written_at = 1767225900000000;
