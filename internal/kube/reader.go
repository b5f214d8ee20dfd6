package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Numbers that these fields have in the encoding of each of Kubernetes' own kinds.
const (
	fieldMeta    protowire.Number = 1
	fieldSpec    protowire.Number = 2
	fieldManaged protowire.Number = 17 // of the metadata: who wrote which field
)

// Reader makes of an encoded object, an item of a list, what a cache keeps of it.
type Reader func(item []byte) (runtime.Object, error)

// Encoded is what an object of Kubernetes' own kinds is, and one of ours is not.
type Encoded interface {
	client.Object
	marshaler
	Unmarshal(data []byte) error
}

type marshaler interface{ Marshal() ([]byte, error) }

// ReadSums reads what Sum keeps of an object: who it is and its status are decoded, the
// rest is summed up as it came. Both sums are the same where the API server encodes as
// this program does. For one of another version that need not be so: what it listed is
// then compared as if somebody had changed it, and known from then on.
func ReadSums(like Encoded) Reader {
	status, none := statusOf(like)
	return func(item []byte) (runtime.Object, error) {
		obj, err := decode(like, item, func(to []byte, number protowire.Number, field []byte) []byte {
			switch number {
			case fieldMeta:
				return appendWithin(to, field, unmanaged)
			case status:
				return append(to, field...)
			}
			return to
		})
		if err != nil {
			return nil, err
		}
		is := identity(obj)
		meta, err := is.Marshal()
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", describe(obj), err)
		}
		sum := sha256.New()
		_ = eachField(item, func(number protowire.Number, field []byte) { // it was gone through before
			switch number {
			case fieldMeta:
				field = appendField(nil, fieldMeta, meta)
			case status:
				field = none
			}
			sum.Write(field)
		})
		return summary(obj, hex.EncodeToString(sum.Sum(nil)[:sumSize]))
	}
}

// ReadParts reads objects without who wrote which field. Where fields of the spec are
// named, by their numbers in its encoding, nothing else of it is read.
func ReadParts(like Encoded, spec ...protowire.Number) Reader {
	return func(item []byte) (runtime.Object, error) {
		return decode(like, item, func(to []byte, number protowire.Number, field []byte) []byte {
			switch {
			case number == fieldMeta:
				return appendWithin(to, field, unmanaged)
			case number == fieldSpec && len(spec) > 0:
				return appendWithin(to, field, func(n protowire.Number) bool { return slices.Contains(spec, n) })
			}
			return append(to, field...)
		})
	}
}

func unmanaged(n protowire.Number) bool { return n != fieldManaged }

// statusOf is the number of a kind's status in its encoding, and the field of an empty
// one there; 0 for a kind that has none.
func statusOf(like Encoded) (number protowire.Number, none []byte) {
	status, _ := reflect.TypeOf(like).Elem().FieldByName("Status")
	tag := strings.Split(status.Tag.Get("protobuf"), ",") // bytes,3,opt,name=status
	if len(tag) < 2 {
		return 0, nil
	}
	n, err := strconv.ParseInt(tag[1], 10, 32)
	empty, ok := reflect.New(status.Type).Interface().(marshaler)
	if err != nil || !ok {
		return 0, nil
	}
	value, _ := empty.Marshal() // there is nothing in it that can't be encoded
	return protowire.Number(n), appendField(nil, protowire.Number(n), value)
}

// decode makes an object of like's kind of what pick appends for each field of an item.
func decode(like Encoded, item []byte, pick func(to []byte, number protowire.Number, field []byte) []byte) (client.Object, error) {
	buffer, _ := buffers.Get().(*[]byte) // nothing else is in there
	defer buffers.Put(buffer)            // an object that was decoded has copies
	*buffer = (*buffer)[:0]
	if err := eachField(item, func(number protowire.Number, field []byte) {
		*buffer = pick(*buffer, number, field)
	}); err != nil {
		return nil, fmt.Errorf("read %T: %w", like, err)
	}
	obj, ok := reflect.New(reflect.TypeOf(like).Elem()).Interface().(Encoded)
	if !ok {
		return nil, fmt.Errorf("make %T: no object", like)
	}
	if err := obj.Unmarshal(*buffer); err != nil {
		return nil, fmt.Errorf("decode %T: %w", like, err)
	}
	return obj, nil
}

// eachField tells do of every field of a message, as it stands there.
func eachField(message []byte, do func(number protowire.Number, field []byte)) error {
	for len(message) > 0 {
		number, _, size := protowire.ConsumeField(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		do(number, message[:size])
		message = message[size:]
	}
	return nil
}

// appendWithin appends a field that is a message, with those of its own fields that are
// wanted. One that is none stays as it is, for its decoder to say so.
func appendWithin(to, field []byte, wanted func(protowire.Number) bool) []byte {
	number, kind, size := protowire.ConsumeTag(field)
	if size < 0 || kind != protowire.BytesType {
		return append(to, field...)
	}
	message, _ := protowire.ConsumeBytes(field[size:])
	left := 0
	if eachField(message, func(n protowire.Number, field []byte) {
		if wanted(n) {
			left += len(field)
		}
	}) != nil {
		return append(to, field...)
	}
	to = protowire.AppendVarint(protowire.AppendTag(to, number, kind), uint64(left))
	_ = eachField(message, func(n protowire.Number, field []byte) { // it was gone through before
		if wanted(n) {
			to = append(to, field...)
		}
	})
	return to
}

func appendField(to []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), value)
}
