package paneltest

import (
	"context"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Runs are those of all cron jobs.
type Runs []hosting.CronRun

// CronRuns implements hosting.CronReader.
func (r Runs) CronRuns(context.Context, string) ([]hosting.CronRun, error) { return r, nil }

// Yard is two nodes; what is asked for them is kept, and done when a test says so.
type Yard map[string]*v1alpha1.NodeMaintenance

// Nodes implements hosting.NodeKeeper.
func (Yard) Nodes(context.Context) ([]hosting.Node, error) {
	return []hosting.Node{{Name: "worker-1", Ready: true, Version: "v1.36.0", CPU: "3900m", Memory: "16Gi"}, {Name: "worker-2", Message: "kubelet stopped posting"}}, nil
}

// NodePods implements hosting.NodeKeeper.
func (Yard) NodePods(context.Context, string) ([]hosting.NodePod, error) {
	return []hosting.NodePod{{Namespace: "dom-jo.example", Name: "app-1", Site: "jo.example", Running: true}}, nil
}

// Maintenances implements hosting.NodeKeeper.
func (y Yard) Maintenances(context.Context) ([]v1alpha1.NodeMaintenance, error) {
	var all []v1alpha1.NodeMaintenance
	for _, m := range y {
		all = append(all, *m)
	}
	return all, nil
}

// PutMaintenance implements hosting.NodeKeeper.
func (y Yard) PutMaintenance(_ context.Context, m *v1alpha1.NodeMaintenance) error {
	y[m.Name] = m
	return nil
}

// DeleteMaintenance implements hosting.NodeKeeper.
func (y Yard) DeleteMaintenance(_ context.Context, name string) error {
	if y[name] == nil {
		return &hosting.Error{Code: hosting.NotFound, Message: "no such thing"}
	}
	delete(y, name)
	return nil
}

// Logs are what a site's programs said, by container, a line a minute until At. A log
// that is followed goes on with what comes by More, until that is closed.
type Logs struct {
	Said map[string][]string
	At   time.Time
	More chan string
}

// ReadLog implements hosting.LogReader.
func (l *Logs) ReadLog(ctx context.Context, at hosting.LogPlace, see func(time.Time, string) error) error {
	lines := l.Said[at.Container]
	if at.Previous || lines == nil {
		return &hosting.Error{Code: hosting.Conflict, Message: "There is no such log."}
	}
	for i, text := range lines {
		when := l.At.Add(time.Duration(i-len(lines)) * time.Minute)
		if when.Before(at.Since) {
			continue
		}
		if err := see(when, text); err != nil {
			return err
		}
	}
	for at.Follow {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case text, open := <-l.More:
			if !open {
				return nil
			}
			if err := see(l.At.Add(time.Second), text); err != nil {
				return err
			}
		}
	}
	return nil
}
