package isolation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

const (
	// patience is how long a forbidden connection may hang: long beside a round trip
	// within a cluster.
	patience = 2 * time.Second
	// soon is when to look again while an edge is about to start, often when none did
	// within a minute or sites are refused, seldom once all is well or when no site
	// waits for the answer: a look is one request to the API server and three connections per address of an edge, and what
	// was made between two looks stays.
	soon, often, seldom = time.Second, 10 * time.Second, time.Minute
	// starting is how long an edge may take to start.
	starting = time.Minute
	// certain is how many looks in a row must find a hole: a pod's policies may take
	// effect a moment after the pod.
	certain = 3
	// edgeName is the label of the edge's pods.
	edgeName = "kubepanel-edge"

	fieldOwner = client.FieldOwner("kubepanel-operator/isolation")
)

// Wall knows whether NetworkPolicies are enforced.
type Wall struct {
	Client client.Client
	// Direct reads past the cache, which holds neither the edge's pods nor, at the
	// start, anything.
	Direct    client.Reader
	Namespace string
	Required  bool
	Ports     Ports
	// Targets lists where to try; nil takes the edge's pods.
	Targets func(context.Context) ([]Target, error)
	// Often is how often to look while sites are refused; 0 takes ten seconds.
	Often time.Duration
	// Changed is told when another thing was found than before.
	Changed chan event.GenericEvent

	mu    sync.Mutex
	found finding
	asked bool
}

// Start tries until ctx ends. It implements manager.Runnable.
func (w *Wall) Start(ctx context.Context) error {
	if w.Targets == nil {
		w.Targets = w.edges
	}
	holes, began := 0, time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := w.remember(ctx); err != nil {
			logf.FromContext(ctx).Error(err, "read what was found before")
		}
		targets, err := w.Targets(ctx)
		if err != nil {
			logf.FromContext(ctx).Error(err, "list where to try network policies")
		}
		found := probe(ctx, targets, w.Ports, patience)
		holes++
		if found.verdict != platform.PoliciesNotEnforced {
			holes = 0
		}
		if found.verdict != "" && (holes == 0 || holes >= certain) {
			if err := w.settle(ctx, found); err != nil {
				logf.FromContext(ctx).Error(err, "keep what was found about network policies")
			}
		}
		timer.Reset(w.pause(found, holes, time.Since(began)))
	}
}

func (w *Wall) pause(found finding, holes int, runs time.Duration) time.Duration {
	switch {
	case found.verdict == platform.PoliciesEnforced, !w.Required && runs > starting:
		return seldom
	case holes >= certain && w.Often > 0:
		return w.Often
	case holes >= certain, found.verdict == "" && runs > starting:
		return often
	}
	return soon
}

// edges are the addresses of the edge's running pods, of every family.
func (w *Wall) edges(ctx context.Context) ([]Target, error) {
	var pods corev1.PodList
	err := w.Direct.List(ctx, &pods, client.InNamespace(w.Namespace), client.MatchingLabels{v1alpha1.LabelName: edgeName})
	if err != nil {
		return nil, fmt.Errorf("list the edge's pods: %w", err)
	}
	var targets []Target
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.DeletionTimestamp != nil || pod.Spec.HostNetwork {
			continue // policies don't apply to a node's own network
		}
		for _, ip := range pod.Status.PodIPs {
			targets = append(targets, Target{Node: pod.Spec.NodeName, Address: ip.IP})
		}
	}
	return targets, nil
}

// remember reads once what an earlier operator found, so that a restart neither
// refuses nor admits anybody whom it would not have.
func (w *Wall) remember(ctx context.Context) error {
	w.mu.Lock()
	asked := w.asked
	w.mu.Unlock()
	if asked {
		return nil
	}
	var kept corev1.ConfigMap
	err := w.Direct.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: platform.ConfigMapIsolation}, &kept)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	w.mu.Lock()
	w.asked = true
	if w.found.verdict == "" {
		w.found = finding{kept.Data[platform.KeyNetworkPolicy], kept.Data[platform.KeyMessage]}
	}
	w.mu.Unlock()
	return nil
}

// settle takes a finding over; it costs a request only when it is another one.
func (w *Wall) settle(ctx context.Context, found finding) error {
	w.mu.Lock()
	same := w.found == found
	turned := w.found.verdict != found.verdict
	w.found = found
	w.mu.Unlock()
	if same {
		return nil
	}
	if turned {
		logf.FromContext(ctx).Info("network policies were tried", "verdict", found.verdict, "message", found.message)
		w.tell(ctx)
	}
	kept := corev1ac.ConfigMap(platform.ConfigMapIsolation, w.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}).
		WithData(map[string]string{platform.KeyNetworkPolicy: found.verdict, platform.KeyMessage: found.message})
	if err := w.Client.Apply(ctx, kept, fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("write ConfigMap %s: %w", platform.ConfigMapIsolation, err)
	}
	return nil
}

func (w *Wall) tell(ctx context.Context) {
	select {
	case w.Changed <- event.GenericEvent{Object: &v1alpha1.Domain{}}:
	case <-ctx.Done():
	}
}

// Admit returns nil when a new site may be made, or what is in the way.
func (w *Wall) Admit() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.Required, w.found.verdict == platform.PoliciesEnforced:
		return nil
	case w.found.verdict == platform.PoliciesNotEnforced:
		return operator.Stall("NetworkPolicyNotEnforced",
			"%s Sites could reach each other, so no new one is made. Install a network plug-in that enforces NetworkPolicies, such as Calico or Cilium, "+
				"or let sites live without that wall: isolation.requireNetworkPolicy=false in the chart's values.", w.found.message)
	}
	return operator.Wait(often, "NetworkPolicyUnknown",
		"Whether the cluster keeps sites apart is tried as soon as an edge runs; until then no new site is made.")
}

// Describe implements prometheus.Collector.
func (w *Wall) Describe(to chan<- *prometheus.Desc) { to <- enforced }

// Collect implements prometheus.Collector. While nothing is known there is no value.
func (w *Wall) Collect(to chan<- prometheus.Metric) {
	w.mu.Lock()
	verdict := w.found.verdict
	w.mu.Unlock()
	if verdict == "" {
		return
	}
	value := 0.0
	if verdict == platform.PoliciesEnforced {
		value = 1
	}
	to <- prometheus.MustNewConstMetric(enforced, prometheus.GaugeValue, value)
}

var enforced = prometheus.NewDesc("kubepanel_networkpolicy_enforced",
	"1 when the network plug-in was last seen to enforce NetworkPolicies, 0 when it was seen not to.", nil, nil)
