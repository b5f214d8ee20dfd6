package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/a-h/templ"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// platformFrame begins a page about the platform itself.
func (s *Server) platformFrame(r *http.Request, at string) *frame {
	f := s.frame(r, placePlatform)
	f.Title = f.T("Platform")
	f.Crumbs = []link{{Text: f.Title}}
	f.Tabs = f.platformTabs()
	for i := range f.Tabs {
		f.Tabs[i].Current = f.Tabs[i].To == at
	}
	return f
}

func (f *frame) platformTabs() []link {
	return []link{{Text: f.T("Nodes"), To: nodesURL}, {Text: f.T("Catalogue"), To: "/platform/catalogue"}, {Text: f.T("Settings"), To: settingsURL}}
}

const nodesURL = "/platform/nodes"

func nodeURL(name string) string { return nodesURL + "/" + name }

// nodeList is the page of all nodes.
type nodeList struct {
	*frame

	Nodes []hosting.NodeState
}

func (s *Server) listNodes(w http.ResponseWriter, r *http.Request) error {
	nodes, err := s.Rules.NodeStates(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, nodeList{frame: s.platformFrame(r, nodesURL), Nodes: nodes}.view())
}

// nodeBadge is a node's state in one word.
func (f *frame) nodeBadge(n hosting.NodeState) badge {
	switch {
	case !n.Ready:
		return badge{f.T("Not ready"), "bad"}
	case n.Maintenance != nil && !n.Maintenance.DeletionTimestamp.IsZero():
		return badge{f.T("Being opened"), "busy"}
	case n.Maintenance != nil && n.Maintenance.Spec.Drain && !n.Done():
		return badge{f.T("Being drained"), "busy"}
	case n.Maintenance != nil && n.Maintenance.Spec.Drain:
		return badge{f.T("Drained"), "warn"}
	case n.Closed || n.Maintenance != nil:
		return badge{f.T("Closed"), "warn"}
	}
	return badge{f.T("Ready"), "good"}
}

// nodeShow is the page of a node.
type nodeShow struct {
	*frame

	Node hosting.NodeState
	Pods []hosting.NodePod
	// Sites is how many of them are sites.
	Sites int
	// Alone tells that no other node takes pods.
	Alone bool
	// Note is the reason that was typed, where something was wrong with it.
	Note  string
	Wrong faults
}

func (s *Server) nodeShow(r *http.Request) (nodeShow, error) {
	a, name := actor(r.Context()), r.PathValue("node")
	n, err := s.Rules.NodeState(r.Context(), a, name)
	if err != nil {
		return nodeShow{}, err
	}
	all, err := s.Rules.NodeStates(r.Context(), a)
	if err != nil {
		return nodeShow{}, err
	}
	p := nodeShow{frame: s.frame(r, placePlatform), Node: *n}
	p.Alone = !slices.ContainsFunc(all, func(o hosting.NodeState) bool { return o.Name != name && o.Ready && !o.Closed && o.Maintenance == nil })
	p.Title = n.Name
	p.Crumbs = []link{{Text: p.T("Platform"), To: nodesURL}, {Text: n.Name}}
	state := p.nodeBadge(*n)
	p.Badge = &state
	p.Pods, err = s.Rules.NodePods(r.Context(), a, name)
	for _, pod := range p.Pods {
		if pod.Site != "" {
			p.Sites++
		}
	}
	return p, err
}

