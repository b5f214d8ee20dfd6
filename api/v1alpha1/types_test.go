package v1alpha1_test

import (
	"encoding/json"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func shop() *v1alpha1.Domain {
	return &v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: "shop.example"},
		Spec: v1alpha1.DomainSpec{
			DomainName: "shop.example",
			Workload:   v1alpha1.WorkloadSpec{Type: v1alpha1.WorkloadTypePHP, Version: "8.4"},
			Resources: v1alpha1.ResourcesSpec{
				Storage: "10Gi", Limits: v1alpha1.LimitsSpec{CPU: "1000m", Memory: "512Mi"},
			},
		},
	}
}

// What a Go program leaves out must be absent on the wire: a zero value would
// take the place of the default.
func TestFieldsLeftOutInGoGetTheirDefaults(t *testing.T) {
	d := shop()
	if err := cluster.Client.Create(t.Context(), d, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	want := shop().Spec
	want.Timezone = "UTC"
	want.Workload.Port = 9000
	want.Workload.ProxyMode = v1alpha1.ProxyFastCGI
	want.Webserver = v1alpha1.WebserverSpec{
		ClientMaxBodySize: "64m", SSLRedirect: ptr.To(true),
		Cache: v1alpha1.CacheSpec{Size: "512Mi", InactiveTime: "60m", ValidTime: "10m"},
	}
	want.Database.Enabled = ptr.To(true)
	want.Email.DKIMSelector = "default"
	want.DNS.AutoCreateRecords = ptr.To(true)
	want.SFTP = v1alpha1.SFTPSpec{Enabled: ptr.To(true), Type: v1alpha1.SFTPStandard}
	if !reflect.DeepEqual(d.Spec, want) {
		t.Errorf("spec = %+v, want %+v", d.Spec, want)
	}
}

func TestFalseIsNotMistakenForLeftOut(t *testing.T) {
	d := shop()
	d.Spec.Database.Enabled = ptr.To(false)
	d.Spec.SFTP.Enabled = ptr.To(false)
	d.Spec.Webserver.SSLRedirect = ptr.To(false)
	if err := cluster.Client.Create(t.Context(), d, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	if *d.Spec.Database.Enabled || *d.Spec.SFTP.Enabled || *d.Spec.Webserver.SSLRedirect {
		t.Errorf("spec = %+v, want database, SFTP and redirect off", d.Spec)
	}
}

func TestStatusIsKeptAsWritten(t *testing.T) {
	d := shop()
	if err := cluster.Client.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Client.Delete(t.Context(), d); err != nil {
			t.Error(err)
		}
	}()
	key := &v1alpha1.SecretKeyReference{Name: "sftp-credentials", Namespace: "dom-shop-example", Key: "password"}
	want := v1alpha1.DomainStatus{
		Phase: v1alpha1.DomainDegraded, Message: "the database is down", Namespace: "dom-shop-example",
		SFTP:      &v1alpha1.SFTPStatus{Host: "panel.example", Port: 30022, Username: "shop", PasswordSecretRef: key, PublicKeySecretRef: key},
		Database:  &v1alpha1.DatabaseStatus{Host: "mariadb", Port: 3306, Name: "dom-shop-example", Username: "dom-shop-example", PasswordSecretRef: key},
		Email:     &v1alpha1.EmailStatus{DKIMSelector: "default", DKIMPublicKey: "MII", DKIMPrivateKeySecretRef: key, DKIMDNSRecord: "v=DKIM1"},
		DNS:       &v1alpha1.DNSStatus{Phase: v1alpha1.SyncReady, Zone: &v1alpha1.ZoneStatus{ID: "1", Name: "shop.example"}, Records: []v1alpha1.DNSRecordStatus{{Type: "A", Name: "@", Content: "203.0.113.7", TTL: 1, Synced: true}}},
		Endpoints: &v1alpha1.EndpointsStatus{HTTP: "http://shop.example", HTTPS: "https://shop.example", PHPMyAdmin: "https://shop.example/db"},
	}
	d.Status = *want.DeepCopy()
	d.Observed(d.Generation)
	*d.Conditions() = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "DatabaseDown",
		LastTransitionTime: metav1.Unix(1700000000, 0),
	}}
	want.ObservedGeneration, want.Conditions = d.Generation, d.Status.DeepCopy().Conditions
	if err := cluster.Client.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.Domain
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(d), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Status, want) {
		t.Errorf("status = %+v, want %+v", got.Status, want)
	}
}

func TestSettingsReadNumbersAndTextsAlike(t *testing.T) {
	tests := map[string]v1alpha1.Setting{
		`"256M"`: "256M", `30`: "30", `"30"`: "30", `true`: "true", `[1,"a"]`: `[1,"a"]`, `{"a":1}`: `{"a":1}`,
	}
	for text, want := range tests {
		var got map[string]v1alpha1.Setting
		if err := json.Unmarshal([]byte(`{"key":`+text+`}`), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got["key"] != want {
			t.Errorf("%s read as %q, want %q", text, got["key"], want)
		}
	}
}
