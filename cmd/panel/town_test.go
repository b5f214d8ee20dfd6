package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// town is many sites of a hundred customers, in a database and on a real API server,
// with the statuses that an operator would have written. The panel is a process.
type town struct {
	testing.TB

	program, settings, kubeconfig string
	database, keys                string
	certificate                   string // the folder
	reader                        *http.Client
	sites                         int
	cookie                        string
	seed                          string // of the administrator's authenticator app
}

// townUsers is how many customers there are.
const townUsers = 100

func newTown(t testing.TB) *town {
	t.Helper()
	return newTownOn(t, "sqlite:"+filepath.Join(t.TempDir(), "panel.db"))
}

// newTownOnServer keeps the town in a PostgreSQL of its own, which many panels may share.
func newTownOnServer(t testing.TB) *town {
	t.Helper()
	server, err := postgrestest.Start()
	must(t, err)
	t.Cleanup(server.Stop)
	database, err := server.Database(t.Context())
	must(t, err)
	return newTownOn(t, database)
}

// newTownOn keeps the town in a database.
func newTownOn(t testing.TB, database string) *town {
	t.Helper()
	root, err := kubetest.Root()
	must(t, err)
	folder := t.TempDir()
	town := &town{TB: t, program: filepath.Join(folder, "panel"), settings: filepath.Join(root, "api/platform/testdata/platform.yaml"),
		kubeconfig: limited(t), database: database, keys: t.TempDir(), certificate: t.TempDir()}
	town.reader = newSigner(t).opens(t, town.certificate)
	must(t, os.WriteFile(filepath.Join(town.keys, "key"), bytes.Repeat([]byte{7}, 32), 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", town.program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the panel: %v: %s", err, out)
	}
	t.Cleanup(town.raze)
	town.write(func(ctx context.Context, tx hosting.Tx) error {
		err := tx.InsertPackage(ctx, &hosting.Package{ID: "package", Name: "Small", Quota: hosting.Quota{hosting.Sites: 1000}})
		for i := 0; i < townUsers && err == nil; i++ {
			err = tx.InsertUser(ctx, &hosting.User{ID: townUser(i), Email: fmt.Sprintf("customer-%d@shop.example", i), Name: fmt.Sprintf("Customer %d", i),
				Role: hosting.Customer, Package: "package", CreatedAt: time.Now()})
		}
		if err != nil {
			return err
		}
		app := &hosting.Application{ID: "application", Name: "Grafana", Redirects: []string{"https://grafana.provider.example/login/generic_oauth"}, Roles: hosting.Roles()}
		if err := tx.PutApplication(ctx, app); err != nil {
			return err
		}
		return tx.PutIdentityProvider(ctx, &hosting.IdentityProvider{ID: "company", Name: "Company", Issuer: "https://login.company.example",
			ClientID: "panel", Secret: []byte("secret"), Domains: []string{"company.example"}})
	})
	return town
}

func townUser(i int) hosting.ID { return hosting.ID(fmt.Sprintf("customer-%d", i%townUsers)) }
func townSite(i int) string     { return fmt.Sprintf("site-%05d.example", i) }

func (t *town) write(do func(ctx context.Context, tx hosting.Tx) error) {
	t.Helper()
	db, err := store.Open(t.Context(), t.database, store.Options{Keys: [][]byte{bytes.Repeat([]byte{7}, 32)}})
	must(t, err)
	defer db.Close()
	must(t, db.Write(t.Context(), func(tx hosting.Tx) error { return do(t.Context(), tx) }))
}

