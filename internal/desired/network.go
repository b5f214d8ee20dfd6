package desired

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Labels by which policies know the platform's own pods.
const (
	labelNamespaceName = "kubernetes.io/metadata.name"
	nameEdge           = "kubepanel-edge"
	nameGateway        = "kubepanel-gateway"
	nameOperator       = "kubepanel-operator"
	nameMariaDB        = "mariadb"
	namespaceDNS       = "kube-system"
)

// policySite is the name of a site's policy.
const policySite = "site"

// portSFTP is where a site's SFTP server listens.
const portSFTP = 2222

// NetworkPolicy closes both ways for every pod in the namespace, whatever it is, but for
// those that the site needs. Cron jobs go out as the site does.
func (s Site) NetworkPolicy() *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: s.meta(policySite),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     s.ingressRules(),
			Egress:      s.egressRules(),
		},
	}
}

func (s Site) ingressRules() []networkingv1.NetworkPolicyIngressRule {
	rules := []networkingv1.NetworkPolicyIngressRule{{
		// The operator asks what became of a changed configuration.
		From:  []networkingv1.NetworkPolicyPeer{s.platformPods(nameEdge), s.platformPods(nameOperator)},
		Ports: ports(corev1.ProtocolTCP, portHTTP),
	}}
	if s.sftpEnabled() {
		rule := networkingv1.NetworkPolicyIngressRule{Ports: ports(corev1.ProtocolTCP, portSFTP)}
		if s.Platform.SFTP.Gateway() {
			rule.From = []networkingv1.NetworkPolicyPeer{s.platformPods(nameGateway)}
		}
		rules = append(rules, rule)
	}
	return rules
}

func (s Site) egressRules() []networkingv1.NetworkPolicyEgressRule {
	rules := []networkingv1.NetworkPolicyEgressRule{{
		To: []networkingv1.NetworkPolicyPeer{{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelNamespaceName: namespaceDNS}},
		}},
		Ports: append(ports(corev1.ProtocolUDP, 53), ports(corev1.ProtocolTCP, 53)...),
	}}
	if s.databaseEnabled() {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{s.platformPods(nameMariaDB)},
			Ports: ports(corev1.ProtocolTCP, s.Platform.Database.Port),
		})
	}
	if relay := s.relay(); relay != nil {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{*relay},
			Ports: ports(corev1.ProtocolTCP, s.Platform.Mail.RelayPort),
		})
	}
	return append(rules, networkingv1.NetworkPolicyEgressRule{To: s.internet()})
}

// relay is the way to a mail relay inside the cluster: an address, or a Service by
// its name, whose pods listen on the port of the setting. One outside is part of
// the Internet.
func (s Site) relay() *networkingv1.NetworkPolicyPeer {
	host := s.Platform.Mail.RelayHost
	if address, err := netip.ParseAddr(host); err == nil {
		return &networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: netip.PrefixFrom(address, address.BitLen()).String()}}
	}
	labels := strings.Split(host, ".")
	if len(labels) < 3 || labels[2] != "svc" {
		return nil
	}
	return &networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelNamespaceName: labels[1]}},
	}
}

// internet is every address but the cluster's and those that only a machine's
// neighbourhood answers: at a link-local address clouds hand out the machine's own
// credentials (RFC 3927, RFC 4291 section 2.5.6; fd00:ec2::254 is one that is not).
func (s Site) internet() []networkingv1.NetworkPolicyPeer {
	four := networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"169.254.0.0/16"}}
	six := networkingv1.IPBlock{CIDR: "::/0", Except: []string{"fe80::/10", "fd00:ec2::254/128"}}
	for _, cidr := range s.Platform.ClusterCIDRs {
		p, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
			continue // the settings were checked when they were read
		case p.Addr().Is4():
			four.Except = append(four.Except, p.Masked().String())
		default:
			six.Except = append(six.Except, p.Masked().String())
		}
	}
	return []networkingv1.NetworkPolicyPeer{{IPBlock: &four}, {IPBlock: &six}}
}

func (s Site) platformPods(name string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelNamespaceName: s.Platform.Namespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelName: name}},
	}
}

func ports(protocol corev1.Protocol, port int32) []networkingv1.NetworkPolicyPort {
	return []networkingv1.NetworkPolicyPort{{Protocol: ptr.To(protocol), Port: ptr.To(intstr.FromInt32(port))}}
}
