package plan

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// usualStart is what a site's pod takes from being made to being ready on a node
	// that has the images, see docs/performance.md. A first start of WordPress, which
	// copies its files, takes as long.
	usualStart = 6 * time.Second
	// usualEnd is what the old pod takes to end before the new one is made.
	usualEnd = 2 * time.Second
)

// assess says what comes of the changes for visitors. It is the one place that
// decides between restart and reload.
func (f Facts) assess(p *hosting.Plan, last, next rendered) {
	was, is := workload(last), workload(next)
	before, after := serving(was), serving(is)
	p.Downtime.Basis = "Nothing that serves visitors changes."
	if len(p.Objects) > 0 {
		p.Downtime.Basis = "The site goes on answering."
	}
	switch {
	case f.Was != nil && was == nil:
		// What an earlier spec left may still serve.
		p.Downtime.Basis = "The site's present spec is refused, so whether its pod restarts can't be told."
	case !before && after:
		p.Effects = append(p.Effects, hosting.Effect{Kind: hosting.EffectStart, Of: containers(is)})
		p.Downtime = hosting.Downtime{Basis: fmt.Sprintf("The site does not answer now; it does about %d s after the change.", f.seconds(0))}
	case before && !after:
		p.Effects = append(p.Effects, hosting.Effect{Kind: hosting.EffectStop, Of: containers(was)})
		p.Downtime = hosting.Downtime{Lasting: true, Basis: "A suspended site answers with the provider's page until it is resumed."}
	case !before && !after:
		p.Downtime.Basis = "The site is suspended; the change takes effect when it is resumed."
	case !reflect.DeepEqual(was.Spec.Template, is.Spec.Template):
		p.Effects = append(p.Effects, hosting.Effect{Kind: hosting.EffectRestart, Of: changedContainers(was, is)})
		p.Downtime = hosting.Downtime{Seconds: f.seconds(usualEnd), Basis: f.basis()}
	default:
		if of := readers(is, p.Objects); len(of) > 0 {
			p.Effects = append(p.Effects, hosting.Effect{Kind: hosting.EffectReload, Of: of})
		}
	}
	p.Effects = append(p.Effects, aside(p)...)
}

// aside are the effects that have nothing to do with the pod.
func aside(p *hosting.Plan) []hosting.Effect {
	var all []hosting.Effect
	for _, o := range p.Objects {
		if o.Action != hosting.ActionChange {
			continue
		}
		switch o.Kind {
		case "PersistentVolumeClaim":
			all = append(all, hosting.Effect{Kind: hosting.EffectGrow, Of: []string{o.Name}})
		case "Ingress":
			of := make([]string, len(o.Fields))
			for i, field := range o.Fields {
				of[i] = field.Path
			}
			all = append(all, hosting.Effect{Kind: hosting.EffectRoutes, Of: of})
		}
	}
	return all
}

// seconds is how long a start takes with what comes before it, rounded up.
func (f Facts) seconds(before time.Duration) int {
	start := usualStart
	if f.LastStart > 0 {
		start = f.LastStart
	}
	return int(math.Ceil((before + start).Seconds()))
}

func (f Facts) basis() string {
	if f.LastStart > 0 {
		return fmt.Sprintf("The present pod took %.0f s to start; ending it takes about %.0f s. An image that the node does not have yet adds its download.",
			f.LastStart.Seconds(), usualEnd.Seconds())
	}
	return fmt.Sprintf("A pod usually takes %.0f s to start and %.0f s to end; this site's own figure is not known. An image that the node does not have yet adds its download.",
		usualStart.Seconds(), usualEnd.Seconds())
}

func workload(r rendered) *appsv1.Deployment {
	for _, n := range r.order {
		if d, ok := r.objects[n].(*appsv1.Deployment); ok {
			return d
		}
	}
	return nil
}

func serving(d *appsv1.Deployment) bool { return d != nil && *d.Spec.Replicas > 0 }

func containers(d *appsv1.Deployment) []string {
	names := make([]string, 0, len(d.Spec.Template.Spec.Containers))
	for _, c := range d.Spec.Template.Spec.Containers {
		names = append(names, c.Name)
	}
	return names
}

// changedContainers are those whose own definition is another; all when the change
// is one of the pod.
func changedContainers(was, is *appsv1.Deployment) []string {
	old := map[string]corev1.Container{}
	for _, c := range was.Spec.Template.Spec.Containers {
		old[c.Name] = c
	}
	var names []string
	for _, c := range is.Spec.Template.Spec.Containers {
		if !reflect.DeepEqual(old[c.Name], c) {
			names = append(names, c.Name)
		}
		delete(old, c.Name)
	}
	for _, c := range was.Spec.Template.Spec.Containers {
		if _, gone := old[c.Name]; gone {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return containers(is)
	}
	return names
}

// readers are the containers that read a ConfigMap or Secret that changes.
func readers(d *appsv1.Deployment, changes []hosting.ObjectChange) []string {
	changed := map[string]bool{}
	for _, o := range changes {
		if o.Action == hosting.ActionChange {
			changed[o.Kind+"/"+o.Name] = true
		}
	}
	volumes := map[string]bool{}
	for _, v := range d.Spec.Template.Spec.Volumes {
		switch {
		case v.ConfigMap != nil:
			volumes[v.Name] = changed["ConfigMap/"+v.ConfigMap.Name]
		case v.Secret != nil:
			volumes[v.Name] = changed["Secret/"+v.Secret.SecretName]
		}
	}
	var names []string
	for _, c := range d.Spec.Template.Spec.Containers {
		reads := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return volumes[m.Name] })
		if reads {
			names = append(names, c.Name)
		}
	}
	return names
}
