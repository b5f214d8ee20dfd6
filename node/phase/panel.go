package phase

import (
	"context"
	"fmt"
	"strings"
)

// panelHost is where the panel answers on this computer: browsers lead every name
// below localhost to it.
const panelHost = "panel.localhost"

// panel tells where the panel is, and how its first administrator is made for as
// long as there is none.
func (n *Node) panel(ctx context.Context) error {
	fmt.Fprintf(n.out, "  panel      %s\n", n.url(panelHost))
	link, err := n.tool(ctx, nil, "kubectl", "--namespace", platformNamespace, "exec", "kubepanel-panel-0", "--",
		"/usr/local/bin/panel", "link", "--url", n.url(panelHost))
	if err != nil {
		return fmt.Errorf("ask the panel for the administrator's link: %w", err)
	}
	if link = strings.TrimSpace(link); link != "" {
		fmt.Fprintf(n.out, "  begin      %s\n             makes the first administrator; once, within a day\n", link)
	}
	return nil
}
