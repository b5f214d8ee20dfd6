package hosting

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Right names something that one may do or not. Its text stands in tokens, grants
// and the audit trail, so it never changes.
type Right string

// Rights.
const (
	RightSiteView     Right = "site.view"
	RightSiteCreate   Right = "site.create"
	RightSiteChange   Right = "site.change"
	RightSiteDelete   Right = "site.delete"
	RightSiteRestart  Right = "site.restart"
	RightSitePassword Right = "site.password" // see an account of the site
	RightSiteFiles    Right = "site.files"
	RightSiteTerminal Right = "site.terminal"
	RightSiteDatabase Right = "site.database"
	RightSiteLogs     Right = "site.logs"
	RightSiteCron     Right = "site.cron"
	RightSiteAssign   Right = "site.assign" // give a site to another customer

	RightUserView    Right = "user.view"
	RightUserCreate  Right = "user.create"
	RightUserChange  Right = "user.change"
	RightUserSuspend Right = "user.suspend"
	RightUserDelete  Right = "user.delete"
	RightUserActAs   Right = "user.act-as"  // log in as somebody for support
	RightUserFactors Right = "user.factors" // take another's second factors away, for who has lost them

	RightCollaboratorView   Right = "collaborator.view"
	RightCollaboratorInvite Right = "collaborator.invite"
	RightCollaboratorRemove Right = "collaborator.remove"

	RightPackageView   Right = "package.view"
	RightPackageCreate Right = "package.create"
	RightPackageChange Right = "package.change"
	RightPackageDelete Right = "package.delete"

	RightSelfView   Right = "self.view"    // one's own account, sessions, tokens, usage
	RightSelfChange Right = "self.change"  // one's own password, second factors, sessions, tokens
	RightSelfSignIn Right = "self.sign-in" // at an application, by the panel

	RightWebhookView   Right = "webhook.view" // one's own webhooks
	RightWebhookChange Right = "webhook.change"

	RightAuditView      Right = "audit.view"
	RightPlatformView   Right = "platform.view"
	RightPlatformChange Right = "platform.change"
)

// Object is what an action is done to, as far as a decision needs it.
type Object struct {
	// Owner is the account that the object is, or belongs to; empty for what is yet
	// to be made.
	Owner ID
	// Reseller is whose customer the owner is.
	Reseller ID
	// OwnerRole is the owner's role; set where the object is an account.
	OwnerRole Role
	// Site is the name of a site, for grants on one site.
	Site string
}

// reach says on whose objects a role may do something.
type reach int

const (
	nobody  reach = iota
	granted       // where a grant says so
	own           // one's own
	below         // one's own, and those of one's customers
	everybody
)

// rights is the whole policy: for each action the reach of administrators,
// resellers, customers and collaborators.
var rights = sync.OnceValue(func() map[Right][4]reach {
	site := [4]reach{everybody, below, own, granted}
	provider := [4]reach{everybody, nobody, nobody, nobody}
	selling := [4]reach{everybody, below, nobody, nobody}
	inviting := [4]reach{everybody, below, own, nobody}
	oneself := [4]reach{own, own, own, own}
	return map[Right][4]reach{
		RightSiteView: site, RightSiteCreate: site, RightSiteChange: site, RightSiteDelete: site, RightSiteRestart: site, RightSitePassword: site,
		RightSiteFiles: site, RightSiteTerminal: site, RightSiteDatabase: site, RightSiteLogs: site, RightSiteCron: site,
		RightSiteAssign: selling,
		RightUserView:   {everybody, below, own, own},
		RightUserCreate: selling, RightUserChange: selling, RightUserSuspend: selling, RightUserDelete: selling, RightUserActAs: selling, RightUserFactors: selling,
		RightCollaboratorView: inviting, RightCollaboratorInvite: inviting, RightCollaboratorRemove: inviting,
		RightPackageView: selling, RightPackageCreate: selling, RightPackageChange: selling, RightPackageDelete: selling,
		RightSelfView: oneself, RightSelfChange: oneself, RightSelfSignIn: oneself,
		RightWebhookView: {own, own, own, nobody}, RightWebhookChange: {own, own, own, nobody},
		RightAuditView:    {everybody, below, own, nobody},
		RightPlatformView: provider, RightPlatformChange: provider,
	}
})

// Ever tells whether a role may do something at all, on whatever objects.
func (r Role) Ever(do Right) bool {
	column := slices.Index(Roles(), r)
	return column >= 0 && rights()[do][column] != nobody
}

// Looks tells whether a right is one to see something, and changes nothing.
func (r Right) Looks() bool { return strings.HasSuffix(string(r), ".view") }

// Rights returns all rights, in the order of their texts.
func Rights() []Right { return slices.Sorted(maps.Keys(rights())) }

// Grantable returns what a collaborator can be given.
func Grantable() []Right {
	return []Right{RightSiteView, RightSiteChange, RightSiteRestart, RightSitePassword, RightSiteFiles, RightSiteTerminal, RightSiteDatabase, RightSiteLogs, RightSiteCron,
		RightSiteCreate, RightSiteDelete}
}
