package kube

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// A list in Kubernetes' own encoding is this word and a message of what it is and the
// list itself (runtime.Unknown of apimachinery), which has its metadata and its items
// (every …List of k8s.io/api).
const (
	listWord                   = "k8s\x00"
	fieldList protowire.Number = 2
	fieldItem protowire.Number = 2
)

// longest is more bytes than any part of a list but the list has: the API server takes
// objects of up to 3 MiB, and pages are far smaller than this.
const longest = 1 << 30

// items are what came of a list besides its decoder.
type items struct {
	// read makes the objects of a list in Kubernetes' own encoding; nil leaves it to the decoder.
	read Reader
	// like is what the items of a list in JSON are; nil leaves it to the decoder.
	like    runtime.Object
	keep    cache.TransformFunc // of what was JSON; nil for none
	objects []runtime.Object
}

type itemsKey struct{}

// ReadItems makes a way to the API server one on which InformInPages gets the items of a
// list before they are decoded: a Deployment is 6 kB, of which the operator's cache
// wants the fifth part, and decoded it is 29. Lists in JSON are read item by item for
// another reason: their decoder goes over all of their text once more, to see of what
// kind they are.
func ReadItems(way http.RoundTripper) http.RoundTripper { return readItems{way} }

type readItems struct{ http.RoundTripper }

// WrappedRoundTripper is what client-go asks for.
func (r readItems) WrappedRoundTripper() http.RoundTripper { return r.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r readItems) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	to, ok := request.Context().Value(itemsKey{}).(*items)
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		return response, err
	}
	cut := to.way(response.Header.Get("Content-Type"))
	if cut == nil {
		return response, nil
	}
	defer response.Body.Close() // what is left of it after an error is of no use
	to.objects = nil            // those of an attempt that failed
	rest, err := cut(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read a list: %w", err)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(rest)), int64(len(rest))
	return response, nil
}

// way is how the items of an encoding are read and the list is left without, or nil.
func (i *items) way(encoding string) func(io.Reader) ([]byte, error) {
	switch {
	case encoding == runtime.ContentTypeProtobuf && i.read != nil:
		return func(from io.Reader) ([]byte, error) { return cutItems(from, i.take) }
	case encoding == runtime.ContentTypeJSON && i.like != nil:
		return func(from io.Reader) ([]byte, error) { return cutText(from, i.takeText) }
	}
	return nil
}

func (i *items) take(item []byte) error {
	o, err := i.read(item)
	i.objects = append(i.objects, o)
	return err
}

func (i *items) takeText(decode func(into any) error) error {
	o, ok := reflect.New(reflect.TypeOf(i.like).Elem()).Interface().(runtime.Object)
	if !ok {
		return fmt.Errorf("make %T: no object", i.like)
	}
	if err := decode(o); err != nil {
		return fmt.Errorf("decode %T: %w", i.like, err)
	}
	o, err := transformed(i.keep, o)
	i.objects = append(i.objects, o)
	return err
}

// asKubernetes reads JSON as Kubernetes' own decoder does: of a name that comes twice the
// last counts, and what is no UTF-8 is replaced.
var asKubernetes = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// cutText is cutItems for a list in JSON: take decodes an item into what it likes. This
// decoder takes 0.4 of the time of Kubernetes' own, which goes over each item twice:
// Domains are the only objects of which a starting operator reads megabytes of JSON.
func cutText(from io.Reader, take func(decode func(into any) error) error) ([]byte, error) {
	in := jsontext.NewDecoder(from, asKubernetes)
	rest := map[string]jsontext.Value{}
	err := eachText(in, '{', '}', func() error {
		name, err := in.ReadToken()
		if err != nil {
			return err
		}
		if name := name.String(); name != "items" {
			value, err := in.ReadValue()
			rest[name] = value.Clone()
			return err
		}
		rest["items"] = jsontext.Value("[]")
		if in.PeekKind() == 'n' { // null, as some write a list of nothing
			return in.SkipValue()
		}
		return eachText(in, '[', ']', func() error {
			return take(func(into any) error { return json.UnmarshalDecode(in, into) })
		})
	})
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if rest["items"] == nil {
		return nil, errors.New("it has no items")
	}
	return json.Marshal(rest, asKubernetes)
}

// eachText calls do for each value within brackets, or each name and value.
func eachText(in *jsontext.Decoder, begin, end jsontext.Kind, do func() error) error {
	for _, bracket := range []jsontext.Kind{begin, end} {
		for bracket == end && in.PeekKind() != end {
			if err := do(); err != nil {
				return err
			}
		}
		token, err := in.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() != bracket {
			return fmt.Errorf("%v stands where %v belongs", token, bracket)
		}
	}
	return nil
}

// cutItems hands each item of an encoded list to take, whose it is until that returns,
// and returns the list without.
func cutItems(from io.Reader, take func([]byte) error) ([]byte, error) {
	in := bufio.NewReaderSize(from, 64<<10)
	word := make([]byte, len(listWord))
	if _, err := io.ReadFull(in, word); err != nil || string(word) != listWord {
		return nil, errors.Join(errors.New("it is not in Kubernetes' own encoding"), err)
	}
	var item bytes.Buffer
	cut := func(number protowire.Number, value io.Reader) ([]byte, error) {
		if number != fieldItem {
			return io.ReadAll(value)
		}
		item.Reset()
		if _, err := item.ReadFrom(value); err != nil {
			return nil, err
		}
		return nil, take(item.Bytes())
	}
	complete := false
	rest, err := rewrite(in, func(number protowire.Number, value io.Reader) ([]byte, error) {
		if number != fieldList {
			return io.ReadAll(value)
		}
		complete = true
		return rewrite(bufio.NewReader(value), cut)
	})
	if err == nil && !complete {
		err = io.ErrUnexpectedEOF
	}
	return append(word, rest...), err
}

// rewrite returns a message, all fields of which are texts or messages, with what
// change makes of each of them. What becomes nil is left out.
func rewrite(in *bufio.Reader, change func(protowire.Number, io.Reader) ([]byte, error)) ([]byte, error) {
	out := []byte{}
	for {
		tag, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		number, kind := protowire.DecodeTag(tag)
		size, err := binary.ReadUvarint(in)
		if err != nil || number < protowire.MinValidNumber || kind != protowire.BytesType || size > longest {
			return nil, errors.Join(fmt.Errorf("field %d of type %d and %d bytes is none of a list", number, kind, size), err)
		}
		value := &io.LimitedReader{R: in, N: int64(size)}
		changed, err := change(number, value)
		if err != nil {
			return nil, err
		}
		if value.N > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		if changed != nil {
			out = protowire.AppendBytes(protowire.AppendTag(out, number, kind), changed)
		}
	}
}
