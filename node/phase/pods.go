package phase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// pod is what tells whether one serves, and why not.
type pod struct {
	Metadata struct {
		Namespace, Name string
		// DeletionTimestamp is set on a pod that is going.
		DeletionTimestamp string
	}
	Status struct {
		Phase             string
		ContainerStatuses []struct {
			Name         string
			Ready        bool
			RestartCount int
			State        containerState
		}
	}
}

// containerState keeps the text for a person beside the one field that is looked at.
type containerState struct {
	Running struct {
		StartedAt time.Time `json:"startedAt"`
	} `json:"running"`
	text string
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *containerState) UnmarshalJSON(data []byte) error {
	type plain containerState
	if err := json.Unmarshal(data, (*plain)(s)); err != nil {
		return fmt.Errorf("read a container's state: %w", err)
	}
	s.text = string(data)
	return nil
}

// stale tells whether what is known of a pod is from before the machine
// started: until the kubelet has looked, the API server repeats what it last heard.
func (p pod) stale(since time.Time) bool {
	for _, c := range p.Status.ContainerStatuses {
		// Seconds are all that the API server keeps of a start.
		if started := c.State.Running.StartedAt; !started.IsZero() && started.Before(since.Truncate(time.Second)) {
			return true
		}
	}
	return false
}

// serves tells whether all its containers are ready, as of this run of the machine.
func (p pod) serves(since time.Time) bool {
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0 && !p.stale(since)
}

// pods lists those of a namespace, or all with "", that are neither done nor going.
func pods(ctx context.Context, c *client, namespace string) ([]pod, error) {
	path := "/api/v1/pods"
	if namespace != "" {
		path = "/api/v1/namespaces/" + namespace + "/pods"
	}
	list, err := read[struct{ Items []pod }](ctx, c, path)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(p pod) bool {
		return p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed" || p.Metadata.DeletionTimestamp != ""
	}), nil
}

// unheard names the pods of a namespace of which only old news is known.
func (n *Node) unheard(ctx context.Context, namespace string) ([]string, error) {
	all, err := pods(ctx, n.api, namespace)
	if err != nil {
		return nil, err
	}
	var stale []string
	for _, p := range all {
		if p.stale(n.place.Since()) {
			stale = append(stale, p.Metadata.Name+": not started again yet")
		}
	}
	return stale, nil
}

// sitesPatience is for sites to come back after a restart. One that does not is
// its owner's or the operator's trouble, and no reason for 'up' to fail.
const sitesPatience = time.Minute

var errSitesMissing = errors.New("sites do not serve yet")

// sites waits until the sites that were there serve again.
func (n *Node) sites(ctx context.Context) (string, error) {
	var total, serving int
	var missing []string
	err := await(ctx, sitesPatience, func(ctx context.Context) error {
		all, err := pods(ctx, n.api, "")
		if err != nil {
			return err
		}
		total, serving, missing = 0, 0, nil
		for _, p := range all {
			if !strings.HasPrefix(p.Metadata.Namespace, "dom-") {
				continue
			}
			total++
			if p.serves(n.place.Since()) {
				serving++
			} else {
				missing = append(missing, strings.TrimPrefix(p.Metadata.Namespace, "dom-"))
			}
		}
		if len(missing) > 0 {
			return errSitesMissing
		}
		return nil
	})
	if len(missing) > 0 {
		return fmt.Sprintf("%d of %d serve; not yet: %s ('kubepanel site show NAME' tells why)", serving, total, strings.Join(missing, ", ")), nil
	}
	return fmt.Sprintf("%d of %d serve", serving, total), err
}
