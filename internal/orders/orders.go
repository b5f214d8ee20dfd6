// Package orders holds the words between the panel and a site's toolbox: what the
// panel asks of the site's files in an SSH channel of its own, and how that is
// answered. It holds neither side's doing.
//
// A channel of the subsystem carries one order. The panel sends the Order as one line
// of JSON and behind it the content that the order takes, if any. The toolbox sends
// what the order gives as the channel's output, and Answers as lines of JSON on its
// error output: some of progress, and the last with Done.
package orders

import "time"

// Subsystem is the name under which a toolbox takes orders (RFC 4254 section 6.5).
const Subsystem = "orders@kubepanel.io"

// MaxLine bounds an order and an answer, in octets.
const MaxLine = 256 << 10

// Folders of the panel's own, at the top of a site's files. Web servers give out
// nothing whose name begins with a dot.
const (
	TrashFolder      = ".trash"
	UploadFolder     = ".uploads"
	QuarantineFolder = ".quarantine"
)

// What can be ordered.
const (
	List    = "list"    // Path, Offset, Limit → a Listing
	Stat    = "stat"    // Path → a File
	Read    = "read"    // Path → its content
	Save    = "save"    // Path, Sum, content → the file is that content, whole or not at all
	Mkdir   = "mkdir"   // Path
	Move    = "move"    // Paths, To: into that folder, or with Rename to that path
	Copy    = "copy"    // Paths, To: likewise
	Mode    = "mode"    // Path, Mode
	Trash   = "trash"   // Paths → they can be restored
	Trashed = "trashed" // → a list of Trash
	Restore = "restore" // Paths: names in the trash
	Empty   = "empty"   // the trash, for good
	Offset  = "offset"  // Part, Size → how much of an upload is there, if there is room for the rest; with To and Sender one Entry says that it has become that file
	Append  = "append"  // Part, Offset, content
	Drop    = "drop"    // Part: the upload is gone
	Finish  = "finish"  // Part, Size, To, Sender: the upload becomes that file
	Pack    = "pack"    // Path, Paths, Format, To: names in a folder; without To the archive is the output
	Unpack  = "unpack"  // Path, To: into that folder, which must not be there, or with Merge into one that is

	Walk       = "walk"       // Since, After, Limit → a Stretch of the files that changed since
	Quarantine = "quarantine" // Path, Only, Part: the file lies in quarantine under that name → a Thrown
	Release    = "release"    // Part, Path, Mode: back from there to that path
	Discard    = "discard"    // Part: out of quarantine for good
)

// Formats of archives.
const (
	Zip   = "zip"
	TarGz = "tar.gz"
)

// Order is what the panel wants. Paths are absolute, "/" being the site's top.
type Order struct {
	Do     string   `json:"do"`
	Path   string   `json:"path,omitempty"`
	Paths  []string `json:"paths,omitempty"`
	To     string   `json:"to,omitempty"`
	Part   string   `json:"part,omitempty"`
	Format string   `json:"format,omitempty"`
	// Sum is the SHA-256, in hexadecimal digits, of what a file must hold to be replaced;
	// "" for one that must not be there.
	Sum     string `json:"sum,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Limit   int    `json:"limit,omitempty"`
	Mode    uint32 `json:"mode,omitempty"`
	Rename  bool   `json:"rename,omitempty"`
	Merge   bool   `json:"merge,omitempty"`
	Replace bool   `json:"replace,omitempty"`
	// Sender is one try to send an upload, which is told for some minutes that it succeeded.
	Sender string `json:"sender,omitempty"`
	// Octets is Path where that is no UTF-8, which JSON has no texts for.
	Octets []byte `json:"octets,omitempty"`
	// Since is an instant in nanoseconds since 1970; 0 is before everything.
	Since int64 `json:"since,omitempty"`
	// After is the Last of the stretch before.
	After []byte `json:"after,omitempty"`
	// Only that state of a file is read or moved.
	Only *Mark `json:"only,omitempty"`
}

// Mark tells one state of a file from every other that it had or will have: Linux sets
// Changed at each change of content, name or rights, and nobody can set it (ctime of
// inode(7)).
type Mark struct {
	Inode   uint64 `json:"inode"`
	Changed int64  `json:"changed"` // nanoseconds since 1970
	Size    int64  `json:"size"`
}

// ChangedFile is a plain file that is not empty. Its path is octets, as Linux has them.
type ChangedFile struct {
	Mark

	Path []byte `json:"path"`
	Mode uint32 `json:"mode"`
}

// Stretch is a part of a walk through all that a site has, in the order of the paths.
type Stretch struct {
	// Now is the site's clock when the stretch began, in nanoseconds since 1970.
	Now   int64         `json:"now"`
	Files []ChangedFile `json:"files"`
	// Last is where the next stretch goes on; empty at the walk's end.
	Last []byte `json:"last,omitempty"`
	// Seen is how many names were passed, Skipped how many folders can't be looked into.
	Seen    int `json:"seen"`
	Skipped int `json:"skipped,omitempty"`
}

// Codes of answers; "" is success.
const (
	Missing   = "missing"
	Exists    = "exists"
	Full      = "full"    // the site's storage
	Changed   = "changed" // by somebody else meanwhile
	Refused   = "refused" // permissions, or a way out of the site
	NotFolder = "not_folder"
	NotFile   = "not_file"
	Inside    = "inside"  // a folder into itself
	TooMany   = "many"    // entries of an archive or a folder
	TooLarge  = "large"   // what an archive would become
	BadEntry  = "entry"   // an archive's name or link that leads out of it
	Broken    = "archive" // no archive, or a damaged one
	Unknown   = "unknown" // an order that this toolbox does not know
	Failed    = "failed"
)

// Answer tells how an order goes, and in the end how it went.
type Answer struct {
	Done bool   `json:"done,omitempty"`
	Code string `json:"code,omitempty"`
	// Path is what Code is about.
	Path string `json:"path,omitempty"`
	// Cause is for a log.
	Cause string `json:"cause,omitempty"`
	// Size is how many octets there are, or were moved; Entries how many files.
	Size    int64 `json:"size,omitempty"`
	Entries int   `json:"entries,omitempty"`
}

// Kinds of files.
const (
	KindFolder = "folder"
	KindFile   = "file"
	KindLink   = "link"
	KindOther  = "other"
)

// File is what a folder holds under a name. Names are octets, as Linux has them.
type File struct {
	Name     []byte    `json:"name"`
	Kind     string    `json:"kind"`
	Size     int64     `json:"size"`
	Mode     uint32    `json:"mode"`
	Modified time.Time `json:"modified"`
	// Target is where a link leads.
	Target []byte `json:"target,omitempty"`
}

// Listing is a part of a folder: folders first, then by name.
type Listing struct {
	Files []File `json:"files"`
	// Total is how many there are in all.
	Total int `json:"total"`
}

// Thrown is something in the trash.
type Thrown struct {
	// Name in the trash, From where it was.
	Name, From []byte
	Kind       string
	Size       int64
	At         time.Time
	// Until is when it is removed for good; zero: never by itself.
	Until time.Time
}
