package phase

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
)

const (
	platformNamespace = "kubepanel-system"
	chart             = "deploy/kubepanel"
)

// chartValues are those of the chart's values that only this node knows
// (deploy/kubepanel/values.yaml tells what they mean).
type chartValues struct {
	Images         map[string]string       `yaml:"images"`
	Runtimes       map[string]chartRuntime `yaml:"runtimes"`
	UserNamespaces bool                    `yaml:"userNamespaces"`
	ClusterCIDRs   []string                `yaml:"clusterCIDRs"`
	Edge           chartEdge               `yaml:"edge"`
	SFTP           chartSFTP               `yaml:"sftp"`
	Panel          chartPanel              `yaml:"panel"`
}

type chartPanel struct {
	Host string `yaml:"host"`
}

type chartSFTP struct {
	Host              string   `yaml:"host"`
	Port              int      `yaml:"port"`
	ProxyProtocolFrom []string `yaml:"proxyProtocolFrom"`
}

type chartRuntime struct {
	Versions map[string]chartImage `yaml:"versions"`
}

type chartImage struct {
	Image string `yaml:"image"`
}

type chartEdge struct {
	HTTPPort          int      `yaml:"httpPort"`
	HTTPSPort         int      `yaml:"httpsPort"`
	ProxyProtocolFrom []string `yaml:"proxyProtocolFrom"`
	PublishAddress    string   `yaml:"publishAddress"`
}

// valuesOf names the images that were built and the ways that visitors come.
func valuesOf(images []build.Image, settings machine.Settings) chartValues {
	values := chartValues{
		Images:         map[string]string{},
		Runtimes:       map[string]chartRuntime{},
		UserNamespaces: true,
		// The node's network too: a site has no business with the API server or this computer.
		ClusterCIDRs: append([]string{podCIDR, serviceCIDR}, settings.Reserved()...),
		Edge: chartEdge{
			HTTPPort: settings.HTTPPort, HTTPSPort: settings.HTTPSPort,
			ProxyProtocolFrom: []string{}, PublishAddress: settings.Address(),
		},
	}
	values.Panel.Host = panelHost
	values.SFTP = chartSFTP{Port: settings.SSHPort, ProxyProtocolFrom: []string{}}
	if !settings.Host {
		forwarder := []string{settings.Gateway() + "/32"}
		values.Edge.ProxyProtocolFrom, values.SFTP.ProxyProtocolFrom = forwarder, forwarder
		values.SFTP.Host = "localhost"
	}
	for _, image := range images {
		switch image.Name {
		case "php", "python", "nodejs":
			if values.Runtimes[image.Name].Versions == nil {
				values.Runtimes[image.Name] = chartRuntime{Versions: map[string]chartImage{}}
			}
			values.Runtimes[image.Name].Versions[image.Version] = chartImage{Image: image.Ref}
		case "kubepanel", "mariadb", "nginx", "toolbox", "redis", "wordpress", "phpmyadmin", "clamav":
			values.Images[image.Name] = image.Ref
		case "toolbox-git":
			values.Images["toolboxGit"] = image.Ref
		}
	}
	return values
}

// platform installs the Helm chart with this node's values.
func (n *Node) platform(ctx context.Context) (string, error) {
	folder, err := findAbove(n.options.Root, chart)
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(valuesOf(n.images, n.settings))
	if err != nil {
		return "", fmt.Errorf("write the chart's values: %w", err)
	}
	file := filepath.Join(n.machine.Dir(), "values.yaml")
	if err := machine.WriteFile(file, text, 0o644); err != nil {
		return "", err
	}
	if err := n.releaseStuck(ctx); err != nil {
		return "", err
	}
	if err := n.askAgain(ctx, platformNamespace); err != nil {
		return "", err
	}
	_, err = n.tool(ctx, nil, "helm", "upgrade", "kubepanel", folder, "--install", "--history-max", "3",
		"--namespace", platformNamespace, "--create-namespace", "--values", file)
	if err != nil {
		return "", err
	}
	count, err := n.serving(ctx, platformNamespace, 5*time.Minute)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("chart %s installed, %d workloads serve", chart, count), nil
}

// releaseStuck forgets a release that a killed run left "pending": helm would
// refuse every later one, believing that somebody still works on it.
func (n *Node) releaseStuck(ctx context.Context) error {
	const pending = "owner=helm,name=kubepanel,status in (pending-install,pending-upgrade,pending-rollback)"
	path := "/api/v1/namespaces/" + platformNamespace + "/secrets?labelSelector=" + url.QueryEscape(pending)
	stuck, err := read[struct{ Items []struct{} }](ctx, n.api, path)
	if err != nil || len(stuck.Items) == 0 {
		return err
	}
	_, err = n.tool(ctx, nil, "kubectl", "delete", "secret", "--namespace", platformNamespace, "--selector", pending)
	return err
}

// findAbove finds something of the checkout: below root, or else below this
// folder or one above it.
func findAbove(root, path string) (string, error) {
	if root == "" {
		root = os.Getenv("KUBEPANEL_ROOT")
	}
	if root != "" {
		return filepath.Join(root, path), nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, path)); err == nil {
			return filepath.Join(folder, path), nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("find the sources: no %s in this folder or above it; run inside the checkout or set KUBEPANEL_ROOT: %w", path, errors.ErrUnsupported)
		}
	}
}
