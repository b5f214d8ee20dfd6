package phase

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const demoSite = "demo.localhost"

// domain is what of a Domain is looked at here.
type domain struct {
	Metadata struct{ Name string }
	Status   struct {
		Message    string
		Conditions []struct{ Type, Status, Message string }
	}
}

// demo makes a first site where none was ever made. One that a person deleted
// does not come back.
func (n *Node) demo(ctx context.Context) (string, error) {
	if n.everMarked("demo") {
		return "made before", nil
	}
	list, err := read[struct{ Items []domain }](ctx, n.api, domainsPath)
	if err != nil {
		return "", err
	}
	unfinished := len(list.Items) == 1 && list.Items[0].Metadata.Name == demoSite
	if len(list.Items) > 0 && !unfinished {
		return "there are sites already", n.mark("demo")
	}
	if unfinished {
		err = n.siteReady(ctx, demoSite)
	} else {
		err = n.createSite(ctx, demoSite)
	}
	if err != nil {
		return "", err
	}
	return demoSite + " is live", n.mark("demo")
}

const domainsPath = "/apis/kubepanel.io/v1alpha1/domains"

// createSite shows the command's own list of steps.
func (n *Node) createSite(ctx context.Context, name string) error {
	command := exec.CommandContext(ctx, filepath.Join(n.machine.Tools(), "kubepanel"), "site", "create", name, "--wordpress", "--wait")
	command.Env = []string{"KUBECONFIG=" + n.machine.Kubeconfig(), "HOME=" + filepath.Join(n.machine.Dir(), "scratch")}
	command.Stdout, command.Stderr = n.out, n.out
	command.ExtraFiles = []*os.File{n.lock}
	if err := command.Run(); err != nil {
		return fmt.Errorf("make site %s: %w", name, err)
	}
	return nil
}

// siteReady waits for a site that an earlier run began.
func (n *Node) siteReady(ctx context.Context, name string) error {
	return await(ctx, 5*time.Minute, func(ctx context.Context) error {
		d, err := read[domain](ctx, n.api, domainsPath+"/"+name)
		if err != nil {
			return err
		}
		for _, condition := range d.Status.Conditions {
			if condition.Type == "Ready" && condition.Status == "True" {
				return nil
			}
		}
		return fmt.Errorf("site %s is not ready: %s", name, d.Status.Message)
	})
}

// Farewell tells a person what to do next.
func (n *Node) Farewell(ctx context.Context) error {
	if n.options.NodeOnly {
		fmt.Fprintf(n.out, "\n  tools      eval \"$(node env --machine %s)\"   kubectl for this node\n", n.machine.Name)
		return nil
	}
	fmt.Fprintln(n.out)
	_, err := read[domain](ctx, n.api, domainsPath+"/"+demoSite)
	if err != nil && !errors.Is(err, errNotFound) {
		return err
	}
	if err == nil {
		fmt.Fprintf(n.out, "  ready      %-30s WordPress; sign in as \"admin\" at /wp-admin/\n", n.url(demoSite))
		fmt.Fprintf(n.out, "  password   kubepanel site password %s\n", demoSite)
	}
	if err := n.panel(ctx); err != nil {
		return err
	}
	fmt.Fprintf(n.out, "  tools      %-30s kubectl, helm and kubepanel for this platform\n", `eval "$(make -s env)"`)
	fmt.Fprintln(n.out, "  next       kubepanel site create blog.localhost --wordpress --wait")
	return nil
}

func (n *Node) url(host string) string {
	if n.settings.HTTPSPort == 443 {
		return "https://" + host + "/"
	}
	return "https://" + host + ":" + strconv.Itoa(n.settings.HTTPSPort) + "/"
}
