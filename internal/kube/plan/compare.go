package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/hosting"
)

// compare returns what happens to each object, in the order in which they are
// made.
func (f Facts) compare(last, next rendered) ([]hosting.ObjectChange, error) {
	var all []hosting.ObjectChange
	for _, n := range next.order {
		change := objectChange(hosting.ActionChange, n)
		if !f.has(n) {
			change.Action = hosting.ActionCreate
			all = append(all, change)
			continue
		}
		if f.stays(n) {
			continue
		}
		fields, err := objectFields(n, f.before(n, last, next), next.objects[n])
		if err != nil {
			return nil, err
		}
		if change.Fields = fields; len(fields) > 0 {
			all = append(all, change)
		}
	}
	for _, n := range last.order {
		if _, wanted := next.objects[n]; !wanted && f.has(n) && !kept(n) {
			all = append(all, objectChange(hosting.ActionDelete, n))
		}
	}
	return all, nil
}

// stays tells of a claim that Kubernetes would refuse to change.
func (f Facts) stays(n Name) bool { return n.Kind == "PersistentVolumeClaim" && !f.Grows }

// kept tells what outlives the wish for it, because data would be lost: only the
// Domain's own deletion removes it.
func kept(n Name) bool { return n.Kind == "Secret" || n.Kind == kindDatabase }

// remove plans the deletion of a site: whatever there is of it goes.
func remove(f Facts) (*hosting.Plan, error) {
	p := &hosting.Plan{
		Site: f.Was.Spec.DomainName, Action: hosting.ActionDelete,
		Downtime: hosting.Downtime{Lasting: true, Basis: "The site is deleted with its files and its database."},
		Quota:    quota(f.Was, nil),
	}
	last, err := f.render(f.Was)
	if err != nil {
		p.Warnings = append(p.Warnings, fmt.Sprintf("The site's present spec is refused (%s); its namespace goes with all that is in it.", err))
	}
	ns := desired.Namespace(f.Was.Spec.DomainName)
	for _, n := range append(last.order, Name{"Secret", ns, desired.SecretDatabase}, Name{"Secret", ns, desired.SecretWordPress}) {
		change := objectChange(hosting.ActionDelete, n)
		if f.has(n) && !slices.ContainsFunc(p.Objects, func(o hosting.ObjectChange) bool { return o.Kind == n.Kind && o.Name == n.Name }) {
			p.Objects = append(p.Objects, change)
		}
	}
	return p, nil
}

func objectChange(a hosting.Action, n Name) hosting.ObjectChange {
	return hosting.ObjectChange{Action: a, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name}
}

func nameOf(o runtime.Object) (Name, error) {
	m, err := meta.Accessor(o)
	if err != nil {
		return Name{}, fmt.Errorf("name of %T: %w", o, err)
	}
	return Name{o.GetObjectKind().GroupVersionKind().Kind, m.GetNamespace(), m.GetName()}, nil
}

func objectFields(n Name, last, next runtime.Object) ([]hosting.FieldChange, error) {
	if last == nil || next == nil {
		return nil, nil
	}
	before, err := tree(last)
	if err != nil {
		return nil, err
	}
	after, err := tree(next)
	if err != nil {
		return nil, err
	}
	fields := Diff(before, after)
	if n.Kind == "Secret" {
		for i := range fields {
			fields[i] = hidden(fields[i])
		}
	}
	return fields, nil
}

func specChanges(was, wanted *v1alpha1.Domain) ([]hosting.FieldChange, error) {
	type asked struct {
		Metadata struct {
			Labels map[string]string `json:"labels,omitempty"`
		} `json:"metadata"`
		Spec v1alpha1.DomainSpec `json:"spec"`
	}
	pair := [2]map[string]any{}
	for i, d := range []*v1alpha1.Domain{was, wanted} {
		a := asked{Spec: d.Spec}
		a.Metadata.Labels = d.Labels
		var err error
		if pair[i], err = tree(a); err != nil {
			return nil, err
		}
	}
	return Diff(pair[0], pair[1]), nil
}

// tree is an object as its JSON has it, without its status.
func tree(o any) (map[string]any, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", o, err)
	}
	var t map[string]any
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("encode %T: %w", o, err)
	}
	delete(t, "status")
	return t, nil
}
