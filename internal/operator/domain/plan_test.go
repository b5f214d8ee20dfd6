package domain_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/kube/plan"
)

var (
	planSeed    = flag.Uint64("plan.seed", 0, "seed of the changes that are planned; 0 takes one at random")
	planChanges = flag.Int("plan.changes", 30, "how many changes are planned and made")
)

// TestPlanIsWhatApplyingDoes plans changes at random, makes them, and compares
// what changed in the cluster with what the plan said: objects, fields and values.
func TestPlanIsWhatApplyingDoes(t *testing.T) {
	seed := *planSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with: go test ./internal/operator/domain -run PlanIsWhat -plan.seed %d", seed)
	w := newWorld(t)
	p := newPlanned(t, w)
	w.startOperator(t)
	p.creates(t)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range *planChanges {
		p.changes(t, fmt.Sprintf("change %d", i), func(d *v1alpha1.Domain) { vary(random, d) })
	}
	// What random changes seldom meet.
	p.changes(t, "suspend", func(d *v1alpha1.Domain) { d.Spec.Suspended = true })
	p.changes(t, "change while suspended", func(d *v1alpha1.Domain) { d.Spec.Redis.Enabled = !d.Spec.Redis.Enabled })
	p.changes(t, "resume", func(d *v1alpha1.Domain) { d.Spec.Suspended = false })
	// A Secret outlives the wish for it, and is found again.
	for _, user := range []string{"greta", "", "hans"} {
		p.changes(t, "WordPress of "+user, func(d *v1alpha1.Domain) {
			d.Spec.Database.Enabled, d.Spec.Workload.Type = nil, "php"
			d.Spec.WordPress = v1alpha1.WordPressSpec{Preinstall: user != "", AdminUser: user}
		})
	}
	p.changes(t, "nothing", func(*v1alpha1.Domain) {})
	p.deletes(t)
}

// planned is a site whose changes are planned.
type planned struct {
	w     *world
	store kube.Store
	name  string
}

func newPlanned(t *testing.T, w *world) *planned {
	t.Helper()
	class := &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: "growing"},
		Provisioner: "example.com/none", AllowVolumeExpansion: ptr.To(true),
	}
	w.settings.StorageClass = class.Name
	data, err := yaml.Marshal(w.settings)
	if err != nil {
		t.Fatal(err)
	}
	w.create(t, class, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: platform.ConfigMapName, Namespace: w.settings.Namespace},
		Data:       map[string]string{platform.FileName: string(data)},
	})
	store, err := kube.NewStore(cluster.Config, w.settings.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	return &planned{w: w, store: store, name: "planned.example"}
}

