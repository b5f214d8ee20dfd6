package kube

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/runtime"
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
	read    Reader
	objects []runtime.Object
}

type itemsKey struct{}

// ReadItems makes a way to the API server one on which InformInPages gets the items of a
// list before they are decoded: a Deployment is 6 kB, of which the operator's cache
// wants the fifth part, and decoded it is 29.
func ReadItems(way http.RoundTripper) http.RoundTripper { return readItems{way} }

type readItems struct{ http.RoundTripper }

// WrappedRoundTripper is what client-go asks for.
func (r readItems) WrappedRoundTripper() http.RoundTripper { return r.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r readItems) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	to, ok := request.Context().Value(itemsKey{}).(*items)
	if err != nil || !ok || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != runtime.ContentTypeProtobuf {
		return response, err
	}
	defer response.Body.Close() // what is left of it after an error is of no use
	to.objects = nil            // those of an attempt that failed
	rest, err := cutItems(response.Body, to.take)
	if err != nil {
		return nil, fmt.Errorf("read a list: %w", err)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(rest)), int64(len(rest))
	return response, nil
}

func (i *items) take(item []byte) error {
	o, err := i.read(item)
	i.objects = append(i.objects, o)
	return err
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
