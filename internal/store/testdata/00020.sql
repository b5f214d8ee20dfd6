UPDATE logins SET language = 'de' WHERE user_id = 'u1';
