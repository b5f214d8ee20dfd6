package domain_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/event"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/operator/domain"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
	"kubepanel.io/kubepanel/internal/operator/isolation"
	platformsecrets "kubepanel.io/kubepanel/internal/operator/platform"
)

var cluster *kubetest.Cluster

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(kubetest.Run(m, &cluster))
}

// leafEnd is when all certificates of the edge end: as the real one, it shows the same
// at each handshake.
var leafEnd = time.Now().Add(time.Hour)

// patience is how long anything may take on two busy cores. A gateway that is gone is told
// of after up to 40 s.
const patience = 90 * time.Second

// world is a platform without nodes: a real API server, a real MariaDB, and this
// test in the part of kubelet and edge.
type world struct {
	settings *platform.Settings
	mariadb  *mariadbtest.Server
	edge     net.Listener
	gateway  string // address, where it matters
	// only, when set, is the one Domain that operators see: other tests leave theirs behind.
	only string
	// wall, when set, decides whether new sites are made.
	wall *isolation.Wall
	// resync, when set, is how often the operator looks at a Domain without news.
	resync time.Duration
	// counts, when set, is told what the operator compares and writes.
	counts *kube.Counts
	// writes are what the operator sent to the API server that may change something.
	writes journal
	// reads are what it read there, past its cache.
	reads journal
	// requests counts everything but watches.
	requests atomic.Int64
	// handshakes counts those with the edge: each look that takes nothing for granted has one.
	handshakes atomic.Int64
	// stranger makes the edge show certificates that nobody trusts.
	stranger atomic.Bool
}

// newWorld starts MariaDB and the edge, and an operator that ends with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{mariadb: mariadbtest.Start(t)}
	data, err := os.ReadFile("testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w.settings, err = platform.Parse(data); err != nil {
		t.Fatal(err)
	}
	w.settings.Database = platform.Database{Host: "127.0.0.1", Port: w.mariadb.Port}
	w.prepare(t)
	w.startEdge(t)
	return w
}

// prepare makes the platform's namespace, and the operator's account as MariaDB
// has it.
func (w *world) prepare(t *testing.T) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.settings.Namespace}}
	if err := cluster.Client.Create(t.Context(), ns); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	w.grant(t)
	account := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: platform.SecretMariaDBOperator, Namespace: w.settings.Namespace},
		Data:       map[string][]byte{"username": []byte(mariadbtest.OperatorUser), "password": []byte(mariadbtest.OperatorPassword)},
	}
	if err := cluster.Client.Create(t.Context(), account); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
}

// operatorUser has only the rights that the chart gives the operator.
const operatorUser = "kubepanel-operator-test"

func (w *world) grant(t *testing.T) {
	t.Helper()
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "deploy/kubepanel/files/operator-rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	role := rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "kubepanel-operator"}}
	if err := yaml.UnmarshalStrict(data, &role.Rules); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
	}
	for _, o := range []client.Object{&role, binding} {
		if err := cluster.Client.Create(t.Context(), o); client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
}

