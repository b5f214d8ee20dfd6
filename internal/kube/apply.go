package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// AnnotationApplied holds a hash of what was applied last. Together with a look
// at the live fields it tells whether an object has to be applied again: the
// hash sees what we no longer want, the look sees what others changed.
const AnnotationApplied = "kubepanel.io/applied"

// AnnotationMade stands on an object that was made with Create and not applied
// since. Making costs the API server half of what applying costs, but leaves fields
// that no apply of ours would take away: takeOver mends that before the first one.
const AnnotationMade = "kubepanel.io/made"

// Applier writes objects with server-side apply as one field owner. An object
// that already is what it should be costs no request.
type Applier struct {
	// Client reads from a cache and writes to the API server. Its reads must see
	// its own writes (client.CacheOptions.EnableReadYourWritesConsistency), or an
	// object would be applied again until the cache has caught up.
	Client client.Client
	// Direct reads past the cache, which does not keep who wrote which field.
	Direct client.Reader
	// Owner is the field owner, one per reconciler.
	Owner client.FieldOwner
	// Known, when set, spares reading objects whole that were found right before.
	Known *Known
	// Counts, when set, is told of every decision.
	Counts *Counts
}

// Counts says what an Applier did since it was made.
type Counts struct{ Applied, Unchanged, Created atomic.Int64 }

// Apply makes the cluster hold obj, controlled by owner, and reads the live object
// back into obj, or of what the cache has no more of its status alone. It may share
// with the cache from then on: nothing in it may be changed. It takes fields over from other writers: a field that
// desired sets is ours, and a field it leaves out is nobody's business.
func (a Applier) Apply(ctx context.Context, owner, obj client.Object) error {
	live, cached, err := a.prepare(ctx, owner, obj)
	if err != nil {
		return err
	}
	if live == nil {
		created, err := a.create(ctx, owner, obj)
		if err != nil || created {
			return err
		}
		delete(obj.GetAnnotations(), AnnotationMade)
	} else if unchanged(obj, live) {
		a.Counts.unchanged()
		if err := a.know(owner, cached); err != nil {
			return err
		}
		return share(live, obj)
	}
	// What exists and is not in our cache may have been made by us as well.
	if live == nil || made(live) {
		if err := a.takeOver(ctx, obj); err != nil {
			return err
		}
	}
	a.Counts.applied()
	body, err := applyBody(obj)
	if err != nil {
		return err
	}
	patch := client.RawPatch(types.ApplyPatchType, body)
	err = a.Client.Patch(ctx, obj, patch, a.Owner, client.ForceOwnership)
	if keepsAddress(obj, err) {
		if err = a.releaseAddress(ctx, obj); err == nil {
			err = a.Client.Patch(ctx, obj, patch, a.Owner, client.ForceOwnership)
		}
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", describe(obj), err)
	}
	return a.know(owner, obj)
}

// takeOver turns the fields that we own because we made an object into fields that
// we applied, so that an apply takes away what it leaves out. Others may write the
// object meanwhile; which fields are theirs is read anew then.
func (a Applier) takeOver(ctx context.Context, obj client.Object) error {
	owner := string(a.Owner)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		fresh, err := a.whole(ctx, obj)
		if err != nil || fresh == nil { // applying makes what is gone
			return err
		}
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(fresh, sets.New(owner), owner)
		if err != nil || patch == nil {
			return err
		}
		return a.Client.Patch(ctx, fresh, client.RawPatch(types.JSONPatchType, patch))
	})
	if err != nil {
		return fmt.Errorf("take over %s: %w", describe(obj), err)
	}
	return nil
}

// Create makes obj, controlled by owner, when nothing of that name exists.
// created is false, without an error, when something does; it is left alone.
func (a Applier) Create(ctx context.Context, owner, obj client.Object) (created bool, err error) {
	if err := a.own(owner, obj); err != nil {
		return false, err
	}
	if err := seal(obj); err != nil {
		return false, err
	}
	return a.create(ctx, owner, obj)
}

// create makes an object that is owned and sealed.
func (a Applier) create(ctx context.Context, owner, obj client.Object) (created bool, err error) {
	obj.GetAnnotations()[AnnotationMade] = "true"
	err = a.Client.Create(ctx, obj, a.Owner)
	if apierrors.IsAlreadyExists(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("create %s: %w", describe(obj), err)
	}
	a.Counts.created()
	return true, a.know(owner, obj)
}

