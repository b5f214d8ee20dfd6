PATH=/var/www/.local/bin:/usr/local/bin:/usr/bin:/bin
