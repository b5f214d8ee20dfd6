package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// userID owns the files and runs the programs of every site. With user namespaces
// it is another user of the node in every pod.
const userID = 10000

// Workload returns the Deployment that serves the site.
func (s Site) Workload() (*appsv1.Deployment, error) {
	pod, err := s.pod()
	if err != nil {
		return nil, err
	}
	replicas := int32(1)
	if s.Domain.Spec.Suspended {
		replicas = 0
	}
	annotations, err := s.templateAnnotations()
	if err != nil {
		return nil, err
	}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: s.meta(ObjectName(s.name())),
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(replicas),
			// One writer on a volume that only one node may mount.
			Strategy:                appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			RevisionHistoryLimit:    ptr.To[int32](1),
			ProgressDeadlineSeconds: ptr.To[int32](600),
			Selector:                &metav1.LabelSelector{MatchLabels: s.selector()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: s.labels(), Annotations: annotations},
				Spec:       pod,
			},
		},
	}, nil
}

// templateAnnotations change when the pod has to be made anew for a change that
// its containers don't show. Whatever differs in the template restarts the site;
// configuration that a keeper looks after is not part of it.
func (s Site) templateAnnotations() (map[string]string, error) {
	annotations := s.annotations()
	if at := s.Domain.Annotations[v1alpha1.AnnotationRestartedAt]; at != "" {
		annotations[v1alpha1.AnnotationRestartedAt] = at
	}
	if s.platformApp() || s.static() {
		return annotations, nil
	}
	root, err := DocumentRoot(s.Domain)
	if err != nil {
		return nil, err
	}
	app, err := s.appConfig(root)
	if err != nil {
		return nil, err
	}
	annotations[v1alpha1.AnnotationConfigHash] = app[KeyRevision]
	return annotations, nil
}

func (s Site) pod() (corev1.PodSpec, error) {
	inits, containers, err := s.containers()
	if err != nil {
		return corev1.PodSpec{}, err
	}
	spec := s.confinedPod()
	spec.RestartPolicy = corev1.RestartPolicyAlways
	spec.InitContainers, spec.Containers = inits, containers
	spec.Volumes = s.volumes()
	spec.Affinity = s.affinity()
	return spec, nil
}

// confinedPod is what all pods of a site have in common.
func (s Site) confinedPod() corev1.PodSpec {
	spec := corev1.PodSpec{
		// A site never talks to the API server, so it gets no token.
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		DNSPolicy:                     corev1.DNSClusterFirst,
		DNSConfig:                     dnsConfig(),
		TerminationGracePeriodSeconds: ptr.To[int64](10),
		ShareProcessNamespace:         ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:        ptr.To(true),
			RunAsUser:           ptr.To[int64](userID),
			RunAsGroup:          ptr.To[int64](userID),
			FSGroup:             ptr.To[int64](userID),
			FSGroupChangePolicy: ptr.To(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	if s.Platform.UserNamespaces {
		spec.HostUsers = ptr.To(false)
	}
	return spec
}

// affinity prefers the nodes that the spec names, and goes elsewhere when they are
// full or gone.
func (s Site) affinity() *corev1.Affinity {
	if len(s.Domain.Spec.PreferredNodes) == 0 {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
			Weight: 100,
			Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{
				Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: s.Domain.Spec.PreferredNodes,
			}}},
		}},
	}}
}

// confined is what every container of a site runs as.
func confined() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		Privileged:               ptr.To(false),
		AllowPrivilegeEscalation: ptr.To(false),
		ReadOnlyRootFilesystem:   ptr.To(true),
		RunAsNonRoot:             ptr.To(true),
		RunAsUser:                ptr.To[int64](userID),
		RunAsGroup:               ptr.To[int64](userID),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}
