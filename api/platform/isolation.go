package platform

// Isolation says what keeps sites apart and what happens where it doesn't.
type Isolation struct {
	// RequireNetworkPolicy refuses new sites while the cluster's network plug-in is not
	// seen to enforce NetworkPolicies.
	RequireNetworkPolicy bool `json:"requireNetworkPolicy,omitempty"`
}

// Ports of the edge at which the operator tries whether policies are enforced. The
// chart's policies leave the first open to it, close the second at the edge's end,
// and the third at the operator's own.
const (
	PortProbeOpen    = 8082
	PortProbeIngress = 8083
	PortProbeEgress  = 8084
)

// What was found last stands in a ConfigMap of the platform's namespace.
const (
	ConfigMapIsolation = "kubepanel-isolation"
	KeyNetworkPolicy   = "networkPolicy" // one of the Policies… below
	KeyMessage         = "message"       // a sentence for people
)

// Values of KeyNetworkPolicy. Nothing was found yet while there is none.
const (
	PoliciesEnforced    = "Enforced"
	PoliciesNotEnforced = "NotEnforced"
)
