package domain

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// A Domain's status.digest has two halves: the basis is a sum over all that decides
// what its objects should be, the other one over the objects. The step that keeps the
// namespace empties it when they are not what they were; until a look that ends well
// makes it anew, everything is compared.

// asFound tells a step that comes after the namespace's that the site's objects are what
// they should be, so that there is nothing to build, to compare or to write.
func asFound(d *v1alpha1.Domain) bool { return d.Status.Digest != "" }

// ensure has the object be what build makes of it and reads it into object, which has its
// name. What is as it was found needs no building.
func ensure[T client.Object](ctx context.Context, r *Reconciler, d *v1alpha1.Domain, object *T, build func() (T, error)) error {
	if asFound(d) {
		if found, err := r.Kube.Live(ctx, *object); err != nil || found {
			return err
		}
	}
	want, err := build()
	if err != nil {
		return err
	}
	*object = want
	return r.Kube.Apply(ctx, d, want)
}

// inSite is the metadata by which an object in the site's namespace is found.
func inSite(d *v1alpha1.Domain, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: desired.Namespace(d.Spec.DomainName)}
}

// confirm empties the digest unless it still is what it was.
func (r *Reconciler) confirm(ctx context.Context, d *v1alpha1.Domain) error {
	was := d.Status.Digest
	d.Status.Digest = ""
	basis, _ := r.basis(ctx, d) // the step that needs what can't be read says so
	objects, found := strings.CutPrefix(was, basis)
	if basis == "" || !found {
		return nil
	}
	same, err := r.Kube.Confirm(ctx, d, objects, r.site(d).Names())
	if same {
		d.Status.Digest = was
	}
	return err
}

// digest notes what a look that ended well has found. When somebody only added to an
// object what is not ours, that alone is not worth writing. A pod that can't be asked
// may still have a former configuration.
func (r *Reconciler) digest(ctx context.Context, d, before *v1alpha1.Domain) {
	// With the time that the password before is good, nothing else changes.
	if c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionDatabaseProvisioned); c != nil && c.Reason == v1alpha1.ReasonRenewed {
		return
	}
	pods, err := r.pods(ctx, d)
	if pod := newest(pods); err != nil || pod != nil && pod.Status.PodIP != "" && !answering(pod) {
		return
	}
	basis, err := r.basis(ctx, d)
	if err != nil {
		return // the next look compares everything again
	}
	objects, err := r.Kube.Digest(ctx, d, r.site(d).Names())
	if err != nil || objects == "" {
		return
	}
	d.Status.Digest = before.Status.Digest
	if !strings.HasPrefix(before.Status.Digest, basis) || !equality.Semantic.DeepEqual(before.Status, d.Status) {
		d.Status.Digest = basis + objects
	}
}

// basis is a sum over all that decides what a Domain's objects should be: who looks, how
// the platform is set up, the gateway's keys, MariaDB's authority, and what was asked for.
func (r *Reconciler) basis(ctx context.Context, d *v1alpha1.Domain) (string, error) {
	gateway, err := r.gateway(ctx)
	if err != nil {
		return "", err
	}
	authority, err := r.databaseAuthority(ctx)
	if err != nil {
		return "", err
	}
	annotations := map[string]string{}
	for name, value := range d.Annotations {
		if strings.HasPrefix(name, v1alpha1.Group+"/") {
			annotations[name] = value
		}
	}
	return sum(r.Program, gateway.Data[platform.KeyGatewayAuthorityPublic], gateway.Data[platform.KeyGatewayHostPublic], authority,
		d.UID, d.Generation, d.Labels[v1alpha1.LabelOwner], annotations)
}

// sum is a short hash of values.
func sum(values ...any) (string, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return "", err
	}
	all := sha256.Sum256(data)
	return hex.EncodeToString(all[:8]), nil
}

// program names this very program and its settings: another one may want other objects
// of the same spec.
func program(settings *platform.Settings) string {
	name, err := sum(buildID(), settings)
	if err != nil {
		return rand.Text()
	}
	return name
}

// buildID says what went into the program, by content. When it can't be found out
// nothing is taken for known.
func buildID() string {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		return rand.Text()
	}
	defer file.Close() // it was only read
	note := file.Section(".note.go.buildid")
	if note == nil {
		return rand.Text()
	}
	data, _ := note.Data() // an error leaves nothing
	return cmp.Or(string(data), rand.Text())
}
