package edge_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// inner makes a Service with a plain port and one that speaks TLS, and the pods that
// have both.
func (s *stage) inner(namespace, name string, addresses ...string) {
	s.t.Helper()
	s.innerService(namespace, name)
	s.innerEndpoints(namespace, name, []string{"http", "https"}, addresses...)
}

func (s *stage) innerService(namespace, name string) {
	s.t.Helper()
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Name: "http", Port: 80}, {Name: "https", Port: 443, AppProtocol: ptr.To("https")},
	}}}
	if _, err := s.client.CoreV1().Services(namespace).Create(context.Background(), svc, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// innerEndpoints says which ports the pods of a Service have: http is 8080, https 8443.
func (s *stage) innerEndpoints(namespace, service string, ports []string, addresses ...string) {
	s.t.Helper()
	es := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: service + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	numbers := map[string]int32{"http": 8080, "https": 8443}
	for _, name := range ports {
		es.Ports = append(es.Ports, discoveryv1.EndpointPort{Name: ptr.To(name), Port: ptr.To(numbers[name])})
	}
	for _, a := range addresses {
		es.Endpoints = append(es.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	ctx, slices := context.Background(), s.client.DiscoveryV1().EndpointSlices(namespace)
	if _, err := slices.Update(ctx, es, metav1.UpdateOptions{}); err == nil {
		return
	}
	if _, err := slices.Create(ctx, es, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// innerPod runs a server that speaks TLS at the pod's port 8443. The certificate may be
// another one at each handshake.
func (s *stage) innerPod(address string, config *tls.Config, handler http.HandlerFunc) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = config
	server.Config.ErrorLog = nil
	server.StartTLS()
	s.t.Cleanup(server.Close)
	s.pods.mu.Lock()
	defer s.pods.mu.Unlock()
	s.pods.at[address+":8443"] = server.Listener.Addr().String()
}

// ownCertificate is what the operator makes for a Service of the platform.
func (s *stage) ownCertificate(ca authority, service string) *tls.Config {
	return s.certificate(ca, service+"."+s.name+".svc")
}

func (s *stage) certificate(ca authority, names ...string) *tls.Config {
	s.t.Helper()
	pair, err := tls.X509KeyPair(ca.leaf(s.t, names...))
	if err != nil {
		s.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// spoken answers with what came by which protocol.
func spoken(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		fmt.Fprint(w, "plain\n")
	} else {
		fmt.Fprintf(w, "%s\n", tls.VersionName(r.TLS.Version))
	}
	_ = r.Header.Write(w)
}

func TestPlatformsServicesAreSpokenToByTLSAndVerified(t *testing.T) {
	s := newStage(t)
	s.config.RetryFor = 200 * time.Millisecond
	ours, another := newCA(t), newCA(t)
	old := s.ownCertificate(ours, "old")
	old.MaxVersion = tls.VersionTLS12
	tests := map[string]struct {
		config *tls.Config
		status int
	}{
		"good":    {s.ownCertificate(ours, "good"), http.StatusOK},
		"foreign": {s.ownCertificate(another, "foreign"), http.StatusBadGateway},
		"others":  {s.ownCertificate(ours, "good"), http.StatusBadGateway},
		"visitor": {s.certificate(ours, "visitor.test"), http.StatusBadGateway}, // which the edge itself shows visitors
		"old":     {old, http.StatusBadGateway},
		"silent":  {nil, http.StatusBadGateway}, // nobody listens there, and somebody does in clear
	}
	n := 0
	for name, tt := range tests {
		n++
		address := fmt.Sprintf("10.1.0.%d", n)
		s.pod(address, spoken)
		if tt.config != nil {
			s.innerPod(address, tt.config, spoken)
		}
		s.inner(s.name, name, address)
		s.site(name, name, []string{name + ".test"}, "https-port=https")
	}
	s.startWith(ours)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s.served(name+".test", tt.status)
			a := s.get(s.visitor(), "https://"+name+".test/", "X-Forwarded-For: 192.0.2.1")
			if strings.HasPrefix(a.body, "plain") {
				t.Error("it was sent in clear")
			}
			if tt.status != http.StatusOK {
				return
			}
			for _, want := range []string{"TLS 1.3\n", "X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: https\r\n"} {
				if !strings.Contains(a.body, want) {
					t.Errorf("the pod got %q, want %q in it", a.body, want)
				}
			}
		})
	}
	if !strings.Contains(s.log.String(), "not who it should be") {
		t.Error("the log does not tell of a pod that is not who it should be")
	}
}

// Of a stranger's Service nobody said who signs for it.
func TestAStrangersServiceIsSpokenToByTLS(t *testing.T) {
	s := newStage(t)
	ctx, namespace := context.Background(), s.name+"-stranger"
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	s.innerPod("10.1.0.1", s.certificate(newCA(t), "its.own"), spoken)
	s.inner(namespace, "app", "10.1.0.1")
	ing := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "app"}, Spec: networkingv1.IngressSpec{
		IngressClassName: &s.name,
		Rules: []networkingv1.IngressRule{{Host: "app.test", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: "app", Port: networkingv1.ServiceBackendPort{Number: 443}}}}},
		}}}},
	}}
	if _, err := s.client.NetworkingV1().Ingresses(namespace).Create(ctx, ing, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// The same pod under a name of the platform: what was not verified must not be used for it.
	s.inner(s.name, "panel", "10.1.0.1")
	s.site("panel", "panel", []string{"panel.test"}, "https-port=https")
	s.config.RetryFor = 200 * time.Millisecond
	s.start()
	s.served("app.test", http.StatusOK)
	if a := s.get(s.visitor(), "https://app.test/"); !strings.HasPrefix(a.body, "TLS 1.3\n") {
		t.Errorf("the pod was asked by %q, want TLS", a.body)
	}
	s.served("panel.test", http.StatusBadGateway)
}

