package domain

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// service keeps the address that the edge sends visitors to.
func (r *Reconciler) service(ctx context.Context, d *v1alpha1.Domain) error {
	return r.apply(ctx, d, r.site(d).Service())
}

// sftpService keeps the address that customers reach their files at.
func (r *Reconciler) sftpService(ctx context.Context, d *v1alpha1.Domain) error {
	service := r.site(d).SFTPService()
	if !enabled(d.Spec.SFTP.Enabled) {
		d.Status.SFTP = nil
		if gone, err := r.Kube.Delete(ctx, d, service); err != nil || !gone {
			return orWait(err, "Closing", "The way to SFTP is being closed.")
		}
		return operator.Done("Disabled", "spec.sftp.enabled is false.")
	}
	if err := r.Kube.Apply(ctx, d, service); err != nil {
		return err
	}
	if len(service.Spec.Ports) == 0 || service.Spec.Ports[0].NodePort == 0 {
		return operator.Wait(recheck, "NoPort", "Kubernetes has not given SFTP a port yet.")
	}
	pods, err := r.pods(ctx, d)
	if err != nil {
		return err
	}
	d.Status.SFTP = &v1alpha1.SFTPStatus{
		Host: r.sftpHost(d, pods), Port: service.Spec.Ports[0].NodePort, Username: desired.SFTPUser,
		PasswordSecretRef:  ref(d, desired.SecretSFTP, desired.KeyPassword),
		PublicKeySecretRef: ref(d, desired.SecretSFTP, desired.KeyPublicKey),
	}
	return nil
}

// sftpHost is what the administrator says, else a node's address: every node
// answers on the port. The pod's own node saves a hop; without a pod the last one
// stays.
func (r *Reconciler) sftpHost(d *v1alpha1.Domain, pods []corev1.Pod) string {
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
