package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A sealed value is: version, the first bytes of its key's SHA-256, AES-256-GCM's
// nonce, ciphertext with tag. The place that it is kept in is authenticated with it, so
// that a value that was copied into another row does not open.
const (
	sealVersion = 1
	keyMark     = 4  // bytes that name the key
	keySize     = 32 // AES-256
)

// ring seals with its first key and opens with all.
type ring []sealKey

type sealKey struct {
	mark []byte
	aead cipher.AEAD
}

func newRing(keys [][]byte) (ring, error) {
	r := make(ring, 0, len(keys))
	for i, key := range keys {
		if len(key) != keySize {
			return nil, fmt.Errorf("key %d of the database has %d bytes; a key has %d", i+1, len(key), keySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(key)
		r = append(r, sealKey{mark: sum[:keyMark], aead: aead})
	}
	return r, nil
}

// seal encrypts a value for a place; an empty one stays empty.
func (r ring) seal(place string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	if len(r) == 0 {
		return nil, errors.New("seal a secret: the database was opened without a key")
	}
	k := r[0]
	sealed := append([]byte{sealVersion}, k.mark...)
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	sealed = append(sealed, nonce...)
	return k.aead.Seal(sealed, nonce, plain, []byte(place)), nil
}

// open decrypts what seal made for the same place.
func (r ring) open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if len(sealed) < 1+keyMark || sealed[0] != sealVersion {
		return nil, fmt.Errorf("open %s: it was not sealed by this program", place)
	}
	mark, rest := sealed[1:1+keyMark], sealed[1+keyMark:]
	for _, k := range r {
		if !bytes.Equal(k.mark, mark) || len(rest) < k.aead.NonceSize() {
			continue
		}
		nonce, text := rest[:k.aead.NonceSize()], rest[k.aead.NonceSize():]
		plain, err := k.aead.Open(nil, nonce, text, []byte(place))
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", place, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("open %s: the key that sealed it is not among the database's keys", place)
}

// newest tells whether a value is sealed with the key that seals now.
func (r ring) newest(sealed []byte) bool {
	return len(sealed) == 0 || len(r) > 0 && len(sealed) > keyMark && bytes.Equal(sealed[1:1+keyMark], r[0].mark)
}