// startOperator runs an operator as the program does. stop ends it without giving
// it time to finish anything.
func (w *world) startOperator(t *testing.T) (stop func()) {
	t.Helper()
	c := rest.CopyConfig(cluster.Config)
	c.QPS = -1
	c.Impersonate = rest.ImpersonationConfig{UserName: operatorUser}
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{w, next} })
	c.Wrap(kube.ReadItems)
	cached := domain.CacheOptions()
	for o, by := range cached.ByObject {
		if _, ok := o.(*v1alpha1.Domain); ok && w.only != "" {
			by.Field = fields.OneTermEqualSelector("metadata.name", w.only)
			cached.ByObject[o] = by
		}
	}
	mgr, err := ctrl.NewManager(c, ctrl.Options{
		Scheme: cluster.Scheme, Cache: cached, Client: domain.ClientOptions(),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller:              config.Controller{SkipNameValidation: ptr.To(true)},
		GracefulShutdownTimeout: ptr.To(time.Duration(0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	settings := *w.settings // an operator that was told to stop may read a little longer what it began with
	options := domain.Options{
		Platform: &settings, EdgeAddress: w.edge.Addr().String(), GatewayAddress: w.gateway, Resync: w.resync, Counts: w.counts,
	}
	if w.wall != nil {
		w.wall.Client, w.wall.Direct, w.wall.Changed = mgr.GetClient(), mgr.GetAPIReader(), make(chan event.GenericEvent)
		options.Admit, options.Admitted = w.wall.Admit, w.wall.Changed
		if err := mgr.Add(w.wall); err != nil {
			t.Fatal(err)
		}
	}
	if err := domain.Setup(ctx, mgr, options); err != nil {
		t.Fatal(err)
	}
	secrets := &platformsecrets.Secrets{Client: mgr.GetClient(), Namespace: w.settings.Namespace, Now: time.Now}
	if err := secrets.Setup(mgr); err != nil {
		t.Fatal(err)
	}
	certificates := &platformsecrets.Certificates{
		Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Namespace: w.settings.Namespace, Now: time.Now,
		Names: map[string][]string{platform.SecretMariaDBTLS: {w.settings.Database.Host}},
	}
	if err := certificates.Setup(mgr); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = mgr.Start(ctx) // with no time to shut down it reports just that
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// journal remembers what happened, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// count is a mark for since.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lines)
}

// since returns what happened to one Domain after a mark. Those of other tests are
// on the same API server, and settle whenever they do.
func (j *journal) since(mark int, domain string) (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines[mark:] {
		if strings.Contains(line, "/"+domain) || strings.Contains(line, "/"+desired.Namespace(domain)) {
			found = append(found, line)
		}
	}
	return found
}

type counting struct {
	w    *world
	next http.RoundTripper
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	event := strings.Contains(r.URL.Path, "/events")
	switch {
	case r.Method != http.MethodGet && !event:
		c.w.writes.add(r.Method + " " + r.URL.Path)
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") == "":
		c.w.reads.add(r.URL.Path)
	}
	if r.URL.Query().Get("watch") == "" {
		c.w.requests.Add(1)
	}
	return c.next.RoundTrip(r)
}

// startEdge answers TLS for every name with a leaf of the platform's authority, as
// the edge does.
func (w *world) startEdge(t *testing.T) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: w.leaf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				if c, ok := conn.(*tls.Conn); ok {
					_ = c.Handshake()
				}
				_ = conn.Close()
			}()
		}
	}()
	w.edge = listener
}

func (w *world) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	w.handshakes.Add(1)
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: w.settings.Namespace, Name: platform.SecretCA}
	if err := cluster.Client.Get(context.Background(), key, &secret); err != nil {
		return nil, err
	}
	ca, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{hello.ServerName},
		NotBefore: leafEnd.Add(-2 * time.Hour), NotAfter: leafEnd,
	}
	if w.stranger.Load() {
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, private.Public(), ca.PrivateKey)
	return &tls.Certificate{Certificate: [][]byte{der, ca.Certificate[0]}, PrivateKey: private}, err
}

// newDomain returns a Domain that asks for little.
func newDomain(name string) *v1alpha1.Domain {
	return &v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.DomainSpec{
			DomainName: name,
			Workload:   v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"},
			Resources: v1alpha1.ResourcesSpec{
				Storage: "1Gi",
				Limits:  v1alpha1.LimitsSpec{CPU: "500m", Memory: "256Mi"},
			},
		},
	}
}

