package rest

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) platform() {
	handle(s, operation{method: http.MethodGet, path: "/catalogue", id: "listRuntimes", summary: "List what sites can run"}, s.catalogue)
	handle(s, operation{method: http.MethodGet, path: "/platform", id: "getPlatform", summary: "Show how customers reach their sites"}, s.getPlatform)
}

// Runtime is one type of workload of the catalogue.
type Runtime struct {
	Type     string           `json:"type" example:"python"`
	Title    string           `json:"title" example:"Python"`
	Default  string           `json:"default" doc:"The version of a site that names none."`
	Versions []string         `json:"versions"`
	Settings []RuntimeSetting `json:"settings" doc:"What a site can set. PHP's are directives of its own and stand nowhere."`
}

// RuntimeSetting is one setting of a runtime.
type RuntimeSetting struct {
	Key         string   `json:"key"`
	Type        string   `json:"type"`
	Default     string   `json:"default,omitempty"`
	Values      []string `json:"values,omitempty"`
	Description string   `json:"description,omitempty"`
}

func (s *Server) catalogue(ctx context.Context, _ hosting.Actor, _ *struct{}) (*answer[List[Runtime]], error) {
	settings, err := s.Rules.Panel.Platform.Settings(ctx)
	if err != nil {
		return nil, err
	}
	l := List[Runtime]{Items: []Runtime{}}
	for _, kind := range settings.Types() {
		offer := settings.Runtimes[kind]
		r := Runtime{Type: kind, Title: settings.Name(kind), Default: offer.Default, Versions: hosting.Versions(settings, kind), Settings: []RuntimeSetting{}}
		if r.Versions == nil {
			r.Versions = []string{}
		}
		for _, key := range slices.Sorted(maps.Keys(offer.Settings)) {
			one := offer.Settings[key]
			r.Settings = append(r.Settings, RuntimeSetting{Key: key, Type: one.Type, Default: string(one.Default), Values: one.Values, Description: one.Description})
		}
		l.Items = append(l.Items, r)
	}
	return &answer[List[Runtime]]{l}, nil
}

// Platform is what customers need to know of it.
type Platform struct {
	SiteURL string          `json:"siteURL" doc:"How a site's address is written, for the name NAME." example:"https://NAME"`
	SFTP    string          `json:"sftp" enum:"gateway,nodePort" doc:"One door for all sites, or one for each."`
	Rights  []hosting.Right `json:"rights" doc:"What a token can be good for."`
	Shares  []hosting.Right `json:"shares" doc:"What a collaborator can be given."`
}

func (s *Server) getPlatform(ctx context.Context, _ hosting.Actor, _ *struct{}) (*answer[Platform], error) {
	settings, err := s.Rules.Panel.Platform.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return &answer[Platform]{Platform{SiteURL: settings.Edge.URL("NAME"), SFTP: settings.SFTP.Exposure,
		Rights: tokenScopes(), Shares: hosting.Grantable()}}, nil
}
