package domain

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// config keeps what the site's containers read: configuration and credentials.
func (r *Reconciler) config(ctx context.Context, d *v1alpha1.Domain) error {
	if asFound(d) {
		if known, err := r.knownPod(ctx, d); err != nil || known {
			return err
		}
	}
	site := r.site(d)
	configs, err := site.Config()
	if err != nil {
		return operator.Stall("InvalidConfig", "%s.", err)
	}
	if err := r.credentials(ctx, d); err != nil {
		return err
	}
	if err := r.apply(ctx, d, configs[0], configs[1]); err != nil {
		return err
	}
	if err := r.takenOver(ctx, d, configs); err != nil {
		return operator.Applied(err)
	}
	if faults := site.SettingsFaults(); len(faults) > 0 {
		return operator.Applied(operator.Stall("UnknownSetting",
			"%s. The site runs without; correct or remove it.", strings.Join(faults, "; ")))
	}
	return nil
}

// credentials keeps the site's Secrets. What is in one stays: values are made up
// only for keys that are missing.
func (r *Reconciler) credentials(ctx context.Context, d *v1alpha1.Domain) error {
	site := r.site(d)
	gateway, err := r.gateway(ctx)
	if err != nil {
		return err
	}
	err = r.secret(ctx, d, desired.SecretSFTP, func(live *corev1.Secret) (*corev1.Secret, error) {
		c, err := completeSFTP(live.Data, gateway.Data[platform.KeyGatewayAuthorityPublic])
		if err != nil {
			return nil, err
		}
		want := site.SFTPSecret(c.SFTPCredentials)
		if c.hashed {
			return want, nil
		}
		// Checking a hash costs a millisecond, so only when somebody changed something.
		if same, err := r.Kube.Current(d, want, live); err != nil || same {
			return want, err
		}
		if err := c.rehash(); err != nil {
			return nil, err
		}
		return site.SFTPSecret(c.SFTPCredentials), nil
	})
	if err != nil {
		return err
	}
	password := func(build func(string) *corev1.Secret) func(*corev1.Secret) (*corev1.Secret, error) {
		return func(live *corev1.Secret) (*corev1.Secret, error) {
			return build(keep(live.Data, desired.KeyPassword)), nil
		}
	}
	if enabled(d.Spec.Database.Enabled) {
		authority, err := r.databaseAuthority(ctx)
		if err != nil {
			return err
		}
		if err := r.databaseSecret(ctx, d, func(p desired.DatabasePassword) *corev1.Secret { return site.DatabaseSecret(p, authority) }); err != nil {
			return err
		}
	}
	if d.Spec.WordPress.Preinstall {
		return r.secret(ctx, d, desired.SecretWordPress, password(site.WordPressSecret))
	}
	return nil
}

// databaseAuthority returns the certificate by which sites can tell MariaDB: that of
// its Secret, or before there is one, of the authority that will sign it.
func (r *Reconciler) databaseAuthority(ctx context.Context) ([]byte, error) {
	server, err := r.platformSecret(ctx, platform.SecretMariaDBTLS)
	if err == nil {
		return server.Data[platform.KeyAuthority], nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read MariaDB's certificate: %w", err)
	}
	ca, err := r.platformSecret(ctx, platform.SecretCA)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read the platform's authority: %w", err)
	}
	return ca.Data[corev1.TLSCertKey], nil
}

// databaseSecret keeps the password of the site's database. One that was changed
// has to become that of its user, whatever was found there before.
func (r *Reconciler) databaseSecret(ctx context.Context, d *v1alpha1.Domain, build func(desired.DatabasePassword) *corev1.Secret) error {
	asked := d.Annotations[v1alpha1.AnnotationPasswordAskedAt]
	return r.secret(ctx, d, desired.SecretDatabase, func(live *corev1.Secret) (*corev1.Secret, error) {
		password := databasePassword(live, asked, time.Now())
		if password.AskedAt != live.Annotations[v1alpha1.AnnotationPasswordAskedAt] && live.UID != "" {
			// Nobody is asked twice: our cache may not have seen yet that it was done.
			var now corev1.Secret
			if err := r.Direct.Get(ctx, client.ObjectKeyFromObject(live), &now); err != nil {
				return nil, fmt.Errorf("read Secret %s: %w", live.Name, err)
			}
			password = databasePassword(&now, asked, time.Now())
		}
		want := build(password)
		same, err := r.Kube.Current(d, want, live)
		if err == nil && !same {
			r.Databases.doubt(d.UID)
		}
		return want, err
	})
}

// secret keeps one Secret that complete builds from what is in it. It is made with
// Create: an apply could overwrite a password that our cache has not seen yet.
func (r *Reconciler) secret(ctx context.Context, d *v1alpha1.Domain, name string, complete func(live *corev1.Secret) (*corev1.Secret, error)) error {
	live := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: desired.Namespace(d.Spec.DomainName)}}
	found, err := r.Kube.Live(ctx, live)
	if err != nil {
		return err
	}
	if !found {
		want, err := complete(live)
		if err != nil {
			return err
		}
		created, err := r.Kube.Create(ctx, d, want)
		if err != nil || created {
			return err
		}
		if err := r.Direct.Get(ctx, client.ObjectKeyFromObject(want), live); err != nil {
			return fmt.Errorf("read Secret %s: %w", name, err)
		}
	}
	want, err := complete(live)
	if err != nil {
		return err
	}
	return r.Kube.Apply(ctx, d, want)
}

func enabled(b *bool) bool { return b == nil || *b }