// creates plans a site that is not there and makes it.
func (p *planned) creates(t *testing.T) {
	t.Helper()
	d := newDomain(p.name)
	dry := d.DeepCopy()
	if err := cluster.Client.Create(t.Context(), dry, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	said, err := p.store.Plan(t.Context(), nil, dry)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, o := range said.Objects {
		want = append(want, fmt.Sprint(o.Action, " ", o.Kind, " ", o.Name))
	}
	p.w.create(t, d)
	p.w.condition(t, p.name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	eventually(t, func() error {
		got := []string{"create Database " + desired.DatabaseName(p.name)}
		for name := range p.snapshot(t) {
			got = append(got, fmt.Sprint("create ", name.Kind, " ", name.Name))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return errorf("a new site became\n%s\nthe plan said\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
	// The volume's provisioner and the controller of quotas would report this.
	claim := get(t, &corev1.PersistentVolumeClaim{}, desired.Namespace(p.name), desired.VolumeName)
	claim.Status.Phase, claim.Status.Capacity = corev1.ClaimBound, claim.Spec.Resources.Requests
	if err := cluster.Client.Status().Update(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
}

// changes plans one change, makes it and compares.
func (p *planned) changes(t *testing.T, what string, edit func(*v1alpha1.Domain)) {
	t.Helper()
	p.w.usage(t.Context(), desired.Namespace(p.name))
	before := p.snapshot(t)
	was := get(t, &v1alpha1.Domain{}, "", p.name)
	wanted := was.DeepCopy()
	edit(wanted)
	dry := wanted.DeepCopy()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error { // the operator writes its status
		was = get(t, was, "", p.name)
		dry = was.DeepCopy()
		dry.Spec, dry.Labels = wanted.Spec, wanted.Labels
		return cluster.Client.Update(t.Context(), dry, client.DryRunAll)
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	said, err := p.store.Plan(t.Context(), was, dry)
	if err != nil || len(said.Refused) > 0 {
		t.Fatalf("%s: plan = %v, refused %v", what, err, said.Refused)
	}
	want := map[plan.Name]map[string][2]any{}
	for _, o := range said.Objects {
		if o.Kind == "Database" {
			continue // not in the API server
		}
		fields := map[string][2]any{}
		for _, f := range o.Fields {
			fields[f.Path] = [2]any{f.Old, f.New}
		}
		want[plan.Name{Kind: string(o.Action) + " " + o.Kind, Namespace: o.Namespace, Name: o.Name}] = fields
	}
	effects := []string{}
	for _, e := range said.Effects {
		effects = append(effects, string(e.Kind))
	}
	p.w.change(t, p.name, func(d *v1alpha1.Domain) { d.Spec, d.Labels = wanted.Spec, wanted.Labels })
	eventually(t, func() error {
		now := get(t, &v1alpha1.Domain{}, "", p.name)
		if now.Status.ObservedGeneration != now.Generation {
			return errorf("%s: the operator has not looked", what)
		}
		if err := compare(want, before, p.snapshot(t)); err != nil {
			asked, _ := json.Marshal(said.Spec)
			return errorf("%s: %v\nconditions:%s\nasked for: %s", what, err, conditions(now), asked)
		}
		return effectsHold(before, p.snapshot(t), effects)
	})
}

// compare holds what changed against what was said.
func compare(want map[plan.Name]map[string][2]any, before, after map[plan.Name]map[string]any) error {
	left := maps.Clone(want)
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		b, was := before[name]
		a, is := after[name]
		action := "change "
		fields := plan.Diff(b, a)
		switch {
		case !was:
			action, fields = "create ", nil
		case !is:
			action, fields = "delete ", nil
		case len(fields) == 0:
			continue
		}
		key := plan.Name{Kind: action + name.Kind, Namespace: name.Namespace, Name: name.Name}
		said, ok := left[key]
		if !ok {
			return errorf("%s %s happened and was not planned: %v", key.Kind, key.Name, fields)
		}
		delete(left, key)
		for _, f := range fields {
			values, ok := said[f.Path]
			if !ok {
				return errorf("%s %s: %s changed from %v to %v and was not planned", key.Kind, key.Name, f.Path, f.Old, f.New)
			}
			if name.Kind != "Secret" && (!within(values[0], f.Old) || !within(values[1], f.New)) {
				return errorf("%s %s: %s changed from %v to %v, planned was %v to %v", key.Kind, key.Name, f.Path, f.Old, f.New, values[0], values[1])
			}
		}
		if len(said) != len(fields) {
			return errorf("%s %s: fields %v were planned, %v changed", key.Kind, key.Name, said, fields)
		}
	}
	if len(left) > 0 {
		return errorf("planned and did not happen: %v", left)
	}
	return nil
}

// within tells whether a live value has all of a planned one; the API server adds
// defaults to a new container, for example.
func within(said, live any) bool {
	s, ok := said.(map[string]any)
	l, live2 := live.(map[string]any)
	if !ok || !live2 {
		if list, ok := said.([]any); ok {
			other, ok := live.([]any)
			return ok && len(list) == len(other) && !slices.ContainsFunc(list, func(item any) bool {
				return !slices.ContainsFunc(other, func(o any) bool { return within(item, o) })
			})
		}
		return reflect.DeepEqual(said, live)
	}
	for key, value := range s {
		if !within(value, l[key]) {
			return false
		}
	}
	return true
}

// effectsHold compares the effects with what Kubernetes will make of the objects.
func effectsHold(before, after map[plan.Name]map[string]any, said []string) error {
	of := func(all map[plan.Name]map[string]any) (template any, replicas float64) {
		for name, o := range all {
			if name.Kind == "Deployment" {
				spec, _ := o["spec"].(map[string]any)
				replicas, _ = spec["replicas"].(float64)
				return spec["template"], replicas
			}
		}
		return nil, 0
	}
	old, oldReplicas := of(before)
	now, replicas := of(after)
	restarts := oldReplicas == 1 && replicas == 1 && !reflect.DeepEqual(old, now)
	for effect, happens := range map[string]bool{
		"restart": restarts, "stop": oldReplicas > replicas, "start": oldReplicas < replicas,
	} {
		if slices.Contains(said, effect) != happens {
			return errorf("effects %v were planned; that the pod does %s is %t", said, effect, happens)
		}
	}
	return nil
}

// deletes plans the deletion and makes it.
func (p *planned) deletes(t *testing.T) {
	t.Helper()
	d := get(t, &v1alpha1.Domain{}, "", p.name)
	said, err := p.store.Plan(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := p.snapshot(t)
	for _, o := range said.Objects {
		name := plan.Name{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
		if _, there := want[name]; !there && o.Kind != "Database" || o.Action != "delete" {
			t.Errorf("planned %s of %v, which is not there", o.Action, name)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("the plan of a deletion leaves out %v", slices.Collect(maps.Keys(want)))
	}
	p.w.removePod(t, p.name)
	if err := cluster.Client.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", p.name) })
	if left := p.snapshot(t); len(left) > 0 {
		t.Errorf("left after the deletion: %v", slices.Collect(maps.Keys(left)))
	}
}

// snapshot reads everything that the operator made for the site: what it wrote,
// without what the API server keeps for itself.
func (p *planned) snapshot(t *testing.T) map[plan.Name]map[string]any {
	t.Helper()
	all := map[plan.Name]map[string]any{}
	ours := client.MatchingLabels{v1alpha1.LabelDomain: desired.ObjectName(p.name)}
	for kind, list := range map[string]client.ObjectList{
		"Namespace": &corev1.NamespaceList{}, "ConfigMap": &corev1.ConfigMapList{}, "Secret": &corev1.SecretList{},
		"Service": &corev1.ServiceList{}, "PersistentVolumeClaim": &corev1.PersistentVolumeClaimList{},
		"ResourceQuota": &corev1.ResourceQuotaList{},
		"Deployment":    &appsv1.DeploymentList{}, "Ingress": &networkingv1.IngressList{}, "NetworkPolicy": &networkingv1.NetworkPolicyList{},
		"CronJob": &batchv1.CronJobList{},
	} {
		if err := cluster.Client.List(t.Context(), list, ours); err != nil {
			t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			o, ok := item.(client.Object)
			if !ok {
				t.Fatalf("%T is no object", item)
			}
			all[plan.Name{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}] = written(t, o)
		}
	}
	return all
}

func written(t *testing.T, o client.Object) map[string]any {
	t.Helper()
	annotations := maps.Clone(o.GetAnnotations())
	delete(annotations, kube.AnnotationApplied)
	delete(annotations, kube.AnnotationMade)
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "status")
	metadata := map[string]any{"labels": map[string]any{}, "annotations": map[string]any{}}
	for key, value := range o.GetLabels() {
		metadata["labels"].(map[string]any)[key] = value
	}
	for key, value := range annotations {
		metadata["annotations"].(map[string]any)[key] = value
	}
	tree["metadata"] = metadata
	return tree
}
