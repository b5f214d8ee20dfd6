package mariadb

import (
	"crypto/sha1" //nolint:gosec // the mysql_native_password protocol is made of it
	"encoding/hex"
	"strings"
)

// identifier quotes a name for a statement, as MariaDB's manual has it: between
// backticks, a backtick doubled.
func identifier(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// pattern quotes a database name for GRANT and REVOKE, where '_' and '%' are
// wildcards: a grant on my_db would open mydb, my1db and every other such name.
func pattern(name string) string {
	return identifier(strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(name))
}

// nativeHash is what mysql_native_password stores for a password. Sending it in
// place of the password keeps that out of the server's logs and off the wire.
func nativeHash(password string) string {
	first := sha1.Sum([]byte(password)) //nolint:gosec // see above
	second := sha1.Sum(first[:])        //nolint:gosec // see above
	return "*" + strings.ToUpper(hex.EncodeToString(second[:]))
}

// literalPattern is a database name as GRANT stores it.
func literalPattern(name string) string {
	return strings.NewReplacer(`_`, `\_`, `%`, `\%`).Replace(name)
}
