package edge_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/platform"
	signing "kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/edge"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

// cluster is the real API server of this package's tests.
var cluster *kubetest.Cluster

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }

// stage is one test's edge and what is around it. Each has a namespace and an
// Ingress class of its own, so that tests don't see each other's objects.
type stage struct {
	t      testing.TB
	name   string
	client kubernetes.Interface
	config edge.Config
	root   *x509.CertPool
	pods   *pods
	log    *proctest.Log
	stop   context.CancelFunc
	done   chan struct{} // closed when Run has returned err
	err    error
}

var stages atomic.Int32

// newStage prepares an edge that start runs.
func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{t: t, name: fmt.Sprintf("edge-%d", stages.Add(1)), pods: &pods{at: map[string]string{}}, log: &proctest.Log{}}
	s.client = kubernetes.NewForConfigOrDie(protobuf(cluster.Config))
	s.config = edge.Config{
		Client: s.client,
		Settings: &platform.Settings{
			Namespace: s.name, IngressClass: s.name,
			Edge: platform.Edge{HTTPPort: 8080, HTTPSPort: 8443},
		},
		HTTPListen: proctest.Address(t), HTTPSListen: proctest.Address(t), HealthListen: proctest.Address(t), MetricsListen: proctest.Address(t),
		Log:   slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Drain: 10 * time.Second, RetryFor: 3 * time.Second,
		Dial: s.pods.dial,
	}
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}})
	return s
}

func protobuf(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.ContentType = runtime.ContentTypeProtobuf
	c.QPS = -1
	return c
}

// run starts the edge. The test's end stops it.
func (s *stage) run() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		s.err = edge.New(s.config).Run(ctx)
	}()
	s.t.Cleanup(func() {
		cancel()
		if <-s.done; s.err != nil {
			s.t.Errorf("the edge ended with: %v", s.err)
		}
		if s.t.Failed() {
			s.t.Logf("the edge's log:\n%s", s.log)
		}
	})
}

// start puts the CA there, starts the edge, and waits until it is ready.
func (s *stage) start() {
	s.t.Helper()
	s.startWith(newCA(s.t))
}

func (s *stage) startWith(ca authority) {
	s.t.Helper()
	s.setCA(ca)
	s.run()
	s.eventually("the edge is ready", func() bool { return s.health("/readyz") == http.StatusOK })
}

// setCA writes the platform's CA and has the test's visitors trust it.
func (s *stage) setCA(ca authority) {
	s.t.Helper()
	s.setSecret(platform.SecretCA, ca.certPEM, ca.keyPEM)
	s.root = x509.NewCertPool()
	s.root.AppendCertsFromPEM(ca.certPEM)
}

func (s *stage) setSecret(name string, certPEM, keyPEM []byte) {
	s.t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.name, Name: name}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certPEM, corev1.TLSPrivateKeyKey: keyPEM},
	}
	ctx := context.Background()
	if _, err := s.client.CoreV1().Secrets(s.name).Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
		s.create(secret)
	}
}

func (s *stage) create(object any) {
	s.t.Helper()
	var err error
	ctx, opts := context.Background(), metav1.CreateOptions{}
	switch o := object.(type) {
	case *corev1.Namespace:
		_, err = s.client.CoreV1().Namespaces().Create(ctx, o, opts)
	case *corev1.Secret:
		_, err = s.client.CoreV1().Secrets(s.name).Create(ctx, o, opts)
	case *corev1.Service:
		_, err = s.client.CoreV1().Services(s.name).Create(ctx, o, opts)
	case *networkingv1.Ingress:
		_, err = s.client.NetworkingV1().Ingresses(s.name).Create(ctx, o, opts)
	default:
		s.t.Fatalf("create a %T", object)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// service makes a Service with these pods; none makes one without endpoints.
func (s *stage) service(name string, addresses ...string) {
	s.t.Helper()
	s.create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	})
	s.endpoints(name, addresses...)
}

// endpoints sets the pods of a Service. The API server admits no loopback
// addresses, so tests name pods by those of a network that pods stands for.
func (s *stage) endpoints(service string, addresses ...string) {
	s.t.Helper()
	es := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: service + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080)}},
	}
	for _, a := range addresses {
		es.Endpoints = append(es.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	slices := s.client.DiscoveryV1().EndpointSlices(s.name)
	ctx := context.Background()
	if _, err := slices.Update(ctx, es, metav1.UpdateOptions{}); err == nil {
		return
	}
	if _, err := slices.Create(ctx, es, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// site makes an Ingress for hosts that leads to the Service. Annotations are
// written "name=value", without our prefix.
func (s *stage) site(name, service string, hosts []string, annotations ...string) *networkingv1.Ingress {
	s.t.Helper()
	ing := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{}},
		Spec:       networkingv1.IngressSpec{IngressClassName: &s.name},
	}
	for _, a := range annotations {
		key, value, _ := strings.Cut(a, "=")
		ing.Annotations["kubepanel.io/"+key] = value
	}
	for _, host := range hosts {
		ing.Spec.Rules = append(ing.Spec.Rules, networkingv1.IngressRule{
			Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{
					Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: service, Port: networkingv1.ServiceBackendPort{Name: "http"},
					}},
				}},
			}},
		})
	}
	s.create(ing)
	return ing
}

// pod runs a web server that the edge reaches at address.
func (s *stage) pod(address string, handler http.HandlerFunc) *httptest.Server {
	s.t.Helper()
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.pods.set(address, server.Listener.Addr().String())
	return server
}

// pods stands for the network of pods: it knows where on loopback each is.
type pods struct {
	mu sync.Mutex
	at map[string]string
}

func (p *pods) set(address, at string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[address+":8080"] = at
}

func (p *pods) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	at := p.at[address]
	p.mu.Unlock()
	if at == "" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, at)
}

// health asks the health port.
func (s *stage) health(path string) int {
	res, err := http.Get("http://" + s.config.HealthListen + path)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// metrics reads them as Prometheus does.
func (s *stage) metrics() string {
	s.t.Helper()
	secret, err := s.client.CoreV1().Secrets(s.name).Get(s.t.Context(), platform.SecretCA, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	ca, err := signing.Read(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := vitalstest.Reader(s.t, ca, s.name).Get("https://" + s.config.MetricsListen + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// eventually waits for what the API server's watches bring.
func (s *stage) eventually(what string, is func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			s.t.Fatalf("never came: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// echo answers with the request's header as the pod got it.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "Host: %s\nPath: %s\n", r.Host, r.RequestURI)
	_ = r.Header.Write(w)
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}
