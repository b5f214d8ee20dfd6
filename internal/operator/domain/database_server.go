package domain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
)

// pingEvery finds out within seconds that the server went or came; a ping is one
// round trip for the whole platform.
const pingEvery = 5 * time.Second

// errNoAccount says that the Secret with the operator's account is not there.
var errNoAccount = errors.New("the operator's account for MariaDB is not known yet")

// Databases is the platform's MariaDB as all Domains share it: one pool, one watch
// over whether it answers.
type Databases struct {
	Settings platform.Database
	// Trust is how long a database that was looked at is believed to be as it was,
	// unless the server was away meanwhile.
	Trust time.Duration
	// Account reads the user name and password of the operator's account.
	Account func(context.Context) (*corev1.Secret, error)
	// Certificate reads MariaDB's Secret with the authority to trust; Proven notes in it
	// that MariaDB showed a certificate of it.
	Certificate func(context.Context) (*corev1.Secret, error)
	Proven      func(context.Context, *corev1.Secret) error
	// Authority reads the Secret with the platform's authority, which signs the
	// certificate that the operator shows MariaDB.
	Authority func(context.Context) (*corev1.Secret, error)
	// Changed is told when the server goes or comes.
	Changed chan event.GenericEvent

	mu     sync.Mutex
	server *mariadb.Server
	asked  bool
	down   error
	proof  proof
	// checked remembers what was found to be as it should be.
	checked map[types.UID]check
	// authority is what sites are told to know MariaDB by.
	authority []byte
	// doubted says that what an earlier operator found may not be true any more.
	doubted bool
}

type check struct {
	site mariadb.Site
	at   time.Time
}

// Start watches over the server until ctx ends. It implements manager.Runnable.
func (s *Databases) Start(ctx context.Context) error {
	watchOver(ctx, pingEvery, s.ask, s.Changed)
	return s.close()
}

// Server returns the server, or why it can't be used now.
func (s *Databases) Server(ctx context.Context) (*mariadb.Server, error) {
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if !asked {
		s.ask(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked { // the program ends before there was an answer
		return nil, ctx.Err()
	}
	return s.server, s.down
}

// Up tells whether the server answered when it was asked last.
func (s *Databases) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked && s.down == nil
}

// ask pings the server with the account of now, and tells whether the answer is
// another than before.
func (s *Databases) ask(ctx context.Context) (changed bool) {
	err := s.reach(ctx)
	if ctx.Err() != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = s.asked && (s.down == nil) != (err == nil)
	if err != nil {
		// What was found may not be true any more when it comes back.
		s.checked, s.doubted = nil, true
	}
	s.asked, s.down = true, err
	return changed
}

// reach finds the server, encrypted if it can be. A server that never was met so may
// be one of an older release, or one that has not got its certificate yet; one that
// was is not spoken to in clear again, whoever answers in its place.
func (s *Databases) reach(ctx context.Context) error {
	secret, err := s.Account(ctx)
	if err != nil {
		return errors.Join(errNoAccount, err)
	}
	account := mariadb.Account{
		Host: s.Settings.Host, Port: s.Settings.Port,
		User: string(secret.Data["username"]), Password: string(secret.Data["password"]),
	}
	certificate, err := s.Certificate(ctx)
	if apierrors.IsNotFound(err) {
		return s.connect(ctx, account) // the operator is about to make it
	}
	if err != nil {
		return err
	}
	proven := certificate.Annotations[platform.AnnotationProven] != ""
	encrypted := account
	encrypted.Authority = string(certificate.Data[platform.KeyAuthority])
	err = s.signIn(ctx, encrypted)
	switch {
	case errors.Is(err, mariadb.ErrUnproven) && !proven:
		return s.connect(ctx, account)
	case err != nil:
		return err
	case !proven:
		if err := s.Proven(ctx, certificate); err != nil {
			return fmt.Errorf("note that MariaDB is spoken to encrypted: %w", err)
		}
	}
	return s.guard(ctx)
}

// guard lets nobody use the operator's account who comes otherwise than we do. The
// server serves without that too, so a server that can't write now is not down.
func (s *Databases) guard(ctx context.Context) error {
	server := s.current()
	if err := server.Guard(ctx); err != nil {
		return server.Ping(ctx)
	}
	return nil
}

// current returns the server as it was reached last, nil before that.
func (s *Databases) current() *mariadb.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

// connect makes the server one for this account, if it answers to it.
func (s *Databases) connect(ctx context.Context, account mariadb.Account) error {
	old := s.current()
	if old != nil && old.Account() == account {
		return old.Ping(ctx)
	}
	server, err := mariadb.Open(account)
	if err != nil {
		return err
	}
	if err := server.Ping(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != old { // another was quicker
		return server.Close()
	}
	if old != nil {
		_ = old.Close() // connections of an account that is no more
		s.checked, s.doubted = nil, true
	}
	s.server = server
	return nil
}

// trusts is told by whose certificate MariaDB is known, and says whether that is
// another than it was told before.
func (s *Databases) trusts(authority []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := bytes.Equal(s.authority, authority)
	s.authority = authority
	return !same
}

func (s *Databases) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

// fresh tells whether exactly this was found a short while ago. What an earlier
// operator found, as before says, is taken for true once: to ask MariaDB about
// thousands of sites at the start would find what is known.
func (s *Databases) fresh(uid types.UID, site mariadb.Site, before bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, met := s.checked[uid]
	if !met && before && !s.doubted {
		s.keep(uid, site)
		return true
	}
	return met && c.site == site && time.Since(c.at) < s.Trust
}

func (s *Databases) found(uid types.UID, site mariadb.Site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(uid, site)
}

func (s *Databases) keep(uid types.UID, site mariadb.Site) {
	if s.checked == nil {
		s.checked = map[types.UID]check{}
	}
	s.checked[uid] = check{site: site, at: time.Now()}
}

// doubt makes the next look at a site's database a real one.
func (s *Databases) doubt(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked == nil {
		s.checked = map[types.UID]check{}
	}
	s.checked[uid] = check{}
}

func (s *Databases) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.checked, uid)
}
