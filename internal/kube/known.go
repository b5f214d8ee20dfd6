package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/desired"
)

// Known remembers as what, by their sums, objects were found to be just what was
// applied: what the API server adds to one is in its sum, and is not told beforehand.
type Known struct {
	mu sync.Mutex
	of map[types.UID]map[types.UID]state // owner → object → state
}

// state is what an object is, and what was applied to it last.
type state struct{ sum, applied string }

// stateOf reads an object, out of the cache or whole.
func stateOf(live client.Object) (state, error) {
	s := state{applied: applied(live)}
	if summed(live) {
		s.sum = live.GetSelfLink()[:2*sumSize]
		return s, nil
	}
	var err error
	s.sum, err = sumOf(live)
	return s, err
}

// Forget drops what is known of an owner's objects.
func (k *Known) Forget(owner types.UID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, owner)
}

func (k *Known) put(owner, object types.UID, is state) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[types.UID]map[types.UID]state{}
	}
	if k.of[owner] == nil {
		k.of[owner] = map[types.UID]state{}
	}
	k.of[owner][object] = is
}

func (k *Known) has(owner, object types.UID, is state) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of[owner][object] == is
}

// intact tells whether an object is as it was applied: nobody changed it since it was
// found so, or nothing was ever added to it.
func (a Applier) intact(owner client.Object, live types.UID, is state) bool {
	return is.sum == is.applied || a.Known != nil && owner != nil && a.Known.has(owner.GetUID(), live, is)
}

// know notes that an object was found, or has just been made, to be as it was applied.
func (a Applier) know(owner, live client.Object) error {
	if a.Known == nil || owner == nil {
		return nil
	}
	is, err := stateOf(live)
	if err == nil && !a.intact(owner, live.GetUID(), is) {
		a.Known.put(owner.GetUID(), live.GetUID(), is)
	}
	return err
}

// Digest is a sum over an owner's objects. It is "" when one is missing, is being removed,
// or is not known to be as it was applied.
func (a Applier) Digest(ctx context.Context, owner client.Object, objects []desired.Name) (string, error) {
	digest, found, err := a.digest(ctx, objects)
	for _, f := range found {
		if !a.intact(owner, f.uid, f.state) {
			return "", err
		}
	}
	return digest, err
}

// Confirm tells whether the objects still have the Digest was, perhaps another
// process', and knows from then on that they are as they were applied.
func (a Applier) Confirm(ctx context.Context, owner client.Object, was string, objects []desired.Name) (bool, error) {
	digest, found, err := a.digest(ctx, objects)
	if err != nil || digest == "" || digest != was {
		return false, err
	}
	for _, f := range found {
		if !a.intact(owner, f.uid, f.state) {
			a.Known.put(owner.GetUID(), f.uid, f.state)
		}
	}
	return true, nil
}

// found is an object as it was seen.
type found struct {
	uid types.UID
	state
}

// digest reads the objects out of the cache. What was written a moment ago and is not
// in there yet makes another digest, so nothing waits for it.
func (a Applier) digest(ctx context.Context, objects []desired.Name) (string, []found, error) {
	all, seen := sha256.New(), make([]found, 0, len(objects))
	for _, name := range objects {
		one, err := a.see(ctx, name)
		if err != nil || one.uid == "" {
			return "", nil, err
		}
		seen = append(seen, one)
		fmt.Fprintln(all, one.uid, one.sum, one.applied)
	}
	return hex.EncodeToString(all.Sum(nil)[:8]), seen, nil
}

// read are objects to read into, by their type: each look at each site sees a dozen, and
// the structs of Kubernetes' kinds are large.
var read = struct {
	sync.Mutex
	into map[reflect.Type]*sync.Pool
}{into: map[reflect.Type]*sync.Pool{}}

func readInto(kind reflect.Type) *sync.Pool {
	read.Lock()
	defer read.Unlock()
	if read.into[kind] == nil {
		read.into[kind] = &sync.Pool{New: func() any { return reflect.New(kind.Elem()).Interface() }}
	}
	return read.into[kind]
}

// see returns what the cache has of an object: nothing when there is none, or none for long.
func (a Applier) see(ctx context.Context, name desired.Name) (found, error) {
	pool := readInto(reflect.TypeOf(name.Kind))
	o, ok := pool.Get().(client.Object)
	if !ok {
		return found{}, fmt.Errorf("read %s: %T is no object", name, name.Kind)
	}
	noCopy := true
	err := a.Client.Get(ctx, name.NamespacedName, o, &client.GetOptions{UnsafeDisableDeepCopy: &noCopy, DisableReadYourWritesConsistency: true})
	if err != nil || !o.GetDeletionTimestamp().IsZero() {
		return found{}, client.IgnoreNotFound(err)
	}
	f := found{uid: o.GetUID()}
	f.state, err = stateOf(o)
	pool.Put(o)
	return f, err
}
