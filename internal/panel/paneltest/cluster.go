// Package paneltest is a cluster in memory for tests of the panel's faces: what they
// write is there to be read at once, and a test plays the operator. It must never be
// more than that: what a cluster refuses is tested with a real one.
package paneltest

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Cluster keeps Domains in memory, as kube.Mirror does.
type Cluster struct {
	mu       sync.Mutex
	domains  map[string]*v1alpha1.Domain
	settings *platform.Settings
	down     error
	created  int
}

// NewCluster makes an empty one with the settings of a platform.
func NewCluster(settings []byte) (*Cluster, error) {
	parsed, err := platform.Parse(settings)
	return &Cluster{domains: map[string]*v1alpha1.Domain{}, settings: parsed}, err
}

// Break has everything answer with an error; nil mends it.
func (c *Cluster) Break(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = err
}

// Created returns how many Domains were ever made.
func (c *Cluster) Created() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.created
}

// Len returns how many Domains there are.
func (c *Cluster) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.domains)
}

// Change edits a Domain's status as the operator does.
func (c *Cluster) Change(object string, edit func(*v1alpha1.Domain)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.domains[object]; ok {
		d = d.DeepCopy()
		edit(d)
		c.domains[object] = d
	}
}

// Finish has the operator be done with a Domain.
func (c *Cluster) Finish(object string, at time.Time) {
	c.Change(object, func(d *v1alpha1.Domain) { Finish(d, at) })
}

// Finish writes what the operator does of a site that serves, its first step at a time.
func Finish(d *v1alpha1.Domain, at time.Time) {
	d.Status = v1alpha1.DomainStatus{
		Phase: v1alpha1.DomainReady, ObservedGeneration: d.Generation, Namespace: "dom-" + d.Name, RestartedAt: d.Annotations[v1alpha1.AnnotationRestartedAt],
		Endpoints: &v1alpha1.EndpointsStatus{HTTPS: "https://" + d.Spec.DomainName},
		Storage:   &v1alpha1.StorageStatus{Size: "5Gi", Used: "1700Mi"},
		SFTP: &v1alpha1.SFTPStatus{Host: "panel.example", Port: 2222, Username: "www@" + d.Spec.DomainName,
			PasswordSecretRef: &v1alpha1.SecretKeyReference{Namespace: "dom-" + d.Name, Name: "sftp-credentials", Key: "password"}},
	}
	for i, kind := range []string{v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionPVCReady, v1alpha1.ConditionDeploymentReady, v1alpha1.ConditionCertificateReady, v1alpha1.ConditionReady} {
		d.Status.Conditions = append(d.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: "Satisfied", ObservedGeneration: d.Generation,
			LastTransitionTime: metav1.NewTime(at.Add(time.Duration(2*i) * time.Second)),
		})
	}
}

// Forget has the operator be done with a deletion.
func (c *Cluster) Forget(object string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.domains, object)
}

// Domain implements hosting.DomainReader.
func (c *Cluster) Domain(_ context.Context, object string) (*v1alpha1.Domain, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		return nil, c.down
	}
	if d, ok := c.domains[object]; ok {
		return d, nil
	}
	return nil, &hosting.Error{Code: hosting.NotFound}
}

// Domains implements hosting.DomainReader.
func (c *Cluster) Domains(context.Context) ([]v1alpha1.Domain, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]v1alpha1.Domain, 0, len(c.domains))
	for _, d := range c.domains {
		all = append(all, *d)
	}
	return all, c.down
}

// CreateDomain implements hosting.DomainWriter.
func (c *Cluster) CreateDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil || dryRun {
		return c.down
	}
	if _, ok := c.domains[d.Name]; ok {
		return &hosting.Error{Code: hosting.Conflict}
	}
	c.created++
	d.Generation, d.UID, d.CreationTimestamp = 1, types.UID(fmt.Sprint(c.created)), metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	c.domains[d.Name] = d.DeepCopy()
	return nil
}

// ChangeDomain implements hosting.DomainWriter.
func (c *Cluster) ChangeDomain(_ context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, ok := c.domains[d.Name]
	switch {
	case c.down != nil:
		return c.down
	case !ok:
		return &hosting.Error{Code: hosting.NotFound}
	case now.Generation != was.Generation:
		return &hosting.Error{Code: hosting.Conflict}
	case !dryRun:
		d.Generation++
		c.domains[d.Name] = d.DeepCopy()
	}
	return nil
}

// DeleteDomain implements hosting.DomainWriter.
func (c *Cluster) DeleteDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if !dryRun {
		c.Change(d.Name, func(d *v1alpha1.Domain) {
			d.DeletionTimestamp = new(metav1.NewTime(d.CreationTimestamp.Add(time.Hour)))
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}

// Settings implements hosting.Platform.
func (c *Cluster) Settings(context.Context) (*platform.Settings, error) { return c.settings, nil }

// Secret implements hosting.Platform.
func (c *Cluster) Secret(_ context.Context, namespace, name string) (map[string][]byte, error) {
	return map[string][]byte{"username": []byte("admin"), "password": []byte("password of " + namespace + "/" + name)}, nil
}

// Plan implements hosting.Planner.
func (c *Cluster) Plan(_ context.Context, was, d *v1alpha1.Domain) (*hosting.Plan, error) {
	if d == nil {
		return &hosting.Plan{Site: was.Spec.DomainName, Action: hosting.ActionDelete, Downtime: hosting.Downtime{Lasting: true, Basis: "the site is deleted"}}, nil
	}
	p := &hosting.Plan{Site: d.Spec.DomainName, Action: hosting.ActionChange, Downtime: hosting.Downtime{Basis: "nothing restarts"}}
	if was == nil {
		p.Action, p.Objects = hosting.ActionCreate, []hosting.ObjectChange{{Action: hosting.ActionCreate, Kind: "Namespace", Name: "dom-" + d.Name}}
	}
	if was != nil && was.Spec.Title != d.Spec.Title {
		p.Spec = []hosting.FieldChange{{Path: "spec.title", Old: was.Spec.Title, New: d.Spec.Title}}
		p.Effects = []hosting.Effect{{Kind: hosting.EffectReload, Of: []string{"nginx"}}}
	}
	return p, nil
}
