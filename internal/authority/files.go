package authority

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// LookEvery is how often Files are read anew, at most. The kubelet takes longer to bring
// them.
const LookEvery = 5 * time.Second

// errNoFiles says that there was nothing to be read yet.
var errNoFiles = errors.New("there is no certificate that can be read")

// Files are a program's certificate as a Secret's come into its pod: tls.crt, tls.key and,
// in ca.crt, the authority of those it speaks with. A program starts without them and
// takes them when they come; of what can't be read it keeps the last that could. They are
// looked at when somebody asks and at no other time. The fields are set before Show.
type Files struct {
	Folder string
	// Lacking says that there may be the authority alone, and no certificate to show.
	Lacking bool
	Log     *slog.Logger
	Now     func() time.Time

	mu     sync.Mutex
	looked time.Time
	pair   *tls.Certificate
	trust  Trust
	told   string // the trouble that the log has
}

// Show reads what is due to be read, and returns the certificate of now, which is nil where
// it is lacking, and whom to trust; an error before either could be read.
func (f *Files) Show(context.Context) (*tls.Certificate, *x509.CertPool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	if f.pair == nil || now.Sub(f.looked) >= LookEvery {
		f.looked = now
		f.tell(f.read(now))
	}
	roots := f.trust.Pool(now)
	if roots == nil || f.pair == nil && !f.Lacking {
		return nil, nil, errNoFiles
	}
	return f.pair, roots, nil
}

// read reads the files. While they change they may not fit each other.
func (f *Files) read(now time.Time) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.Folder, "tls.crt"), filepath.Join(f.Folder, "tls.key"))
	none := f.Lacking && errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return err
	}
	roots, err := os.ReadFile(filepath.Join(f.Folder, "ca.crt"))
	if err != nil {
		return err
	}
	if err := f.trust.Set(now, roots); err != nil {
		return err
	}
	if f.pair = nil; !none {
		f.pair = &pair
	}
	return nil
}

// tell says once what is wrong, and when it no longer is.
func (f *Files) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == f.told {
		return
	}
	f.told = text
	if err != nil {
		f.Log.Warn("read the program's certificate", "folder", f.Folder, "err", err)
		return
	}
	f.Log.Info("the program's certificate can be read again", "folder", f.Folder)
}
