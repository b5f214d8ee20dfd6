package domain

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// sftpService keeps the address that customers reach their files at: a port of
// the site's own on every node, or the gateway's.
func (r *Reconciler) sftpService(ctx context.Context, d *v1alpha1.Domain) error {
	service := &corev1.Service{ObjectMeta: inSite(d, desired.SFTPServiceName(d.Spec.DomainName))}
	if !enabled(d.Spec.SFTP.Enabled) || r.Platform.SFTP.Gateway() {
		if gone, err := r.Kube.Delete(ctx, d, service); err != nil || !gone {
			return orWait(err, "Closing", "The way to SFTP is being closed.")
		}
	}
	switch {
	case !enabled(d.Spec.SFTP.Enabled):
		d.Status.SFTP = nil
		return operator.Done("Disabled", "spec.sftp.enabled is false.")
	case r.Platform.SFTP.Gateway():
		return r.throughGateway(ctx, d)
	}
	if err := ensure(ctx, r, d, &service, func() (*corev1.Service, error) { return r.site(d).SFTPService(), nil }); err != nil {
		return err
	}
	if len(service.Spec.Ports) == 0 || service.Spec.Ports[0].NodePort == 0 {
		return operator.Wait(recheck, "NoPort", "Kubernetes has not given SFTP a port yet.")
	}
	return r.sftpStatus(ctx, d, v1alpha1.SFTPStatus{Port: service.Spec.Ports[0].NodePort, Username: desired.SFTPUser})
}

// throughGateway tells customers of the gateway, where the login name chooses the
// site.
func (r *Reconciler) throughGateway(ctx context.Context, d *v1alpha1.Domain) error {
	gateway, err := r.gateway(ctx)
	if err != nil {
		return err
	}
	if err := r.sftpStatus(ctx, d, v1alpha1.SFTPStatus{
		Port: r.Platform.SFTP.Port, Username: desired.SFTPUser + "@" + d.Spec.DomainName,
		HostKey: strings.TrimSpace(string(gateway.Data[platform.KeyGatewayHostPublic])),
	}); err != nil {
		return err
	}
	long, cause := r.Gateway.Down(ctx)
	if cause != nil && (long || !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionSFTPServiceReady)) {
		return operator.Trouble(recheck, "GatewayDown", "The gateway for SFTP and SSH does not answer: %v. "+
			"See kubectl -n %s get pods -l app.kubernetes.io/name=kubepanel-gateway.", cause, r.Platform.Namespace)
	}
	return nil
}

// gateway returns the gateway's keys, or none when customers don't come through it.
func (r *Reconciler) gateway(ctx context.Context) (*corev1.Secret, error) {
	if !r.Platform.SFTP.Gateway() {
		return &corev1.Secret{}, nil
	}
	secret, err := r.platformSecret(ctx, platform.SecretGateway)
	if err != nil {
		return nil, fmt.Errorf("read the gateway's keys: %w", err)
	}
	return secret, nil
}

// sftpStatus completes what is told about the way with the site's keys.
func (r *Reconciler) sftpStatus(ctx context.Context, d *v1alpha1.Domain, s v1alpha1.SFTPStatus) error {
	pods, err := r.pods(ctx, d)
	if err != nil {
		return err
	}
	// Missing only before it is made, which comes with news of its own.
	secret := &corev1.Secret{ObjectMeta: inSite(d, desired.SecretSFTP)}
	if _, err := r.Kube.Live(ctx, secret); err != nil {
		return err
	}
	s.Host = r.sftpHost(d, pods)
	s.ServerKey = strings.TrimSpace(string(secret.Data[desired.KeyHostKeyPublic]))
	s.PublicKey = strings.TrimSpace(string(secret.Data[desired.KeyPublicKey]))
	if s.HostKey == "" {
		s.HostKey = s.ServerKey
	}
	s.PasswordSecretRef = ref(d, desired.SecretSFTP, desired.KeyPassword)
	s.PublicKeySecretRef = ref(d, desired.SecretSFTP, desired.KeyPublicKey)
	d.Status.SFTP = &s
	return nil
}

// sftpHost is what the administrator says, else a node's address: every node
// answers on the port. The pod's own node saves a hop; without a pod the last one
// stays.
func (r *Reconciler) sftpHost(d *v1alpha1.Domain, pods []*corev1.Pod) string {
	if r.Platform.SFTP.Host != "" {
		return r.Platform.SFTP.Host
	}
	if p := newest(pods); p != nil && p.Status.HostIP != "" {
		return p.Status.HostIP
	}
	if d.Status.SFTP != nil {
		return d.Status.SFTP.Host
	}
	return ""
}

// sftp looks whether the SFTP server runs.
func (r *Reconciler) sftp(ctx context.Context, d *v1alpha1.Domain) error {
	switch {
	case !enabled(d.Spec.SFTP.Enabled):
		return operator.Done("Disabled", "spec.sftp.enabled is false.")
	case d.Spec.Suspended:
		return operator.Pause("Suspended", "The site is suspended, and its SFTP server with it.")
	}
	pods, err := r.pods(ctx, d)
	if err != nil {
		return err
	}
	pod := newest(pods)
	if pod == nil {
		return operator.Wait(recheck, "Starting", "The SFTP server starts with the site's pod.")
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name != desired.ContainerSFTP {
			continue
		}
		if s.Ready {
			return nil
		}
		if f := containerState(s); f.trouble {
			return operator.Trouble(recheck, f.reason, "%s", f.message)
		}
	}
	return operator.Wait(recheck, "Starting", "The SFTP server is starting.")
}

func ref(d *v1alpha1.Domain, secret, key string) *v1alpha1.SecretKeyReference {
	return &v1alpha1.SecretKeyReference{Name: secret, Namespace: desired.Namespace(d.Spec.DomainName), Key: key}
}

func orWait(err error, reason, message string) error {
	if err != nil {
		return err
	}
	return operator.Wait(recheck, reason, "%s", message)
}
