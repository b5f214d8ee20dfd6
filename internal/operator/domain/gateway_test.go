package domain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// A platform changes from a port for each site to the gateway: the ports go, and
// customers are told of the other way.
func TestTheGatewayReplacesNodePorts(t *testing.T) {
	w := newWorld(t)
	stop := w.startOperator(t)
	const name, ns, site = "gate.example", "dom-gate-example", "gate-example"
	d := newDomain(name)
	w.create(t, d)
	port := client.ObjectKey{Namespace: ns, Name: site + "-sftp"}
	eventually(t, func() error { return cluster.Client.Get(t.Context(), port, &corev1.Service{}) })
	eventually(t, func() error {
		get(t, d, "", d.Name)
		if s := d.Status.SFTP; s == nil || s.ServerKey == "" || s.HostKey != s.ServerKey || s.PublicKey == "" {
			return fmt.Errorf("status.sftp = %+v", s)
		}
		return nil
	})
	stop()
	w.settings.SFTP = platform.SFTP{Exposure: platform.ExposureGateway, Host: "sftp.example", Port: 2222}
	w.startOperator(t)
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), port, &corev1.Service{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the NodePort is still there: %w", err)
		}
		var service corev1.Service
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: site + "-svc"}, &service); err != nil {
			return err
		}
		if len(service.Spec.Ports) != 2 {
			return errors.New("the gateway has no way in")
		}
		return w.throughGateway(t, d, ns)
	})
	w.condition(t, d.Name, v1alpha1.ConditionSFTPServiceReady, "True", "")
}

// throughGateway compares what customers and the site are told with the keys.
func (w *world) throughGateway(t *testing.T, d *v1alpha1.Domain, ns string) error {
	var keys, site corev1.Secret
	err := errors.Join(
		cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: w.settings.Namespace, Name: platform.SecretGateway}, &keys),
		cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "sftp-credentials"}, &site))
	if err != nil {
		return err
	}
	public := func(s corev1.Secret, key string) string { return strings.TrimSpace(string(s.Data[key])) }
	get(t, d, "", d.Name)
	s := d.Status.SFTP
	if s == nil || s.Host != "sftp.example" || s.Port != 2222 || s.Username != "site@gate.example" ||
		s.HostKey != public(keys, "hostKeyPublic") || s.ServerKey != public(site, "hostKeyPublic") || s.PublicKey != public(site, "publicKey") {
		return fmt.Errorf("status.sftp = %+v", s)
	}
	if want := `cert-authority,principals="gate.example" ` + public(keys, "authorityPublic"); public(site, "gateway") != want {
		return fmt.Errorf("the site believes %q, want %q", site.Data["gateway"], want)
	}
	return nil
}
