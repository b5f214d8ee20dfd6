UPDATE logins SET enrol = 1 WHERE user_id = 'u1';
