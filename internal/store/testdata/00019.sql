UPDATE sites SET names_sum = 19;
