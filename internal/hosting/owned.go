package hosting

import (
	"crypto/sha256"
	bits "encoding/binary"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// SiteState is how far a site's ownership has come.
type SiteState string

// States. What a crash left between the store and the cluster is told from them.
const (
	SiteCreating SiteState = "creating" // taken in the store; the Domain may not be there yet
	SiteOwned    SiteState = "owned"
	SiteDeleting SiteState = "deleting" // the Domain may be there still, and its names with it
)

// OwnedSite is what the store knows of a site: whose it is and how much it counts.
type OwnedSite struct {
	Name   string // the domain name
	Object string // the Domain's metadata.name
	Owner  ID
	State  SiteState
	// Amounts count against the owner's package; nil in a brief list.
	Amounts Amounts
	// Names are all names that lead to it, its own first. Reading leaves them out, and
	// without them an update leaves them as they are.
	Names []string
	// NamesSum is SumOfNames of those that are taken for it, 0 when that is not known. Only
	// read, with Amounts.
	NamesSum int64
	// Held: its suspension is its owner's, and Suspended is what it was before.
	Held, Suspended bool
	CreatedAt       time.Time
	ChangedAt       time.Time
	// Written is only read; NoteVersion changes it.
	Written Written

	// Filled in by reading.
	OwnerName      string
	Reseller       ID
	OwnerSuspended bool
	// Domain is what the cluster says; nil when it has no such Domain (yet).
	Domain *v1alpha1.Domain
	// Use is what it used in the last minutes, in lists; nil where that is not measured.
	Use *Use
}

// SumOfNames is a short stand-in for the names of a site, in their order.
func SumOfNames(names []string) int64 {
	text := make([]byte, 0, 512) // of most sites all of it
	for _, name := range names {
		text = append(append(text, name...), '\n')
	}
	sum := sha256.Sum256(text)
	return int64(bits.BigEndian.Uint64(sum[:]))
}

// On is what a decision about the site needs.
func (s *OwnedSite) On() Object { return Object{Owner: s.Owner, Reseller: s.Reseller, Site: s.Name} }

// SiteQuery says which sites are wanted, ordered by name.
type SiteQuery struct {
	Search string // a part of a name
	Owner  ID     // "" for all that the actor may see
	After  string // the name that the page before ended with
	Limit  int    // 0 for 50; at most 200
	Brief  bool   // without Amounts, which a page of the list does not show
	SiteFilter

	// Reseller and Granted narrow to what the actor may see; set by rules.
	Reseller ID
	Granted  []Grant
	Narrowed bool // Granted says all that may be seen
}
