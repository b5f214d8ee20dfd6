package lab

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// portHTTP is where the web server of a site's pod listens.
const portHTTP = 8080

// probeScript opens TCP connections to all its arguments at once and says of
// each how that ended within three seconds.
const probeScript = `<?php
$waiting = $result = [];
foreach (array_slice($argv, 1) as $target) {
	$s = @stream_socket_client('tcp://' . $target, $no, $text, 3, STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
	if ($s) $waiting[$target] = $s; else $result[$target] = 'refused';
}
$until = microtime(true) + 3;
while ($waiting && ($left = $until - microtime(true)) > 0) {
	$r = $e = []; $w = array_values($waiting);
	if (!stream_select($r, $w, $e, 0, (int) min($left * 1e6, 999999))) continue;
	foreach ($w as $s) {
		$target = array_search($s, $waiting, true);
		$result[$target] = stream_socket_get_name($s, true) === false ? 'refused' : 'open';
		unset($waiting[$target]);
	}
}
foreach ($waiting as $target => $s) $result[$target] = 'silence';
foreach ($result as $target => $how) echo "$target $how\n";`

// probe returns how connections from inside a site's pod end: open, refused or
// silence.
func (s site) probe(t testing.TB, targets ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, line := range lines(s.php(t, probeScript, targets...)) {
		target, how, _ := strings.Cut(line, " ")
		found[target] = how
	}
	return found
}

// nodeLinkLocal is the node's end of every pod's link (Calico gives it to all of
// them): whatever listens on the node would answer there if policies forgot it.
const nodeLinkLocal = "fe80::ecee:eeff:feee:eeee%eth0"

// ways are targets by what they are, as host:port of one or both families.
type ways map[string]string

// add puts in a port of each of the addresses.
func (w ways) add(what string, port int, addresses ...string) {
	for _, address := range addresses {
		w[fmt.Sprintf("%s, %s", what, address)] = net.JoinHostPort(address, fmt.Sprint(port))
	}
}

func (w ways) targets() []string { return slices.Collect(maps.Values(w)) }

// openWays are those that a site needs, so a probe has to find them open.
func (s site) openWays(t *testing.T) ways {
	own, w := s.secret(t, "db-credentials"), ways{}
	w["the database"] = own["host"] + ":" + own["port"]
	w.add("its own web server", portHTTP, "127.0.0.1", "::1")
	w.add("its own pod", portHTTP, addressesOf(s.pod(t))...)
	w.add("the cluster's resolver", 53, s.serviceAddresses(t, "kube-system", "kube-dns")...)
	if link := s.linkLocal(t); link != "" {
		w.add("its own end of the link", portHTTP, link)
	}
	return w
}

// walledWays are those that no site has any business with.
func (s site) walledWays(t *testing.T, victim site) ways {
	c, w := s.cluster, ways{}
	w.add("the API server's Service", 443, c.serviceAddresses(t, "default", "kubernetes")...)
	nodes := append(c.nodeAddresses(t), nodeLinkLocal)
	if s.linkLocal(t) == "" {
		nodes = nodes[:len(nodes)-1] // no IPv6 at all
	}
	w.add("the API server", 6443, nodes...)
	w.add("the kubelet", 10250, nodes...)
	w.add("etcd", 2379, nodes...)
	w.add("metrics-server", 443, c.serviceAddresses(t, "kube-system", "metrics-server")...)
	w.add("the edge from within", 80, c.serviceAddresses(t, platformNamespace, "kubepanel-edge")...)
	w.add("the panel from within", 443, c.serviceAddresses(t, platformNamespace, "kubepanel-panel")...)
	for _, port := range []int{portHTTP, 2222, 9000, 6379, 3306} {
		w.add(fmt.Sprintf("the other's pod, port %d", port), port, addressesOf(victim.pod(t))...)
	}
	for _, program := range []string{"edge", "operator", "gateway", "panel"} {
		pod, err := c.runningPod(t.Context(), platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "kubepanel-" + program})
		if err != nil {
			t.Fatal(err)
		}
		w.add("health of the "+program, 8081, addressesOf(pod)...)
		w.add("metrics of the "+program, 8085, addressesOf(pod)...)
	}
	for _, address := range metadataServices() {
		if c.mayLeave(t, s.namespace(t), address) {
			// Not probed then: on a real cloud that would be an attack.
			t.Errorf("sites may reach cloud metadata at %s", address)
			continue
		}
		w.add("cloud metadata", 80, address)
	}
	return w
}

func checkNetwork(t *testing.T, victim, thief site) {
	open, walled := thief.openWays(t), thief.walledWays(t, victim)
	// The victim reaches its own ports, so they are there to be reached.
	its := ways{}
	its.add("the victim's web server", portHTTP, addressesOf(victim.pod(t))...)
	for target, how := range victim.probe(t, its.targets()...) {
		if how != "open" {
			t.Errorf("the victim's own web server at %s: %s, want open", target, how)
		}
	}
	found := thief.probe(t, slices.Concat(open.targets(), walled.targets())...)
	for what, target := range open {
		if found[target] != "open" {
			t.Errorf("%s (%s): %s, want open", what, target, found[target])
		}
	}
	for what, target := range walled {
		// A refusal by the other's pod would mean that the packet got there.
		reached := found[target] != "silence" && (found[target] != "refused" || strings.HasPrefix(what, "the other's pod"))
		if reached {
			t.Errorf("%s (%s): %s, want a wall", what, target, found[target])
		}
	}
}

// linkLocal is the address of the pod's own end of its link, "" without IPv6.
func (s site) linkLocal(t testing.TB) string {
	t.Helper()
	return s.php(t, `<?php
foreach (@file('/proc/net/if_inet6') ?: [] as $line) {
	[$hex, , , $scope, , $link] = preg_split('/\s+/', $line);
	if ($scope === '20' && $link === 'eth0') echo inet_ntop(hex2bin($hex)), '%eth0';
}`)
}

// addressesOf are a pod's, of each family that it has.
func addressesOf(pod *corev1.Pod) []string {
	var all []string
	for _, ip := range pod.Status.PodIPs {
		all = append(all, ip.IP)
	}
	return all
}

// serviceAddresses are a Service's, of each family that it has.
func (c *cluster) serviceAddresses(t testing.TB, namespace, name string) []string {
	t.Helper()
	var s corev1.Service
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return s.Spec.ClusterIPs
}

func (c *cluster) nodeAddresses(t testing.TB) []string {
	t.Helper()
	var node corev1.Node
	if err := c.Get(t.Context(), client.ObjectKey{Name: c.node}, &node); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			all = append(all, a.Address)
		}
	}
	return all
}

// metadataServices give clouds' machines their credentials.
func metadataServices() []string { return []string{"169.254.169.254", "fd00:ec2::254"} }

// mayLeave reads from a namespace's policies whether an address outside of the
// cluster may be reached.
func (c *cluster) mayLeave(t testing.TB, namespace, address string) bool {
	t.Helper()
	var policies networkingv1.NetworkPolicyList
	if err := c.List(t.Context(), &policies, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	ip := netip.MustParseAddr(address)
	within := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(ip) }
	for _, policy := range policies.Items {
		for _, rule := range policy.Spec.Egress {
			for _, to := range rule.To {
				if to.IPBlock != nil && within(to.IPBlock.CIDR) && !slices.ContainsFunc(to.IPBlock.Except, within) {
					return true
				}
			}
		}
	}
	return false
}
