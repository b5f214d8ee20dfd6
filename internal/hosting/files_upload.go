package hosting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"kubepanel.io/kubepanel/internal/orders"
)

// Upload is a file on its way into a site. It grows there, under a name that follows
// from all of this, so that whoever sends the same file goes on where it was cut.
type Upload struct {
	// Path that it is to have.
	Path string
	Size int64
	// Modified tells versions of one file apart: what the sender's computer says.
	Modified string
	// Replace a file that is there.
	Replace bool
	// Sender names one try to send it, by random letters; "" for one that needs not be told
	// again that it succeeded.
	Sender string
}

// part names an upload inside the site.
func (f *SiteFiles) part(u Upload) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d:%s\n%d\n%s", f.visit.Account, len(u.Path), u.Path, u.Size, u.Modified))
	const octets = 16
	return hex.EncodeToString(sum[:octets])
}

func (u *Upload) check() (err error) {
	const longest = 64 // octets of what a browser names itself by
	if u.Size < 0 || u.Path == "" || len(u.Sender) > longest {
		return &Error{Code: Invalid, Message: "The upload has no name or no size."}
	}
	u.Path, err = ParsePath(u.Path)
	return err
}

// Uploaded returns how much of an upload is there, in octets; OverQuota when the site has no
// room for the rest.
func (f *SiteFiles) Uploaded(ctx context.Context, u Upload) (int64, error) {
	if err := u.check(); err != nil {
		return 0, err
	}
	answer, err := f.uploaded(ctx, u)
	return answer.Size, err
}

// uploaded asks how much of an upload is there; one Entry says that it has become the file.
func (f *SiteFiles) uploaded(ctx context.Context, u Upload) (orders.Answer, error) {
	return f.order(ctx, orders.Order{Do: orders.Offset, Part: f.part(u), Size: u.Size, To: u.Path, Sender: u.Sender}, nil, nil)
}

// CancelUpload forgets an upload that is not whole yet, if there is one.
func (f *SiteFiles) CancelUpload(ctx context.Context, u Upload) error {
	if err := u.check(); err != nil {
		return err
	}
	answer, err := f.order(ctx, orders.Order{Do: orders.Drop, Part: f.part(u)}, nil, nil)
	// The toolbox of a release before keeps it for a week.
	if answer.Code == orders.Missing || answer.Code == orders.Unknown {
		return nil
	}
	return err
}

// Upload adds a piece to an upload that is offset octets long. When that makes it
// whole it is looked at, where there is a scanner, and becomes the file. A piece with a
// method Keep has it called while that lasts. It returns how much is there; Conflict when that is not
// what the sender believes, or a file of that name is there. A Sender who was not told that
// it became the file hears so for some minutes, as long as nobody touches that file.
func (f *SiteFiles) Upload(ctx context.Context, u Upload, offset int64, piece io.Reader) (int64, error) {
	if err := u.check(); err != nil {
		return 0, err
	}
	there := offset
	if offset < u.Size || u.Size == 0 {
		answer, err := f.order(ctx, orders.Order{Do: orders.Append, Part: f.part(u), Offset: offset, Size: u.Size - offset}, piece, nil)
		if there = answer.Size; err != nil {
			return there, err
		}
	} else if answer, err := f.uploaded(ctx, u); err != nil || answer.Entries == 1 {
		return answer.Size, err
	}
	if there < u.Size {
		return there, nil
	}
	if err := f.scan(ctx, u, piece); err != nil {
		return there, err
	}
	_, err := f.change(ctx, orders.Order{Do: orders.Finish, Part: f.part(u), Size: u.Size, To: u.Path, Replace: u.Replace, Sender: u.Sender}, nil)
	return there, err
}