// A program comes to speak TLS while it is upgraded: first its Service says so, then its
// pods do, and no request is lost on the way there and back.
func TestAProgramComesToSpeakTLSWithoutAGap(t *testing.T) {
	s := newStage(t)
	ours := newCA(t)
	s.pod("10.1.0.1", spoken)
	s.pod("10.1.0.2", spoken)
	s.innerPod("10.1.0.2", s.ownCertificate(ours, "panel"), spoken)
	s.innerService(s.name, "panel")
	s.innerEndpoints(s.name, "panel", []string{"http"}, "10.1.0.1")
	s.site("panel", "panel", []string{"panel.test"}, "https-port=https")
	s.startWith(ours)
	s.served("panel.test", http.StatusOK)
	client := s.visitor()
	until := func(want string) {
		t.Helper()
		s.eventually("it is spoken: "+want, func() bool {
			a := s.get(client, "https://panel.test/")
			if a.StatusCode != http.StatusOK {
				t.Fatalf("on the way to %s = %d", want, a.StatusCode)
			}
			return strings.HasPrefix(a.body, want)
		})
	}
	until("plain")
	s.innerEndpoints(s.name, "panel", []string{"http", "https"}, "10.1.0.2")
	until("TLS 1.3")
	s.innerEndpoints(s.name, "panel", []string{"http"}, "10.1.0.1")
	until("plain")
}

// After another CA took its place, pods show what the old one signed for a minute or two.
func TestPlatformsServicesAreReachedWhileTheCAChanges(t *testing.T) {
	s := newStage(t)
	before, after := newCA(t), newCA(t)
	s.innerPod("10.1.0.1", s.ownCertificate(before, "slow"), spoken)
	s.innerPod("10.1.0.2", s.ownCertificate(after, "quick"), spoken)
	for address, name := range map[string]string{"10.1.0.1": "slow", "10.1.0.2": "quick"} {
		s.inner(s.name, name, address)
		s.site(name, name, []string{name + ".test"}, "https-port=https")
	}
	s.config.RetryFor = 200 * time.Millisecond
	s.startWith(before)
	s.served("slow.test", http.StatusOK)
	s.served("quick.test", http.StatusBadGateway)
	s.setCA(after)
	s.served("quick.test", http.StatusOK)
	s.served("slow.test", http.StatusOK)
}
