package phase

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	apiPatience = 3 * time.Minute
	// requestPatience: an API server that is just starting may hold a request without end.
	requestPatience = 5 * time.Second
)

// client asks the API server a few questions. A whole Kubernetes client would
// be ten times this program; what changes things goes through kubectl and helm.
type client struct {
	server string
	http   *http.Client
}

// kubeconfig is the part of the file that kubeadm writes which is needed here.
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `yaml:"server"`
			CA     string `yaml:"certificate-authority-data"`
		} `yaml:"cluster"`
	} `yaml:"clusters"`
	Users []struct {
		User struct {
			Certificate string `yaml:"client-certificate-data"`
			Key         string `yaml:"client-key-data"`
		} `yaml:"user"`
	} `yaml:"users"`
}

func newClient(text []byte) (*client, error) {
	var config kubeconfig
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	if len(config.Clusters) != 1 || len(config.Users) != 1 {
		return nil, errors.New("read kubeconfig: it does not name exactly one cluster and one user")
	}
	ca, err := base64.StdEncoding.DecodeString(config.Clusters[0].Cluster.CA)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("read kubeconfig: its certificate authority is no certificate")
	}
	certificate, err := base64.StdEncoding.DecodeString(config.Users[0].User.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: certificate: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(config.Users[0].User.Key)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return &client{
		server: config.Clusters[0].Cluster.Server,
		http: &http.Client{
			Timeout: requestPatience,
			// No proxy: the machine is on this computer.
			Transport: &http.Transport{TLSClientConfig: &tls.Config{
				RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
			}},
		},
	}, nil
}

// errNotFound says that the API server answers, and that there is no such thing.
var errNotFound = errors.New("not found")

// errTooEarly is what an API server that has just started answers about kinds that it has
// not read yet.
var errTooEarly = errors.New("the API server is not ready for it")

// An API server that is starting is asked so often, with pauses as long as it says itself.
const (
	earlyTries = 30
	earlyPause = time.Second
)

// get waits for an API server that says it will know in a moment.
func (c *client) get(ctx context.Context, path string) (body []byte, err error) {
	for range earlyTries {
		if body, err = c.once(ctx, path); !errors.Is(err, errTooEarly) {
			return body, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(earlyPause):
		}
	}
	return nil, err
}

func (c *client) once(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	if response.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("get %s: %w", path, errNotFound)
	}
	if response.StatusCode == http.StatusTooManyRequests {
		return nil, fmt.Errorf("get %s: %w: %s", path, errTooEarly, response.Status)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", path, response.Status)
	}
	return body, nil
}

// read decodes what is at a path.
func read[T any](ctx context.Context, c *client, path string) (T, error) {
	var value T
	body, err := c.get(ctx, path)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(body, &value); err != nil {
		return value, fmt.Errorf("get %s: %w", path, err)
	}
	return value, nil
}

// tool runs one of the tools that a person has too, against this cluster, with
// its scratch files in the machine's folder.
func (n *Node) tool(ctx context.Context, input []byte, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(n.machine.Tools(), name), args...)
	scratch := filepath.Join(n.machine.Dir(), "scratch")
	command.Env = []string{
		"PATH=" + n.machine.Tools() + ":" + os.Getenv("PATH"), "KUBECONFIG=" + n.machine.Kubeconfig(),
		"HOME=" + scratch, "KUBECACHEDIR=" + filepath.Join(scratch, "kube"),
		"HELM_CACHE_HOME=" + filepath.Join(scratch, "helm"), "HELM_CONFIG_HOME=" + filepath.Join(scratch, "helm"),
		"HELM_DATA_HOME=" + filepath.Join(scratch, "helm"),
	}
	var output, said bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &output, &said
	command.ExtraFiles = []*os.File{n.lock}
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, lastLines(said.String()))
	}
	return output.String(), nil
}

// apply makes the cluster's objects those of a manifest.
func (n *Node) apply(ctx context.Context, objects []byte) error {
	// An API server that has just come up may still refuse what a later moment allows.
	return await(ctx, time.Minute, func(ctx context.Context) error {
		_, err := n.tool(ctx, objects, "kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager=kubepanel-node", "-f", "-")
		return err
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
