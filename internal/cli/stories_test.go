package cli

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	yes     = metav1.ConditionTrue
	no      = metav1.ConditionFalse
	unknown = metav1.ConditionUnknown
)

// born is how an operator brings a site up.
func born() []scene {
	return []scene{
		{300 * time.Millisecond, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			set(d, v1alpha1.ConditionNamespaceReady, yes, "Satisfied", "")
			set(d, v1alpha1.ConditionPVCReady, no, "VolumePending", "The volume is being made.")
			set(d, v1alpha1.ConditionDeploymentReady, no, "RollingOut", "The pod is starting.")
			set(d, v1alpha1.ConditionIngressReady, yes, "Satisfied", "")
			set(d, v1alpha1.ConditionCertificateReady, unknown, "Waiting", "Waits for IngressReady.")
			set(d, v1alpha1.ConditionReady, no, "RollingOut", "The pod is starting.")
			d.Status.Phase, d.Status.Namespace = v1alpha1.DomainProvisioning, "dom-blog-localhost"
			return d
		}},
		{500 * time.Millisecond, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			set(d, v1alpha1.ConditionPVCReady, yes, "Satisfied", "")
			set(d, v1alpha1.ConditionCertificateReady, yes, "Satisfied", "")
			// A customer's log must not be able to draw on the terminal.
			set(d, v1alpha1.ConditionDeploymentReady, no, "RollingOut", "WordPress is being installed: \x1b[2J\u202egone\r\n.")
			return d
		}},
		{700 * time.Millisecond, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			set(d, v1alpha1.ConditionDeploymentReady, yes, "Satisfied", "")
			set(d, v1alpha1.ConditionReady, yes, "Satisfied", "Everything that was asked for is there and answers.")
			d.Status.Phase = v1alpha1.DomainReady
			d.Status.Endpoints = &v1alpha1.EndpointsStatus{HTTP: "http://blog.localhost", HTTPS: "https://blog.localhost"}
			d.Status.SFTP = &v1alpha1.SFTPStatus{Host: "192.0.2.9", Port: 30022, Username: "site",
				PasswordSecretRef: &v1alpha1.SecretKeyReference{Namespace: "dom-blog-localhost", Name: "sftp-credentials", Key: "password"}}
			return d
		}},
	}
}

// restarted is how an operator gives a site another pod.
func restarted() []scene {
	return []scene{
		{100 * time.Millisecond, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			d.Status.RestartedAt = d.Annotations[v1alpha1.AnnotationRestartedAt]
			set(d, v1alpha1.ConditionDeploymentReady, no, "Restarting", "The old pod is ending.")
			set(d, v1alpha1.ConditionReady, no, "Restarting", "The old pod is ending.")
			return d
		}},
		{4 * time.Second, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			set(d, v1alpha1.ConditionDeploymentReady, yes, "Satisfied", "")
			set(d, v1alpha1.ConditionReady, yes, "Satisfied", "")
			return d
		}},
	}
}

// stuck is a site whose image is nowhere.
func stuck() []scene {
	return []scene{{time.Second, func(d *v1alpha1.Domain) *v1alpha1.Domain {
		const cause = "The image kubepanel.io/php:8.4-c is not on the node. Build it with make up."
		set(d, v1alpha1.ConditionNamespaceReady, yes, "Satisfied", "")
		set(d, v1alpha1.ConditionDeploymentReady, no, "NoImage", cause)
		set(d, v1alpha1.ConditionStalled, yes, "NoImage", cause)
		set(d, v1alpha1.ConditionReady, no, "NoImage", cause)
		d.Status.Phase, d.Status.Message = v1alpha1.DomainFailed, cause
		return d
	}}}
}

// slow is a site that gets nowhere.
func slow() []scene {
	return []scene{{time.Second, func(d *v1alpha1.Domain) *v1alpha1.Domain {
		set(d, v1alpha1.ConditionDatabaseReady, no, "Unreachable", "MariaDB does not answer; it is tried again.")
		return d
	}}}
}

// gone is how a site leaves.
func gone() []scene {
	return []scene{
		{400 * time.Millisecond, func(d *v1alpha1.Domain) *v1alpha1.Domain {
			set(d, v1alpha1.ConditionNamespaceReady, no, "Terminating", "The namespace is being removed.")
			set(d, v1alpha1.ConditionDatabaseProvisioned, no, "Deleted", "The database and its user are gone.")
			return d
		}},
		{time.Second, func(*v1alpha1.Domain) *v1alpha1.Domain { return nil }},
	}
}

// blog is a WordPress that has been live for a while.
func blog() *v1alpha1.Domain {
	return lived(&v1alpha1.Domain{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Domain"},
		ObjectMeta: metav1.ObjectMeta{Name: "blog.localhost", UID: "4c2a", Generation: 1, CreationTimestamp: metav1.NewTime(time.Now().Add(-26 * time.Hour))},
		Spec: v1alpha1.DomainSpec{
			DomainName: "blog.localhost", Title: "A blog\x1b[31m",
			Aliases:   []v1alpha1.DomainAlias{{Name: "xn--mller-kva.localhost"}},
			Workload:  v1alpha1.WorkloadSpec{Type: "php", Version: "8.4", Port: 9000, ProxyMode: "fastcgi"},
			WordPress: v1alpha1.WordPressSpec{Preinstall: true, AdminUser: "greta"},
			Resources: v1alpha1.ResourcesSpec{Storage: "5Gi", Limits: v1alpha1.LimitsSpec{CPU: "1000m", Memory: "512Mi"}},
			Redis:     v1alpha1.RedisSpec{Enabled: true},
		},
	}, born())
}

// plain is a site that its operator has not seen yet.
func plain() *v1alpha1.Domain {
	return &v1alpha1.Domain{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Domain"},
		ObjectMeta: metav1.ObjectMeta{Name: "by-hand", UID: "77aa", Generation: 1, CreationTimestamp: metav1.NewTime(time.Now().Add(-3 * time.Second))},
		Spec: v1alpha1.DomainSpec{
			DomainName: "xn--e1afmkfd.xn--p1ai", Workload: v1alpha1.WorkloadSpec{Type: "php", Version: "7.4"},
			Resources: v1alpha1.ResourcesSpec{Storage: "1Gi", Limits: v1alpha1.LimitsSpec{CPU: "500m", Memory: "256Mi"}},
		},
	}
}

// lived plays a story to its end.
func lived(d *v1alpha1.Domain, story []scene) *v1alpha1.Domain {
	for _, s := range story {
		d = s.do(d)
		d.Status.ObservedGeneration = d.Generation
	}
	d.Status.Database = &v1alpha1.DatabaseStatus{Host: "mariadb.kubepanel-system.svc", Port: 3306, Name: "dom-blog-localhost", Username: "dom-blog-localhost",
		PasswordSecretRef: &v1alpha1.SecretKeyReference{Namespace: "dom-blog-localhost", Name: "db-credentials", Key: "password"}}
	return d
}

func warning() hosting.Event {
	return hosting.Event{Time: time.Now().Add(-5 * time.Minute), Count: 3, Warning: true, Reason: "NodeNotReady", Message: "The node is away."}
}
