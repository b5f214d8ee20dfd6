package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// newborn is a site whose Domain no operator has looked at yet.
func (t *town) newborn(name string) *v1alpha1.Domain {
	t.Helper()
	t.write(func(ctx context.Context, tx hosting.Tx) error {
		return tx.InsertSite(ctx, &hosting.OwnedSite{Name: name, Object: name, Owner: townUser(1), State: hosting.SiteOwned,
			CreatedAt: time.Now(), ChangedAt: time.Now(), Names: []string{name}, Amounts: hosting.Amounts{hosting.Sites: 1}})
	})
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.DomainSpec{DomainName: name}}
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"}
	d.Spec.Resources.Storage, d.Spec.Resources.Limits.CPU, d.Spec.Resources.Limits.Memory = "5Gi", "1000m", "512Mi"
	must(t, cluster.Client.Create(t.Context(), d))
	return d
}

// tell writes what an operator would: some steps are done, the next one goes on and says
// what it waits for, and of the rest nothing is known yet.
func (t *town) tell(d *v1alpha1.Domain, done int) {
	t.Helper()
	kinds := []string{v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionPVCReady, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionDeploymentReady,
		v1alpha1.ConditionConfigMapReady, v1alpha1.ConditionCertificateReady}
	d.Status = v1alpha1.DomainStatus{Phase: v1alpha1.DomainProvisioning, ObservedGeneration: d.Generation}
	for i, kind := range kinds[:min(done+1, len(kinds))] {
		c := metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: "Satisfied", ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()}
		if i == done {
			c.Status, c.Reason, c.Message = metav1.ConditionFalse, "Starting", fmt.Sprintf("The site's pod takes its configuration over for the %d. time.", done)
		}
		d.Status.Conditions = append(d.Status.Conditions, c)
	}
	must(t, cluster.Client.Status().Update(t.Context(), d))
}

// where tells the place of every step and of what stands around them, in pixels from the
// beginning of the page. The script puts new elements for the old ones, which browsers
// count as no shift.
const where = `[...document.querySelectorAll("#steps .name, #steps p, h1, h2")].map(e =>
	e.firstChild.textContent.trim() + " " + Math.round(e.getBoundingClientRect().top + scrollY)).join("\n")`

// While a site is made its steps change one by one, and nothing moves, neither they nor
// what stands around them.
func TestNothingMovesWhileStepsCome(t *testing.T) {
	town := newTown(t)
	o := town.open()
	o.signIn()
	p := person{o.window()}
	for _, dress := range []struct {
		name          string
		width, height int64
		theme, in     string
	}{{"wide", 1366, 900, "dark", "ar"}, {"phone", 390, 844, "light", "en"}} {
		site := "new-" + dress.name + ".example"
		d := town.newborn(site)
		p.dress(dress.width, dress.height, dress.theme, dress.in)
		for p.open("/sites/" + site); p.read(`String(document.querySelectorAll("#steps .waiting").length)`) != "11"; p.open("/sites/" + site) {
			if d.CreationTimestamp.Add(time.Minute).Before(time.Now()) {
				t.Fatalf("the page does not show the steps that are to come: %s", p.read("document.body.innerText"))
			}
		}
		before := p.read(where)
		for done := range 4 {
			town.tell(d, done)
			p.sees(fmt.Sprintf("over for the %d. time.", done))
			if now := p.read(where); now != before {
				t.Errorf("%s, %d steps done: what stood at\n%s\nstands at\n%s", dress.name, done, before, now)
			}
		}
		if shift := p.shifted(); shift > 0.001 {
			t.Errorf("%s: the layout shifted by %.4f while steps came", dress.name, shift)
		}
		p.keep("steps-" + dress.name)
	}
}
