package kube

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

var _ hosting.Meter = Store{}

// podUses is of a list of metrics.k8s.io/v1beta1 what is looked at.
type podUses struct {
	Items []struct {
		Metadata struct {
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Containers []struct {
			Usage struct {
				CPU    resource.Quantity `json:"cpu"`
				Memory resource.Quantity `json:"memory"`
			} `json:"usage"`
		} `json:"containers"`
	} `json:"items"`
}

// Uses implements hosting.Meter: one request, however many sites there are.
func (s Store) Uses(ctx context.Context) (map[string]hosting.Use, error) {
	ours := labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	data, err := s.raw.Get().AbsPath("/apis/metrics.k8s.io/v1beta1/pods").Param("labelSelector", ours.String()).DoRaw(ctx)
	if apierrors.IsNotFound(err) {
		return nil, &hosting.Error{Code: hosting.NotInstalled, Message: "The cluster does not measure what pods use.", Mend: "Install metrics-server.", Err: err}
	}
	if err != nil {
		return nil, s.answer(ctx, "list what pods use", err)
	}
	return usesOf(data)
}

// usesOf sums by namespace.
func usesOf(data []byte) (map[string]hosting.Use, error) {
	var all podUses
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("read what pods use: %w", err)
	}
	by := map[string]hosting.Use{}
	for _, pod := range all.Items {
		use := by[pod.Metadata.Namespace]
		for _, c := range pod.Containers {
			use.CPU += c.Usage.CPU.MilliValue()
			use.Memory += c.Usage.Memory.Value()
		}
		by[pod.Metadata.Namespace] = use
	}
	return by, nil
}
