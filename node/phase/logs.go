package phase

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/node/machine"
)

// LogFiles finds the newest log of every component by name: what the supervisor
// keeps running, and the containers of Kubernetes' own pods. They are files, so they can
// be read when nothing runs any more.
func LogFiles(m machine.Machine) (map[string]string, error) {
	settings, _, err := m.Settings()
	if err != nil {
		return nil, err
	}
	podLogs := PlaceOf(m, settings).Path("/var/log/pods")
	files := map[string]string{}
	own, err := filepath.Glob(filepath.Join(m.Logs(), "*.log"))
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	for _, file := range own {
		files[strings.TrimSuffix(filepath.Base(file), ".log")] = file
	}
	// pods/NAMESPACE_POD_UID/CONTAINER/RESTART.log
	for _, namespace := range []string{"kube-system", platformNamespace} {
		pods, err := filepath.Glob(filepath.Join(podLogs, namespace+"_*/*/*.log"))
		if err != nil {
			return nil, fmt.Errorf("list logs: %w", err)
		}
		for _, file := range pods {
			name := filepath.Base(filepath.Dir(file))
			if newer(file, files[name]) {
				files[name] = file
			}
		}
	}
	return files, nil
}

func newer(file, than string) bool {
	if than == "" {
		return true
	}
	a, aErr := os.Stat(file)
	b, bErr := os.Stat(than)
	return aErr == nil && (bErr != nil || a.ModTime().After(b.ModTime()))
}

// Tail prints a file's last lines.
func Tail(out io.Writer, file string, lines int) error {
	text, err := tail(file, lines)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

func tail(file string, lines int) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	// Lines of some hundred bytes: enough of them lie in the file's end.
	const end = 256 << 10
	if info, err := f.Stat(); err == nil && info.Size() > end {
		if _, err := f.Seek(-end, io.SeekEnd); err != nil {
			return "", fmt.Errorf("read log: %w", err)
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return "", fmt.Errorf("read log: %w", err)
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n"), nil
}

// Diagnose prints what a person would look at next: how things stand, the pods
// in trouble with their causes and last lines, and the newest warnings.
func Diagnose(ctx context.Context, m machine.Machine, out io.Writer) error {
	status, err := Look(ctx, m)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "== status\n%s", status)
	text, err := os.ReadFile(m.Kubeconfig())
	if err == nil && status.Running {
		var api *client
		if api, err = newClient(text); err == nil {
			settings, _, _ := m.Settings() // Look has read them
			err = diagnoseCluster(ctx, PlaceOf(m, settings).Path("/var/log/pods"), api, out)
		}
	}
	if err != nil {
		fmt.Fprintf(out, "== the cluster can't be asked: %v\n", err)
	}
	files, err := LogFiles(m)
	if err != nil {
		return err
	}
	for _, name := range []string{"daemon", "machine", "containerd", "kubelet", "kube-apiserver", "etcd", "operator", "edge", "panel"} {
		if file, ok := files[name]; ok {
			fmt.Fprintf(out, "== last lines of %s (%s)\n", name, file)
			if err := Tail(out, file, 15); err != nil {
				return err
			}
		}
	}
	return nil
}

func diagnoseCluster(ctx context.Context, podLogs string, api *client, out io.Writer) error {
	all, err := pods(ctx, api, "")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "== pods in trouble")
	for _, p := range all {
		for _, c := range p.Status.ContainerStatuses {
			if c.Ready {
				continue
			}
			fmt.Fprintf(out, "%s/%s %s: %d restarts, %s\n", p.Metadata.Namespace, p.Metadata.Name, c.Name, c.RestartCount, c.State.text)
			logs, _ := filepath.Glob(filepath.Join(podLogs, p.Metadata.Namespace+"_"+p.Metadata.Name+"_*", c.Name, "*.log"))
			slices.Sort(logs)
			if len(logs) > 0 {
				if err := Tail(out, logs[len(logs)-1], 10); err != nil {
					return err
				}
			}
		}
	}
	return warnings(ctx, api, out)
}

func warnings(ctx context.Context, api *client, out io.Writer) error {
	type event struct {
		LastTimestamp, Reason, Message string
		InvolvedObject                 struct{ Kind, Namespace, Name string }
	}
	list, err := read[struct{ Items []event }](ctx, api, "/api/v1/events?fieldSelector=type%3DWarning")
	if err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(a, b event) int { return strings.Compare(a.LastTimestamp, b.LastTimestamp) })
	fmt.Fprintln(out, "== newest warnings")
	for _, e := range list.Items[max(0, len(list.Items)-20):] {
		fmt.Fprintf(out, "%s %s %s/%s %s: %s\n", e.LastTimestamp, e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name, e.Reason, e.Message)
	}
	return nil
}
