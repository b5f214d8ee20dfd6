package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// belongings are the things of a site that deleting it must take away, by the
// names they had while it lived.
type belongings struct {
	namespace string
	volume    string // PersistentVolume
	folder    string // of the volume, as this computer sees it
	database  string
	user      string
}

// TestDeletingASiteLeavesNothing also looks at a neighbour, who must not notice.
func TestDeletingASiteLeavesNothing(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	leaving := c.newSite(t, "leaving.localhost")
	staying := c.newSite(t, "staying.localhost")
	for _, s := range []site{leaving, staying} {
		s.put(t, "index.php", "<?php echo 'here is ' . $_SERVER['HTTP_HOST'];")
	}
	visitor := c.newVisitor(t, "127.0.0.1")
	visitor.must(t, leaving.url()+"/")
	had := leaving.belongings(t)
	for name, there := range had.remains(t.Context(), c) {
		if there == nil {
			t.Fatalf("the site has no %s to begin with: %+v", name, had)
		}
	}

	c.kubepanel(t, "site", "delete", leaving.name, "--yes").must(t)
	eventually(t, "nothing is left of "+leaving.name, goneLimit, func(ctx context.Context) error {
		var left []error
		if _, err := leaving.domain(ctx); !apierrors.IsNotFound(err) {
			left = append(left, stillThere("the Domain", err))
		}
		for _, there := range had.remains(ctx, c) {
			left = append(left, there)
		}
		return errors.Join(left...)
	})
	if page, err := visitor.get(t.Context(), leaving.url()+"/"); err == nil && page.status < 400 {
		t.Errorf("the edge still answers %d for a deleted site: %.200s", page.status, page.body)
	}
	visitor.must(t, staying.url()+"/")
	if rows := c.mariadb(t, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '"+staying.state(t).Status.Database.Name+"'"); len(rows) != 1 {
		t.Errorf("the neighbour's database: %v", rows)
	}
}

// belongings finds what a live site owns.
func (s site) belongings(t testing.TB) belongings {
	t.Helper()
	d := s.state(t)
	had := belongings{namespace: d.Status.Namespace, database: d.Status.Database.Name, user: d.Status.Database.Username}
	var claim corev1.PersistentVolumeClaim
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: had.namespace, Name: "data"}, &claim); err != nil {
		t.Fatal(err)
	}
	had.volume = claim.Spec.VolumeName
	var volume corev1.PersistentVolume
	if err := s.Get(t.Context(), client.ObjectKey{Name: had.volume}, &volume); err != nil {
		t.Fatal(err)
	}
	path := folderOf(&volume)
	if path == "" {
		t.Fatalf("volume %s is of no kind that the node keeps in a folder; teach the lab where to look", had.volume)
	}
	had.folder = s.onNode(t, path)
	return had
}

// folderOf is where the node keeps a volume, "" when that is not known.
func folderOf(volume *corev1.PersistentVolume) string {
	switch source := volume.Spec.PersistentVolumeSource; {
	case source.HostPath != nil:
		return source.HostPath.Path
	case source.Local != nil:
		return source.Local.Path
	case source.CSI != nil:
		return poolVolumes + source.CSI.VolumeHandle
	}
	return ""
}

// remains returns each thing with an error that says it is still there, or nil
// when it is gone. What can't be looked at counts as there.
func (b belongings) remains(ctx context.Context, c *cluster) map[string]error {
	gone := func(object client.Object, key client.ObjectKey) error {
		err := c.Get(ctx, key, object)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return stillThere(fmt.Sprintf("%T %s", object, key.Name), err)
	}
	rows := func(query string, arg string) error {
		found, err := c.queryMariaDB(ctx, fmt.Sprintf(query, arg))
		if err == nil && len(found) == 0 {
			return nil
		}
		return stillThere(fmt.Sprintf("in the database server: %v", found), err)
	}
	folder := func() error {
		_, err := os.Stat(b.folder)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return stillThere("folder "+b.folder, err)
	}
	return map[string]error{
		"namespace": gone(&corev1.Namespace{}, client.ObjectKey{Name: b.namespace}),
		"volume":    gone(&corev1.PersistentVolume{}, client.ObjectKey{Name: b.volume}),
		"folder":    folder(),
		"database":  rows("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '%s'", b.database),
		"user":      rows("SELECT User FROM mysql.user WHERE User = '%s'", b.user),
		"rights":    rows("SELECT Db FROM mysql.db WHERE User = '%s'", b.user),
	}
}

// stillThere says that something was found, or could not be looked for.
func stillThere(what string, err error) error {
	if err != nil {
		return fmt.Errorf("look for %s: %w", what, err)
	}
	return errors.New(what + " is still there")
}
