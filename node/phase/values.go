package phase

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/manifests"
)

// The cluster's own networks.
const (
	podCIDR     = "10.244.0.0/16"
	serviceCIDR = "10.96.0.0/12"
	dnsAddress  = "10.96.0.10"

	// Parts of machine.Prefix6. A node gets a /64 of the first; of the second the API server takes no larger one.
	podCIDR6     = "fd4b:7562:6570:1000::/56"
	serviceCIDR6 = "fd4b:7562:6570:2000::/108"
)

// values gathers what the node's configuration depends on.
func (n *Node) values() (manifests.Values, error) {
	runc, err := n.program("runc", "runc")
	if err != nil {
		return manifests.Values{}, err
	}
	values := manifests.Values{
		Hostname: n.place.Hostname(), Address: n.settings.Address(),
		Resolvers: machine.Resolvers(), MTU: machine.MTU(),
		PodCIDR: podCIDR, ServiceCIDR: serviceCIDR, DNSAddress: dnsAddress,
		Runc: runc, Patches: patchesFolder,
		CgroupDriver: "cgroupfs", RestrictOOM: !mayLowerOOM(),
		FilterIPv6: machine.HasIPv6(),
	}
	if n.settings.IPv6 {
		values.Address6, values.PodCIDR6, values.ServiceCIDR6 = n.settings.Address6(), podCIDR6, serviceCIDR6
	}
	if n.place.SystemdCgroups() {
		values.CgroupDriver, values.SystemdCgroup = "systemd", true
	}
	if values.Pool, err = n.pool(); err != nil {
		return manifests.Values{}, err
	}
	for name, ref := range map[string]*string{
		"pause": &values.PauseImage, "calico": &values.CalicoImage,
		"coredns": &values.CoreDNSImage, "csi": &values.CSIImage,
		"metrics-server": &values.MetricsImage,
	} {
		image, err := n.image(name)
		if err != nil {
			return manifests.Values{}, err
		}
		*ref = image.Ref
		if name == "coredns" {
			values.CoreDNSContent = filepath.Base(image.Archive)
		}
	}
	return values, n.kubeadmValues(&values)
}

// kubeadmValues are the parts from which kubeadm puts references together.
func (n *Node) kubeadmValues(values *manifests.Values) error {
	kubernetes, err := n.image("kubernetes")
	if err != nil {
		return err
	}
	etcd, err := n.image("etcd")
	if err != nil {
		return err
	}
	values.KubernetesContent, values.EtcdContent = filepath.Base(kubernetes.Archive), filepath.Base(etcd.Archive)
	values.KubernetesVersion = kubernetes.Version
	values.ImageRepository = filepath.Dir(kubernetes.Ref)
	_, tag, ok := strings.Cut(filepath.Base(etcd.Ref), ":")
	if !ok {
		return fmt.Errorf("image reference %s has no tag", etcd.Ref)
	}
	values.EtcdTag = tag
	return nil
}

// mayLowerOOM asks the kernel itself: a container or virtual machine may lack
// CAP_SYS_RESOURCE although its programs run as root.
func mayLowerOOM() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.Geteuid() == 0
	}
	return data[unix.CAP_SYS_RESOURCE/32].Effective&(1<<(unix.CAP_SYS_RESOURCE%32)) != 0
}
