package desired_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/desired"
)

// What is planned is what the operator makes: behind the gateway no site has a way
// of its own to SFTP.
func TestOnlyWithoutTheGatewayASiteHasAServiceForSFTP(t *testing.T) {
	for exposure, want := range map[string][]string{
		platform.ExposureGateway:  {"shop-example-svc"},
		platform.ExposureNodePort: {"shop-example-sftp", "shop-example-svc"},
	} {
		site := cases(t)["testdata/site/plain-php.yaml"]
		site.Platform.SFTP.Exposure = exposure
		objects, err := site.Objects(nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range objects {
			if service, ok := o.(*corev1.Service); ok {
				got = append(got, service.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("with exposure %s the Services are %v, want %v", exposure, got, want)
		}
	}
}

// What the operator takes for found right by name alone is everything that it makes.
func TestNamesAreThoseOfAllObjects(t *testing.T) {
	for file, site := range cases(t) {
		for _, exposure := range []string{platform.ExposureGateway, platform.ExposureNodePort} {
			site.Platform.SFTP.Exposure = exposure
			objects, err := site.Objects(nil)
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, site.SFTPSecret(desired.SFTPCredentials{}))
			if on := site.Domain.Spec.Database.Enabled; on == nil || *on {
				objects = append(objects, site.DatabaseSecret(desired.DatabasePassword{}, nil))
			}
			if site.Domain.Spec.WordPress.Preinstall {
				objects = append(objects, site.WordPressSecret(""))
			}
			want, got := map[string]bool{}, map[string]bool{}
			for _, o := range objects {
				// Cron jobs are compared at each look.
				if _, cron := o.(*batchv1.CronJob); !cron {
					want[identity(t, o)] = true
				}
			}
			for _, name := range site.Names() {
				got[fmt.Sprintf("%T %s", name.Kind, name.NamespacedName)] = true
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s, %s: the names are\n%v, want\n%v", file, exposure, got, want)
			}
		}
	}
}

func identity(t *testing.T, o any) string {
	t.Helper()
	object, ok := o.(metav1.Object)
	if !ok {
		t.Fatalf("%T is no object", o)
	}
	return fmt.Sprintf("%T %s/%s", o, object.GetNamespace(), object.GetName())
}
