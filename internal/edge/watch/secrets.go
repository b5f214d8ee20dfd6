package watch

import (
	"context"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ownSecretPeriod is how soon a changed certificate Secret is noticed.
const ownSecretPeriod = 30 * time.Second

// ownSecrets reads the Secrets that Ingresses name in spec.tls. It gets each by
// its name and asks again from time to time: to watch them the edge would need
// the right to every Secret of the cluster, passwords of sites included.
type ownSecrets struct {
	cluster *Cluster
	wake    chan struct{}

	mu    sync.Mutex
	names map[types.NamespacedName]int
	// told says of each Secret whether the last line about it was a good one.
	// Only run's goroutine uses it.
	told map[types.NamespacedName]bool
}

func newOwnSecrets(c *Cluster) *ownSecrets {
	return &ownSecrets{cluster: c, wake: make(chan struct{}, 1), told: map[types.NamespacedName]bool{}}
}

// want says which Secrets sites name now.
func (o *ownSecrets) want(names map[types.NamespacedName]int) {
	o.mu.Lock()
	o.names = names
	o.mu.Unlock()
	o.cluster.Own.Keep(names)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *ownSecrets) run(ctx context.Context) {
	again := time.NewTicker(ownSecretPeriod)
	defer again.Stop()
	for {
		o.mu.Lock()
		names := maps.Clone(o.names)
		o.mu.Unlock()
		maps.DeleteFunc(o.told, func(name types.NamespacedName, _ bool) bool { _, wanted := names[name]; return !wanted })
		for name := range names {
			if ctx.Err() != nil {
				return
			}
			o.read(ctx, name)
		}
		select {
		case <-o.wake:
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// read brings one certificate up to date. While the API server does not answer,
// the one that was read stays.
func (o *ownSecrets) read(ctx context.Context, name types.NamespacedName) {
	secret, err := o.cluster.Client.CoreV1().Secrets(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
	switch {
	case err == nil:
		err = o.cluster.Own.Put(name, secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		o.cluster.Own.Delete(name)
	case ctx.Err() != nil:
		return
	}
	good := err == nil
	if was, known := o.told[name]; known && was == good {
		return
	}
	o.told[name] = good
	if good {
		o.cluster.Log.Info("a site's own certificate is in use", "secret", name.String())
	} else {
		o.cluster.Log.Warn("a site's own certificate can't be used; the platform's CA stands in",
			"secret", name.String(), "error", err)
	}
}