// grow adds sites until there are so many.
func (t *town) grow(to int) {
	t.Helper()
	// Nobody changed them lately, as is so with most sites.
	changed := time.Now().Add(-time.Hour)
	t.write(func(ctx context.Context, tx hosting.Tx) error {
		for i := t.sites; i < to; i++ {
			name := townSite(i)
			s := &hosting.OwnedSite{Name: name, Object: name, Owner: townUser(i), State: hosting.SiteOwned, CreatedAt: changed, ChangedAt: changed,
				Names:   []string{name, "www." + name},
				Amounts: hosting.Amounts{hosting.Sites: 1, hosting.Storage: 5, hosting.CPU: 1000, hosting.Memory: 512, hosting.Databases: 1}}
			if err := tx.InsertSite(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	from := t.sites
	t.sites = to // what a failure leaves is removed too
	t.each(from, t.domain)
}

// dayOfSamples is how many measurements of a site are kept for a day.
const dayOfSamples = 288

// measure gives each site a measurement for each five minutes of the day until now, as if
// there were a metrics-server. Those by the hour, of which a site has 768, are left out:
// they lie beside the others, and no list reads them.
func (t *town) measure() {
	t.Helper()
	t.write(func(ctx context.Context, tx hosting.Tx) error {
		for i := range dayOfSamples {
			by := make(map[string]hosting.Sample, t.sites)
			for site := range t.sites {
				by[townSite(site)] = hosting.Sample{At: time.Now().Add(-time.Duration(i) * hosting.SpanDay.Long),
					Use: hosting.Use{CPU: int64(1 + (site+i)%200), Memory: int64(60+site%50) << 20}, Storage: 1700 << 20}
			}
			if err := tx.AddSamples(ctx, hosting.SpanDay, by); err != nil {
				return err
			}
		}
		return nil
	})
}

// harm has harmful files found in a site, and returns the address of the page about them.
func (t *town) harm(i int) string {
	site := townSite(i)
	t.write(func(ctx context.Context, tx hosting.Tx) error {
		at := time.Now().Add(-2 * time.Hour)
		all := []error{tx.PutSweep(ctx, &hosting.SiteSweep{Site: site, NextAt: at.Add(100 * time.Hour), EndedAt: at, WholeAt: at, Looked: 48_213, Found: 3, Skipped: 2, Fault: hosting.SweepScanner})}
		for i, f := range []hosting.Finding{
			{Path: []byte("/html/wp-content/uploads/2026/03/" + strings.Repeat("long-name-", 12) + ".php"), State: hosting.FindingQuarantined, Until: at.Add(30 * 24 * time.Hour)},
			{Path: []byte("/html/bad\xff\u202egpj.php"), State: hosting.FindingPresent, Fault: "refused"},
			{Path: []byte("/html/eicar.txt"), State: hosting.FindingRestored},
		} {
			f.ID, f.Site, f.Found, f.FoundAt, f.Sum = hosting.ID(fmt.Sprint("finding", i)), site, "Php.Webshell.Generic-7356543-0", at, "beef"
			f.Mark.Size = 48_123
			all = append(all, tx.InsertFinding(ctx, &f))
		}
		return errors.Join(all...)
	})
	return "/sites/" + site + "/files/findings"
}

// each does something with the sites from a number on, some at once: the API server
// takes longer than it allows one request to remove ten thousand of them.
func (t *town) each(from int, do func(name string) error) {
	t.Helper()
	var some errgroup.Group
	some.SetLimit(8)
	for i := from; i < t.sites; i++ {
		some.Go(func() error { return do(townSite(i)) })
	}
	must(t, some.Wait())
}

// raze removes all Domains, those too that are no site of the town.
func (t *town) raze() {
	ctx := context.WithoutCancel(t.Context())
	t.each(0, func(name string) error {
		d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}}
		return client.IgnoreNotFound(cluster.Client.Delete(ctx, d))
	})
	must(t, cluster.Client.DeleteAllOf(ctx, &v1alpha1.Domain{}))
}

// domain makes a Domain that serves.
func (t *town) domain(name string) error {
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.DomainSpec{DomainName: name}}
	d.Spec.WordPress.Preinstall = true
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"}
	d.Spec.Resources.Storage, d.Spec.Resources.Limits.CPU, d.Spec.Resources.Limits.Memory = "5Gi", "1000m", "512Mi"
	if err := cluster.Client.Create(t.Context(), d); err != nil {
		return err
	}
	object := "dom-" + strings.ReplaceAll(name, ".", "-")
	d.Status = v1alpha1.DomainStatus{
		Phase: v1alpha1.DomainReady, ObservedGeneration: d.Generation, Namespace: object,
		Endpoints: &v1alpha1.EndpointsStatus{HTTPS: "https://" + name},
		Storage:   &v1alpha1.StorageStatus{Size: "5Gi", Used: "1700Mi"},
		Database:  &v1alpha1.DatabaseStatus{Name: object, Host: "mariadb.kubepanel-system.svc.cluster.local", Username: object},
		SFTP: &v1alpha1.SFTPStatus{Host: "sftp.example", Port: 2222, Username: "www@" + name,
			PasswordSecretRef: &v1alpha1.SecretKeyReference{Namespace: object, Name: "sftp-credentials", Key: "password"}},
	}
	for _, kind := range []string{v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionPVCReady, v1alpha1.ConditionConfigMapReady, v1alpha1.ConditionDatabaseReady,
		v1alpha1.ConditionDatabaseProvisioned, v1alpha1.ConditionDeploymentReady, v1alpha1.ConditionServiceReady, v1alpha1.ConditionSFTPServiceReady, v1alpha1.ConditionSFTPReady,
		v1alpha1.ConditionIngressReady, v1alpha1.ConditionCertificateReady, v1alpha1.ConditionReady} {
		d.Status.Conditions = append(d.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: "Satisfied",
			Message: "all is as it should be", ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()})
	}
	return cluster.Client.Status().Update(t.Context(), d)
}

