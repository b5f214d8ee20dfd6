package hosting

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/orders"
)

// MaxText is the largest text that is opened for editing, in octets.
const MaxText = 1 << 20

// Read passes a file's content on.
func (f *SiteFiles) Read(ctx context.Context, name string, out io.Writer) error {
	return f.ReadPart(ctx, name, Part{}, out)
}

// Part is a stretch of a file, in octets; Size 0 is all from Offset on.
type Part struct{ Offset, Size int64 }

// ReadPart passes a part of a file's content on.
func (f *SiteFiles) ReadPart(ctx context.Context, name string, part Part, out io.Writer) error {
	at, err := ParsePath(name)
	if err != nil {
		return err
	}
	_, err = f.order(ctx, orders.Order{Do: orders.Read, Path: at, Offset: part.Offset, Size: part.Size}, nil, out)
	return err
}

// Small returns the content of a file that is at most MaxText octets long, and the sum
// that Save wants to hear of it.
func (f *SiteFiles) Small(ctx context.Context, name string) (content []byte, sum string, err error) {
	file, err := f.Stat(ctx, name)
	if err != nil {
		return nil, "", err
	}
	b := &bounded{left: MaxText + 1}
	if file.Size <= MaxText {
		if err := f.ReadPart(ctx, name, Part{Size: MaxText + 1}, b); err != nil {
			return nil, "", err
		}
	}
	if file.Size > MaxText || b.Len() > MaxText {
		return nil, "", &Error{Code: Invalid, Message: showPath(name) + " is larger than the 1 MiB that can be edited here.", Mend: "Download it, or edit it over SSH."}
	}
	return b.Bytes(), ContentSum(b.Bytes()), nil
}

// ContentSum is the sum by which Save knows a file's content.
func ContentSum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Text returns a file's content, and the sum that Save wants to hear of it.
func (f *SiteFiles) Text(ctx context.Context, name string) (text, sum string, err error) {
	at, err := ParsePath(name)
	if err != nil {
		return "", "", err
	}
	content, sum, err := f.Small(ctx, at)
	if err != nil {
		return "", "", err
	}
	if bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content) {
		return "", "", &Error{Code: Invalid, Message: showPath(at) + " is no text in UTF-8.", Mend: "Download it to see what is in it."}
	}
	return string(content), sum, nil
}

// Save replaces a file by a text if it still is what sum was of; with "" it makes a
// new file. It returns Conflict when somebody else changed it meanwhile.
func (f *SiteFiles) Save(ctx context.Context, name, text, sum string) error {
	at, err := ParsePath(name)
	if err != nil {
		return err
	}
	if len(text) > MaxText {
		return invalidField("text", "The text is larger than the 1 MiB that can be edited here; upload it as a file.", nil)
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Save, Path: at, Sum: sum, Size: int64(len(text))}, strings.NewReader(text))
	return err
}

// Make makes a new file or folder, and returns where it is.
func (f *SiteFiles) Make(ctx context.Context, folder, name string, isFolder bool) (string, error) {
	at, err := under(folder, name)
	if err != nil {
		return "", err
	}
	if !isFolder {
		return at, f.Save(ctx, at, "", "")
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Mkdir, Path: at}, nil)
	return at, err
}

// under is the path of a name that somebody typed.
func under(folder, name string) (string, error) {
	at, err := ParsePath(folder)
	if err != nil {
		return "", err
	}
	name, err = ParseFileName(name)
	if err != nil {
		return "", invalidField("name", sentence(err.Error()), nil)
	}
	return path.Join(at, name), nil
}

// Rename gives a file another name in its folder, and returns where it is then.
func (f *SiteFiles) Rename(ctx context.Context, name, to string) (string, error) {
	from, err := ParsePath(name)
	if err != nil {
		return "", err
	}
	at, err := under(path.Dir(from), to)
	if err != nil || at == from {
		return from, err
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Move, Paths: []string{from}, To: at, Rename: true}, nil)
	return at, err
}

// Move gives files another folder, Copy makes copies of them there.
func (f *SiteFiles) Move(ctx context.Context, names []string, to string) error {
	return f.many(ctx, orders.Order{Do: orders.Move, To: to}, names)
}

// Copy copies files, with all that is in them, into a folder.
func (f *SiteFiles) Copy(ctx context.Context, names []string, to string) error {
	return f.many(ctx, orders.Order{Do: orders.Copy, To: to}, names)
}

// Trash moves files into the site's trash.
func (f *SiteFiles) Trash(ctx context.Context, names []string) error {
	return f.many(ctx, orders.Order{Do: orders.Trash}, names)
}

// many carries out an order for several files.
func (f *SiteFiles) many(ctx context.Context, o orders.Order, names []string) error {
	if len(names) == 0 {
		return &Error{Code: Invalid, Message: "No file is chosen.", Mend: "Tick those that you mean."}
	}
	if o.Do == orders.Move || o.Do == orders.Copy {
		if strings.TrimSpace(o.To) == "" {
			return invalidField("to", "Write the folder that they go to.", nil)
		}
		var err error
		if o.To, err = f.target(ctx, strings.TrimSpace(o.To)); err != nil {
			return err
		}
	}
	for _, name := range names {
		at, err := ParsePath(name)
		if err != nil {
			return err
		}
		o.Paths = append(o.Paths, at)
	}
	_, err := f.change(ctx, o, nil)
	return err
}

// target is the folder that files go to. It is looked at first: who misspelt it hears so at
// its field, and nothing is noted as done.
func (f *SiteFiles) target(ctx context.Context, to string) (string, error) {
	at, err := ParsePath(to)
	if err != nil {
		return "", invalidField("to", "No file has a name like that.", nil)
	}
	file, err := f.Stat(ctx, at)
	switch {
	case CodeOf(err) == NotFound:
		return "", invalidField("to", "There is no "+showPath(at)+".", err)
	case err != nil:
		return "", err
	case file.Kind == orders.KindFile:
		return "", invalidField("to", showPath(at)+" is no folder.", nil)
	}
	return at, nil
}

// Mode changes a file's permissions, which are three octal digits.
func (f *SiteFiles) Mode(ctx context.Context, name, digits string) error {
	at, err := ParsePath(name)
	if err != nil {
		return err
	}
	const octal, bits = 8, 9
	mode, err := strconv.ParseUint(strings.TrimSpace(digits), octal, bits)
	if err != nil {
		return invalidField("mode", "Permissions are three digits from 0 to 7, such as 644.", nil)
	}
	_, err = f.change(ctx, orders.Order{Do: orders.Mode, Path: at, Mode: uint32(mode)}, nil)
	return err
}

// Trashed returns what is in the trash, the newest first.
func (f *SiteFiles) Trashed(ctx context.Context) ([]orders.Thrown, error) {
	var all []orders.Thrown
	err := f.ask(ctx, orders.Order{Do: orders.Trashed}, &all)
	return all, err
}

// Restore puts things from the trash back where they were.
func (f *SiteFiles) Restore(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return &Error{Code: Invalid, Message: "Nothing is chosen.", Mend: "Tick what you want back."}
	}
	if err := someNames(names); err != nil {
		return err
	}
	_, err := f.change(ctx, orders.Order{Do: orders.Restore, Paths: names}, nil)
	return err
}

// EmptyTrash removes for good what is in the trash.
func (f *SiteFiles) EmptyTrash(ctx context.Context) error {
	_, err := f.change(ctx, orders.Order{Do: orders.Empty}, nil)
	return err
}
