package domain_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
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
	listener := listen(t, "127.0.0.1:0")
	w.gateway = listener.Addr().String()
	serveSSH(t, listener)
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

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// serveSSH is an SSH server that lets nobody in.
func serveSSH(t *testing.T, listener net.Listener) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		return nil, errors.New("nobody comes in")
	}}
	config.AddHostKey(key)
	go accept(listener, config)
}

func accept(listener net.Listener, config *ssh.ServerConfig) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _, _, _ = ssh.NewServerConn(conn, config)
		_ = conn.Close()
	}
}

// A site says what is true of the way in that all sites share: before the gateway
// runs, while it does, and when it is gone for longer than a restart takes.
func TestSFTPServiceReadyTellsWhetherTheGatewayAnswers(t *testing.T) {
	w := newWorld(t)
	w.settings.SFTP = platform.SFTP{Exposure: platform.ExposureGateway, Host: "sftp.example", Port: 2222}
	listener := listen(t, "127.0.0.1:0")
	w.gateway = listener.Addr().String()
	_ = listener.Close()
	w.startOperator(t)
	d := newDomain("door.example")
	w.create(t, d)
	w.condition(t, d.Name, v1alpha1.ConditionSFTPServiceReady, "False", "GatewayDown")
	// Something else at that place is no way in.
	listener = listen(t, w.gateway)
	go http.Serve(listener, http.NotFoundHandler()) // ends with the listener
	w.condition(t, d.Name, v1alpha1.ConditionSFTPServiceReady, "False", "GatewayDown")
	_ = listener.Close()
	listener = listen(t, w.gateway)
	serveSSH(t, listener)
	w.condition(t, d.Name, v1alpha1.ConditionSFTPServiceReady, "True", "")
	_ = listener.Close()
	w.condition(t, d.Name, v1alpha1.ConditionSFTPServiceReady, "False", "GatewayDown")
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