func (w *world) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := cluster.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// get reads o anew; it is an error of the test when there is none.
func get[T client.Object](t *testing.T, o T, namespace, name string) T {
	t.Helper()
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// eventually waits until what returns nil, and prints its last error when it does
// not.
func eventually(t *testing.T, what func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = what(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// condition waits until a Domain's condition has a status and, if given, a reason.
func (w *world) condition(t *testing.T, name, typ string, status metav1.ConditionStatus, reason string) *metav1.Condition {
	t.Helper()
	var c *metav1.Condition
	eventually(t, func() error {
		d := &v1alpha1.Domain{}
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: name}, d); err != nil {
			return err
		}
		c = meta.FindStatusCondition(d.Status.Conditions, typ)
		if c == nil || c.Status != status || reason != "" && c.Reason != reason || c.ObservedGeneration != d.Generation {
			return errorf("%s of %s = %s, want %s %s; all: %s", typ, name, show(c), status, reason, conditions(d))
		}
		return nil
	})
	return c
}

// change edits a Domain's spec.
func (w *world) change(t *testing.T, name string, edit func(*v1alpha1.Domain)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		d := get(t, &v1alpha1.Domain{}, "", name)
		edit(d)
		return cluster.Client.Update(t.Context(), d)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// serve plays kubelet, the volume's provisioner and the edge for a site: all that
// they would report when everything is well.
func (w *world) serve(t *testing.T, name string) {
	t.Helper()
	ns := desired.Namespace(name)
	eventually(t, func() error { return w.report(t.Context(), ns, desired.ObjectName(name)) })
	w.pod(t, name, func(p *corev1.Pod) {
		for i := range p.Status.ContainerStatuses {
			p.Status.ContainerStatuses[i].Ready = true
			p.Status.ContainerStatuses[i].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
		}
	})
}

func (w *world) report(ctx context.Context, ns, name string) error {
	var pvc corev1.PersistentVolumeClaim
	if err := cluster.Client.Get(ctx, client.ObjectKey{Namespace: ns, Name: desired.VolumeName}, &pvc); err != nil {
		return err
	}
	pvc.Status.Phase, pvc.Status.Capacity = corev1.ClaimBound, pvc.Spec.Resources.Requests
	if err := cluster.Client.Status().Update(ctx, &pvc); err != nil {
		return err
	}
	var ingress networkingv1.Ingress
	if err := cluster.Client.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, &ingress); err != nil {
		return err
	}
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	if err := cluster.Client.Status().Update(ctx, &ingress); err != nil {
		return err
	}
	var deployment appsv1.Deployment
	if err := cluster.Client.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, &deployment); err != nil {
		return err
	}
	n := *deployment.Spec.Replicas
	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
	}
	return cluster.Client.Status().Update(ctx, &deployment)
}

// pod makes the site's pod from its Deployment's template, once, and sets what
// kubelet would report about it.
func (w *world) pod(t *testing.T, name string, set func(*corev1.Pod)) {
	t.Helper()
	eventually(t, func() error {
		var deployment appsv1.Deployment
		key := client.ObjectKey{Namespace: desired.Namespace(name), Name: desired.ObjectName(name)}
		if err := cluster.Client.Get(t.Context(), key, &deployment); err != nil {
			return err
		}
		template := deployment.Spec.Template
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: "pod", Namespace: key.Namespace, Labels: template.Labels, Annotations: template.Annotations,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment.Name, UID: deployment.UID}},
			},
			Spec: template.Spec,
		}
		pod.Spec.ServiceAccountName = "default"
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: key.Namespace}}
		if err := cluster.Client.Create(t.Context(), account); client.IgnoreAlreadyExists(err) != nil {
			return err
		}
		w.usage(t.Context(), key.Namespace)
		if err := cluster.Client.Create(t.Context(), pod); client.IgnoreAlreadyExists(err) != nil {
			return err
		}
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		pod.Status.HostIP = "192.0.2.10"
		pod.Status.ContainerStatuses = nil
		for _, c := range pod.Spec.Containers {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image})
		}
		set(pod)
		return cluster.Client.Status().Update(t.Context(), pod)
	})
}

// usage plays the controller of quotas, without which no pod is let in.
func (w *world) usage(ctx context.Context, namespace string) {
	var quota corev1.ResourceQuota
	if cluster.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "site"}, &quota) != nil {
		return
	}
	quota.Status.Hard, quota.Status.Used = quota.Spec.Hard, corev1.ResourceList{}
	for name, q := range quota.Spec.Hard {
		zero := q.DeepCopy()
		zero.Set(0)
		quota.Status.Used[name] = zero
	}
	_ = cluster.Client.Status().Update(ctx, &quota)
}