// Live reads the cached object of obj's kind and name into obj and tells whether
// there is one. The result is shared with the cache: never change it.
func (a Applier) Live(ctx context.Context, obj client.Object) (bool, error) {
	noCopy := true
	err := a.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj, &client.GetOptions{UnsafeDisableDeepCopy: &noCopy})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", describe(obj), err)
	}
	return true, nil
}

// prepare owns and seals obj, and finds the live object, nil when there is none, and
// as what the cache has it.
func (a Applier) prepare(ctx context.Context, owner, obj client.Object) (live, cached client.Object, err error) {
	if err := a.own(owner, obj); err != nil {
		return nil, nil, err
	}
	if err := seal(obj); err != nil {
		return nil, nil, err
	}
	cached, err = a.empty(obj)
	if err != nil {
		return nil, nil, err
	}
	found, err := a.Live(ctx, cached)
	if err != nil || !found {
		return nil, nil, err
	}
	if !summed(cached) {
		return cached, cached, nil
	}
	if is, err := stateOf(cached); err != nil || a.intact(owner, cached.GetUID(), is) {
		return cached, cached, err
	}
	live, err = a.whole(ctx, obj)
	if live != nil && live.GetResourceVersion() != cached.GetResourceVersion() {
		cached = live // the cache will have it as this
	}
	return live, cached, err
}

// empty returns an object of obj's kind and name, and nothing else.
func (a Applier) empty(obj client.Object) (client.Object, error) {
	fresh, err := a.Client.Scheme().New(obj.GetObjectKind().GroupVersionKind())
	if err != nil {
		return nil, fmt.Errorf("kind of %s: %w", describe(obj), err)
	}
	o, ok := fresh.(client.Object)
	if !ok {
		return nil, fmt.Errorf("kind of %s is no object", describe(obj))
	}
	o.SetName(obj.GetName())
	o.SetNamespace(obj.GetNamespace())
	return o, nil
}

func (a Applier) own(owner, obj client.Object) error {
	gvk, err := apiutil.GVKForObject(obj, a.Client.Scheme())
	if err != nil {
		return fmt.Errorf("kind of %T: %w", obj, err)
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	if owner == nil {
		return nil
	}
	if err := controllerutil.SetControllerReference(owner, obj, a.Client.Scheme()); err != nil {
		return fmt.Errorf("own %s: %w", describe(obj), err)
	}
	return nil
}

// seal writes the sum of what obj wants into its annotation.
func seal(obj client.Object) error {
	sum, err := sumOf(obj)
	if err != nil {
		return err
	}
	annotations := maps.Clone(obj.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, AnnotationMade)
	annotations[AnnotationApplied] = sum
	obj.SetAnnotations(annotations)
	return nil
}

// applyBody is obj as JSON without what an apply may not or need not name.
func applyBody(obj client.Object) ([]byte, error) {
	data, err := json.Marshal(obj)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", describe(obj), err)
	}
	var tree map[string]json.RawMessage
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("encode %s: %w", describe(obj), err)
	}
	delete(tree, "status")
	return json.Marshal(tree)
}

// unchanged tells whether applying want would change nothing in live.
func unchanged(want, live client.Object) bool {
	return applied(want) == applied(live) &&
		live.GetDeletionTimestamp().IsZero() && (summed(live) || Holds(live, want))
}

func describe(obj client.Object) string {
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	if kind == "" {
		kind = fmt.Sprintf("%T", obj)
	}
	if obj.GetNamespace() == "" {
		return fmt.Sprintf("%s %s", kind, obj.GetName())
	}
	return fmt.Sprintf("%s %s/%s", kind, obj.GetNamespace(), obj.GetName())
}

func (c *Counts) applied() {
	if c != nil {
		c.Applied.Add(1)
	}
}

func (c *Counts) unchanged() {
	if c != nil {
		c.Unchanged.Add(1)
	}
}

func (c *Counts) created() {
	if c != nil {
		c.Created.Add(1)
	}
}

// Mine tells whether live is controlled by owner.
func Mine(owner, live client.Object) bool { return metav1.IsControlledBy(live, owner) }

// Current tells whether live is exactly what an Apply of want would leave, so
// that nobody changed it since.
func (a Applier) Current(owner, want, live client.Object) (bool, error) {
	if err := a.own(owner, want); err != nil {
		return false, err
	}
	if err := seal(want); err != nil {
		return false, err
	}
	return unchanged(want, live), nil
}
