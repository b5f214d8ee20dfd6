#!/bin/sh
# Puts a WordPress that is complete in itself into /out: no link to another package, no configuration of Debian's.
# usage: unpack.sh [ARCHIVE SHA256]
set -eu
archive=$1 sum=$2
share=/out/usr/share/wordpress
languages=/out/usr/share/kubepanel/languages
mkdir -p "$languages" /out/usr/share

if [ -n "$archive" ]; then
	[ -n "$sum" ] || { echo "SHA256 is missing: an archive is taken only with its checksum" >&2; exit 1; }
	echo "$sum  /context/$archive" | sha256sum --check --strict -
	tar -xzf "/context/$archive" -C /out/usr/share --no-same-owner
	[ -f "$share/wp-load.php" ] || { echo "$archive holds no WordPress in a folder wordpress/" >&2; exit 1; }
else
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends ca-certificates >/dev/null
	cd "$(mktemp -d)"
	# Files alone: what the packages depend on (a web server, PHP) is in other images.
	apt-get download -qq wordpress wordpress-l10n wordpress-theme-twentytwentyfive \
		php-getid3 libjs-cropper libjs-lodash libjs-underscore
	for package in *.deb; do dpkg-deb --extract "$package" /; done
	# Debian's way to serve many sites from one copy. A site here has its own.
	rm /usr/share/wordpress/wp-config.php /usr/share/wordpress/.htaccess
	# Links lead to the packages above; each becomes the file. One that leads nowhere ends the build.
	cp --recursive --dereference /usr/share/wordpress "$share"
	cp /usr/share/doc/wordpress/copyright "$share/license.txt"
	for folder in . plugins themes; do
		printf '<?php\n// Silence is golden.\n' >"$share/wp-content/$folder/index.php"
	done
fi

# A site gets the one language it asks for, not all of them.
if [ -d "$share/wp-content/languages" ]; then
	find "$share/wp-content/languages" -maxdepth 1 -name '*.mo' -exec mv -t "$languages" {} +
	rm -r "$share/wp-content/languages"
fi
mkdir -p "$share/wp-content/uploads"
find /out -type d -exec chmod 0755 {} +
find /out -type f -exec chmod 0644 {} +
[ -z "$(find /out ! -type d ! -type f)" ]
