package program_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

// world is a platform without nodes.
type world struct {
	cluster  *kubetest.Cluster
	mariadb  *mariadbtest.Server
	client   client.WithWatch
	settings *platform.Settings
	// audit is the file in which the API server notes what operators asked for.
	audit string
	// binary and settingsFile are what an operator is started with.
	binary, settingsFile string
	operators            []*process
	// reader reads their metrics.
	reader *http.Client
	// edge is the address that shows every name a good certificate.
	edge string
	// gateway is the address that greets as the SSH gateway does.
	gateway string
}

// users that operators sign in as: each has the rights that the chart gives one. As
// a pod does, they show a token, which the API server need not verify for each request
// as it has to a certificate. So does the benchmark, under its own name.
var users = []string{"operator-a", "operator-b"}

const benchmarkUser = "benchmark"

// auditPolicy notes who asked for what, of operators alone.
const auditPolicy = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
  {"level": "Metadata", "users": ["operator-a", "operator-b"]}, {"level": "None"}]}`

// newWorld starts an API server that has room for thousands of Services and ports,
// MariaDB and an edge, and builds the program.
func newWorld(t testing.TB) *world {
	t.Helper()
	folder := t.TempDir()
	w := &world{audit: filepath.Join(folder, "audit.log"), settingsFile: filepath.Join(folder, "platform.yaml")}
	policy := filepath.Join(folder, "policy.json")
	must(t, os.WriteFile(policy, []byte(auditPolicy), 0o600))
	tokens := filepath.Join(folder, "tokens.csv")
	must(t, os.WriteFile(tokens, fmt.Appendf(nil, "%s,%[1]s,%[1]s\n%s,%[2]s,%[2]s\n%s,%[3]s,%[3]s,system:masters\n", users[0], users[1], benchmarkUser), 0o600))
	var err error
	w.cluster, err = kubetest.Start(
		kubetest.Flag{Name: "service-cluster-ip-range", Value: "10.0.0.0/16"},
		kubetest.Flag{Name: "service-node-port-range", Value: "10000-32767"},
		// Their controllers do not run here: no pod would be let in, no claim go.
		kubetest.Flag{Name: "disable-admission-plugins", Value: "ServiceAccount,ResourceQuota,StorageObjectInUseProtection"},
		kubetest.Flag{Name: "audit-policy-file", Value: policy},
		kubetest.Flag{Name: "audit-log-path", Value: w.audit},
		kubetest.Flag{Name: "token-auth-file", Value: tokens},
	)
	must(t, err)
	t.Cleanup(func() { _ = w.cluster.Stop() }) // nothing of it is needed any more
	config := w.config()
	w.client, err = client.NewWithWatch(config, client.Options{Scheme: w.cluster.Scheme})
	must(t, err)
	w.mariadb = mariadbtest.Start(t)
	w.writeSettings(t)
	certified := w.certify(t)
	w.prepare(t)
	must(t, w.client.Create(t.Context(), certified))
	w.startEdge(t)
	w.startGateway(t)
	w.binary = build(t, folder)
	return w
}

// config is how the benchmark itself reaches the API server, without a limit.
func (w *world) config() *rest.Config {
	config := rest.AnonymousClientConfig(w.cluster.Config)
	config.BearerToken, config.QPS = benchmarkUser, -1
	return config
}

// kubeconfig writes the file by which one of the users signs in, and returns its path.
func (w *world) kubeconfig(t testing.TB, user string) string {
	t.Helper()
	server, _, err := rest.DefaultServerUrlFor(w.cluster.Config)
	must(t, err)
	file := clientcmdapi.NewConfig()
	file.Clusters[user] = &clientcmdapi.Cluster{Server: server.String(), CertificateAuthorityData: w.cluster.Config.CAData}
	file.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: user}
	file.Contexts[user] = &clientcmdapi.Context{Cluster: user, AuthInfo: user}
	file.CurrentContext = user
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*file, path))
	return path
}

func build(t testing.TB, folder string) string {
	t.Helper()
	root, err := kubetest.Root()
	must(t, err)
	binary := filepath.Join(folder, "kubepanel")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./cmd/kubepanel")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return binary
}

func (w *world) writeSettings(t testing.TB) {
	t.Helper()
	data, err := os.ReadFile("../testdata/platform.yaml")
	must(t, err)
	w.settings, err = platform.Parse(data)
	must(t, err)
	w.settings.Database = platform.Database{Host: "127.0.0.1", Port: w.mariadb.Port}
	// As the chart has it, unless told otherwise.
	w.settings.SFTP = platform.SFTP{Exposure: platform.ExposureGateway, Host: "sftp.example", Port: 2222}
	data, err = yaml.Marshal(w.settings)
	must(t, err)
	must(t, os.WriteFile(w.settingsFile, data, 0o600))
}

// certify has MariaDB speak TLS, and know the operator's certificate, as the platform's
// does, and returns the authority that both go by.
func (w *world) certify(t testing.TB) *corev1.Secret {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	must(t, err)
	signer, err := authority.Read(cert, key)
	must(t, err)
	leaf, err := signer.Issue(time.Now(), w.settings.Database.Host)
	must(t, err)
	shown, private, err := authority.Encode(leaf)
	must(t, err)
	w.reader = vitalstest.Reader(t, signer, w.settings.Namespace)
	w.mariadb.Stop()
	w.mariadb.Present(shown, private)
	w.mariadb.Trust(cert)
	w.mariadb.StartAgain()
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: platform.SecretCA, Namespace: w.settings.Namespace,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}, // as when the operator makes it
		},
		Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
}

// prepare makes the platform's namespace, the operator's account as MariaDB has it
// and the rights of the chart.
func (w *world) prepare(t testing.TB) {
	t.Helper()
	root, err := kubetest.Root()
	must(t, err)
	data, err := os.ReadFile(filepath.Join(root, "deploy/kubepanel/files/operator-rules.yaml"))
	must(t, err)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "kubepanel-operator"}}
	must(t, yaml.UnmarshalStrict(data, &role.Rules))
	lease := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: w.settings.Namespace},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update", "patch"}},
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{platform.ConfigMapIsolation}, Verbs: []string{"get"}},
		},
	}
	var subjects []rbacv1.Subject
	for _, user := range users {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user})
	}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.settings.Namespace}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Name: platform.SecretMariaDBOperator, Namespace: w.settings.Namespace,
				Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}, // as when the operator makes it
			},
			Data: map[string][]byte{"username": []byte(mariadbtest.OperatorUser), "password": []byte(mariadbtest.OperatorPassword)},
		},
		role, lease,
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: w.settings.Namespace}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		},
	} {
		must(t, w.client.Create(t.Context(), o))
	}
}

// startEdge answers TLS for every name with a leaf of the platform's authority, as
// the edge does.
func (w *world) startEdge(t testing.TB) {
	t.Helper()
	leaves := &leaves{world: w}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: leaves.get})
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	w.edge = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go shake(conn)
		}
	}()
}

// startGateway greets whoever comes.
func (w *world) startGateway(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	w.gateway = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-benchmark\r\n") // who came sees what went wrong
			_ = conn.Close()
		}
	}()
}

func shake(conn net.Conn) {
	if c, ok := conn.(*tls.Conn); ok {
		_ = c.Handshake() // who dialled sees what went wrong
	}
	_ = conn.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
