package rest

import (
	"context"
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) packages() {
	handle(s, operation{method: http.MethodGet, path: "/packages", id: "listPackages", summary: "List packages that accounts can have", scope: hosting.RightPackageView}, s.listPackages)
	handle(s, operation{method: http.MethodPost, path: "/packages", id: "createPackage", summary: "Make a package", scope: hosting.RightPackageCreate, status: http.StatusCreated}, s.createPackage)
	handle(s, operation{method: http.MethodGet, path: "/packages/{package}", id: "getPackage", summary: "Show a package", scope: hosting.RightPackageView}, s.getPackage)
	handle(s, operation{method: http.MethodPut, path: "/packages/{package}", id: "changePackage", summary: "Give a package another name or other limits", scope: hosting.RightPackageChange,
		says: "Where that puts accounts over their quota it answers 409, unless accept says that this is meant: they keep what they have and get nothing more of it."}, s.changePackage)
	handle(s, operation{method: http.MethodDelete, path: "/packages/{package}", id: "deletePackage", summary: "Delete a package that no account has", scope: hosting.RightPackageDelete,
		status: http.StatusNoContent}, s.deletePackage)
	handle(s, operation{method: http.MethodPost, path: "/packages/{package}/plan", id: "planPackage", summary: "Tell whom other limits would put over their quota",
		scope: hosting.RightPackageChange, secret: true}, s.planPackage)
}

// Package says how much an account may use.
type Package struct {
	ID       hosting.ID `json:"id"`
	Name     string     `json:"name"`
	Reseller hosting.ID `json:"reseller,omitempty" doc:"Whose it is; missing for the provider's."`
	Users    int64      `json:"users" doc:"How many accounts have it."`
	Quota    Quota      `json:"quota"`
}

// Quota limits resources; what is missing has no limit. The numbers are those that JSON
// holds exactly (RFC 8259 section 6); which of them may be is hosting's to say.
type Quota struct {
	Sites         *int64 `json:"sites,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991"`
	Storage       *int64 `json:"storage,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"GiB"`
	CPU           *int64 `json:"cpu,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"Thousandths of a core."`
	Memory        *int64 `json:"memory,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"MiB"`
	Databases     *int64 `json:"databases,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991"`
	DomainAliases *int64 `json:"domainAliases,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991"`
	Mailboxes     *int64 `json:"mailboxes,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991"`
	MailAliases   *int64 `json:"mailAliases,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991"`
	Backups       *int64 `json:"backups,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"Kept ones."`
	Traffic       *int64 `json:"traffic,omitempty" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"GiB a month."`
}

// fields pairs resources with where they stand.
func (q *Quota) fields() map[hosting.Resource]**int64 {
	return map[hosting.Resource]**int64{
		hosting.Sites: &q.Sites, hosting.Storage: &q.Storage, hosting.CPU: &q.CPU, hosting.Memory: &q.Memory, hosting.Databases: &q.Databases,
		hosting.DomainAliases: &q.DomainAliases, hosting.Mailboxes: &q.Mailboxes, hosting.MailAliases: &q.MailAliases,
		hosting.Backups: &q.Backups, hosting.Traffic: &q.Traffic,
	}
}

func (q *Quota) quota() hosting.Quota {
	all := hosting.Quota{}
	for resource, field := range q.fields() {
		if *field != nil {
			all[resource] = **field
		}
	}
	return all
}

func quotaOf(from hosting.Quota) Quota {
	var q Quota
	for resource, field := range q.fields() {
		if most, ok := from[resource]; ok {
			*field = &most
		}
	}
	return q
}

func packageOf(p *hosting.Package) Package {
	return Package{ID: p.ID, Name: p.Name, Reseller: p.Reseller, Users: p.Users, Quota: quotaOf(p.Quota)}
}

// PackagePath is an operation on one package.
type PackagePath struct {
	Package hosting.ID `path:"package" maxLength:"64" doc:"The package's ID."`
}

func (s *Server) listPackages(ctx context.Context, a hosting.Actor, in *Paging) (*answer[List[Package]], error) {
	found, err := s.Rules.Packages(ctx, a)
	if err != nil {
		return nil, err
	}
	return paged(*in, found, func(p *hosting.Package) string { return byName(p.Name, p.ID) }, packageOf)
}

func (s *Server) createPackage(ctx context.Context, a hosting.Actor, in *struct {
	Body struct {
		Name     string     `json:"name" maxLength:"300"`
		Quota    Quota      `json:"quota"`
		Reseller hosting.ID `json:"reseller,omitempty" maxLength:"64" doc:"For administrators to say; a reseller's packages are its own."`
	} `nameHint:"NewPackage"`
}) (*versioned[Package], error) {
	made, err := s.rules(ctx).CreatePackage(ctx, a, hosting.NewPackage{Name: in.Body.Name, Quota: in.Body.Quota.quota(), Reseller: in.Body.Reseller})
	if err != nil {
		return nil, err
	}
	r := versionedAs(made.Version(), packageOf(made))
	r.Location = Prefix + "/packages/" + string(made.ID)
	return r, nil
}

func (s *Server) getPackage(ctx context.Context, a hosting.Actor, in *PackagePath) (*versioned[Package], error) {
	found, err := s.Rules.Package(ctx, a, in.Package)
	if err != nil {
		return nil, err
	}
	return versionedAs(found.Version(), packageOf(found)), nil
}

func (s *Server) changePackage(ctx context.Context, a hosting.Actor, in *struct {
	PackagePath
	Condition
	Accept bool `query:"accept" doc:"Change it although that puts accounts over their quota."`
	Body   struct {
		Name  string `json:"name" maxLength:"300"`
		Quota Quota  `json:"quota"`
	} `nameHint:"PackageChange"`
}) (*versioned[Package], error) {
	changed, err := s.Rules.If(in.version()).ChangePackage(ctx, a, in.Package, hosting.NewPackage{Name: in.Body.Name, Quota: in.Body.Quota.quota()}, in.Accept)
	if err != nil {
		return nil, err
	}
	return versionedAs(changed.Version(), packageOf(changed)), nil
}

func (s *Server) deletePackage(ctx context.Context, a hosting.Actor, in *struct {
	PackagePath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeletePackage(ctx, a, in.Package)
}

// Excess is an account that would be over its quota.
type Excess struct {
	User User        `json:"user"`
	Over []QuotaLine `json:"over"`
}

func (s *Server) planPackage(ctx context.Context, a hosting.Actor, in *struct {
	PackagePath
	Body struct {
		Quota Quota `json:"quota"`
	} `nameHint:"PackagePlan"`
}) (*answer[List[Excess]], error) {
	over, err := s.Rules.PlanPackage(ctx, a, in.Package, in.Body.Quota.quota())
	if err != nil {
		return nil, err
	}
	l := List[Excess]{Items: make([]Excess, 0, len(over))}
	for i := range over {
		l.Items = append(l.Items, Excess{User: userOf(&over[i].User), Over: linesOf(over[i].Lines)})
	}
	return &answer[List[Excess]]{l}, nil
}
