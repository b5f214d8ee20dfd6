package lab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWordPressHasAClockAndACache: what WordPress needs beside PHP is there and
// is really used.
func TestWordPressHasAClockAndACache(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "cached.localhost", "--wordpress", "--redis")
	scheduled := schedulePost(t, s)
	t.Run("Redis holds the object cache", func(t *testing.T) { checkObjectCache(t, s) })
	t.Run("cron runs without page views", func(t *testing.T) { checkCron(t, s, scheduled) })
}

// checkObjectCache asks WordPress itself, in two processes that have nothing in
// common but Redis.
func checkObjectCache(t *testing.T, s site) {
	const load = `<?php require '/var/www/html/wp-load.php'; `
	if got := s.php(t, load+`echo wp_using_ext_object_cache() ? 'yes' : 'no';`); got != "yes" {
		t.Fatalf("WordPress uses an object cache of its own: %q", got)
	}
	s.php(t, load+`wp_cache_set('word', $argv[1], 'lab') || exit(1);`, "sunshine")
	if got := s.php(t, load+`echo wp_cache_get('word', 'lab');`); got != "sunshine" {
		t.Errorf("another process reads %q from the cache, want sunshine", got)
	}
	// What a page of the site stores is there as well: FPM uses the same cache.
	s.newVisitor(t, "127.0.0.1").must(t, s.url()+"/")
	if got := s.php(t, load+`echo is_array(wp_cache_get('alloptions', 'options')) ? 'yes' : 'no';`); got != "yes" {
		t.Errorf("the front page left no options in the cache")
	}
	for _, container := range s.pod(t).Spec.Containers {
		if container.Name == "redis" && len(container.Ports) > 0 {
			t.Errorf("redis has ports %v, want a socket only", container.Ports)
		}
	}
	if open := s.php(t, probeScript, "127.0.0.1:6379"); !strings.HasSuffix(strings.TrimSpace(open), "refused") {
		t.Errorf("redis over TCP: %s, want refused", open)
	}
}

// schedulePost asks WordPress to publish a post in a minute, the least
// that it calls the future, and returns its number. From then on only a scheduler can do it, since nobody looks at it.
func schedulePost(t *testing.T, s site) string {
	t.Helper()
	const script = `<?php
require '/var/www/html/wp-load.php';
$when = time() + 61;
$id = wp_insert_post(['post_title' => 'From the future', 'post_content' => 'x', 'post_status' => 'future',
	'post_date_gmt' => gmdate('Y-m-d H:i:s', $when), 'post_date' => get_date_from_gmt(gmdate('Y-m-d H:i:s', $when))], true);
if (is_wp_error($id)) { fwrite(STDERR, $id->get_error_message()); exit(1); }
if (get_post_status($id) !== 'future') { fwrite(STDERR, 'status is ' . get_post_status($id)); exit(1); }
echo $id;`
	return strings.TrimSpace(s.php(t, script))
}

func checkCron(t *testing.T, s site, post string) {
	outside, err := s.newVisitor(t, "127.0.0.1").get(t.Context(), s.url()+"/wp-cron.php?doing_wp_cron")
	if err != nil {
		t.Fatal(err)
	}
	if outside.status != http.StatusForbidden && outside.status != http.StatusNotFound {
		t.Errorf("wp-cron.php from outside = %d, want a refusal", outside.status)
	}
	database := s.state(t).Status.Database.Name
	// A minute until it is due, and a minute until the scheduler comes by.
	eventually(t, "the scheduler publishes the post", 150*time.Second, func(ctx context.Context) error {
		rows, err := s.queryMariaDB(ctx, fmt.Sprintf("SELECT post_status FROM `%s`.wp_posts WHERE ID = %s", database, post))
		if err != nil {
			return err
		}
		if len(rows) != 1 || rows[0] != "publish" {
			return fmt.Errorf("the post is %v", rows)
		}
		return nil
	})
}
