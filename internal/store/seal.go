package store

// Seal encrypts a value that is kept elsewhere, such as in a cookie, with the key that
// encrypts secrets in the database. It opens for the same place alone.
func (db *DB) Seal(place string, plain []byte) ([]byte, error) { return db.ring.seal(place, plain) }

// Open decrypts what Seal made, with this key or an earlier one that is still there.
func (db *DB) Open(place string, sealed []byte) ([]byte, error) { return db.ring.open(place, sealed) }
