package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// throughPanel asks a panel for a plan.
func (c *sitePlan) throughPanel(ctx context.Context, api *client.ClientWithResponses, change hosting.SiteChange) (*hosting.Plan, error) {
	if c.file != "" {
		return c.specThroughPanel(ctx, api)
	}
	name, err := asciiName(c.name)
	if err != nil {
		return nil, err
	}
	if c.delete {
		return planDeletion(ctx, api, name)
	}
	return planChange(ctx, api, name, change)
}

// specThroughPanel asks a panel what the file would do to a site, or to a new one.
func (c *sitePlan) specThroughPanel(ctx context.Context, api *client.ClientWithResponses) (*hosting.Plan, error) {
	d, err := c.read()
	if err != nil {
		return nil, err
	}
	name, err := asciiName(d.Spec.DomainName)
	if err != nil {
		return nil, err
	}
	body := client.PlanSiteSpecRequest{}
	if body.Spec, err = runtime.DefaultUnstructuredConverter.ToUnstructured(&d.Spec); err != nil {
		return nil, fmt.Errorf("write the spec: %w", err)
	}
	planned, err := api.PlanSiteSpecWithResponse(ctx, name, body)
	if err != nil {
		return nil, err
	}
	if err := client.Check(planned.StatusCode(), planned.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return readPlan(planned.Body)
}

// planChange asks a panel what a change would do.
func planChange(ctx context.Context, api *client.ClientWithResponses, name string, change hosting.SiteChange) (*hosting.Plan, error) {
	planned, err := api.PlanSiteWithResponse(ctx, name, panelChange(change))
	if err != nil {
		return nil, err
	}
	if err := client.Check(planned.StatusCode(), planned.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return readPlan(planned.Body)
}

// planDeletion asks a panel what a deletion would do.
func planDeletion(ctx context.Context, api *client.ClientWithResponses, name string) (*hosting.Plan, error) {
	planned, err := api.PlanSiteDeletionWithResponse(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := client.Check(planned.StatusCode(), planned.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return readPlan(planned.Body)
}

func readPlan(text []byte) (*hosting.Plan, error) {
	plan := &hosting.Plan{}
	if err := json.Unmarshal(text, plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return plan, nil
}
