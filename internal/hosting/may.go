package hosting

import (
	"slices"
	"strings"
)

// May decides whether an actor may do something. Every rule asks it, and nothing
// else decides. It returns Forbidden, or NotFound where even that the object exists
// is none of the actor's business.
func May(a Actor, do Right, on Object) error {
	if allowed(a, do, on) {
		return nil
	}
	if see := sight(do); on.Owner != "" && (see == do || !allowed(a, see, on)) {
		return hidden()
	}
	return &Error{Code: Forbidden, Message: "You may not do that.",
		Mend: "Ask who gave you your account for the right."}
}

// Can is May for faces that leave out what would be refused.
func Can(a Actor, do Right, on Object) bool { return allowed(a, do, on) }

func hidden() error {
	return &Error{Code: NotFound, Message: "There is no such thing, or it is not yours."}
}

func allowed(a Actor, do Right, on Object) bool {
	column := slices.Index(Roles(), a.Role)
	if column < 0 || !inScope(a, do) {
		return false
	}
	switch rights()[do][column] {
	case everybody:
		return mightyEnough(a, do, on)
	case below:
		return a.ID != "" && (on.Owner == a.ID && !raises(do) || on.Reseller == a.ID) && mightyEnough(a, do, on)
	case own:
		return a.ID != "" && on.Owner == a.ID
	case granted:
		return a.granted(do, on)
	case nobody:
	}
	return false
}

// raises tells the actions by which a reseller could lift its own limits or lock
// itself out.
func raises(do Right) bool {
	return slices.Contains([]Right{RightUserCreate, RightUserChange, RightUserSuspend, RightUserDelete, RightUserActAs, RightUserFactors}, do)
}

// mightyEnough keeps an account from those that may do more than it.
func mightyEnough(a Actor, do Right, on Object) bool {
	switch {
	case do == RightUserActAs:
		return on.OwnerRole != Administrator && on.Owner != a.ID
	case raises(do) && a.Role != Administrator:
		return on.OwnerRole == Customer || on.OwnerRole == Collaborator
	case (do == RightUserSuspend || do == RightUserDelete) && on.Owner == a.ID:
		return false // the last administrator would lock everybody out
	case do == RightUserFactors && on.Owner == a.ID:
		return false // one's own are changed by who has them: RightSelfChange
	}
	return true
}

// sight is the action by which an object of do is seen.
func sight(do Right) Right {
	kind, _, _ := strings.Cut(string(do), ".")
	switch kind {
	case "site":
		return RightSiteView
	case "user", "collaborator":
		return RightUserView
	case "package":
		return RightPackageView
	case "self":
		return RightSelfView
	}
	return do
}

// inScope tells whether the way that the actor came is good for something: a token
// for what it was made for, support for all but taking the account over or going elsewhere
// as it.
func inScope(a Actor, do Right) bool {
	if a.Behind != "" && (do == RightUserActAs || do == RightUserFactors || do == RightSelfChange || do == RightSelfSignIn) {
		return false
	}
	return a.Scopes == nil || slices.Contains(a.Scopes, do)
}