// runs makes a site one of another runtime, of which the platform's catalogue has a port.
func (t *town) runs(site int, kind, version string) error {
	var d v1alpha1.Domain
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: townSite(site)}, &d); err != nil {
		return err
	}
	d.Spec.WordPress.Preinstall = false
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: kind, Version: version}
	return cluster.Client.Update(t.Context(), &d)
}

// office is one panel of the town.
type office struct {
	*town

	cmd    *exec.Cmd
	log    *proctest.Log
	at     string
	counts string // the address of its metrics
	// first is how long after its start it answered.
	first time.Duration
}

// open starts the panel and waits until it answers.
func (t *town) open(args ...string) *office {
	t.Helper()
	o := &office{town: t, at: proctest.Address(t), counts: proctest.Address(t), log: &proctest.Log{}}
	o.cmd = exec.Command(t.program, append([]string{"serve", "--settings", t.settings, "--kubeconfig", t.kubeconfig, "--listen", o.at, "--health-listen", proctest.Address(t),
		"--tls-listen", proctest.Address(t), "--metrics-listen", o.counts, "--certificate", t.certificate,
		"--url", "https://panel.localhost", "--log-level", "warn", "--database", t.database, "--keys", t.keys}, args...)...)
	o.cmd.Stderr = o.log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with the tests, however they end
	began := time.Now()
	must(t, o.cmd.Start())
	t.Cleanup(o.close)
	for {
		answer, err := http.Get("http://" + o.at + "/sign-in")
		if err == nil {
			answer.Body.Close()
			o.first = time.Since(began)
			return o
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the panel does not answer: %s", o.log)
		}
		time.Sleep(time.Millisecond)
	}
}

// close ends the panel as a deployment would.
func (o *office) close() {
	_ = o.cmd.Process.Signal(syscall.SIGTERM) // it may have ended before
	if err := o.cmd.Wait(); err != nil {
		if ended, exited := errors.AsType[*exec.ExitError](err); exited && ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { // a test's own
			o.Errorf("the panel ended with %v: %s", err, o.log)
		}
	}
}

// links is what panel link prints, run beside the panel as kubectl exec would.
func (o *office) links(args ...string) string {
	o.Helper()
	link, err := exec.CommandContext(o.Context(), o.program, append([]string{"link", "--database", o.database, "--keys", o.keys}, args...)...).Output()
	must(o, err)
	return strings.TrimSpace(string(link))
}

// signIn makes the first administrator, who sets up a second factor and is signed in then.
func (o *office) signIn() {
	o.Helper()
	o.begin()
	o.cookie, o.seed = enrols(o, "http://"+o.at, o.cookie)
}

// begin makes the first administrator, who has no second factor yet.
func (o *office) begin() {
	o.Helper()
	_, code, _ := strings.Cut(o.links(), "#")
	form := url.Values{"code": {code}, "name": {"Ada Provider"}, "email": {"ada@provider.example"}, "password": {"correct horse battery staple"}}
	request, err := http.NewRequestWithContext(o.Context(), http.MethodPost, "http://"+o.at+"/start", strings.NewReader(form.Encode()))
	must(o, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := (&http.Transport{}).RoundTrip(request)
	must(o, err)
	defer answer.Body.Close() // only its cookie matters
	for _, c := range answer.Cookies() {
		o.cookie = c.Name + "=" + c.Value
	}
	if o.cookie == "" {
		o.Fatalf("the first start = %d, want a session", answer.StatusCode)
	}
}

// wires are connections for a page.
func (o *office) wires(path string, count int) []*wire {
	o.Helper()
	var all []*wire
	for range count {
		all = append(all, newWire(o, o.at, path, o.cookie))
	}
	return all
}

// metric is the sum over all series of a counter, a gauge or a summary's count.
func (o *office) metric(name string) float64 {
	o.Helper()
	answer, err := o.reader.Get("https://" + o.counts + "/metrics")
	must(o, err)
	defer answer.Body.Close() // it was only read
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	must(o, err)
	if families[name] == nil {
		families[name] = &dto.MetricFamily{}
	}
	sum := 0.0
	for _, series := range families[name].GetMetric() {
		sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
	}
	return sum
}

// peak is the most memory that the panel ever had, in bytes.
func (o *office) peak() float64 {
	o.Helper()
	return o.status("VmHWM")
}

// status is one of the sizes that the kernel tells of the panel, in bytes (proc(5), status).
func (o *office) status(name string) float64 {
	o.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.cmd.Process.Pid))
	must(o, err)
	_, rest, _ := strings.Cut(string(data), "\n"+name+":")
	var kilobytes float64
	_, err = fmt.Sscan(rest, &kilobytes)
	must(o, err)
	return kilobytes * 1024
}
