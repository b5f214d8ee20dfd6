// Package cyclonus runs cyclonus' generated cases for NetworkPolicies against the
// node under test, over each family of addresses that its pods have. It is a
// module of its own: cyclonus pins an old client of Kubernetes.
package cyclonus

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mattfenwick/cyclonus/pkg/connectivity"
	"github.com/mattfenwick/cyclonus/pkg/connectivity/probe"
	"github.com/mattfenwick/cyclonus/pkg/generator"
	"github.com/sirupsen/logrus"
	v1 "k8s.io/api/core/v1"
)

const (
	// consent says that the cluster may be wrecked, as for the other journeys.
	consent = "KUBEPANEL_LAB"
	// whole asks for every case; without it one case of each set of tags is run.
	whole = "KUBEPANEL_CYCLONUS"

	// settle is how long Calico has to take a change over, in seconds; retries are
	// for the rare change that takes longer.
	settle  = 1
	retries = 5
	// itself leaves out what a pod sends to itself: "a Pod cannot block access to itself"
	// (kubernetes.io, Network Policies), which cyclonus expects unless told otherwise.
	itself = true
	// startLimit is for 36 containers, in seconds.
	startLimit = 300
)

var part = flag.String("cases", "", "run these alone, counted from 0 in each family: 100:143 begins with 100 and ends before 143")

// TestNetworkPoliciesDoWhatTheySay compares, for every pair of nine pods in three
// namespaces and every port, what a policy should do with what the node does.
func TestNetworkPoliciesDoWhatTheySay(t *testing.T) {
	if os.Getenv(consent) != "1" {
		t.Skipf("%s is not 1: this needs a cluster that may be wrecked; 'make cyclonus' has one", consent)
	}
	logrus.SetLevel(logrus.ErrorLevel)
	for _, family := range []v1.IPFamily{v1.IPv4Protocol, v1.IPv6Protocol} {
		t.Run(string(family), func(t *testing.T) { conform(t, family) })
	}
}

func conform(t *testing.T, family v1.IPFamily) {
	c := connect(t, family)
	namespaces := []string{"x", "y", "z"}
	c.clear(t, namespaces)
	t.Cleanup(func() { c.clear(t, namespaces) })
	resources, err := probe.NewDefaultResources(c, namespaces, []string{"a", "b", "c"}, []int{80, 81},
		[]v1.Protocol{v1.ProtocolTCP, v1.ProtocolUDP}, nil, startLimit, true, "")
	if err != nil {
		t.Fatal(err)
	}
	target, err := resources.GetPod("z", "c")
	if err != nil {
		t.Fatal(err)
	}
	run := connectivity.NewInterpreter(c, resources, &connectivity.InterpreterConfig{
		IgnoreLoopback: itself, ResetClusterBeforeTestCase: true, VerifyClusterStateBeforeTestCase: true,
		KubeProbeRetries: retries, PerturbationWaitSeconds: settle, BatchJobs: true, JobTimeoutSeconds: 1,
	})
	cases := generator.NewTestCaseGenerator(true, target.IP, namespaces, nil, without()).GenerateTestCases()
	all := len(cases)
	if os.Getenv(whole) != "1" {
		cases = representative(cases)
	}
	first, end := chosen(t, len(cases))
	t.Logf("%d to %d of %d selected from %d cases over %s", first, end, len(cases), all, family)
	for _, tc := range cases[first:end] {
		for _, step := range tc.Steps {
			// By name would wait for a DNS server that the policy under test walls off.
			step.Probe.Mode = generator.ProbeModePodIP
		}
		t.Run(tc.Description, func(t *testing.T) {
			result := run.ExecuteTestCase(tc)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			for i, step := range result.Steps {
				if !step.Passed(itself) {
					t.Errorf("step %d (tags %s): wanted\n%s\ngot\n%s", i+1, strings.Join(tc.Tags.Keys(), ", "),
						step.SimulatedProbe.RenderTable(), step.LastKubeProbe().RenderTable())
				}
			}
		})
	}
}

// chosen are the cases that -cases asks for: all without it.
func chosen(t *testing.T, all int) (first, end int) {
	if *part == "" {
		return 0, all
	}
	if _, err := fmt.Sscanf(*part, "%d:%d", &first, &end); err != nil || first < 0 || end > all || first >= end {
		t.Fatalf("-cases %s: there are %d, so it has to be like 0:%d", *part, all, all)
	}
	return first, end
}

// without are the tags of cases that can't apply here: a kernel without SCTP has no
// such sockets to try with.
func without() []string {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, syscall.IPPROTO_SCTP)
	if err != nil {
		return []string{generator.TagSCTPProtocol}
	}
	_ = syscall.Close(s)
	return nil
}

// representative keeps the first case of each set of tags: each combination of
// direction, peers, ports, protocols and actions that cyclonus tells apart once.
func representative(cases []*generator.TestCase) []*generator.TestCase {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(cases), func(tc *generator.TestCase) bool {
		tags := tc.Tags.Keys()
		slices.Sort(tags)
		key := strings.Join(tags, " ")
		had := seen[key]
		seen[key] = true
		return had
	})
}
