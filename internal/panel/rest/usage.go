package rest

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) usage() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/usage", id: "getSiteUsage", summary: "Show what a site used during the last day or month",
		scope: hosting.RightSiteView, says: "A day by five minutes, a month by the hour. A span in which nothing was measured is left out."}, s.getSiteUsage)
}

// SiteUsage is what a site used.
type SiteUsage struct {
	Since    time.Time `json:"since"`
	Seconds  int64     `json:"seconds" doc:"How long each sample stands for."`
	Measured bool      `json:"measured" doc:"Samples are taken at all."`
	Samples  []Sample  `json:"samples" doc:"The oldest first."`
}

// Sample is what a site used during a span of time, on average.
type Sample struct {
	At      time.Time `json:"at" doc:"The beginning of the span."`
	CPU     int64     `json:"cpu" doc:"Thousandths of a core. Where memory is 0 it was not measured."`
	Memory  int64     `json:"memory" doc:"Octets; 0 where it was not measured."`
	Storage int64     `json:"storage" doc:"Octets; 0 where it was not measured."`
}

func (s *Server) getSiteUsage(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Span string `query:"span" enum:"day,month" default:"day"`
}) (*answer[SiteUsage], error) {
	h, err := s.Rules.SiteUses(ctx, a, in.Site, in.Span == "month")
	if err != nil {
		return nil, err
	}
	u := SiteUsage{Since: h.Since.UTC().Truncate(h.Span.Long), Seconds: int64(h.Span.Long.Seconds()), Measured: h.Measured, Samples: make([]Sample, 0, len(h.Samples))}
	for _, one := range h.Samples {
		u.Samples = append(u.Samples, Sample{At: one.At, CPU: one.CPU, Memory: one.Memory, Storage: one.Storage})
	}
	return &answer[SiteUsage]{u}, nil
}