func (s *Server) showNode(w http.ResponseWriter, r *http.Request) error {
	p, err := s.nodeShow(r)
	if err != nil {
		return err
	}
	if partial(r) {
		return show(w, r, http.StatusOK, templ.Join(p.changing(), headBadge(p.frame)))
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) closeNode(w http.ResponseWriter, r *http.Request) error {
	drain := r.PostFormValue("drain") != ""
	spec := v1alpha1.NodeMaintenanceSpec{Drain: drain, TakeDown: drain && r.PostFormValue("take-down") != "", Reason: r.PostFormValue("reason")}
	err := s.Rules.CloseNode(r.Context(), actor(r.Context()), r.PathValue("node"), spec)
	if err == nil {
		return seeOther(w, r, nodeURL(r.PathValue("node")))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.nodeShow(r)
	if err != nil {
		return err
	}
	p.Wrong, p.Note = wrong, spec.Reason
	return show(w, r, wrong.Status, p.view())
}

func (s *Server) openNode(w http.ResponseWriter, r *http.Request) error {
	if err := s.Rules.OpenNode(r.Context(), actor(r.Context()), r.PathValue("node")); err != nil {
		return err
	}
	return seeOther(w, r, nodeURL(r.PathValue("node")))
}

// Moving tells whether the node's state is about to change by itself.
func (p nodeShow) Moving() bool { return p.Node.Maintenance != nil && !p.Node.Done() }

// Gone is how many of the pods that have to leave have left.
func (p nodeShow) Gone() fill {
	m := p.Node.Maintenance
	if m == nil || m.Status.PodsLeft == nil || m.Status.Pods == 0 {
		return fill{}
	}
	gone := m.Status.Pods - *m.Status.PodsLeft
	return fill{Used: itoa(int(gone)), Size: itoa(int(m.Status.Pods)), Known: true, Calm: true, Percent: int(gone * 100 / m.Status.Pods)}
}

// Reason is the note that was typed, or that the maintenance has already.
func (p nodeShow) Reason() string {
	if p.Note != "" {
		return p.Note
	}
	if p.Node.Maintenance == nil {
		return ""
	}
	return p.Node.Maintenance.Spec.Reason
}

// Steps are the maintenance's, as those of a site.
func (p nodeShow) Steps() []nodeStep {
	m := p.Node.Maintenance
	if m == nil {
		return nil
	}
	steps := []nodeStep{{Name: p.T("The node takes no new pods"), condition: v1alpha1.ConditionNodeClosed}}
	if m.Spec.Drain {
		steps = append(steps, nodeStep{Name: p.T("Its pods are moved"), condition: v1alpha1.ConditionNodeDrained})
	}
	for i := range steps {
		steps[i].read(m)
	}
	return steps
}

// nodeStep is a line of the list of steps.
type nodeStep struct {
	Name, Said, condition string
	State                 hosting.State
}

func (s *nodeStep) read(m *v1alpha1.NodeMaintenance) {
	s.State = hosting.StateRunning
	for _, c := range m.Status.Conditions {
		if c.Type != s.condition {
			continue
		}
		s.Said = c.Message
		if c.Status == metav1.ConditionTrue && c.ObservedGeneration == m.Generation {
			s.State, s.Said = hosting.StateDone, ""
			if c.Reason == v1alpha1.ReasonSomeStay {
				s.Said = c.Message
			}
		}
		if c.Reason == "NoSuchNode" || c.Reason == v1alpha1.ReasonNoOtherNode {
			s.State = hosting.StateStalled
		}
	}
}

// Manifest asks for the same past the panel.
func (p nodeShow) Manifest() string {
	return `kubectl apply -f - <<< '{"apiVersion":"kubepanel.io/v1alpha1","kind":"NodeMaintenance","metadata":{"name":"` + p.Node.Name + `"},"spec":{"drain":true}}'`
}

// catalogue is what sites can run.
type catalogue struct {
	*frame

	Runtimes []offer
}

// offer is a runtime of it.
type offer struct {
	platform.Runtime

	Kind     string
	Versions []string
	Settings []offerSetting
}

type offerSetting struct {
	platform.Setting

	Key string
}

func (s *Server) showCatalogue(w http.ResponseWriter, r *http.Request) error {
	if err := hosting.May(actor(r.Context()), hosting.RightPlatformView, hosting.Object{}); err != nil {
		return err
	}
	settings, err := s.Rules.Panel.Platform.Settings(r.Context())
	if err != nil {
		return err
	}
	p := catalogue{frame: s.platformFrame(r, "/platform/catalogue")}
	for _, kind := range settings.Types() {
		o := offer{Runtime: settings.Runtimes[kind], Kind: kind, Versions: hosting.Versions(settings, kind)}
		o.Title = cmp.Or(o.Title, hosting.RuntimeName(settings, kind))
		for key, setting := range o.Runtime.Settings {
			o.Settings = append(o.Settings, offerSetting{setting, key})
		}
		slices.SortFunc(o.Settings, func(a, b offerSetting) int { return cmp.Compare(a.Key, b.Key) })
		p.Runtimes = append(p.Runtimes, o)
	}
	return show(w, r, http.StatusOK, p.view())
}
