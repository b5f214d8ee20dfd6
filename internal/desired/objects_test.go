package desired_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/platform"
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
