package rest

import (
	"context"
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) companies() {
	handle(s, operation{method: http.MethodGet, path: "/companies", id: "listCompanies", summary: "List the companies whose people sign in by OpenID Connect",
		scope: hosting.RightPlatformView}, s.listCompanies)
	handle(s, operation{method: http.MethodPost, path: "/companies", id: "createCompany", summary: "Let a company's people sign in", scope: hosting.RightPlatformChange,
		status: http.StatusCreated, says: "The answer has the address that the company's provider has to know."}, s.createCompany)
	handle(s, operation{method: http.MethodGet, path: "/companies/{company}", id: "getCompany", summary: "Show a company's provider", scope: hosting.RightPlatformView}, s.getCompany)
	handle(s, operation{method: http.MethodPut, path: "/companies/{company}", id: "changeCompany", summary: "Replace what is known of a company's provider",
		scope: hosting.RightPlatformChange, says: "A secret that is left out stays."}, s.changeCompany)
	handle(s, operation{method: http.MethodDelete, path: "/companies/{company}", id: "deleteCompany", summary: "Let nobody sign in by a company any more",
		scope: hosting.RightPlatformChange, status: http.StatusNoContent, says: "The accounts stay."}, s.deleteCompany)
}

// CompanySettings say how a company's people sign in.
type CompanySettings struct {
	Name       string       `json:"name" maxLength:"300" doc:"On the button."`
	Issuer     string       `json:"issuer" maxLength:"1000" doc:"The provider's address." example:"https://login.company.example"`
	ClientID   string       `json:"clientId" maxLength:"1000"`
	Domains    []string     `json:"domains" maxItems:"100" doc:"Those of the mail addresses that the provider is believed about."`
	Role       hosting.Role `json:"role,omitempty" enum:"customer,collaborator,administrator" doc:"Of accounts that are made for people who come the first time; when left out, none are."`
	Package    hosting.ID   `json:"package,omitempty" maxLength:"64" doc:"Of customers who are made."`
	AsksFactor bool         `json:"asksFactor,omitempty" doc:"The provider asks for a second factor itself, so that the panel need not."`
}

// Company is a company's provider, without its secret.
type Company struct {
	ID hosting.ID `json:"id"`
	CompanySettings

	Answers string `json:"answers" doc:"The address that the provider has to know (redirect URI)."`
}

// CompanyWish is what somebody wants of one.
type CompanyWish struct {
	CompanySettings

	Secret string `json:"secret,omitempty" maxLength:"1000" doc:"The client's; never shown."`
}

func (w CompanyWish) provider(id hosting.ID) hosting.IdentityProvider {
	return hosting.IdentityProvider{ID: id, Name: w.Name, Issuer: w.Issuer, ClientID: w.ClientID, Secret: []byte(w.Secret), Domains: w.Domains,
		Role: w.Role, Package: w.Package, AsksFactor: w.AsksFactor}
}

func (s *Server) companyOf(p *hosting.IdentityProvider) Company {
	return Company{ID: p.ID, Answers: s.Doors.CompanyAnswers(p.ID), CompanySettings: CompanySettings{Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID,
		Domains: append([]string{}, p.Domains...), Role: p.Role, Package: p.Package, AsksFactor: p.AsksFactor}}
}

func (s *Server) showCompany(p *hosting.IdentityProvider) *versioned[Company] {
	return versionedAs(p.Version(), s.companyOf(p))
}

// CompanyPath is an operation on one company.
type CompanyPath struct {
	Company hosting.ID `path:"company" maxLength:"64"`
}

func (s *Server) listCompanies(ctx context.Context, a hosting.Actor, in *Paging) (*answer[List[Company]], error) {
	found, err := s.Rules.IdentityProviders(ctx, a)
	if err != nil {
		return nil, err
	}
	return paged(*in, found, func(p *hosting.IdentityProvider) string { return byName(p.Name, p.ID) }, s.companyOf)
}

func (s *Server) createCompany(ctx context.Context, a hosting.Actor, in *struct{ Body CompanyWish }) (*versioned[Company], error) {
	made, err := s.rules(ctx).PutIdentityProvider(ctx, a, in.Body.provider(""))
	if err != nil {
		return nil, err
	}
	r := s.showCompany(made)
	r.Location = Prefix + "/companies/" + string(made.ID)
	return r, nil
}

func (s *Server) getCompany(ctx context.Context, a hosting.Actor, in *CompanyPath) (*versioned[Company], error) {
	found, err := s.Rules.IdentityProvider(ctx, a, in.Company)
	if err != nil {
		return nil, err
	}
	return s.showCompany(found), nil
}

func (s *Server) changeCompany(ctx context.Context, a hosting.Actor, in *struct {
	CompanyPath
	Condition
	Body CompanyWish
}) (*versioned[Company], error) {
	changed, err := s.Rules.If(in.version()).PutIdentityProvider(ctx, a, in.Body.provider(in.Company))
	if err != nil {
		return nil, err
	}
	return s.showCompany(changed), nil
}

func (s *Server) deleteCompany(ctx context.Context, a hosting.Actor, in *struct {
	CompanyPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeleteIdentityProvider(ctx, a, in.Company)
}
