package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
func (a Applier) intact(owner, live client.Object, is state) bool {
	return is.sum == is.applied || a.Known != nil && owner != nil && a.Known.has(owner.GetUID(), live.GetUID(), is)
}

// know notes that an object was found, or has just been made, to be as it was applied.
func (a Applier) know(owner, live client.Object) error {
	if a.Known == nil || owner == nil {
		return nil
	}
	is, err := stateOf(live)
	if err == nil && !a.intact(owner, live, is) {
		a.Known.put(owner.GetUID(), live.GetUID(), is)
	}
	return err
}

// Digest is a sum over an owner's objects, of which kinds and names are given. It is ""
// when one is missing, is being removed, or is not known to be as it was applied.
func (a Applier) Digest(ctx context.Context, owner client.Object, objects []client.Object) (string, error) {
	digest, states, err := a.digest(ctx, objects)
	for i, is := range states {
		if !a.intact(owner, objects[i], is) {
			return "", err
		}
	}
	return digest, err
}

// Confirm tells whether the objects still have the Digest was, perhaps another
// process', and knows from then on that they are as they were applied.
func (a Applier) Confirm(ctx context.Context, owner client.Object, was string, objects []client.Object) (bool, error) {
	digest, states, err := a.digest(ctx, objects)
	if err != nil || digest == "" || digest != was {
		return false, err
	}
	for i, is := range states {
		if !a.intact(owner, objects[i], is) {
			a.Known.put(owner.GetUID(), objects[i].GetUID(), is)
		}
	}
	return true, nil
}

// digest reads the objects out of the cache. What was written a moment ago and is not
// in there yet makes another digest, so nothing waits for it.
func (a Applier) digest(ctx context.Context, objects []client.Object) (string, []state, error) {
	noCopy := true
	cached := &client.GetOptions{UnsafeDisableDeepCopy: &noCopy, DisableReadYourWritesConsistency: true}
	all, states := sha256.New(), make([]state, len(objects))
	for i, o := range objects {
		if err := a.Client.Get(ctx, client.ObjectKeyFromObject(o), o, cached); err != nil {
			return "", nil, client.IgnoreNotFound(err)
		}
		is, err := stateOf(o)
		if err != nil || !o.GetDeletionTimestamp().IsZero() {
			return "", nil, err
		}
		states[i] = is
		fmt.Fprintln(all, o.GetUID(), is.sum, is.applied)
	}
	return hex.EncodeToString(all.Sum(nil)[:8]), states, nil
}
